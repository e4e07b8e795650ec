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


def reduced(picture, factor):
    """Average squares of a picture, whose border goes on, one by one."""
    height, width = (-(-side // factor) for side in picture.shape[:2])
    sides = [(0, count * factor - side) for count, side in zip((height, width), picture.shape, strict=False)]
    squares = np.pad(picture.astype(float), [*sides, (0, 0)], mode="edge")
    return squares.reshape(height, factor, width, factor, -1).mean((1, 3))


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("kind", every_kind())
def test_a_smaller_loop_shows_what_the_loop_shows(kind, factor):
    loop = every_kind()[kind]
    smaller = smaller_loop(loop, factor)
    at_rest = reduced(loop.still, factor)
    assert difference(smaller.frame(0), at_rest).max() <= 1
    for phase in (0.25, 0.6):
        expected = reduced(loop.frame(phase), factor)
        error, motion = (difference(expected, other).mean() for other in (smaller.frame(phase), at_rest))
        assert error < 0.2 * motion


@pytest.mark.parametrize("factor", [2, 3, 5, 8])
def test_squares_stay_in_their_places_in_a_picture_of_any_size(factor):
    size = 211, 397  # neither is a multiple
    columns = np.indices(size)[1]
    still = as_type(0.5 + 0.4 * np.sin(2 * np.pi * columns / 80), np.uint8, 3)
    mask = np.zeros(size, bool)
    mask[5:, 9:] = True
    field = np.zeros((*size, 2), np.float32)
    field[..., 0] = 80
    loop = Loop.from_fields(still, mask, field, -field, 1.0)
    smaller = smaller_loop(loop, factor)
    for phase in (0, 0.5):
        errors = difference(smaller.frame(phase), reduced(loop.frame(phase), factor))
        assert errors[40 // factor : -2, 40 // factor : -2].max() < 6


@pytest.mark.parametrize("factor", [1, 2, 5, 8])
def test_nothing_beside_the_mask_moves(factor):
    loop = moving(moved_pattern(0, np.uint8, 3), box_mask(21, 97, 33, 118))
    smaller = smaller_loop(loop, factor)
    outside = ~smaller.mask
    assert smaller.frame(0.4)[outside].tobytes() == smaller.still[outside].tobytes()
    # A square moves where any of its pixels does.
    squares = np.kron(smaller.mask, np.ones((factor, factor), bool))
    assert squares[: SIZE[0], : SIZE[1]][loop.mask].all()


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


@pytest.mark.parametrize("factor", [2, 4])
def test_clear_pixels_do_not_darken_what_is_beside_them(factor):
    columns = np.indices(SIZE)[1]
    still = np.zeros((*SIZE, 4), np.uint8)  # white bars on clear black
    still[columns % 20 < 7] = 255
    loop = moving(still, box_mask())
    smaller = smaller_loop(loop, factor)
    before, after = (smaller.frame(phase).astype(float) for phase in (0, 1e-4))
    shown = [frame[..., :3] * frame[..., 3:] / 255 for frame in (before, after)]
    assert difference(*shown).max() < 12
    assert (before[..., :3][before[..., 3] > 0] == 255).all()


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


@pytest.mark.parametrize("factor", [4, 7, 150])
@pytest.mark.parametrize("place", [(61, 71), (slice(119, 120), slice(150, 160)), (slice(0, 120), 0)], ids=str)
def test_the_smallest_mask_is_still_there(place, factor):
    mask = np.zeros(SIZE, bool)
    mask[place] = True
    smaller = smaller_loop(
        Loop.from_fields(moved_pattern(0, np.uint8, 3), mask, sideways(), -sideways(), 1.0), factor
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
