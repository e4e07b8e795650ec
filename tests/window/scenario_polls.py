"""Ask every operator, in every editor, whether it can run: always a plain bool, never an error."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bpy
from drive import FOUND, file, region, run, wide


def scenario():
    _window, area = yield from wide("IMAGE_EDITOR")
    operators = [name for name in dir(bpy.ops.endless_loops) if not name.startswith("_")]
    editors = [item.identifier for item in bpy.types.Area.bl_rna.properties["type"].enum_items]
    FOUND.update(editors=editors, operators=len(operators), wrong=[])
    still = bpy.data.images.load(file("still.png"))
    for kind in editors:
        if kind == "EMPTY":
            continue
        area.type = kind
        yield 0.1
        if kind == "IMAGE_EDITOR":
            area.spaces.active.image = still
        window = bpy.context.window_manager.windows[0]
        with bpy.context.temp_override(window=window, area=area, region=region(area)):
            for name in operators:
                try:
                    answer = getattr(bpy.ops.endless_loops, name).poll()
                except Exception as error:
                    answer = repr(error)
                if not isinstance(answer, bool):
                    FOUND["wrong"].append([kind, name, str(answer)])


run(scenario)
