"""Paint, draw, Solve, To Sequencer: with the mouse, in the window."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bpy
from drive import (
    FOUND,
    addon,
    click_button,
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

# The middles of the buttons, in pixels below the top of the sidebar.
PAINT, DONE, SOLVE = 64, 90, 352


def still():
    return bpy.data.images["still.png"]


def mask_pixels():
    return int(addon("bridge.masks").read_mask(still()).sum())


def scenario():
    window, area = yield from wide("IMAGE_EDITOR")
    yield from open_tab(area)
    yield from screenshot("1_nothing_open.png")
    space = area.spaces.active
    space.image = bpy.data.images.load(file("still.png"))
    yield 0.3
    with bpy.context.temp_override(window=window, area=area, region=region(area)):
        bpy.ops.image.view_all(fit_view=True)
        bpy.ops.ed.undo_push(message="Open Still")
        bpy.ops.wm.save_as_mainfile(filepath=file("loop.blend"))
    yield 0.8
    yield from screenshot("2_still_open.png")
    place = to_screen(area, still())

    yield from click_button(window, area, PAINT)
    FOUND["shows_mask"] = space.image.name
    FOUND["ui_mode"] = space.ui_mode
    bpy.context.scene.tool_settings.image_paint.unified_paint_settings.size = 150
    yield 0.3
    yield from drag(window, [place(350 + 45 * i, 190) for i in range(10)])
    FOUND["painted"] = mask_pixels()
    rows = [[place(x, y) for x in range(330, 800, 45)] for y in (300, 410, 520, 580)]
    yield from drag(window, rows[0] + rows[1][::-1] + rows[2] + rows[3][::-1])
    FOUND["painted_more"] = mask_pixels()
    yield 0.8
    yield from screenshot("3_painting.png")
    yield from key(window, "Z", *place(400, 300), ctrl=True)
    FOUND["after_undo"] = mask_pixels()
    yield from key(window, "Z", *place(400, 300), ctrl=True, shift=True)
    FOUND["after_redo"] = mask_pixels()
    yield from click_button(window, area, DONE)
    FOUND["back_to_still"] = space.image.name

    with bpy.context.temp_override(window=window, area=area, region=region(area)):
        bpy.ops.endless_loops.draw_directions("INVOKE_DEFAULT", True)
    yield 0.3
    FOUND["drawn_on"] = [(590, 600), (600, 170)]
    yield from drag(window, [place(590 + i, 600 - 43 * i) for i in range(11)])
    stroke = addon("bridge.strokes").read_strokes(still())[-1]
    FOUND["stroke"] = [stroke[0].tolist(), stroke[-1].tolist()]
    yield 0.5
    yield from screenshot("4_direction_drawn.png")
    with bpy.context.temp_override(window=window, area=area, region=region(area)):
        bpy.ops.endless_loops.done("INVOKE_DEFAULT", True)
    yield 1.0

    yield from click_button(window, area, SOLVE)
    yield from screenshot("5_solving.png")
    yield from wait_for_job()
    FOUND["solved"] = bool(still().endless_loops.loop_file)
    FOUND["playing"] = addon("preview.player").is_playing(still())
    yield 3.0
    yield from screenshot("6_playing.png")

    still().endless_loops.frame_count = 8
    with bpy.context.temp_override(window=window, area=area, region=region(area)):
        bpy.ops.endless_loops.to_sequencer("INVOKE_DEFAULT", True)
    yield from wait_for_job()
    FOUND["elements"] = [len(s.elements) for s in bpy.context.scene.sequence_editor.strips]
    with bpy.context.temp_override(window=window, area=area, region=region(area)):
        bpy.ops.endless_loops.save_movie("INVOKE_DEFAULT", True)
    yield from wait_for_job()
    FOUND["movie"] = os.path.getsize(file("endless_loops/loop/still.mp4"))
    area.ui_type = "SEQUENCE_EDITOR"
    area.spaces.active.view_type = "SEQUENCER_PREVIEW"
    yield 0.5
    with bpy.context.temp_override(window=window, area=area, region=region(area)):
        bpy.ops.sequencer.view_all()
    yield 1.0
    yield from screenshot("7_sequencer.png")


run(scenario)
