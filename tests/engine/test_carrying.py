"""Loops on other pictures of their plane: the same motion, wherever the homography puts it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine import Loop
from engine.carrying import carried_frame

from .pictures import SIZE, STILL, box_mask, every_kind, moved_pattern, sideways


@pytest.mark.parametrize("kind", every_kind())
def test_on_its_own_still_a_carried_loop_is_the_loop(kind):
    loop = every_kind()[kind]
    for phase in (0, 0.25, 0.6):
        difference = carried_frame(loop, STILL, np.eye(3), phase) - loop.frame(phase).astype(float)
        assert np.abs(difference).mean() < 0.05


@pytest.mark.parametrize("kind", every_kind())
def test_on_an_enlarged_still_it_is_the_loop_enlarged(kind):
    loop = every_kind()[kind]
    twice = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1.0]])
    size = (2 * SIZE[1], 2 * SIZE[0])
    large = carried_frame(loop, cv2.resize(STILL, size, interpolation=cv2.INTER_CUBIC), twice, 0.4)
    expected = cv2.resize(loop.frame(0.4), size, interpolation=cv2.INTER_CUBIC)
    still = cv2.resize(STILL, size, interpolation=cv2.INTER_CUBIC)
    error, motion = (np.abs(large - other.astype(float)).mean() for other in (expected, still))
    assert error < 0.1 * motion


def test_what_is_hidden_by_the_pictures_border_does_no_harm():
    loop = every_kind()["soft"]
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
