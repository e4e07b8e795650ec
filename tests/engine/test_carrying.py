"""Loops on other pictures of their plane: the same motion, wherever the homography puts it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine import Loop
from engine.carrying import carried_frame
from engine.motion import Speeds

from .pictures import SIZE, box_mask, moved_pattern, sideways

STILL = moved_pattern(0, np.uint8, 3)


def kinds():
    """Loops with everything that paths, speeds and edges can be."""
    mask, field = box_mask(), sideways()
    two_parts = mask.copy()
    two_parts[:, 70:76] = False
    bend = np.zeros_like(field)
    bend[..., 1] = 12
    shares = np.zeros((2, 80, 90), np.float32)
    shares[0] = np.linspace(0, 1, 90) > 0.5
    shares[1] = 1 - shares[0]
    seeds = [(40, 50, 0), (100, 50, 1)]
    ramp = np.linspace(0, 1, SIZE[1] // 4, dtype=np.float32)
    return {
        "plain": Loop.from_fields(STILL, mask, field, -field, 1.0),
        "soft": Loop.from_fields(STILL, two_parts, field, -field, 1.0, followed=seeds, soft_edge=[10, 0]),
        "curved": Loop.from_fields(STILL, mask, field, -field, 1.0, bends=(bend, -bend)),
        "in cells": Loop.from_fields(STILL, mask, field[::4, ::4], -field[::4, ::4], 1.0),
        "held in cells": Loop.from_fields(
            STILL, mask, field[::4, ::4], -field[::4, ::4], 1.0, held=np.tile(ramp, (SIZE[0] // 4, 1))
        ),
        "two speeds": Loop.from_fields(STILL, mask, field, -field, 1.0, speeds=Speeds((1, 2), shares)),
    }


@pytest.mark.parametrize("kind", kinds())
def test_on_its_own_still_a_carried_loop_is_the_loop(kind):
    loop = kinds()[kind]
    for phase in (0, 0.25, 0.6):
        difference = carried_frame(loop, STILL, np.eye(3), phase) - loop.frame(phase).astype(float)
        assert np.abs(difference).mean() < 0.05


@pytest.mark.parametrize("kind", kinds())
def test_on_an_enlarged_still_it_is_the_loop_enlarged(kind):
    loop = kinds()[kind]
    twice = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1.0]])
    size = (2 * SIZE[1], 2 * SIZE[0])
    large = carried_frame(loop, cv2.resize(STILL, size, interpolation=cv2.INTER_CUBIC), twice, 0.4)
    expected = cv2.resize(loop.frame(0.4), size, interpolation=cv2.INTER_CUBIC)
    still = cv2.resize(STILL, size, interpolation=cv2.INTER_CUBIC)
    error, motion = (np.abs(large - other.astype(float)).mean() for other in (expected, still))
    assert error < 0.1 * motion


def test_what_is_hidden_by_the_pictures_border_does_no_harm():
    loop = kinds()["soft"]
    for shift in (-60, 60, 110, 150, 400):
        away = np.array([[1, 0, shift], [0, 1, 0], [0, 0, 1.0]])
        frame = carried_frame(loop, STILL, away, 0.5)
        moved = cv2.warpPerspective(loop.mask.astype(np.uint8), away, SIZE[::-1]) > 0
        np.testing.assert_array_equal(frame[~moved], STILL[~moved])


def test_a_picture_without_a_value_where_the_loop_is_stays_as_it_is():
    still = moved_pattern(0, np.float32, 3)
    loop = Loop.from_fields(still, box_mask(), sideways(), -sideways(), 1.0)
    broken = np.where(box_mask()[..., None], np.nan, still).astype(np.float32)
    np.testing.assert_array_equal(carried_frame(loop, broken, np.eye(3), 0.4), broken)
