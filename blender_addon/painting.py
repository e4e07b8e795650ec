"""Editors in which a mask is painted: undo may take the image away that they show, or bring another back."""

import bpy
from bpy.app.handlers import persistent

from . import handlers

_stills = {}  # address of an editor in which a mask is painted -> session_uid of the still


def follow(area, still):
    """Let an editor show, after undo and redo, the mask that the still has then, or the still itself."""
    _stills[area.as_pointer()] = still.session_uid


@persistent
def _undone(*_args):
    stills = {image.session_uid: image for image in bpy.data.images}
    for area in (area for screen in bpy.data.screens for area in screen.areas):
        still = stills.get(_stills.get(area.as_pointer()))
        if still is None or area.type != "IMAGE_EDITOR":
            continue
        space, mask = area.spaces.active, still.endless_loops.mask_image
        if space.image is None or (space.image.endless_loops.painted_still == still and space.image != mask):
            space.image = mask or still
            if mask is None:
                space.ui_mode = "VIEW"  # the brush would paint on the still


@persistent
def _forget(*_args):
    _stills.clear()


_HANDLERS = (("load_pre", _forget), ("undo_post", _undone), ("redo_post", _undone))


def register():
    handlers.add(_HANDLERS)


def unregister():
    handlers.remove(_HANDLERS)
    _forget()
