"""What the panels know without reading pixels: the mask's coverage, and whether the loop is out of date.

Drawing only looks facts up. After something changed, a timer reads the mask, the directions and, where it
may have changed, the still, and writes the facts down. Blender says that something changed (a brush stroke,
a pointer, an image) by an update of the dependency graph, and that something was undone by its undo
handlers.
"""

import os
from dataclasses import dataclass

import bpy
import numpy as np
from bpy.app.handlers import persistent

from . import handlers, jobs, loops
from .bridge import images, masks, strokes
from .bridge.versions import AnnotationType
from .errors import Refused

_REST = 0.4  # seconds between a change and the reading of the facts


@dataclass
class _Facts:
    coverage: float | None = None  # None where there is no mask to read
    out_of_date: bool = False


_facts = {}  # session_uid -> _Facts, only of what was read since the last change
_last = {}  # session_uid -> the facts before that: shown until the new ones are there
_wanted = set()  # session_uids of stills whose facts a panel asked for
_digests = {}  # session_uid -> ((where its pixels come from, the file, whether it is dirty), digest of them)


def coverage(still):
    """Part of the still that moves as far as known, or None."""
    return _look_up(still).coverage


def is_out_of_date(still):
    """Whether the loop no longer fits its sources, as far as known."""
    return _look_up(still).out_of_date


def stroke_count(still):
    """How many directions there are; Blender says nothing when one was drawn, so this notes it."""
    count = len(strokes.read_strokes(still))
    if count != len(still.endless_loops.direction_settings):
        _facts.pop(still.session_uid, None)
        _look_up(still)
    return count


def note_change():
    """Read everything anew before it is shown as known."""
    _facts.clear()


def _look_up(still):
    uid = still.session_uid
    if uid in _facts:
        return _facts[uid]
    _wanted.add(uid)
    if not bpy.app.timers.is_registered(_read_wanted):
        bpy.app.timers.register(_read_wanted, first_interval=_REST)
    return _last.get(uid, _Facts())


def _read_wanted():
    """The timer: read the facts of every still that a panel shows."""
    windows = bpy.context.window_manager.windows
    if jobs.running() is not None or any(window.screen.is_animation_playing for window in windows):
        return _REST
    uids = set(_wanted)
    _wanted.clear()
    for image in bpy.data.images:
        if image.session_uid in uids:
            _facts[image.session_uid] = _last[image.session_uid] = _read(image)
    for window in windows:
        for area in window.screen.areas:
            if area.type in {"IMAGE_EDITOR", "NODE_EDITOR"}:
                area.tag_redraw()
    return None


def _read(still):
    is_solved = loops.is_solved(still)
    strokes.sync_settings(still)
    settings = still.endless_loops
    try:
        # The pixels of splines take a render, which only Solve asks for.
        mask = None if settings.mask_source == "MASK" else masks.read_mask(still)
        stale = is_solved and loops.is_out_of_date(still, _still_digest(still), mask)
    except Refused:
        return _Facts(None, is_solved)
    if mask is None:
        return _Facts(settings.coverage if is_solved and not stale else None, stale)
    return _Facts(np.count_nonzero(mask) / mask.size, stale)


def still_state(still):
    """What tells, without reading them, whether a still's pixels may have changed."""
    return _pixels_come_from(still), _on_disk(still), still.is_dirty


def know_still(still, state, digest):
    """Note the digest that a still's pixels had in a state, which spares them the next reading."""
    known = _digests.get(still.session_uid)
    # Blender reads a file that has changed when it is told to, and doesn't say so: until then look each time.
    waits = known is not None and known[0][::2] == state[::2] and known[1] == digest
    if not waits:
        _digests[still.session_uid] = state, digest


def _still_digest(still):
    now = still_state(still)
    known = _digests.get(still.session_uid)
    if known is not None and known[0] == now and not still.is_dirty:
        return known[1]
    digest = loops.digest_still(images.read_still(still))
    know_still(still, now, digest)
    return digest


def _pixels_come_from(still):
    generated = still.generated_type, tuple(still.generated_color)
    return still.filepath, tuple(still.size), still.colorspace_settings.name, still.alpha_mode, generated


def _on_disk(still):
    path = bpy.path.abspath(still.filepath)
    if not os.path.isfile(path):
        return None
    stat = os.stat(path)  # a program may set the time of a file, but not the time of that change
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino


@persistent
def _changed(_scene, depsgraph):
    # A brush stroke or a changed pointer comes as an update that names nothing.
    kinds = (bpy.types.Image, bpy.types.Mask, AnnotationType)
    if not depsgraph.updates or any(isinstance(update.id, kinds) for update in depsgraph.updates):
        note_change()


@persistent
def _undone(*_args):
    note_change()


@persistent
def _loaded(*_args):
    for facts in (_facts, _last, _digests):
        facts.clear()


_HANDLERS = (
    ("depsgraph_update_post", _changed),
    ("undo_post", _undone),
    ("redo_post", _undone),
    ("load_pre", _loaded),
)


def register():
    handlers.add(_HANDLERS)


def unregister():
    handlers.remove(_HANDLERS)
    if bpy.app.timers.is_registered(_read_wanted):
        bpy.app.timers.unregister(_read_wanted)
    _loaded()
