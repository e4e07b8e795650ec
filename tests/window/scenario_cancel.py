"""Esc at several moments of a Solve, and while frames are written: when the editor is free, what is left."""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bpy
from drive import FOUND, addon, file, prepare_still, region, run, wide

MOMENTS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)  # seconds after Solve was pressed


def scenario():
    window, area = yield from wide("IMAGE_EDITOR")
    bpy.ops.wm.save_as_mainfile(filepath=file("cancel.blend"))
    yield 0.5
    still = prepare_still(area)
    FOUND["seconds"] = []
    for moment in MOMENTS * 2:
        yield 1.0
        seconds = yield from cancelled_after(window, area, bpy.ops.endless_loops.solve, moment)
        if still.endless_loops.loop_file:  # this machine was faster than Esc
            os.unlink(addon("loops").folder() / still.endless_loops.loop_file)
            still.endless_loops.loop_file = ""
        else:
            FOUND["seconds"].append(seconds)
    yield from wait_for(lambda: not left())  # until the last worker has noticed
    FOUND["solved"] = bool(still.endless_loops.loop_file)
    FOUND["left"] = left()

    with bpy.context.temp_override(window=window, area=area, region=region(area)):
        bpy.ops.endless_loops.solve("EXEC_DEFAULT", True)
    loop = left()
    still.endless_loops.frame_count = 200
    FOUND["while_writing"], FOUND["left_of_frames"] = {}, {}
    for file_format in ("PNG", "JPEG"):
        bpy.context.scene.render.image_settings.file_format = file_format
        yield 1.0
        seconds = yield from cancelled_after(window, area, bpy.ops.endless_loops.to_sequencer, 3.0)
        yield from wait_for(lambda: left() == loop)
        FOUND["while_writing"][file_format] = seconds
        FOUND["left_of_frames"][file_format] = sorted(set(left()) - set(loop))
    editor = bpy.context.scene.sequence_editor
    FOUND["strips"] = len(editor.strips) if editor else 0


def cancelled_after(window, area, operator, moment):
    """Start a job and press Esc a moment later; returns the seconds until the editor is free."""
    x, y = area.x + area.width // 2, area.y + area.height // 2
    with bpy.context.temp_override(window=window, area=area, region=region(area)):
        operator("INVOKE_DEFAULT", True)
    yield moment
    pressed = time.monotonic()
    window.event_simulate("ESC", "PRESS", x=x, y=y)
    while addon("jobs").running() is not None:
        yield 0.005
    seconds = time.monotonic() - pressed
    window.event_simulate("ESC", "RELEASE", x=x, y=y)
    return seconds


def left():
    """Every file that lies beside the .blend."""
    return [name for _, _, names in os.walk(file("endless_loops")) for name in names]


def wait_for(is_so, seconds=30):
    """Wait until something is so, or the time is over."""
    for _ in range(seconds * 10):
        if is_so():
            return
        yield 0.1


run(scenario)
