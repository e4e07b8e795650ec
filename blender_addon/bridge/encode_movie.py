"""Runs in a Blender of its own, which Save Movie starts: renders the movie that a JSON file describes.

That Blender began with factory settings. Reading them once more would uninstall the wheels of every extension
that the artist uses, as none is enabled in them.
"""

import json
import sys

import bpy

with open(sys.argv[-1], encoding="utf-8") as file:
    movie = json.load(file)

scene = bpy.context.scene
owners = {
    "render": scene.render,
    "image_settings": scene.render.image_settings,
    "ffmpeg": scene.render.ffmpeg,
    "view_settings": scene.view_settings,
}
for owner, name, value in movie["settings"]:
    setattr(owners[owner], name, value)

first, *rest = movie["names"] * movie["repeat"]
strips = (scene.sequence_editor or scene.sequence_editor_create()).strips
strip = strips.new_image(
    name="Loop", filepath=f"{movie['folder']}/{first}", channel=1, frame_start=1, fit_method="ORIGINAL"
)
for name in rest:
    strip.elements.append(name)
scene.frame_start, scene.frame_end = 1, 1 + len(rest)
bpy.ops.render.render(animation=True)
