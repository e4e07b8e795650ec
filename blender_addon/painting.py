"""Editors that show a mask: undo may take that image away, or bring another mask back."""

import bpy
from bpy.app.handlers import persistent

from . import handlers

_showing = {}  # address of an editor that shows a mask as undo begins -> session_uid of the mask's still


@persistent
def _undo_begins(*_args):
    _showing.clear()
    for area in _editors():
        mask = area.spaces.active.image
        still = mask.endless_loops.painted_still if mask else None
        if still is not None and still.endless_loops.mask_image == mask:
            _showing[area.as_pointer()] = still.session_uid


@persistent
def _undone(*_args):
    """Let the editors show, after undo and redo, the mask that the still has then, or the still itself."""
    stills = {image.session_uid: image for image in bpy.data.images}
    for area in _editors():
        still, space = stills.get(_showing.get(area.as_pointer())), area.spaces.active
        mask = still.endless_loops.mask_image if still else None
        if still is None or (mask is not None and space.image == mask):
            continue
        space.image = mask or still
        if mask is None:
            space.ui_mode = "VIEW"  # the brush would paint on the still


def _editors():
    areas = (area for screen in bpy.data.screens for area in screen.areas)
    return [area for area in areas if area.type == "IMAGE_EDITOR"]


_HANDLERS = (
    ("undo_pre", _undo_begins),
    ("redo_pre", _undo_begins),
    ("undo_post", _undone),
    ("redo_post", _undone),
)


def register():
    handlers.add(_HANDLERS)


def unregister():
    handlers.remove(_HANDLERS)
