"""Costs of displacements against a plain reference, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from engine.similarity import ANGLES, BACKWARD, NODE, SHORTEST, WINDOW, _compare, describe_levels, measure

from .pictures import plane_texture

SIZE = (48, 64)
LONGEST = 15.0


def smooth_planes(seed=0, size=SIZE):
    planes = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal((4, *size)), (0, 3, 3))
    return (planes / planes.std() / 2).astype(np.float32)


def region(size=SIZE):
    rows, columns = np.mgrid[: size[0], : size[1]]
    away = ((rows - size[0] / 2) / size[0]) ** 2 + ((columns - size[1] / 2) / size[1]) ** 2
    return (away < 0.22).astype(np.float32)


def plain(planes, inside, direction, lengths, node=NODE):
    """Compare every pixel, a displacement at a time, and let both ends of it hear of the difference."""
    height, width = inside.shape
    nodes = (height // node, width // node)
    cost, support = (np.zeros((len(ANGLES), len(lengths), *nodes)) for _ in range(2))
    for column, angle in enumerate(direction + ANGLES):
        for row, length in enumerate(lengths):
            dx, dy = round(length * np.cos(angle)), round(length * np.sin(angle))
            squared, both = np.zeros((2, height, width))
            for y in range(max(0, -dy), min(height, height - dy)):
                for x in range(max(0, -dx), min(width, width - dx)):
                    if inside[y, x] and inside[y + dy, x + dx]:
                        difference = ((planes[:, y, x] - planes[:, y + dy, x + dx]) ** 2).sum()
                        for place, weight in (((y, x), 1), ((y + dy, x + dx), BACKWARD)):
                            squared[place] += weight * difference
                            both[place] += weight
            sigma = max(WINDOW / node * min(1, length / (2 * SHORTEST)), 0.5)
            pooled = [
                ndimage.gaussian_filter(
                    values.reshape(nodes[0], node, nodes[1], node).mean((1, 3)), sigma, mode="constant"
                )
                for values in (squared, both)
            ]
            cost[column, row] = pooled[0] / np.maximum(pooled[1], 1e-3) / 2
            support[column, row] = pooled[1]
    return cost, support


def test_costs_are_those_of_comparing_every_pixel():
    planes, inside = smooth_planes(), region()
    similarity = measure([(planes, inside)], 0.3, LONGEST)
    few = [0, 7, len(similarity.lengths) - 1]
    cost, support = plain(planes, inside, 0.3, similarity.lengths[few].astype(float))
    # Every second pixel stands for all of them, which shows most where few are compared.
    off = np.abs(similarity.support[:, few] - support)
    assert off.mean() < 0.03 and off.max() < 0.2
    seen = (support > 0.3).all((0, 1))
    assert seen.sum() > 20
    # A place's costs are weighed by one number, so that they can be summed over places.
    share = similarity.cost[:, few][..., seen] / (cost[..., seen] + 0.1 * np.median(cost[..., seen]))
    assert (share.std((0, 1)) / share.mean((0, 1))).max() < 0.08


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_each_level_compares_its_own_pixels(level):
    planes, inside, node = smooth_planes(1), region(), NODE >> level
    grid = (SIZE[0] // node, SIZE[1] // node)
    lengths = np.array([9.0, 13.4])
    cost, support = (values.swapaxes(0, 1) for values in _compare(planes, inside, level, lengths, 2.1, grid))
    plain_cost, plain_support = plain(planes, inside, 2.1, lengths, node)
    off = np.abs(support - plain_support)
    assert off.mean() < 0.03 and off.max() < 0.15
    seen = plain_support > 0.3
    assert np.abs(cost - plain_cost)[seen].mean() < 0.05 * plain_cost[seen].mean()


def test_lengths_grow_evenly_up_to_the_longest():
    lengths = measure([(smooth_planes(), region())], 0.0, LONGEST).lengths
    assert lengths[0] == SHORTEST
    assert LONGEST / 1.06 < lengths[-1] <= LONGEST * 1.03
    np.testing.assert_allclose(np.diff(np.log(lengths)), np.log(2) / 14, atol=1e-5)


def test_what_all_descriptors_share_makes_no_difference():
    planes, inside = smooth_planes(), region()
    one = measure([(planes, inside)], 0.3, LONGEST)
    other = measure([(planes + np.float32(0.5), inside)], 0.3, LONGEST)
    np.testing.assert_allclose(one.cost, other.cost, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(one.chance, other.chance, rtol=1e-3, atol=1e-4)


def test_the_picture_across_its_diagonal_costs_the_same_across_its_diagonal():
    planes, inside = smooth_planes(), region()
    one = measure([(planes, inside)], 0.3, LONGEST)
    crossed = np.ascontiguousarray(planes.transpose(0, 2, 1)), np.ascontiguousarray(inside.T)
    other = measure([crossed], np.pi / 2 - 0.3, LONGEST)
    np.testing.assert_allclose(other.cost[::-1].transpose(0, 1, 3, 2), one.cost, rtol=1e-3, atol=1e-4)


def test_what_lies_outside_the_region_is_not_looked_at():
    planes, inside = smooth_planes(), region()
    hidden = np.where(inside > 0, planes, np.float32(40))
    one, other = (measure([(p, inside)], 0.3, LONGEST) for p in (planes, hidden))
    np.testing.assert_array_equal(one.cost, other.cost)


@pytest.mark.parametrize("step", [10, 24, 45])
def test_an_exact_repetition_costs_least_and_half_of_it_does_not(step):
    picture = plane_texture((160, 200), step, 0.0)
    similarity = measure(describe_levels(picture, np.ones((160, 200), bool)), 0.0, 100)
    ratio = (similarity.cost / similarity.chance)[:, :, 15:25, 15:35].mean((2, 3))
    straight = ratio[len(ANGLES) // 2]
    best = similarity.lengths[straight[similarity.lengths < 1.5 * step].argmin()]
    assert best == pytest.approx(step, rel=0.06)
    if step > 2 * SHORTEST:
        half = np.abs(similarity.lengths - step / 2).argmin()
        assert straight[half] > 2 * straight.min()


def test_a_flat_color_says_nothing_about_any_displacement():
    flat = np.full((96, 128, 3), 0.35, np.float32)
    similarity = measure(describe_levels(flat, np.ones((96, 128), bool)), 0.0, 60)
    seen = similarity.support > 0.3
    np.testing.assert_allclose((similarity.cost / similarity.chance)[seen], 1, atol=0.1)
