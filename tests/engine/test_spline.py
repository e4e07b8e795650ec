"""Cubic spline look-ups against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from engine.spline import sample_spline, spline_coefficients, spline_pixels

SHAPE = (60, 90)
INSIDE = (slice(12, -12), slice(12, -12))  # SciPy mirrors at the border, the engine repeats it


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_look_ups_are_those_of_scipy(channels):
    generator = np.random.default_rng(channels)
    pixels = generator.random((*SHAPE, channels)).astype(np.float32)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float32)
    x, y = columns + 0.37 + 0.02 * rows, rows - 0.81 + 0.013 * columns
    looked_up = sample_spline(spline_coefficients(pixels, scene_linear=False), x, y)
    for channel in range(channels):
        expected = ndimage.map_coordinates(pixels[..., channel], [y, x], order=3)
        np.testing.assert_allclose(looked_up[..., channel][INSIDE], expected[INSIDE], atol=5e-4)


def test_the_spline_passes_through_every_pixel_up_to_the_border():
    flat_border = np.full((*SHAPE, 3), 0.5, np.float32)
    flat_border[12:-12, 12:-12] = np.random.default_rng(0).random((36, 66, 3))
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float32)
    looked_up = sample_spline(spline_coefficients(flat_border, scene_linear=False), columns, rows)
    np.testing.assert_allclose(looked_up, flat_border, atol=1e-4)


@pytest.mark.parametrize("scene_linear", [False, True])
def test_all_pixels_at_once_are_the_look_ups_of_each(scene_linear):
    pixels = np.random.default_rng(5).random((*SHAPE, 3)).astype(np.float32) ** 8
    coefficients = spline_coefficients(pixels, scene_linear=scene_linear)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float32)
    looked_up = sample_spline(coefficients, columns, rows)
    np.testing.assert_allclose(spline_pixels(coefficients), looked_up, atol=5e-5)


def test_a_highlight_throws_no_black_ring_into_a_scene_linear_picture():
    pixels = np.full((*SHAPE, 1), 0.2, np.float32)
    pixels[30, 45] = 500
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float32)
    for part in (0.0, 0.3, 0.5):
        looked_up = sample_spline(spline_coefficients(pixels, scene_linear=True), columns + part, rows)
        assert looked_up.min() >= 0.099
    assert looked_up.max() > 250
