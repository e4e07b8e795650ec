"""Anchors, and the dense fields that are made of them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.anchors import Anchors, fit_field
from engine.field import spread_fields
from engine.joining import Fields
from engine.regions import Part, Region
from engine.strokes import Segment

from . import whole

SIZE = (120, 160)
STEP = 20
RIGHTWARD = Region(np.ones((1, 1), bool), Segment(np.zeros(2), np.array([1.0, 0.0]), 0, 1), ())


def box_part(top, bottom, left, right):
    return Part((slice(top, bottom), slice(left, right)), np.ones((bottom - top, right - left), bool), ())


def smooth(points):
    """A field that turns and stretches by a third over a hundred pixels."""
    x, y = points[..., 0] - 45, points[..., 1] - 40
    return np.stack([STEP + 0.06 * x - 0.02 * y, 3 * np.sin(x / 40) + 0.03 * y], axis=-1)


def spread(part, scale, field, shape=SIZE):
    """Spread a field given over the part's box in pixels of the still."""
    anchors = Anchors.over(tuple(round(side * scale) for side in part.inside.shape))
    values = scale * field((anchors.points + 0.5) / scale - 0.5)
    forward, inverse = np.zeros((2, *shape, 2), np.float32)
    spread_fields(anchors, values, part, scale, forward, inverse)
    return forward, inverse


def pixels(shape=SIZE):
    columns, rows = np.meshgrid(np.arange(shape[1]), np.arange(shape[0]))
    return np.stack([columns, rows], axis=-1).astype(np.float32)


@pytest.mark.parametrize("scale", [1.0, 2.5, 0.4])
def test_a_field_on_anchors_is_the_dense_field_in_pixels_of_the_still(scale):
    part = box_part(20, 100, 35, 125)
    forward, _ = spread(part, scale, smooth)
    expected = smooth(pixels()[part.box] - part.origin)
    assert np.abs(forward[part.box] - expected).max() < 0.03 * STEP


def test_a_field_that_grows_evenly_does_so_between_anchors_too():
    part = box_part(20, 100, 35, 125)

    def growing(points):
        x, y = points[..., 0], points[..., 1]
        return np.stack([STEP + 0.2 * x - 0.1 * y, 0.1 * x + 0.15 * y], axis=-1)

    forward, _ = spread(part, 0.4, growing)
    well_inside = (slice(30, 90), slice(45, 115))
    expected = growing(pixels()[well_inside] - part.origin)
    np.testing.assert_allclose(forward[well_inside], expected, atol=1e-3)


@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_the_way_back_is_the_inverse_of_the_way_there(scale):
    part = box_part(20, 100, 35, 125)
    forward, inverse = spread(part, scale, smooth)
    for there, back in ((forward, inverse), (inverse, forward)):
        place = pixels()[part.box] + there[part.box]
        returned = cv2.remap(back, place, None, cv2.INTER_LINEAR)
        known = returned.any(2)
        assert known.mean() > 0.8
        assert np.abs(there[part.box] + returned)[known].max() < 0.02 * STEP


def test_a_field_goes_on_beyond_the_mask_as_far_as_frames_reach():
    part = box_part(40, 80, 50, 110)
    forward, inverse = spread(part, 1.0, lambda points: np.broadcast_to([STEP, 0.0], points.shape))
    reach = np.zeros(SIZE, bool)
    reach[40 - STEP : 80 + STEP, 50 - STEP : 110 + STEP] = True
    np.testing.assert_allclose(forward[reach], [[STEP, 0]] * reach.sum(), atol=1e-3)
    np.testing.assert_allclose(inverse[reach], [[-STEP, 0]] * reach.sum(), atol=1e-3)


def test_a_field_beyond_the_mask_continues_without_a_jump():
    part = box_part(30, 90, 50, 110)
    forward, _ = spread(part, 1.0, lambda points: smooth(points + [5, 10]))
    around = forward[10:110, 30:130]
    for axis in (0, 1):
        assert np.abs(np.diff(around, axis=axis)).max() < 0.5


def test_parts_that_lie_close_leave_each_other_alone():
    left, right = box_part(30, 90, 30, 75), box_part(30, 90, 80, 130)
    forward, inverse = np.zeros((2, *SIZE, 2), np.float32)
    for part, step in ((left, (STEP, 0)), (right, (0, -STEP))):
        anchors = Anchors.over(part.inside.shape)
        values = np.broadcast_to(np.array(step, float), anchors.points.shape)
        spread_fields(anchors, values, part, 1.0, forward, inverse)
    for part, step in ((left, (STEP, 0)), (right, (0, -STEP))):
        np.testing.assert_allclose(
            forward[part.box], np.broadcast_to(step, (*part.inside.shape, 2)), atol=1e-3
        )
        np.testing.assert_allclose(
            inverse[part.box], -np.broadcast_to(step, (*part.inside.shape, 2)), atol=1e-3
        )


