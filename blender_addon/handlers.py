"""Functions that Blender calls when something happens, given as (name of the event, function) pairs."""

import bpy


def add(pairs):
    """Let Blender call each function on its event."""
    for name, function in pairs:
        getattr(bpy.app.handlers, name).append(function)


def remove(pairs):
    """Let Blender forget what `add` added, as far as no script cleared its lists."""
    for name, function in pairs:
        called = getattr(bpy.app.handlers, name)
        if function in called:
            called.remove(function)
