"""Two directions, each with its speed, and a soft edge that changes while the loop plays."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bpy
import numpy as np
from drive import FOUND, addon, drag, file, open_tab, region, run, screenshot, to_screen, wait_for_job, wide


def settings():
    return bpy.data.images["still.png"].endless_loops


def shown_player():
    return addon("preview.player")._player


def scenario():
    window, area = yield from wide("IMAGE_EDITOR")
    yield from open_tab(area)
    space = area.spaces.active
    space.image = bpy.data.images.load(file("still.png"))
    yield 0.3
    with bpy.context.temp_override(window=window, area=area, region=region(area)):
        bpy.ops.image.view_all(fit_view=True)
        bpy.ops.wm.save_as_mainfile(filepath=file("loop.blend"))
    yield 0.5
    width, height = space.image.size
    mask = np.zeros((height, width), bool)
    mask[height // 5 : -height // 8, width // 4 : -width // 4] = True
    settings().set_mask(mask)
    place = to_screen(area, space.image)

    with bpy.context.temp_override(window=window, area=area, region=region(area)):
        bpy.ops.endless_loops.draw_directions("INVOKE_DEFAULT", True)
    yield 0.3
    for x in (470, 700):
        yield from drag(window, [place(x, 560 - 36 * i) for i in range(11)])
    with bpy.context.temp_override(window=window, area=area, region=region(area)):
        bpy.ops.endless_loops.done("INVOKE_DEFAULT", True)
    yield 1.5  # the list shows once the facts were read
    FOUND["entries"] = len(settings().direction_settings)
    settings().direction_settings[1].turns = 2
    yield 0.8
    yield from screenshot("1_two_directions.png")

    with bpy.context.temp_override(window=window, area=area, region=region(area)):
        bpy.ops.endless_loops.solve("INVOKE_DEFAULT", True)
    yield from wait_for_job()
    yield 2.0
    FOUND["speeds"] = list(settings().loop().speeds.turns)
    before = shown_player()
    settings().soft_edge = 40
    yield 2.0
    after = shown_player()
    FOUND["edges"] = [list(before.edges), list(after.edges)]
    FOUND["goes_on"] = after._begin == before._begin and after._shown is not None
    yield from screenshot("2_soft_edge.png")


run(scenario)
