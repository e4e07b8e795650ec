"""Planes laid flat and pictures of them: there and back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.plane import Plane

from .pictures import plane_texture

SIZE = (120, 160)
FALLS = [np.array([0.006, 0.0]), np.array([-0.004, 0.005]), np.array([0.0, -0.008])]


def tilted(fall, center=(79.5, 59.5)):
    return Plane.tilted(np.ones(SIZE, bool), np.array(center), fall, 200)


def grid(size):
    columns, rows = np.meshgrid(np.arange(size[1]), np.arange(size[0]))
    return np.stack([columns, rows], axis=-1).astype(float)


@pytest.mark.parametrize("fall", FALLS)
def test_a_point_laid_flat_and_shown_again_is_the_same_point(fall):
    plane = tilted(fall)
    points = grid(SIZE)
    nearness = 1 + (points - plane.center) @ fall
    seen = points[nearness > plane.horizon]
    np.testing.assert_allclose(plane.to_picture(plane.to_flat(seen)), seen, atol=1e-8)
    flat = plane.to_flat(seen)
    assert flat.min() > -0.6 and (flat.max(0) < np.array(plane.size[::-1])).all()
    assert max(plane.size) in (200, 201)


@pytest.mark.parametrize("zoom", [1.0, 2.0])
@pytest.mark.parametrize("fall", FALLS)
def test_pixels_land_where_points_do(fall, zoom):
    plane = tilted(fall)
    source_size = tuple(round(side * zoom) for side in SIZE)
    rows, columns = np.mgrid[: source_size[0], : source_size[1]].astype(np.float32)
    # A picture that shows its own coordinates, in working pixels.
    picture = np.stack([(columns + 0.5) / zoom - 0.5, (rows + 0.5) / zoom - 0.5, 0 * rows], axis=-1)
    shown = plane.lay_flat(picture.astype(np.float32), zoom)[..., :2]
    expected = plane.to_picture(grid(plane.size))
    inside = (expected > 1).all(-1) & (expected < np.array(SIZE[::-1]) - 2).all(-1) & plane.in_sight()
    assert inside.mean() > 0.3
    np.testing.assert_allclose(shown[inside], expected[inside], atol=0.05)


def test_a_facing_plane_is_the_picture():
    plane = Plane.facing(SIZE)
    points = grid(SIZE)
    np.testing.assert_array_equal(plane.to_picture(points), points)
    picture = np.random.default_rng(0).random((*SIZE, 3)).astype(np.float32)
    np.testing.assert_array_equal(plane.lay_flat(picture, 1.0), picture)
    assert plane.in_sight().all()


def test_steps_are_equal_on_the_plane_laid_flat():
    fall = np.array([0.005, 0.0])
    plane = tilted(fall)
    flat = plane.lay_flat(plane_texture(SIZE, 24, 0.0, tuple(fall)), 1.0)
    step = 24 * plane.scale
    shift = np.array([[1, 0, step], [0, 1, 0]])
    moved = cv2.warpAffine(flat, shift, plane.size[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    place = plane.to_picture(grid(plane.size))
    ahead = plane.to_picture(grid(plane.size) + [step, 0])
    both = np.ones(plane.size, bool)
    for points in (place, ahead):
        both &= (points > 1).all(-1) & (points < np.array(SIZE[::-1]) - 2).all(-1)
    assert both.mean() > 0.3
    assert np.abs(moved - flat)[both].mean() < 0.02
