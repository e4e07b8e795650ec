"""Masks that are thin, narrow, sparse or far from square: solved right, or refused in words."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import engine

from .pictures import texture

STEP = 24


def repeating(size, upright=False):
    rows, columns = np.mgrid[: size[0], : size[1]].astype(float)
    along, across = (rows, columns) if upright else (columns, rows)
    return np.rint(255 * texture(along, across, STEP)).astype(np.uint8)


def box(size, top, left, height, width):
    mask = np.zeros(size, bool)
    mask[top : top + height, left : left + width] = True
    return mask


def drawn(paint, *values):
    mask = np.zeros((1400, 1400), np.uint8)
    paint(mask, *values)
    return mask > 0


def every_second(mask):
    mask[::2, ::2] = 1


def comb(mask):
    mask[::8] = mask[:, :1] = 1


def frame(mask):
    mask[[0, -1]] = mask[:, [0, -1]] = 1


@pytest.mark.parametrize("upright", [False, True], ids=["wide", "tall"])
@pytest.mark.parametrize("narrow", [9, 12, 20, 40])
def test_a_narrow_part_moves_by_its_step(narrow, upright):
    size, stroke = (400, 400), np.array([[60, 100 + narrow / 2], [300, 100 + narrow / 2]])
    mask = box(size, 100, 50, narrow, 300)
    if upright:
        mask, stroke = mask.T.copy(), stroke[:, ::-1]
    forward = engine.solve(repeating(size, upright), mask, [stroke]).forward[mask]
    along, across = np.median(forward, axis=0)[:: -1 if upright else 1]
    assert along == pytest.approx(STEP, abs=0.5) and abs(across) < 0.7


@pytest.mark.parametrize("size", [(64, 2560), (2560, 64)], ids=str)
def test_a_strip_of_a_still_moves_by_its_step(size):
    upright = size[0] > size[1]
    stroke = np.array([[500, 32], [900, 32]], float)[:, :: -1 if upright else 1]
    forward = engine.solve(repeating(size, upright), np.ones(size, bool), [stroke]).forward
    assert np.median(np.hypot(*forward.reshape(-1, 2).T)) == pytest.approx(STEP, abs=0.5)


@pytest.mark.parametrize(
    ("mask", "stroke"),
    [
        pytest.param(box((1400, 1400), 150, 140, 8, 24), [(151, 151), (151, 157)], id="two nodes along"),
        pytest.param(box((1400, 1400), 50, 50, 20, 300), [(100, 52), (100, 66)], id="across a bar"),
        pytest.param(drawn(every_second), [(200, 200), (600, 200)], id="every second pixel"),
        pytest.param(drawn(comb), [(300, 700), (600, 700)], id="comb"),
        pytest.param(drawn(frame), [(300, 700), (600, 700)], id="frame of one pixel"),
        pytest.param(drawn(cv2.line, (100, 100), (600, 600), 1, 1), [(200, 200), (500, 500)], id="line of 1"),
        pytest.param(drawn(cv2.line, (100, 100), (600, 600), 1, 5), [(200, 200), (500, 500)], id="line of 5"),
        pytest.param(drawn(cv2.circle, (700, 700), 400, 1, 6), [(300, 700), (600, 700)], id="ring"),
    ],
)
def test_what_is_too_thin_is_solved_or_refused(mask, stroke):
    try:
        loop = engine.solve(repeating(mask.shape), mask, [np.array(stroke, float)])
    except engine.BadMask as reason:
        assert "paint" in str(reason)
    else:
        assert np.isfinite(loop.forward).all() and not loop.forward[~mask].any()


def test_a_small_part_moves_beside_a_large_one():
    mask = box((2300, 2300), 20, 20, 2048, 2048) | box((2300, 2300), 2120, 2120, 90, 90)
    loop = engine.solve(repeating(mask.shape), mask, [np.array([[200, 200], [900, 200]], float)])
    assert loop.mask[2150, 2150]


def test_what_is_flat_is_solved_the_same_way_twice():
    still = np.full((200, 200, 3), 90, np.uint8)
    still[:, :20] = 120
    solved = [
        engine.solve(still, box((200, 200), 20, 15, 160, 165), [np.array([[30, 100], [150, 100.0]])])
        for _ in range(3)
    ]
    assert len({loop.forward.tobytes() for loop in solved}) == 1


def test_a_still_without_a_usable_pixel_in_the_mask_is_refused():
    mask = box((200, 200), 50, 50, 100, 100)
    still = repeating(mask.shape).astype(np.float32) / 255
    still[mask] = np.nan
    with pytest.raises(engine.BadImage, match="no usable pixel"):
        engine.solve(still, mask, [np.array([[60, 100], [140, 100]], float)])
