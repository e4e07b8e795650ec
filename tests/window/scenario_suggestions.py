"""A scribble grows where it is painted, undo takes it back, and a suggested direction is drawn and solved."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bpy
from drive import (
    FOUND,
    addon,
    drag,
    file,
    key,
    open_tab,
    region,
    run,
    screenshot,
    to_screen,
    wait_for_job,
    wide,
)


def coverage():
    return float(addon("bridge.masks").read_mask(bpy.data.images["still.png"]).mean())


def lines():
    return [line.tolist() for line in addon("bridge.strokes").read_strokes(bpy.data.images["still.png"])]


def scenario():
    window, area = yield from wide("IMAGE_EDITOR")
    yield from open_tab(area)
    space = area.spaces.active
    space.image = still = bpy.data.images.load(file("still.png"))
    yield 0.3
    with bpy.context.temp_override(window=window, area=area, region=region(area)):
        bpy.ops.image.view_all(fit_view=True)
        bpy.ops.wm.save_as_mainfile(filepath=file("loop.blend"))
    yield 0.5
    width, height = still.size
    place = to_screen(area, still)

    def press(operator):
        with bpy.context.temp_override(window=window, area=area, region=region(area)):
            operator("INVOKE_DEFAULT", True)
        yield 0.2
        yield from wait_for_job()

    yield from press(bpy.ops.endless_loops.paint_mask)
    yield from drag(window, [place(width * 0.45, height * (0.3 + 0.04 * i)) for i in range(11)])
    yield from drag(window, [place(width * (0.35 + 0.02 * i), height * 0.5) for i in range(11)])
    FOUND["scribbled"] = coverage()
    yield 1.0
    yield from screenshot("1_scribble.png")
    yield from press(bpy.ops.endless_loops.grow_to_object)
    FOUND["grown"] = coverage()
    FOUND["painted_on"] = space.image.name
    yield 1.0
    yield from screenshot("2_grown.png")
    yield from key(window, "Z", *place(width / 2, height / 2), ctrl=True)
    FOUND["after_undo"] = coverage()
    yield from press(bpy.ops.endless_loops.grow_to_object)
    yield from press(bpy.ops.endless_loops.done)
    FOUND["suggested"] = []
    for number in (1, 2):
        yield from press(bpy.ops.endless_loops.suggest_directions)
        FOUND["suggested"].append(lines())
        yield 1.0
        yield from screenshot(f"3_direction_{number}.png")
    yield from press(bpy.ops.endless_loops.solve)
    FOUND["solved"] = addon("loops").is_solved(bpy.data.images["still.png"])
    yield from press(bpy.ops.endless_loops.suggest_masks)
    FOUND["suggested_mask"] = coverage()
    yield 1.0
    yield from screenshot("4_mask.png")


run(scenario)
