"""What is refused as a stroke, and how strokes are cut straight."""

from __future__ import annotations

import numpy as np
import pytest

from engine import BadStroke, Stroke
from engine.strokes import check_strokes, straight_segments

SHAPE = (100, 160, 3)
LINE = [[10, 50], [90, 50]]


@pytest.mark.parametrize(
    ("strokes", "says"),
    [
        ([], "draw at least one"),
        (None, "draw at least one"),
        (7, "draw at least one"),
        ([[[10, 50]]], "Stroke 1 has only 1 point"),
        ([LINE, []], "Stroke 2"),
        ([LINE, [[10, 50, 0], [20, 50, 0]]], "Stroke 2 isn't a list"),
        ([LINE, "up"], "Stroke 2 isn't a list"),
        ([[[1, 2], [3]]], "Stroke 1 isn't a list"),
        ([[[10, 50], [10, 50], [10, 50]]], "no length"),
        ([[[10, 50], [np.nan, 50]]], "isn't a number"),
        ([[[10, 50], [np.inf, 50]]], "isn't a number"),
        ([[[-1e308, 50], [1e308, 50]]], "far outside"),
        ([[[40, 60], [110, -1e20]]], "far outside"),
        ([[[40, 60], [10**400, 60]]], "isn't a list"),
        ([[[-30, 50], [-5, 50]]], "outside the picture"),
        ([[[30, 101], [80, 190]]], "outside the picture"),
        ([Stroke(LINE, turns=0.5)], "0.5 turns"),
        ([Stroke(LINE, turns=17)], "17 turns"),
        ([Stroke(LINE, turns=True)], "True turns"),
    ],
)
def test_a_stroke_that_says_no_direction_is_refused_with_the_reason(strokes, says):
    with pytest.raises(BadStroke, match=says):
        check_strokes(strokes, SHAPE)


def test_strokes_come_as_lists_arrays_or_with_their_turns_and_may_cross_the_border():
    checked = check_strokes([LINE, np.array(LINE, np.float32), Stroke(LINE, turns=np.int64(-2))], SHAPE)
    assert [stroke.turns for stroke in checked] == [1, 1, -2]
    for stroke in checked:
        np.testing.assert_array_equal(stroke.points, LINE)
    assert len(check_strokes(Stroke([[-50, 50], [200, 50]]), SHAPE)) == 1


def circle(start=0.0, end=2 * np.pi, count=200):
    angles = np.linspace(start, end, count)
    return np.stack([80 + 40 * np.cos(angles), 50 + 40 * np.sin(angles)], axis=1)


def test_a_straight_stroke_stays_whole_however_shakily_and_unevenly_it_is_drawn():
    generator = np.random.default_rng(0)
    shares = np.sort(np.r_[0, generator.random(80) ** 4, 1])
    points = np.array([10, 20]) + shares[:, None] * np.array([120, 60]) + generator.normal(0, 0.2, (82, 2))
    (segment,) = straight_segments(Stroke(points))
    expected = np.array([2, 1]) / np.sqrt(5)
    assert np.degrees(np.arccos(segment.direction @ expected)) < 1


@pytest.mark.parametrize("points", [circle(), circle(end=np.pi), circle(end=1.5 * np.pi)[::-1]])
def test_a_bent_stroke_is_cut_into_straight_pieces_that_follow_each_other(points):
    segments = straight_segments(Stroke(points))
    assert len(segments) >= 4
    np.testing.assert_allclose(segments[0].start, points[0], atol=1e-9)
    np.testing.assert_allclose(segments[-1].end, points[-1], atol=1e-9)
    for one, next_one in zip(segments, segments[1:], strict=False):
        np.testing.assert_array_equal(one.end, next_one.start)
    for segment in segments:
        middle = (segment.start + segment.end) / 2 - [80, 50]
        assert np.hypot(*middle) > 36  # on the arc, not across it


def test_the_spacing_of_the_points_does_not_matter():
    fine = circle(count=1500)
    uneven = np.concatenate([fine[:700:2], fine[700:900], fine[900::25], fine[-1:]])
    for one, other in zip(straight_segments(Stroke(fine)), straight_segments(Stroke(uneven)), strict=True):
        np.testing.assert_allclose(one.end, other.end, atol=0.5)


def test_there_and_back_has_no_piece_without_a_direction():
    segments = straight_segments(Stroke(np.array([[10.0, 50], [90, 50], [10, 50]])))
    directions = np.array([segment.direction for segment in segments])
    assert np.isfinite(directions).all()
    np.testing.assert_allclose(np.abs(directions), [[1, 0]] * len(directions), atol=1e-9)