def test_a_field_in_cells_has_the_dense_ones_values_in_their_middles():
    part = box_part(20, 99, 35, 124)
    anchors = Anchors.over(part.inside.shape)
    values = smooth(anchors.points)
    dense, coarse = (np.zeros((2, SIZE[0] // cell, SIZE[1] // cell, 2), np.float32) for cell in (1, 4))
    for cell, (forward, inverse) in ((1, dense), (4, coarse)):
        spread_fields(anchors, values, part, 1.0, forward, inverse, cell=cell)
    rows, columns = slice(4, 26), slice(8, 32)
    middles = sum(dense[:, top::4, left::4] for top in (1, 2) for left in (1, 2)) / 4
    np.testing.assert_allclose(coarse[:, rows, columns], middles[:, rows, columns], atol=0.02)


def test_only_parts_that_share_no_cell_have_fields_in_larger_ones():
    def cell_of(*boxes, held=False):
        there = np.zeros((600, 1800), bool)
        there[0, 0] = held
        parts = [replace(box_part(*box), regions=(RIGHTWARD,)) for box in boxes]
        return Fields.on(there, parts, 1).cell

    wide, near, away = (100, 500, 100, 950), (100, 500, 952, 1700), (100, 500, 960, 1700)
    assert cell_of(wide) == 4
    assert cell_of(wide, away) == 2  # as its shorter part allows
    assert cell_of(wide, near) == 1
    assert cell_of((100, 200, 100, 200), away) == 1
    assert cell_of(wide, held=True) == 1


def test_a_fit_goes_through_what_is_trusted_and_past_what_is_not():
    anchors = Anchors.over((80, 100))
    generator = np.random.default_rng(0)
    points = generator.uniform(0, [100, 80], (600, 2))
    moves = np.stack([20 + 0.1 * points[:, 0], 0.05 * points[:, 1]], axis=1)
    trust = np.ones(600)
    moves[::4] += generator.normal(0, 30, (150, 2))
    trust[::4] = 1e-6
    fitted = whole.basis(anchors, points) @ fit_field(anchors, points, moves, trust)
    expected = np.stack([20 + 0.1 * points[:, 0], 0.05 * points[:, 1]], axis=1)
    np.testing.assert_allclose(fitted, expected, atol=0.05)


def test_anchors_cover_the_box_and_interpolate_straight_lines():
    anchors = Anchors.over((37, 91))
    low, high = anchors.points.min(0), anchors.points.max(0)
    assert (low <= -0.5 + 1e-9).all() and (high >= np.array([90.5, 36.5]) - 1e-9).all()
    points = np.random.default_rng(1).uniform(-0.5, [90.5, 36.5], (50, 2))
    slope = anchors.points @ np.array([0.3, -0.7])
    np.testing.assert_allclose(
        whole.basis(anchors, points) @ slope, points @ np.array([0.3, -0.7]), atol=1e-9
    )
    assert np.abs(whole.matrix(anchors.shape, anchors.bending) @ slope).max() < 1e-9


def test_rows_and_columns_count_what_the_points_do_where_they_meet():
    anchors = Anchors.over((37, 91))
    y, x = np.linspace(-0.5, 36.5, 7), np.linspace(-0.5, 90.5, 9)
    down, along = anchors.lattice(y, x)
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    both = np.einsum("ri,cj->rcij", down, along).reshape(len(points), -1)
    np.testing.assert_allclose(both, whole.basis(anchors, points), atol=1e-5)


def test_a_field_that_brings_pixels_past_each_other_is_smoothed_until_it_can_be_inverted():
    part = box_part(20, 100, 20, 140)
    segment = Segment(np.zeros(2), np.ones(2), 1)
    part = replace(part, regions=(Region(part.inside, segment, (0,)),) * 2)

    def meeting(points):
        """Two halves that move towards each other."""
        return np.stack([-STEP * np.tanh((points[..., 0] - 60) / 6), 0 * points[..., 0]], axis=-1)

    forward, inverse = spread(part, 1.0, meeting)
    for field in (forward, inverse):
        across = 1 + np.diff(field[part.box][..., 0], axis=1)
        assert across.min() > 0.05
    assert np.abs(forward[60, 25:35, 0] - STEP).max() < 3


def test_anchors_whose_strokes_part_may_turn_at_once():
    anchors = Anchors.over((80, 100))
    upper = anchors.points[:, 1] < 40
    headings = np.where(upper[:, None], [1.0, 0.0], [0.0, 1.0])
    points = np.random.default_rng(0).uniform(0, [100, 80], (600, 2))
    moves = np.where(points[:, 1:] < 40, [20.0, 0.0], [0.0, 20.0])
    loose = replace(anchors, headings=headings)
    errors = {
        name: np.hypot(*(whole.basis(a, points) @ fit_field(a, points, moves, np.ones(600)) - moves).T)
        for name, a in (("stiff", anchors), ("loose", loose))
    }
    away = np.abs(points[:, 1] - 40) > 8
    assert np.percentile(errors["loose"][away], 90) < 0.5
    assert errors["loose"].mean() < 0.7 * errors["stiff"].mean()
