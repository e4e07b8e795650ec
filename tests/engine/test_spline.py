"""Cubic spline look-ups against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from engine.spline import look_up, places_between, spline_coefficients, spline_pixels

SHAPE = (60, 90)
INSIDE = (slice(12, -12), slice(12, -12))  # SciPy mirrors at the border, the engine repeats it


def looked_up(pixels, x, y):
    sheet = spline_coefficients(pixels, scene_linear=False)
    return look_up(sheet, (places_between(x), places_between(y)))


@pytest.mark.parametrize("channels", [1, 4])
def test_look_ups_are_scipys_cubic_spline(channels):
    generator = np.random.default_rng(channels)
    pixels = generator.random((*SHAPE, channels)).astype(np.float32)
    x = generator.uniform(14, SHAPE[1] - 15, (40, 50)).astype(np.float32)
    y = generator.uniform(14, SHAPE[0] - 15, (40, 50)).astype(np.float32)
    found = looked_up(pixels, x, y)
    for channel in range(channels):
        expected = ndimage.map_coordinates(pixels[..., channel].astype(float), [y, x], order=3)
        np.testing.assert_allclose(found[..., channel], expected, atol=1e-4)


def test_look_ups_keep_the_sharpness_of_the_picture_wherever_they_fall():
    blurred = ndimage.gaussian_filter(np.random.default_rng(3).random((200, 200)), 0.8)
    pixels = blurred.astype(np.float32)[..., None]
    core = (slice(20, -20), slice(20, -20))

    def energy(picture):
        return sum((slope**2)[core].mean() for slope in np.gradient(picture))

    y, x = np.indices((200, 200), np.float32)
    for shift in (0.0, 0.25, 0.5, 0.75):
        kept = energy(looked_up(pixels, x + np.float32(shift), y + np.float32(shift))[..., 0])
        assert 0.9 < kept / energy(pixels[..., 0]) < 1.05  # bilinear look-ups keep 0.65 halfway


def test_coefficients_make_a_spline_through_every_pixel():
    pixels = np.random.default_rng(0).random((*SHAPE, 3)).astype(np.float32)
    coefficients = spline_coefficients(pixels, scene_linear=False)
    np.testing.assert_allclose(spline_pixels(coefficients)[INSIDE], pixels[INSIDE], atol=1e-4)


def test_a_highlight_throws_no_black_ring_into_a_scene_linear_picture():
    pixels = np.full((*SHAPE, 1), 0.2, np.float32)
    pixels[30, 45] = 500
    assert spline_coefficients(pixels, scene_linear=True).min() >= 0.099
