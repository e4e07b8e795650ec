"""What may happen while a loop is being solved: an undo, a deleted still, another file."""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bpy
from drive import FOUND, addon, file, key, prepare_still, region, run, wait_for_job, wide


def slow_down():
    """Give a script the time to interfere: a solve takes less than half a second."""
    operator = addon("operators.solve").ENDLESSLOOPS_OT_solve
    work = operator.work

    def slowly(request, progress):
        time.sleep(2)
        return work(request, progress)

    operator.work = slowly


def prepare(area):
    prepare_still(area)
    bpy.ops.ed.undo_push(message="Prepare")
    bpy.context.scene.name = "Renamed"
    bpy.ops.ed.undo_push(message="Rename")


def solve(window, area):
    with bpy.context.temp_override(window=window, area=area, region=region(area)):
        bpy.ops.endless_loops.solve("INVOKE_DEFAULT", True)


def state():
    return {
        "running": addon("jobs").running() is not None,
        "left": [name for _, _, names in os.walk(file("endless_loops")) for name in names],
    }


def scenario():
    window, area = yield from wide("IMAGE_EDITOR")
    bpy.ops.wm.save_as_mainfile(filepath=file("meanwhile.blend"))
    slow_down()
    yield 0.5

    prepare(area)
    solve(window, area)
    yield 0.2
    yield from key(window, "Z", 600, 400, ctrl=True)
    yield from wait_for_job()
    still = bpy.data.images["still.png"]
    FOUND["solved_after_undo"] = bool(still.endless_loops.loop_file) and bpy.context.scene.name != "Renamed"
    os.unlink(addon("loops").folder() / still.endless_loops.loop_file)

    solve(window, area)
    yield 0.2
    bpy.data.images.remove(bpy.data.images["still.png"])
    yield from wait_for_job()
    FOUND["deleted"] = state()

    prepare(area)
    solve(window, area)
    yield 0.2
    bpy.ops.wm.open_mainfile(filepath=file("meanwhile.blend"))
    yield 3.0
    FOUND["loaded"] = state()

    window = bpy.context.window_manager.windows[0]
    area = max(window.screen.areas, key=lambda a: a.width * a.height)
    area.ui_type = "IMAGE_EDITOR"
    yield 0.5
    prepare(area)
    solve(window, area)
    yield from wait_for_job()
    FOUND["usable"] = bool(bpy.data.images["still.png"].endless_loops.loop_file)


run(scenario)
