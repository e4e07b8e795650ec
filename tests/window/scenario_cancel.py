"""Esc at several moments of a Solve: how long until the editor is free, and whether anything is left."""

import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bpy
from drive import FOUND, addon, file, region, run, wide

MOMENTS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)  # seconds after Solve was pressed


def prepare(area):
    still = bpy.data.images.load(file("still.png"))
    area.spaces.active.image = still
    still.endless_loops.mask_image = bpy.data.images.load(file("mask.png"))
    with open(file("strokes.json")) as strokes:
        for points in json.load(strokes):
            still.endless_loops.add_direction(points)
    return still


def scenario():
    window, area = yield from wide("IMAGE_EDITOR")
    bpy.ops.wm.save_as_mainfile(filepath=file("cancel.blend"))
    yield 0.5
    still = prepare(area)
    x, y = area.x + area.width // 2, area.y + area.height // 2
    FOUND["seconds"] = []
    for moment in MOMENTS * 2:
        yield 1.0
        with bpy.context.temp_override(window=window, area=area, region=region(area)):
            bpy.ops.endless_loops.solve("INVOKE_DEFAULT", True)
        yield moment
        pressed = time.monotonic()
        window.event_simulate("ESC", "PRESS", x=x, y=y)
        while addon("jobs").running() is not None:
            yield 0.005
        seconds = time.monotonic() - pressed
        window.event_simulate("ESC", "RELEASE", x=x, y=y)
        if still.endless_loops.loop_file:  # this machine was faster than Esc
            os.unlink(addon("loops").folder() / still.endless_loops.loop_file)
            still.endless_loops.loop_file = ""
        else:
            FOUND["seconds"].append(seconds)
    yield 3.0  # until the last worker has noticed
    FOUND["solved"] = bool(still.endless_loops.loop_file)
    FOUND["left"] = [name for _, _, names in os.walk(file("endless_loops")) for name in names]


run(scenario)
