"""A large still: how long Solve and the player's frames take, and that it's played in its place."""

import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bpy
import numpy as np
from drive import FOUND, addon, file, open_tab, region, run, screenshot, wide

SIZE = 4619, 2598


def large_still(area):
    """Show the shipped facade at 12 megapixels, ready to be solved."""
    import cv2

    small = cv2.imread(file("still.png"))
    cv2.imwrite(file("large.png"), cv2.resize(small, SIZE, interpolation=cv2.INTER_CUBIC))
    mask = cv2.resize(cv2.imread(file("mask.png"), cv2.IMREAD_GRAYSCALE), SIZE) > 127
    still = bpy.data.images.load(file("large.png"))
    area.spaces.active.image = still
    still.endless_loops.set_mask(mask)
    with open(file("strokes.json")) as strokes:
        for points in json.load(strokes):
            still.endless_loops.add_direction(np.multiply(points, SIZE) / small.shape[1::-1])
    return still, mask


def scenario():
    window, area = yield from wide("IMAGE_EDITOR")
    yield from open_tab(area)
    still, mask = large_still(area)
    yield 1.0
    with bpy.context.temp_override(window=window, area=area, region=region(area)):
        bpy.ops.wm.save_as_mainfile(filepath=file("loop.blend"))
        bpy.ops.image.view_all(fit_view=True)
    yield 2.0
    begin = time.monotonic()
    with bpy.context.temp_override(window=window, area=area, region=region(area)):
        bpy.ops.endless_loops.solve("INVOKE_DEFAULT", True)
    while not addon("preview.player").is_playing(still):
        yield 0.02
    FOUND["solve"] = time.monotonic() - begin
    player = addon("preview.player")._player
    while len(player._frames) + len(player._textures) < player.count:
        yield 0.05
    FOUND["rendered"] = time.monotonic() - begin
    while len(player._textures) < 2:
        yield 0.05
    FOUND["turn"] = player.count / bpy.context.scene.render.fps
    yield 0.5
    yield from screenshot("large_playing.png")
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    width, height = SIZE
    box = columns[0] / width, 1 - (rows[-1] + 1) / height, (columns[-1] + 1) / width, 1 - rows[0] / height
    FOUND["beside_its_place"] = float(np.abs(np.multiply(np.subtract(player.corners, box), SIZE * 2)).max())
    shown = next(iter(player._textures.values()))
    FOUND["reduced"] = (player.corners[2] - player.corners[0]) * width / shown.width


run(scenario)
