"""Frames on disk become a strip of the edit in use, or a movie."""

import os

import bpy

from ..errors import Refused
from . import versions
from .images import portable

MAX_CHANNEL = 128


def place(context, still, files, repeat, name, keep_bytes):
    """Let the edit in use play `files` (paths of one folder, in order) `repeat` times.

    Strips that play this folder already, or the one that the still's frames were in before, are kept where
    they are and follow the new frames. Otherwise one strip is added at the playhead, on the lowest channel
    that is free there, inside the meta strip that is open.

    Returns
    -------
    (strip, is_new)
    """
    scene = versions.edited_scene(context)
    editor = scene.sequence_editor or scene.sequence_editor_create()
    versions.show_in_sequencer(context, scene)
    settings = still.endless_loops
    folders = {_absolute(str(files[0].parent)), _absolute(settings.sequence_folder)}
    settings.sequence_folder = portable(files[0].parent)
    present = [s for s in editor.strips_all if s.type == "IMAGE" and _absolute(s.directory) in folders]
    for strip in present:
        _set_elements(strip, files, repeat)
    if present:
        return present[0], False
    strips = editor.meta_stack[-1].strips if editor.meta_stack else editor.strips
    start = scene.frame_current
    channel = _free_channel(strips, start, start + len(files) * repeat)
    strip = strips.new_image(
        name=name, filepath=portable(files[0]), channel=channel, frame_start=start, fit_method="FIT"
    )
    _set_elements(strip, files, repeat)
    if keep_bytes:
        strip.colorspace_settings.name = still.colorspace_settings.name
    editor.active_strip = strip
    return strip, True


def movie_settings(scene, path, size):
    """What a movie of `size` (width, height) is rendered with: (owner, name, value) triples, in this order.

    The encoder's settings are the scene's where it renders a movie, otherwise H.264 in MP4; the frame rate
    is the scene's.
    """
    render, encoder = scene.render, scene.render.ffmpeg
    settings = [("image_settings", *setting) for setting in versions.MOVIE_FORMAT]
    settings += [
        ("render", "filepath", str(path)),
        ("render", "use_file_extension", False),
        ("render", "fps", render.fps),
        ("render", "fps_base", render.fps_base),
        ("render", "resolution_x", size[0]),
        ("render", "resolution_y", size[1]),
        ("render", "resolution_percentage", 100),
        ("view_settings", "view_transform", "Standard"),
        ("view_settings", "look", "None"),
    ]
    if render.image_settings.file_format == "FFMPEG":
        names = ("format", "codec", "constant_rate_factor", "ffmpeg_preset", "video_bitrate", "gopsize")
        encoding = [(name, getattr(encoder, name)) for name in names]
    else:
        encoding = [("format", "MPEG4"), ("codec", "H264"), ("constant_rate_factor", "HIGH")]
    return settings + [("ffmpeg", *setting) for setting in [*encoding, ("audio_codec", "NONE")]]


def movie_suffix(scene):
    """The file extension of the movies that `scene`'s settings make."""
    if scene.render.image_settings.file_format != "FFMPEG":
        return ".mp4"
    names = {
        "MPEG4": ".mp4",
        "MKV": ".mkv",
        "QUICKTIME": ".mov",
        "AVI": ".avi",
        "WEBM": ".webm",
        "OGG": ".ogv",
    }
    return names.get(scene.render.ffmpeg.format, ".mkv")


def _set_elements(strip, files, repeat):
    names = [file.name for file in files] * repeat
    while len(strip.elements) > 1:
        strip.elements.pop(-1)
    strip.elements[0].filename = names[0]
    for name in names[1:]:
        strip.elements.append(name)
    # Assigning the folder is what makes Blender read the files anew, also where it is the same.
    strip.directory = portable(files[0].parent) + os.sep


def _free_channel(strips, start, end):
    taken = {s.channel for s in strips if versions.strip_begin(s) < end and versions.strip_end(s) > start}
    for channel in range(1, MAX_CHANNEL + 1):
        if channel not in taken:
            return channel
    raise Refused("Every channel is taken at the playhead: move the playhead, or remove a strip")


def _absolute(folder):
    """A folder's one name, or "" of none."""
    return folder and os.path.realpath(bpy.path.abspath(folder))
