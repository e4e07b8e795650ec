"""A movie and a sequence in the Image Editor: their first frame is drawn on and solved, whatever is shown."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bpy
import numpy as np
from drive import FOUND, addon, drag, file, open_tab, region, run, screenshot, to_screen, wait_for_job, wide

FRAMES, STEP = 6, 8


def film():
    """Pan along the still: a movie, and the same frames as pictures."""
    import cv2

    still = cv2.imread(file("still.png"))
    height, width = still.shape[0], still.shape[1] - FRAMES * STEP
    size = (width // 2 * 2, height // 2 * 2)
    movie = cv2.VideoWriter(file("film.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 24, size)
    for index in range(FRAMES):
        frame = np.ascontiguousarray(still[: size[1], index * STEP : index * STEP + size[0]])
        movie.write(frame)
        cv2.imwrite(file(f"shot_{index + 1:03d}.png"), frame)
    movie.release()


def scenario():
    film()
    window, area = yield from wide("IMAGE_EDITOR")
    yield from open_tab(area)
    space = area.spaces.active
    with bpy.context.temp_override(window=window, area=area, region=region(area)):
        bpy.ops.wm.save_as_mainfile(filepath=file("loop.blend"))
    for kind, name in (("sequence", "shot_001.png"), ("movie", "film.mp4")):
        yield from use(kind, bpy.data.images.load(file(name)), window, area, space)


def use(kind, still, window, area, space):
    def press(operator):
        with bpy.context.temp_override(window=window, area=area, region=region(area)):
            getattr(bpy.ops.endless_loops, operator)("INVOKE_DEFAULT", True)

    still.source = kind.upper()
    space.image = still
    space.image_user.frame_duration = FRAMES
    space.image_user.use_auto_refresh = True
    bpy.context.scene.frame_set(4)
    yield 0.5
    with bpy.context.temp_override(window=window, area=area, region=region(area)):
        bpy.ops.image.view_all(fit_view=True)
    yield 0.5
    width, height = addon("bridge.images").size(still)
    mask = np.zeros((height, width), bool)
    mask[height // 5 : -height // 8, width // 4 : -width // 4] = True
    still.endless_loops.set_mask(mask)
    press("paint_mask")
    yield 1.0
    yield from screenshot(f"{kind}_1_painting.png")
    place = to_screen(area, space.image)
    yield from drag(window, [place(200 + 5 * i, 100) for i in range(6)])
    press("done")
    yield 0.5
    press("draw_directions")
    yield 0.3
    yield from drag(window, [place(470, 560 - 36 * i) for i in range(11)])
    press("done")
    yield 1.5
    press("solve")
    yield from wait_for_job()
    yield 2.0
    yield from screenshot(f"{kind}_2_playing.png")
    first = addon("bridge.images").read_still(still)
    press("to_sequencer")
    yield from wait_for_job()
    files = addon("bridge.versions").edited_scene(bpy.context).sequence_editor.strips
    FOUND[kind] = {
        "painted": int(addon("bridge.masks").read_mask(still).sum() - mask.sum()),
        "solved_first_frame": bool((still.endless_loops.loop().still == first).all()),
        "playing": addon("preview.player").is_playing(still),
        "elements": [len(strip.elements) for strip in files][-1],
    }


run(scenario)
