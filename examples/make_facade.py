"""Render the example: a street front with its mask and its stroke, both taken from the scene itself.

Needs Python 3.13 and ``pip install bpy==5.2.*``; takes six minutes of one core::

    python examples/make_facade.py
"""

from __future__ import annotations

import json
import random
from math import radians
from pathlib import Path

import bpy
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from facade_materials import make_materials, make_sky
from facade_parts import BAY, STOREY, WALL, Parts, facade
from mathutils import Vector

FOLDER = Path(__file__).with_name("facade")
SIZE = (1200, 800)
BAYS, STOREYS, GROUND = 6, 6, 4.3
SOFT = ("leaves", "petals", "glass", "linen", "cream", "bark", "iron")
"""Materials of thin things, whose edges need no rounding."""


def ground_floor(parts):
    """Build the shops under the moving storeys."""
    right = BAYS * BAY
    for bay in range(BAYS):
        x = bay * BAY
        for pier in (x, x + BAY - 0.4):
            for row in range(7):
                parts.box("stone", (pier, -0.08, row * 0.45), (pier + 0.4, WALL, row * 0.45 + 0.42))
        parts.box("room", (x, 1.6, 0), (x + BAY, 1.7, GROUND))
        parts.box("shutter", (x + 0.4, 0.1, 0), (x + BAY - 0.4, 0.2, 0.7))
        for post in (x + 0.4, x + BAY / 2 - 0.04, x + BAY - 0.48):
            parts.box("shutter", (post, 0.08, 0.7), (post + 0.08, 0.2, 3.2))
        pane = [
            (x + 0.4, 0.15, 0.7),
            (x + BAY - 0.4, 0.15, 0.7),
            (x + BAY - 0.4, 0.15, 3.2),
            (x + 0.4, 0.15, 3.2),
        ]
        parts.add("glass", [Vector(p) for p in pane], [(0, 1, 2, 3)])
        if bay % 3 != 1:
            slope = [(x + 0.3, -0.05, 3.25), (x + BAY - 0.3, -0.05, 3.25)]
            slope += [(x + BAY - 0.3, -1.3, 2.6), (x + 0.3, -1.3, 2.6)]
            slope += [(x + BAY - 0.3, -1.3, 2.4), (x + 0.3, -1.3, 2.4)]
            parts.add("awning", [Vector(p) for p in slope], [(0, 1, 2, 3), (3, 2, 4, 5)])
    parts.box("stone", (0, -0.08, 3.2), (right, WALL, GROUND - 0.45))
    parts.box("stone", (-0.1, -0.2, GROUND - 0.45), (right + 0.1, WALL, GROUND - 0.3))
    parts.box("stone", (-0.2, -0.34, GROUND - 0.3), (right + 0.2, WALL, GROUND - 0.12))


def roof(parts, left, right, front, level):
    """Build a cornice on dentils and a slated roof behind it."""
    for k, (out, height) in enumerate(((0.1, 0.25), (0.2, 0.12), (0.5, 0.12), (0.62, 0.16))):
        z = level + (0, 0.25, 0.52, 0.64)[k]
        parts.box("stone", (left - out, front - out, z), (right + out, front + WALL, z + height))
    for k in range(int((right - left) / 0.42)):
        x = left + 0.1 + k * 0.42
        parts.box("stone", (x, front - 0.4, level + 0.37), (x + 0.22, front, level + 0.52))
    z = level + 0.8
    profile = ((front - 0.3, z), (front + 1.6, z + 3), (front + 7, z + 3), (front + 9, z))
    outline = [Vector((x, y, height)) for x in (left, right) for y, height in profile]
    parts.add("slate", outline, [(0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 2, 1, 0), (4, 5, 6, 7)])
    parts.box("plaster", (left, front + WALL + 1.8, level - 40), (right, front + 9, z))
    for x in (left + 1.2, right - 2.2):
        parts.box("brick", (x, front + 1.5, z), (x + 1.0, front + 2.3, z + 4.2))


