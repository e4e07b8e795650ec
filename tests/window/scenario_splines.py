"""Splines as the mask: the tint over the still is what Blender's rasterizer makes of them."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bpy
import numpy as np
from drive import FOUND, addon, file, open_tab, region, run, screenshot, wide

# Corners of closed splines, in widths and heights of the still; the second one may be a hole in the first.
SPLINES = [
    [(0.35, 0.2), (0.8, 0.25), (0.75, 0.85), (0.55, 0.6), (0.3, 0.8)],
    [(0.5, 0.5), (0.6, 0.5), (0.6, 0.3), (0.5, 0.3)],
]


def make_mask(width, height):
    mask = bpy.data.masks.new("Windows")
    layer = mask.layers.new()
    for corners in SPLINES:
        spline = layer.splines.new()
        spline.use_cyclic = True
        spline.points.add(len(corners) - 1)
        for point, (u, v) in zip(spline.points, corners, strict=True):
            point.co = u, (v - 0.5) * height / width + 0.5
            point.handle_left_type = point.handle_right_type = "AUTO"
    return mask


def shown(mask, size):
    """Where the tint is, at the texture's own size, last row on top."""
    texture = addon("preview.mask_splines").texture(mask, size)
    return np.array(texture.read().to_list(), np.float32).reshape(texture.height, texture.width, 4)[..., 0]


def scenario():
    window, area = yield from wide("IMAGE_EDITOR")
    yield from open_tab(area)
    still = bpy.data.images.load(file("still.png"))
    area.spaces.active.image = still
    settings = still.endless_loops
    settings.mask_source = "MASK"
    with bpy.context.temp_override(window=window, area=area, region=region(area)):
        bpy.ops.image.view_all(fit_view=True)
    yield 0.5
    yield from screenshot("1_no_mask.png")
    settings.mask = make_mask(*still.size)
    area.tag_redraw()
    yield 1.0
    yield from screenshot("2_tinted.png")
    FOUND["layers"] = []
    for holes in (True, False):
        settings.mask.layers[0].use_fill_holes = holes
        tint = shown(settings.mask, still.size)[::-1] > 127
        drawn = addon("bridge.masks").rasterize(settings.mask, tint.shape[1], tint.shape[0])
        FOUND["layers"].append([float(drawn.mean()), float((tint != drawn).mean())])


run(scenario)
