"""Displacements found again to a few hundredths of a step, from a start that is some percent off."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.anchors import Anchors
from engine.registration import LUMA_AND_COLORS, make_views, refine_field
from engine.repetition import Repetition

from . import whole
from .pictures import plane_texture

SIZE = (150, 190)


def refined(picture, start, step, zoom=1.0, inside=None):
    anchors = Anchors.over(SIZE)
    inside = np.ones(picture.shape[:2], bool) if inside is None else inside
    values = start(anchors.points)
    for view in make_views(picture, inside, np.full(2, zoom), step):
        values = refine_field(anchors, values, view)
    return anchors, values


def errors(anchors, values, truth, margin=10):
    """Distances in steps over what has its next repetition in the picture."""
    points = np.stack(np.meshgrid(np.arange(2, SIZE[1], 5), np.arange(2, SIZE[0], 5)), axis=-1).reshape(-1, 2)
    expected = truth(points)
    ahead = points + expected
    seen = (ahead > margin).all(1) & (ahead < np.array(SIZE[::-1]) - margin).all(1)
    seen &= (points > margin).all(1) & (points < np.array(SIZE[::-1]) - margin).all(1)
    off = whole.basis(anchors, points[seen]) @ values - expected[seen]
    return np.hypot(*off.T) / np.hypot(*expected[seen].T)


@pytest.mark.parametrize("move", [(23.4, 0.0), (-17.3, 6.2), (3.3, 30.7)])
@pytest.mark.parametrize("share", [0.94, 1.06])
def test_a_shift_of_parts_of_a_pixel_is_found(move, share):
    step, angle = np.hypot(*move), np.arctan2(move[1], move[0])
    picture = plane_texture(SIZE, step, angle)
    anchors, values = refined(picture, lambda points: np.tile(share * np.array(move), (len(points), 1)), step)
    off = errors(anchors, values, lambda points: np.tile(move, (len(points), 1)))
    assert np.median(off) < 0.01
    assert np.percentile(off, 90) < 0.03


def test_a_step_that_grows_and_turns_is_followed():
    fall = (0.002, 0.0015)
    truth = Repetition((np.array(SIZE[::-1]) - 1) / 2, 0.2, 24.0, np.array(fall), 0, 1).displacement
    picture = plane_texture(SIZE, 24, 0.2, fall)
    anchors, values = refined(picture, lambda points: 0.95 * truth(points), 24.0)
    off = errors(anchors, values, truth)
    assert np.median(off) < 0.01
    assert np.percentile(off, 90) < 0.04


def test_a_larger_still_is_followed_in_its_own_pixels():
    large = plane_texture((2 * SIZE[0], 2 * SIZE[1]), 46.6, 0.0)
    anchors, values = refined(large, lambda points: np.tile([21.5, 0.5], (len(points), 1)), 23.3, zoom=2.0)
    assert np.median(errors(anchors, values, lambda points: np.tile([23.3, 0], (len(points), 1)))) < 0.01


def test_what_lies_outside_the_region_pulls_at_nothing():
    picture = plane_texture(SIZE, 22, 0.0)
    inside = np.ones(SIZE, bool)
    inside[:40] = False
    hidden = picture.copy()
    hidden[:40] = np.random.default_rng(0).random((40, SIZE[1], 3))
    start = lambda points: np.tile([20.5, 0.0], (len(points), 1))  # noqa: E731
    (_, one), (_, other) = (refined(p, start, 22.0, inside=inside) for p in (picture, hidden))
    np.testing.assert_allclose(one, other, atol=0.01)


def test_nothing_to_see_leaves_the_field_as_it_is():
    flat = np.full((*SIZE, 3), 0.4, np.float32)
    anchors, values = refined(flat, lambda points: np.tile([20.0, 1.0], (len(points), 1)), 20.0)
    np.testing.assert_allclose(values, np.tile([20.0, 1.0], (len(anchors.points), 1)), atol=1e-3)


def test_details_are_those_that_whole_windows_leave():
    picture, step = plane_texture((151, 193), 40, 0.3), 40.0
    inside = np.ones(picture.shape[:2], bool)
    inside[:30, :50] = False
    finest = make_views(picture, inside, np.ones(2), step)[-1].pixels[: inside.shape[0], : inside.shape[1]]

    def smooth(values):
        return cv2.GaussianBlur(values, (0, 0), step / 4, borderType=cv2.BORDER_CONSTANT)

    share = (smooth(inside.astype(np.float32)) + 1e-4)[..., None]
    toned = picture @ LUMA_AND_COLORS.T * inside[..., None]
    details = (toned - smooth(toned) / share) * inside[..., None]
    spread = np.sqrt(smooth((details**2).sum(2))[..., None] / share)
    expected = details / (spread + 0.3 * np.median(spread[inside]))
    assert (finest[..., 3] == inside).all()
    assert (finest[~inside] == 0).all()
    assert np.abs(finest[..., :3] - expected).max() < 0.1 * np.abs(expected).max()
    assert np.corrcoef(finest[..., :3][inside].ravel(), expected[inside].ravel())[0, 1] > 0.999


@pytest.mark.parametrize("size", [(150, 190), (190, 40), (16, 192)])
def test_fewer_anchors_cover_the_same_area(size):
    anchors = Anchors.over(size)
    headings = np.where(anchors.points[:, :1] < size[1] / 2, [[1.0, 0.0]], [[0.0, 1.0]])
    anchors = replace(anchors, headings=headings)
    assert anchors.thinned(1.01) is anchors
    thin = anchors.thinned(3.0)
    assert thin.spacing == pytest.approx(3 * anchors.spacing, rel=0.1)
    assert (thin.points.min(0) <= anchors.points.min(0) + 1e-9).all()
    assert (thin.points.max(0) >= anchors.points.max(0) - 1e-9).all()
    linear = np.array([[0.2, -0.1], [0.05, 0.3]])
    np.testing.assert_allclose(
        anchors.between(thin, thin.points @ linear), anchors.points @ linear, atol=1e-4
    )
    right = thin.points[:, 0] > size[1] / 2 + anchors.spacing
    assert (thin.headings[right] == [0, 1]).all()
    assert (thin.headings[thin.points[:, 0] < size[1] / 2 - anchors.spacing] == [1, 0]).all()


@pytest.mark.parametrize("size", [(9, 200), (200, 17), (11, 15)])
def test_a_narrow_side_is_not_halved_away(size):
    picture = plane_texture(size, 40, 0.0)
    views = make_views(picture, np.ones(size, bool), np.full(2, 2.0), 40.0)
    assert views[-1].area == np.prod(size)
    for view in views:
        assert min(view.pixels.shape[:2]) >= 8
        width, height = np.array(size[::-1]) * view.scale / 2
        added = np.array(view.pixels.shape[:2]) / [height, width]
        assert (added >= 1).all()
        assert (added < 2).all()
        assert view.area == pytest.approx(width * height, rel=0.2)