def tree(parts, foot, height, seed):
    """Grow a tree by forking: each branch ends in two or three thinner ones, the last in leaves."""
    dice = random.Random(seed)

    def grow(start, direction, length, thick, depth):
        bend = Vector([dice.gauss(0, 0.12) for _ in range(3)])
        end = start + (direction + bend).normalized() * length
        parts.rod("bark", start, end, thick, thick * 0.72)
        if depth <= 2:
            for _ in range(90):
                at = start.lerp(end, dice.random()) + Vector([dice.gauss(0, 0.3) for _ in range(3)])
                parts.leaf("leaves", at, dice.uniform(0.11, 0.2), dice)
        if depth:
            for _ in range(3 if depth > 2 else 2):
                spread = Vector([dice.gauss(0, 0.55), dice.gauss(0, 0.55), dice.gauss(0.12, 0.3)])
                grow(
                    end,
                    (direction + spread).normalized(),
                    length * dice.uniform(0.68, 0.86),
                    thick * 0.66,
                    depth - 1,
                )

    grow(Vector(foot), Vector((0.03, 0, 1)), height * 0.28, height * 0.022, 6)


def street_lamp(parts, x, y):
    """Build an iron lamp post with a lantern."""
    foot = Vector((x, y, 0))
    for low, high, thick, thin in ((0, 0.7, 0.15, 0.1), (0.7, 0.85, 0.13, 0.13), (0.85, 4.6, 0.065, 0.045)):
        parts.rod("iron", foot + Vector((0, 0, low)), foot + Vector((0, 0, high)), thick, thin, 16)
    parts.rod("iron", foot + Vector((-0.4, 0, 4.35)), foot + Vector((0.4, 0, 4.35)), 0.025, 0.025)
    for low, high, thick, thin, material in (
        (4.6, 4.72, 0.06, 0.16, "iron"),
        (4.72, 5.3, 0.15, 0.23, "lantern"),
        (5.3, 5.55, 0.28, 0.08, "iron"),
        (5.55, 5.75, 0.04, 0.01, "iron"),
    ):
        parts.rod(material, foot + Vector((0, 0, low)), foot + Vector((0, 0, high)), thick, thin, 6)


def build_street(materials):
    """Build everything; return the objects whose pixels belong to the mask."""
    moving, still = Parts(), Parts()
    facade(moving, 0, 0, GROUND, BAYS, STOREYS)
    ground_floor(still)
    roof(still, 0, BAYS * BAY, 0, GROUND + STOREYS * STOREY)
    for left, front, storeys, bays in ((BAYS * BAY + 0.05, 0.5, 4, 8), (-48, 14, 4, 15)):
        facade(still, left, front, GROUND - 0.5, bays, storeys, "plaster", seed=bays)
        still.box("stone", (left, front, 0), (left + bays * BAY, front + WALL, GROUND - 0.5))
        roof(still, left, left + bays * BAY, front, GROUND - 0.5 + storeys * STOREY)
    still.box("pavement", (-60, -4.5, -0.2), (60, 8, 0))
    still.box("asphalt", (-60, -60, -0.4), (60, -4.5, -0.15))
    for k, height in enumerate((11, 14, 12.5, 15, 11.5)):  # the other side of the street, seen in the glass
        still.box("plaster", (-34 + 16 * k, -42, 0), (-19 + 16 * k, -34, height))
    tree(still, (0.5, -5.2, 0), 9.5, seed=11)
    street_lamp(still, 10.4, -6.2)
    still.build("Still", materials, SOFT)
    return moving.build("Moving", materials, SOFT)


def set_up_camera():
    """Stand on the pavement across the street and look up, as a passer-by with a camera would."""
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    camera.location = (4.3, -20.3, 1.7)
    camera.rotation_euler = (Vector((9.5, 0, 11.7)) - camera.location).to_track_quat("-Z", "Y").to_euler()
    camera.data.lens = 24
    return camera


