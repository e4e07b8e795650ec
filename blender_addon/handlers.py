"""Functions that Blender calls when something happens, given as (name of the event, function) pairs."""

import bpy


def add(pairs):
    """Let Blender call each function on its event."""
    for name, function in pairs:
        getattr(bpy.app.handlers, name).append(function)


def remove(pairs):
    """Let Blender forget what `add` added."""
    for name, function in pairs:
        getattr(bpy.app.handlers, name).remove(function)
