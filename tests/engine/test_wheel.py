"""A picture unrolled about a point: places there and back, and which way a turn goes."""

from __future__ import annotations

import numpy as np
import pytest

from engine.wheel import Wheel

SIZE = (120, 150)
CENTER = np.array([70.0, 55.0])


def ring(inner=20, outer=50, angles=None):
    columns, rows = np.meshgrid(np.arange(SIZE[1]), np.arange(SIZE[0]))
    away = np.stack([columns, rows], -1) - CENTER
    radius = np.hypot(away[..., 0], away[..., 1])
    inside = (radius > inner) & (radius < outer)
    if angles is not None:
        angle = np.arctan2(away[..., 1], away[..., 0])
        inside &= (angle > angles[0]) & (angle < angles[1])
    return inside


SHAPES = {"all around": ring(), "a quarter": ring(angles=(0.3, 1.9)), "a disc": ring(inner=-1)}


def places(inside):
    rows, columns = np.nonzero(inside)
    return np.stack([columns, rows], -1).astype(float)


@pytest.mark.parametrize("sense", [1, -1])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_pixel_but_the_hub_is_on_the_unrolled_picture_and_comes_back(shape, sense):
    inside = SHAPES[shape]
    wheel = Wheel.around(CENTER, inside, sense)
    points = places(inside & ring(inner=5, outer=200))
    flat = wheel.to_flat(points)
    assert (flat >= -0.5).all() and (flat <= np.array(wheel.size[::-1]) + 0.5).all()
    np.testing.assert_allclose(wheel.to_picture(flat), points, atol=1e-6)


@pytest.mark.parametrize("sense", [1, -1])
def test_a_turn_is_a_step_to_the_right_as_long_at_every_radius(sense):
    wheel = Wheel.around(CENTER, ring(angles=(-1.5, 1.5)), sense)
    angle = 0.2 * sense
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = places(ring(angles=(-0.8, 0.8)))
    moved = (points - CENTER) @ matrix.T + CENTER
    steps = wheel.to_flat(moved) - wheel.to_flat(points)
    np.testing.assert_allclose(steps[:, 0], 0.2 * wheel.scale * wheel.middle, atol=1e-6)
    np.testing.assert_allclose(steps[:, 1], 0, atol=1e-6)


def test_what_repeats_across_the_cut_of_a_full_ring_is_seen():
    wheel = Wheel.around(CENTER, ring(), 1)
    once = 2 * np.pi * wheel.scale * wheel.middle
    assert wheel.size[1] > 1.4 * once
    columns, rows = np.meshgrid(np.arange(SIZE[1]), np.arange(SIZE[0]))
    picture = np.random.default_rng(0).random((*SIZE, 3)).astype(np.float32)
    flat = wheel.lay_flat(picture, 1.0)
    shift = round(once)
    assert abs(shift - once) < 0.5
    again, first = flat[:, shift : shift + 60], flat[:, :60]
    assert np.corrcoef(again.ravel(), first.ravel())[0, 1] > 0.6


def test_what_lies_off_the_picture_is_not_in_sight():
    wheel = Wheel.around(np.array([10.0, 55.0]), ring(), 1)
    place = wheel.to_picture(np.stack(np.meshgrid(*map(np.arange, wheel.size[::-1])), -1).astype(float))
    off = (place[..., 0] < -1) | (place[..., 1] < -1)
    assert not wheel.in_sight()[off].any()
    assert wheel.in_sight().any()
