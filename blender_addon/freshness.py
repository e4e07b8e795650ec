"""What the panels know without reading pixels: the mask's coverage, and whether the loop is out of date.

Drawing only looks facts up. When something changed, a timer reads the still, the mask and the directions a
moment after the last change and writes the facts down. Blender tells of changed images, masks and
annotations through the dependency graph and of undone ones through its undo handlers; a file that another
program changed on disk is noticed when the image is reloaded.
"""

from dataclasses import dataclass

import bpy
import numpy as np
from bpy.app.handlers import persistent

from . import jobs, loops
from .bridge import masks, strokes
from .bridge.versions import AnnotationType
from .errors import Refused

_REST = 0.4  # seconds without a change before the facts are read


@dataclass
class _Facts:
    coverage: float | None = None  # None where there is no mask to read
    out_of_date: bool = False


_facts = {}  # session_uid -> _Facts, only of what was read since the last change
_last = {}  # session_uid -> the facts before that: shown until the new ones are there
_wanted = set()  # session_uids of stills whose facts a panel asked for


def coverage(still):
    """Part of the still that moves as far as known, or None."""
    return _look_up(still).coverage


def is_out_of_date(still):
    """Whether the loop no longer fits its sources, as far as known."""
    return _look_up(still).out_of_date


def stroke_count(still):
    """How many directions there are."""
    return len(strokes.read_strokes(still))


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
    if jobs.running() is not None:
        return _REST
    uids = set(_wanted)
    _wanted.clear()
    for image in bpy.data.images:
        if image.session_uid in uids:
            _facts[image.session_uid] = _last[image.session_uid] = _read(image)
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"IMAGE_EDITOR", "NODE_EDITOR"}:
                area.tag_redraw()
    return None


def _read(still):
    stale = loops.is_solved(still) and loops.is_out_of_date(still)
    settings = still.endless_loops
    if settings.mask_source == "MASK":  # its pixels take a render, which only Solve asks for
        return _Facts(settings.coverage if loops.is_solved(still) and not stale else None, stale)
    try:
        return _Facts(float(np.mean(masks.read_mask(still))), stale)
    except Refused:
        return _Facts(None, stale)


@persistent
def _changed(_scene, depsgraph):
    if any(isinstance(u.id, (bpy.types.Image, bpy.types.Mask, AnnotationType)) for u in depsgraph.updates):
        _facts.clear()


@persistent
def _undone(*_args):
    _facts.clear()


@persistent
def _loaded(*_args):
    _facts.clear()
    _last.clear()


_HANDLERS = (
    ("depsgraph_update_post", _changed),
    ("undo_post", _undone),
    ("redo_post", _undone),
    ("load_pre", _loaded),
)


def register():
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)


def unregister():
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).remove(handler)
    if bpy.app.timers.is_registered(_read_wanted):
        bpy.app.timers.unregister(_read_wanted)
    _loaded()
