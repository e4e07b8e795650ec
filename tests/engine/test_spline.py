"""Cubic spline look-ups against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from engine.spline import SHARPER, doubled

SHAPE = (60, 90)
INSIDE = (slice(12, -12), slice(12, -12))  # SciPy mirrors at the border, the engine repeats it


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize(("dtype", "white"), [(np.float32, 1), (np.uint16, 65535)])
def test_a_sheet_is_the_spline_of_scipy_as_much_sharper_as_look_ups_blur(dtype, white, channels):
    generator = np.random.default_rng(channels)
    pixels = ((0.3 + 0.4 * generator.random((*SHAPE, channels))) * white).astype(dtype)
    sheet = doubled(pixels, scene_linear=False)
    rows, columns = np.mgrid[: 2 * SHAPE[0], : 2 * SHAPE[1]] / 2
    core = tuple(slice(2 * side.start, 2 * side.stop) for side in INSIDE)
    for channel in range(channels):
        spline = ndimage.map_coordinates(pixels[..., channel].astype(float), [rows, columns], order=3)
        line = [-SHARPER / 2, 1 + SHARPER, -SHARPER / 2]
        expected = ndimage.correlate1d(ndimage.correlate1d(spline, line, 0), line, 1)
        off = np.abs(sheet[..., channel] - expected)[core]
        assert off.max() <= 0.01 * white  # of noise, the hardest there is


def test_look_ups_in_a_sheet_keep_the_sharpness_of_the_picture_wherever_they_fall():
    blurred = ndimage.gaussian_filter(np.random.default_rng(3).random((200, 200)), 0.8)
    pixels = blurred.astype(np.float32)[..., None]
    sheet = doubled(pixels, scene_linear=False)
    core = (slice(20, -20), slice(20, -20))

    def energy(picture):
        return sum((slope**2)[core].mean() for slope in np.gradient(picture))

    for shift in (0.0, 0.25, 0.5, 0.75):
        place = np.mgrid[:200, :200].astype(float) + shift
        looked_up = ndimage.map_coordinates(sheet[..., 0], 2 * place, order=1)
        kept = energy(looked_up) / energy(pixels[..., 0])
        assert 0.9 < kept < 1.12  # a bilinear look-up in the picture itself keeps 0.65 halfway


def test_nothing_gets_brighter_than_white():
    pixels = np.zeros((*SHAPE, 4), np.uint16)
    pixels[20:40, 20:40] = 1000
    assert doubled(pixels, scene_linear=False).max() > 1000
    assert doubled(pixels, scene_linear=False, white=1000).max() == 1000


def test_a_highlight_throws_no_black_ring_into_a_scene_linear_picture():
    pixels = np.full((*SHAPE, 1), 0.2, np.float32)
    pixels[30, 45] = 500
    sheet = doubled(pixels, scene_linear=True)
    assert sheet.min() >= 0.099
    assert sheet.max() > 500
