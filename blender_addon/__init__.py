"""Endless Loops: the Blender extension. Registers and unregisters its parts, nothing else."""

import bpy

from . import freshness, jobs, loops, operators, painting, panels, pictures, properties, suggestions
from .preview import backdrop, overlay

_CLASSES = jobs.CLASSES + operators.CLASSES + panels.CLASSES
_PARTS = (properties, loops, pictures, freshness, painting, suggestions, overlay, backdrop)


def register():
    for part in _PARTS:
        part.register()
    for cls in _CLASSES:
        bpy.utils.register_class(cls)


def unregister():
    jobs.cancel_running()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
    for part in reversed(_PARTS):
        part.unregister()
