"""Editors in which a mask is painted: undo may take the image away that they show."""

import bpy
from bpy.app.handlers import persistent

from . import handlers

_stills = {}  # address of an editor in which a mask is painted -> session_uid of the still


def follow(area, still):
    """Let an editor show the mask that undo or redo brings back, or the still when there is none."""
    _stills[area.as_pointer()] = still.session_uid


@persistent
def _undone(*_args):
    stills = {image.session_uid: image for image in bpy.data.images}
    for area in (area for screen in bpy.data.screens for area in screen.areas):
        still = stills.get(_stills.get(area.as_pointer()))
        if still is None or area.type != "IMAGE_EDITOR" or area.spaces.active.image is not None:
            continue
        mask = still.endless_loops.mask_image
        area.spaces.active.image = mask or still
        if mask is None:
            area.spaces.active.ui_mode = "VIEW"  # the brush would paint on the still


@persistent
def _forget(*_args):
    _stills.clear()


_HANDLERS = (("load_pre", _forget), ("undo_post", _undone), ("redo_post", _undone))


def register():
    handlers.add(_HANDLERS)


def unregister():
    handlers.remove(_HANDLERS)
    _forget()
