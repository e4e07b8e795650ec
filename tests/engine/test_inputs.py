"""What is refused at the door, and in which words; the still as the eye sees it."""

from __future__ import annotations

import numpy as np
import pytest

from engine import BadImage, BadMask, EmptyMask
from engine.inputs import check_mask, check_still, display_rgb

STILL = np.full((80, 90, 3), 100, np.uint8)


def one_value(value):
    """Draw a scene-linear still with one such value in it, beside NaN and infinity."""
    still = np.full((80, 90, 3), 0.5, np.float32)
    still[40, 40] = [np.nan, -np.inf, value]
    return still


@pytest.mark.parametrize(
    ("still", "says"),
    [
        (np.zeros((80, 90), np.uint8), "without channels"),
        (np.zeros((2, 80, 90, 3), np.uint8), "4 dimensions"),
        (np.zeros((80, 90, 2), np.uint8), "2 channels"),
        (np.zeros((3, 80, 90), np.uint8), "90 channels"),
        (np.zeros((80, 90, 3), np.float64), "float64"),
        (np.zeros((80, 90, 3), np.int32), "int32"),
        (np.zeros((80, 90, 3), bool), "bool"),
        (np.zeros((63, 90, 3), np.uint8), "90 x 63"),
        (np.zeros((80, 0, 3), np.uint8), "0 x 80"),
        (np.broadcast_to(np.uint8(0), (8000, 7000, 3)), "56 megapixels"),
        (np.full((80, 90, 3), np.nan, np.float32), "NaN"),
        (np.full((80, 90, 3), np.inf, np.float32), "infinite"),
        (np.full((80, 90, 3), 3e19, np.float32), "3.0e[+]19.*lower its exposure"),
        (one_value(-3e38), "3.0e[+]38.*lower its exposure"),
        ("still.png", "array of numbers"),
        (None, "array of numbers"),
        ([[1, 2], [3]], "array of numbers"),
    ],
)
def test_a_still_that_cannot_move_is_refused_with_the_reason(still, says):
    with pytest.raises(BadImage, match=says):
        check_still(still)


def test_not_a_number_infinity_and_a_very_bright_lamp_are_let_through():
    still = one_value(1e17)
    assert check_still(still) is still


def test_the_other_byte_order_is_read_and_a_good_still_is_not_copied():
    swapped = (np.arange(80 * 90 * 3).reshape(80, 90, 3) % 60000).astype(">u2")
    native = check_still(swapped)
    assert native.dtype == np.uint16
    np.testing.assert_array_equal(native, swapped)
    assert check_still(STILL) is STILL


@pytest.mark.parametrize(
    ("mask", "error", "says"),
    [
        (np.zeros((80, 90), bool), EmptyMask, "paint"),
        (np.full((80, 90), 127, np.uint8), EmptyMask, "brightest value is 127, and white is 255.*Paint"),
        (np.full((80, 90), 255, np.int32), EmptyMask, "white is 2147483647 in int32.*8 bits"),
        (np.full((80, 90), 0.4, np.float32), EmptyMask, "brightest value is 0.4, and white is 1"),
        (np.full((80, 90), np.nan), EmptyMask, "empty: paint"),
        (np.ones((90, 80), bool), BadMask, "80 x 90"),
        (np.ones((80, 90, 3), bool), BadMask, "one channel"),
        (np.ones((80, 90), object), BadMask, "numbers"),
        (None, BadMask, "numbers"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused_with_the_reason(mask, error, says):
    with pytest.raises(error, match=says):
        check_mask(mask, STILL)


@pytest.mark.parametrize(
    ("dtype", "outside", "inside"),
    [
        (bool, False, True),
        (np.uint8, 127, 128),
        (np.uint16, 32767, 32768),
        (np.int16, 16383, 16384),
        (np.float32, 0.49, 0.5),
        (np.float64, 0.49, 0.5),
    ],
)
def test_half_of_the_range_is_inside(dtype, outside, inside):
    mask = np.full((80, 90), outside, dtype)
    mask[10:20, 30:50] = inside
    checked = check_mask(mask, STILL)
    assert checked.dtype == bool
    assert checked.sum() == 200 and checked[10:20, 30:50].all()


def test_bright_scene_linear_values_stay_apart_on_screen():
    ramp = np.broadcast_to(np.geomspace(1e-3, 50, 90, dtype=np.float32)[None, :, None], (80, 90, 1))
    shown = display_rgb(ramp)
    assert shown.shape == (80, 90, 3) and shown.dtype == np.float32
    assert shown.min() >= 0 and shown.max() <= 1
    assert (np.diff(shown[0, :, 0]) > 0).all()


def test_exposure_does_not_change_what_is_compared():
    scene = np.random.default_rng(1).gamma(1.0, 1.0, (80, 90, 3)).astype(np.float32)
    np.testing.assert_allclose(display_rgb(scene), display_rgb(scene * 1000), atol=1e-4)


def test_not_a_number_does_not_spread_on_screen():
    scene = np.full((80, 90, 3), 0.5, np.float32)
    reference = display_rgb(scene)
    scene[40, 40] = [np.nan, np.inf, -np.inf]
    shown = display_rgb(scene)
    assert np.isfinite(shown).all()
    away = np.ones((80, 90), bool)
    away[40, 40] = False
    np.testing.assert_array_equal(shown[away], reference[away])


def test_what_hides_under_transparent_pixels_is_not_seen():
    noise = np.random.default_rng(2).integers(0, 256, (80, 90, 4)).astype(np.uint8)
    noise[..., 3] = 0
    assert np.ptp(display_rgb(noise)) == 0


def test_black_stills_are_black_on_screen():
    assert display_rgb(np.zeros((80, 90, 3), np.float32)).max() == 0