def set_up_light():
    """Set a low sun on the left, so that every ledge throws a shadow, under a sky with clouds."""
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    sun.data.energy, sun.data.angle, sun.data.color = 5.0, radians(0.6), (1.0, 0.87, 0.7)
    sun.rotation_euler = Vector((0.8, 0.5, -0.62)).to_track_quat("-Z", "Y").to_euler()
    bpy.context.scene.collection.objects.link(sun)
    bpy.context.scene.world = make_sky()


def render(path, samples, transform="AgX", color_mode="RGB"):
    """Render to a PNG file."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.render.resolution_percentage = 100
    scene.cycles.samples, scene.cycles.use_denoising = samples, transform == "AgX"
    scene.cycles.max_bounces = 6
    scene.view_settings.view_transform = transform
    scene.view_settings.look = "AgX - Medium High Contrast" if transform == "AgX" else "None"
    scene.view_settings.exposure = 0.35 if transform == "AgX" else 0
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = color_mode
    scene.render.image_settings.compression = 100
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)


def render_mask(path, moving):
    """Render white where the moving storeys are seen, then keep clear of all that stands before them."""
    for thing in bpy.data.objects:
        if thing.type == "MESH":
            thing.data.materials[0] = flat_material(thing in moving)
    bpy.context.scene.world = None
    render(path, samples=8, transform="Raw", color_mode="BW")
    image = bpy.data.images.load(str(path))
    image.colorspace_settings.name = "Non-Color"
    pixels = np.array(image.pixels[:], np.float32).reshape(SIZE[1], SIZE[0], 4)
    inside = pixels[..., 0] > 0.5
    inside = ~shrink(~shrink(inside, 12), 8)  # 4 px from every border, and rid of what shows between leaves
    pixels[..., :3] = inside[..., None]
    image.pixels = pixels.ravel()
    image.save()


def flat_material(white):
    """Return the material that paints the mask."""
    material = bpy.data.materials.new("White" if white else "Black")
    nodes = material.node_tree.nodes
    emission = nodes.new("ShaderNodeEmission")
    emission.inputs["Color"].default_value = (*([float(white)] * 3), 1)
    material.node_tree.links.new(emission.outputs[0], nodes["Material Output"].inputs["Surface"])
    return material


def shrink(inside, by):
    """Return what is left of a region (H, W) after losing `by` pixels at its border."""
    for step in range(by):
        edged = np.pad(inside, 1, mode="edge")
        inside = edged[1:-1, 1:-1] & edged[:-2, 1:-1] & edged[2:, 1:-1] & edged[1:-1, :-2] & edged[1:-1, 2:]
        if step % 2:  # corners at every other step: an octagon, nearly round
            inside &= edged[:-2, :-2] & edged[2:, 2:] & edged[:-2, 2:] & edged[2:, :-2]
    return inside


def stroke(camera):
    """Return a line up the middle of the front as the camera sees it, in pixels from the top left."""
    points = []
    for k in range(9):
        at = Vector((BAYS / 2 * BAY, 0, GROUND + 0.6 + k * (STOREYS * STOREY - 1.2) / 8))
        u, v, _ = world_to_camera_view(bpy.context.scene, camera, at)
        points.append([round(u * SIZE[0], 1), round((1 - v) * SIZE[1], 1)])
    return points


def main():
    """Write still.png, mask.png and strokes.json."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    FOLDER.mkdir(exist_ok=True)
    moving = build_street(make_materials())
    camera = set_up_camera()
    set_up_light()
    bpy.context.view_layer.update()
    render(FOLDER / "still.png", samples=64)
    (FOLDER / "strokes.json").write_text(json.dumps([stroke(camera)]) + "\n")
    render_mask(FOLDER / "mask.png", moving)


if __name__ == "__main__":
    main()
