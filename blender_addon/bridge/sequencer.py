"""Frames on disk become a strip of the edit in use, or a movie."""

import os
from pathlib import Path

import bpy

from ..errors import Refused
from . import versions
from .images import portable

MAX_CHANNEL = 128


def place(context, still, files, repeat, name, keep_bytes):
    """Let the edit in use play `files` (paths of one folder, in order) `repeat` times.

    Strips that play this folder already are kept where they are and follow the new frames. Otherwise one
    strip is added at the playhead, on the lowest channel that is free there, inside the meta strip that is
    open.

    Returns
    -------
    (strip, is_new)
    """
    scene = versions.edited_scene(context)
    editor = scene.sequence_editor or scene.sequence_editor_create()
    versions.show_in_sequencer(context, scene)
    folder = files[0].parent
    present = [s for s in editor.strips_all if s.type == "IMAGE" and _folder_of(s) == folder]
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


def write_movie(files, repeat, path, scene):
    """Encode `files` (PNG, of one folder, in order), `repeat` times, through Blender's own FFmpeg.

    The encoder's settings are the scene's where it renders a movie, otherwise H.264 in MP4; the frame rate
    is the scene's. The movie is written beside `path` and moved there in one step.
    """
    movie = bpy.data.scenes.new("Endless Loops Movie")
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        _set_movie_output(movie, scene, part)
        strip = movie.sequence_editor_create().strips.new_image(
            name="Loop", filepath=str(files[0]), channel=1, frame_start=1, fit_method="ORIGINAL"
        )
        _set_elements(strip, files, repeat)
        movie.frame_start, movie.frame_end = 1, len(files) * repeat
        width, height = strip.elements[0].orig_width, strip.elements[0].orig_height
        movie.render.resolution_x, movie.render.resolution_y = width, height
        bpy.ops.render.render(animation=True, scene=movie.name)
        if not part.is_file() or part.stat().st_size == 0:
            raise Refused(f"The movie can't be written to {path}. Choose another folder or free some space")
        os.replace(part, path)
    except (RuntimeError, OSError) as error:
        raise Refused(f"The movie can't be written to {path}: {error}") from error
    finally:
        part.unlink(missing_ok=True)
        bpy.data.scenes.remove(movie)


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


def _set_movie_output(movie, scene, path):
    render = movie.render
    render.fps, render.fps_base = scene.render.fps, scene.render.fps_base
    render.resolution_percentage = 100
    render.filepath, render.use_file_extension = str(path), False
    versions.set_movie_format(render.image_settings)
    movie.view_settings.view_transform, movie.view_settings.look = "Standard", "None"
    ours, theirs = render.ffmpeg, scene.render.ffmpeg
    if scene.render.image_settings.file_format == "FFMPEG":
        for name in ("format", "codec", "constant_rate_factor", "ffmpeg_preset", "video_bitrate", "gopsize"):
            setattr(ours, name, getattr(theirs, name))
    else:
        ours.format, ours.codec, ours.constant_rate_factor = "MPEG4", "H264", "HIGH"
    ours.audio_codec = "NONE"


def _set_elements(strip, files, repeat):
    names = [file.name for file in files] * repeat
    while len(strip.elements) > 1:
        strip.elements.pop(-1)
    strip.elements[0].filename = names[0]
    for name in names[1:]:
        strip.elements.append(name)
    # Assigning the folder is what makes Blender read the files anew.
    strip.directory = strip.directory


def _free_channel(strips, start, end):
    taken = {s.channel for s in strips if versions.strip_begin(s) < end and versions.strip_end(s) > start}
    for channel in range(1, MAX_CHANNEL + 1):
        if channel not in taken:
            return channel
    raise Refused("Every channel is taken at the playhead: move the playhead, or remove a strip")


def _folder_of(strip):
    return Path(os.path.realpath(bpy.path.abspath(strip.directory)))
