"""Frames on disk become a strip of the edit in use, or a movie."""

import os
from dataclasses import dataclass
from pathlib import Path

import bpy

from ..errors import Refused
from . import versions
from .images import portable

MAX_CHANNEL = 128


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """Frames on disk, and how a strip plays them."""

    still: bpy.types.Image
    files: list  # paths of one folder, in order
    repeat: int
    name: str
    color_space: str  # of the files, or "" where Blender's own guess is right
    below: Path | None  # the still with even sides, where the frames are only a part that plays over it
    below_size: tuple | None  # its width and height
    area: tuple  # the part's rows and columns, as slices

    @property
    def length(self):
        return len(self.files) * self.repeat


def place(context, sequence):
    """Let the edit in use play a sequence.

    Strips of any scene that play its folder already, or the one that the still's frames were in before, are
    kept where they are and follow the new frames. If the edit in use has none, one is added at the playhead,
    on the lowest channel that is free there, inside the meta strip that is open. A part and the still below
    it are in a meta strip.

    Returns
    -------
    (strip, is_new)
    """
    scene = versions.edited_scene(context)
    editor = scene.sequence_editor or scene.sequence_editor_create()
    versions.show_in_sequencer(context, scene)
    settings, folder = sequence.still.endless_loops, sequence.files[0].parent
    folders = {_absolute(str(folder))}
    if settings.sequences_folder:
        folders.add(_absolute(os.path.join(settings.sequences_folder, folder.name)))
    settings.sequences_folder = portable(folder.parent)
    editors = [s.sequence_editor for s in bpy.data.scenes if s.sequence_editor and s.library is None]
    present = {other: _follow(other, sequence, folders) for other in editors}[editor]
    if present:
        return present[0], False
    strips = editor.meta_stack[-1].strips if editor.meta_stack else editor.strips
    start = scene.frame_current
    channel = _free_channel(strips, start, start + sequence.length)
    if sequence.below:
        strip = strips.new_meta(name=sequence.name, channel=channel, frame_start=start)
        below = _add(strip.strips, sequence, sequence.below, 1, start)
        _play_part(strip, [below], [_add(strip.strips, sequence, sequence.files[0], 2, start)], sequence)
    else:
        strip = _add(strips, sequence, sequence.files[0], channel, start)
        _play(strip, sequence)
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


def _add(strips, sequence, file, channel, start):
    """Add an image strip that fills the picture."""
    strip = strips.new_image(
        name=sequence.name, filepath=portable(file), channel=channel, frame_start=start, fit_method="FIT"
    )
    if sequence.color_space:
        strip.colorspace_settings.name = sequence.color_space
    return strip


def _follow(editor, sequence, folders):
    """Let what plays one of the folders in an edit play the frames that are there now; returns its strips."""
    metas = [strip for strip in editor.strips_all if strip.type == "META"]
    found = []
    for meta, strips in [(None, editor.strips), *((meta, meta.strips) for meta in metas)]:
        ours = [s for s in strips if s.type == "IMAGE" and _absolute(s.directory) in folders]
        if sequence.below is None:
            for strip in ours:
                _play(strip, sequence)
            found += ours
        elif ours:
            belows = [s for s in ours if Path(s.elements[0].filename).stem == sequence.below.stem]
            parts = [s for s in ours if s not in belows]
            _play_part(meta, belows, parts, sequence)
            found += [meta] if meta else parts or belows
    return found


def _play(strip, sequence):
    """Let a strip play the frames, and leave it cut as it was."""
    end, content = versions.strip_end(strip), versions.content_end(strip)
    _set_elements(strip, [file.name for file in sequence.files] * sequence.repeat, sequence)
    _set_end(strip, end, _follows(strip, end, content, versions.content_end(strip)))


def _play_part(meta, belows, parts, sequence):
    """Let strips play the moving part and the still below it; in a meta strip, unless it was taken apart."""
    inside, ends = _inner_end(meta), {}
    for strip in parts:
        end = versions.strip_end(strip)
        _play(strip, sequence)
        ends[end] = versions.strip_end(strip)
        if belows:
            _place_on(belows[0].transform, strip.transform, sequence)
    for strip in belows:
        _set_elements(strip, [sequence.below.name], sequence)
        end = versions.strip_end(strip)
        _set_end(strip, end, ends.get(end, end))
    if meta:
        end = versions.strip_end(meta)
        new = _follows(meta, end, inside, _inner_end(meta))
        # It may end with the loop although something in it goes on.
        _set_end(meta, end, new if end == inside else ends.get(end, new))


def _inner_end(meta):
    """First frame after everything in a meta strip: Blender's own figure may be an old one."""
    return max(versions.strip_end(strip) for strip in meta.strips) if meta else None


def _follows(strip, end, old, new):
    """Where a strip ends whose content ended at `old` and ends at `new`: an artist's cut stays if it can."""
    if end == max(old, versions.strip_begin(strip) + 1):  # not cut, or cut where nothing was left to show
        return new
    return min(end, new) if end < old else end


def _set_end(strip, old, new):
    """Move a strip's end, but not beyond the next strip on its channel; a frame of it stays at least."""
    parent = strip.parent_meta() or strip.id_data.sequence_editor
    begins = [versions.strip_begin(other) for other in parent.strips if other.channel == strip.channel]
    room = min((begin for begin in begins if begin >= old), default=new)
    versions.set_strip_end(strip, max(min(new, room), versions.strip_begin(strip) + 1))


def _place_on(still, part, sequence):
    """Keep a part's own place on the still, whatever scale and place that has."""
    width, height = sequence.below_size
    rows, columns = sequence.area
    part.scale_x, part.scale_y = still.scale_x, still.scale_y
    right, down = (columns.start + columns.stop - width) / 2, (rows.start + rows.stop - height) / 2
    part.offset_x = still.offset_x + right * still.scale_x
    part.offset_y = still.offset_y - down * still.scale_y


def _set_elements(strip, names, sequence):
    while len(strip.elements) > 1:
        strip.elements.pop(-1)
    strip.elements[0].filename = names[0]
    for name in names[1:]:
        strip.elements.append(name)
    # Assigning the folder is what makes Blender read the files anew, also where it is the same.
    strip.directory = portable(sequence.files[0].parent) + os.sep


def _free_channel(strips, start, end):
    taken = {s.channel for s in strips if versions.strip_begin(s) < end and versions.strip_end(s) > start}
    for channel in range(1, MAX_CHANNEL + 1):
        if channel not in taken:
            return channel
    raise Refused("Every channel is taken at the playhead: move the playhead, or remove a strip")


def _absolute(folder):
    """A folder's one name, or "" of none."""
    return folder and os.path.realpath(bpy.path.abspath(folder))
