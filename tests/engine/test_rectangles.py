"""Tiles joined to rectangles: everything is covered, nothing twice."""

from __future__ import annotations

import numpy as np
import pytest

from engine.rectangles import TOGETHER, rectangles


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 1.0])
def test_every_tile_is_covered_once_by_all_its_ways(share):
    generator = np.random.default_rng(3)
    blocks = generator.integers(1, 8, (7, 11)) * (generator.random((7, 11)) < share)
    tiles = np.kron(blocks, np.ones((5, 9), int))
    covered, shown = np.zeros(tiles.shape, int), np.zeros(tiles.shape, int)
    for area, ways in rectangles(tiles.tolist()):
        assert covered[area].size <= TOGETHER
        covered[area] += 1
        shown[area] |= sum(1 << way for way in ways)
    assert covered.max() <= 1
    assert covered[tiles > 0].all()
    assert (shown & tiles == tiles).all()


def test_rows_that_are_alike_are_one_rectangle():
    assert list(rectangles([[0, 3, 3], [0, 3, 3]])) == [((slice(0, 2), slice(1, 3)), [0, 1])]


def test_a_tile_among_others_is_not_handled_alone():
    (_, ways), *others = rectangles([[1, 1, 1, 2, 1, 1, 1]])
    assert ways == [0, 1]
    assert not others


def test_many_tiles_are_spared_a_way_that_leads_from_a_few():
    assert len(list(rectangles([[1] * 16 + [3] * 16]))) == 2
