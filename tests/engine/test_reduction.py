"""Large pictures, which are solved at a fraction of their size."""

from __future__ import annotations

import numpy as np
import pytest

import engine
from engine.reduction import Reduction

from .pictures import texture

SIZE = (503, 2301)
STEP = 90
MASK = (slice(60, 445), slice(70, 2260))


def wide_still():
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(float)
    return np.rint(255 * texture(columns, rows, STEP)).astype(np.uint8)


def wide_mask():
    mask = np.zeros(SIZE, bool)
    mask[MASK] = True
    return mask


def arrow(row, start=400, turns=1):
    return engine.Stroke(np.array([[start, row], [start + 300, row]], float), turns)


def test_a_large_still_moves_by_its_own_pixels():
    still, mask = wide_still(), wide_mask()
    assert Reduction.of(still, mask, []).factor == 4
    loop = engine.solve(still, mask, [arrow(250)])
    np.testing.assert_array_equal(loop.mask, mask)
    assert np.abs(loop.forward[mask] - [STEP, 0]).mean(0) == pytest.approx([0, 0], abs=0.5)
    frame = loop.frame(0.5)
    np.testing.assert_array_equal(frame[~mask], still[~mask])
    moved = np.roll(still, STEP // 2, axis=1).astype(int)
    core = (slice(100, 400), slice(200, 2100))
    assert np.abs(frame[core] - moved[core]).mean() < 3


def test_what_is_held_still_or_left_out_is_so_in_every_pixel():
    still, mask = wide_still(), wide_mask()
    mask[MASK[0], 1150:1160] = False
    mask[470:476, 100:106] = True  # too small to move
    loop = engine.solve(still, mask, [arrow(250), arrow(250, start=1500, turns=0)])
    assert loop.mask[:, 100:1100][MASK[0]].all()
    assert not loop.mask[:, 1160:].any() and not loop.mask[460:].any()
    assert not (loop.mask & ~mask).any()
    assert all(loop.mask[y, x] for x, y, _ in loop.followed)


def test_sentences_name_the_pixels_of_the_still():
    crossing = [arrow(250, start=1300), engine.Stroke(np.array([[1600, 252], [1300, 252]], float))]
    loop = engine.solve(wide_still(), wide_mask(), crossing)
    (sentence,) = loop.warnings
    places = [int(word.strip(",:")) for word in sentence.split() if word.strip(",:").isdigit()]
    assert any(1250 < place < 1650 for place in places) and any(240 < place < 262 for place in places)


@pytest.mark.parametrize(
    ("sides", "factor"),
    [
        ([(400, 1000)], 1),
        ([(400, 1100)], 2),
        ([(400, 2100)], 4),
        ([(400, 4200)], 8),
        ([(400, 2100), (200, 300)], 1),
        ([(400, 2100), (20, 20)], 4),
    ],
    ids=str,
)
def test_a_part_keeps_enough_pixels(sides, factor):
    mask = np.zeros((sum(side[0] + 8 for side in sides), 4300), bool)
    top = 0
    for height, width in sides:
        mask[top : top + height, 5 : 5 + width] = True
        top += height + 8
    still = np.zeros((*mask.shape, 1), np.uint8)
    assert Reduction.of(still, mask, []).factor == factor


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_an_area_is_what_averaging_all_of_it_shows(dtype):
    generator = np.random.default_rng(0)
    still = (255 * generator.random((503, 2303, 3))).astype(dtype)
    mask = generator.random(still.shape[:2]) < 0.5
    mask[:, :50] = mask[:10] = False
    mask[MASK] = True
    reduced = Reduction.of(still, mask, [])
    assert reduced.factor == 4
    blocks = [a[:500, :2300].reshape(125, 4, 575, 4, -1).mean((1, 3)) for a in (still, mask)]
    area = (slice(7, 120), slice(11, 570))
    np.testing.assert_allclose(reduced.shown(area), blocks[0][area], atol=1)
    np.testing.assert_array_equal(reduced.inside, blocks[1][..., 0] >= 0.5)


def test_what_is_not_a_number_counts_as_nothing_where_it_is_reduced():
    still, mask = np.ones((503, 2301, 3), np.float32), wide_mask()
    still[100, 200], still[104:108, 200:204] = np.nan, np.inf
    shown = Reduction.of(still, mask, []).shown((slice(20, 30), slice(45, 55)))
    assert np.isfinite(shown).all()
    np.testing.assert_allclose(shown[5:7, 5, 0], [15 / 16, 0])
