"""Loops at a fraction of their size: they show what the whole ones show, reduced."""

from __future__ import annotations

import numpy as np
import pytest

from engine import Loop
from engine.resample import averaged
from engine.smaller import smaller_loop

from .pictures import SIZE, as_type, box_mask, every_kind, moved_pattern, moving, sideways


def difference(one, other):
    return np.abs(one.astype(float) - other)


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("kind", every_kind())
def test_a_smaller_loop_shows_what_the_loop_shows(kind, factor):
    loop = every_kind()[kind]
    smaller = smaller_loop(loop, factor)
    assert smaller.still.shape[:2] == (SIZE[0] // factor, SIZE[1] // factor)
    at_rest = averaged(loop.still, factor)
    for phase in (0.25, 0.6):
        expected = averaged(loop.frame(phase), factor)
        error, motion = (difference(expected, other).mean() for other in (smaller.frame(phase), at_rest))
        assert error < 0.2 * motion
    assert smaller.frame(0).tobytes() == at_rest.tobytes()


@pytest.mark.parametrize("factor", [1, 2, 5, 8])
def test_nothing_beside_the_mask_moves(factor):
    loop = moving(moved_pattern(0, np.uint8, 3), box_mask(21, 97, 33, 118))
    smaller = smaller_loop(loop, factor)
    outside = ~smaller.mask
    assert smaller.frame(0.4)[outside].tobytes() == smaller.still[outside].tobytes()
    # A square moves where any of its pixels does.
    squares = np.kron(smaller.mask, np.ones((factor, factor), bool))
    assert squares[loop.mask[: squares.shape[0], : squares.shape[1]]].all()


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_stills_of_every_kind(dtype, channels):
    still = moved_pattern(0, dtype, channels)
    smaller = smaller_loop(moving(still, box_mask()), 2)
    assert smaller.still.dtype == dtype and smaller.still.shape == (SIZE[0] // 2, SIZE[1] // 2, channels)
    expected = averaged(moved_pattern(0.3, dtype, channels), 2)
    core = (slice(14, 46), slice(20, 55))
    full = 3 if dtype == np.float32 else np.iinfo(dtype).max
    assert difference(smaller.frame(0.3), expected)[core].max() < 0.02 * full


def test_transparent_and_broken_pixels():
    values = np.random.default_rng(3).random(SIZE)
    glass = as_type(values, np.uint8, 4)
    glass[40:60, 50:70, 3] = 90
    broken = as_type(values, np.float32, 3)
    broken[40:44, 50:54] = np.nan
    for still in (glass, broken):
        smaller = smaller_loop(moving(still, box_mask()), 2)
        assert np.isfinite(smaller.texture.pixels).all()
        assert np.isfinite(smaller.frame(0.3)[smaller.mask].astype(float)).all()


@pytest.mark.parametrize("place", [(61, 71), (slice(119, 120), slice(150, 160)), (slice(0, 120), 0)], ids=str)
def test_the_smallest_mask_is_still_there(place):
    mask = np.zeros(SIZE, bool)
    mask[place] = True
    smaller = smaller_loop(
        Loop.from_fields(moved_pattern(0, np.uint8, 3), mask, sideways(), -sideways(), 1.0), 4
    )
    assert smaller.mask.any()
    assert smaller.frame(0.3).shape == smaller.still.shape


def test_soft_edges_are_as_wide():
    loop = moving(moved_pattern(0, np.uint8, 3), box_mask()).with_soft_edge(16)
    smaller = smaller_loop(loop, 4)
    assert smaller.soft_edge == (4,)
    assert smaller.with_soft_edge(0).soft_edge == (0,)
    still_moves = np.abs(smaller.forward[..., 0]).max()
    assert abs(still_moves - 5) < 0.3
