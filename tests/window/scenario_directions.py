"""Two directions, each with its speed, and a soft edge that changes while the loop plays."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bpy
import numpy as np
from drive import (
    FOUND,
    addon,
    click,
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

# The X beside the first direction: pixels left of and below the top right corner of the sidebar.
REMOVE = 59, 264


def settings():
    return bpy.data.images["still.png"].endless_loops


def speeds():
    return addon("bridge.strokes").read_turns(bpy.data.images["still.png"])


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

    sidebar = region(area, "UI")
    x_button = sidebar.x + sidebar.width - REMOVE[0], sidebar.y + sidebar.height - REMOVE[1]
    yield from click(window, *x_button)
    yield 1.5
    FOUND["after_an_x"] = speeds()
    FOUND["told"] = addon("freshness").is_out_of_date(bpy.data.images["still.png"])
    yield from screenshot("3_one_removed.png")
    yield from key(window, "Z", *place(width / 2, height / 2), ctrl=True)
    FOUND["after_undo"] = speeds()
    yield 1.5
    for _ in range(2):  # the one that is left has a speed of its own, so that it is still listed
        yield from click(window, *x_button)
        yield 1.5
    FOUND["after_two"] = speeds()
    yield from screenshot("4_all_removed.png")


run(scenario)
