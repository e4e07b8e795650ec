"""What is refused as a stroke, how strokes are cut straight, and which pixels follow which piece."""

from __future__ import annotations

import numpy as np
import pytest

from engine import BadMask, BadStroke, Stroke
from engine.strokes import check_strokes, split_mask, straight_segments

SHAPE = (100, 160, 3)
LINE = [[10, 50], [90, 50]]


def split(mask, *strokes):
    return split_mask(mask, check_strokes(strokes, SHAPE))


def everywhere():
    return np.ones(SHAPE[:2], bool)


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


def test_each_pixel_follows_the_nearest_stroke():
    (part,) = split(everywhere(), [[20, 20], [140, 20]], [[140, 80], [20, 80]])
    above, below = part.regions
    assert above.segment.direction[0] > 0 > below.segment.direction[0]
    np.testing.assert_array_equal(above.inside ^ below.inside, part.inside)
    assert above.inside[:49].all() and below.inside[51:].all()


def test_parts_that_do_not_touch_are_solved_apart_each_in_its_own_box():
    mask = np.zeros(SHAPE[:2], bool)
    mask[10:60, 5:50] = True
    mask[30:90, 70:150] = True
    mask[80:84, 5:9] = True  # a splash of paint
    parts = split(mask, LINE)
    assert len(parts) == 2
    covered = np.zeros_like(mask)
    for part in parts:
        np.testing.assert_array_equal(part.origin, [part.box[1].start, part.box[0].start])
        np.testing.assert_array_equal(mask[part.box], part.inside)
        covered[part.box] |= part.inside
    mask[80:84, 5:9] = False
    np.testing.assert_array_equal(covered, mask)


def test_boxes_that_overlap_keep_their_pixels_apart():
    mask = np.zeros(SHAPE[:2], bool)
    mask[5:95, 5:30] = mask[5:30, 5:120] = True  # an L around a box
    mask[45:90, 50:120] = True
    around, within = sorted(split(mask, LINE), key=lambda part: part.box[1].start)
    assert around.inside.sum() + within.inside.sum() == mask.sum()


def test_a_mask_of_splashes_is_refused():
    mask = np.zeros(SHAPE[:2], bool)
    mask[10:20, 10:20] = mask[50:60, 90:100] = True
    with pytest.raises(BadMask, match="larger"):
        split(mask, LINE)


def test_a_stroke_of_no_turns_holds_what_lies_nearest_to_it():
    (part,) = split(everywhere(), [[20, 20], [140, 20]], Stroke([[20, 80], [140, 80]], turns=0))
    assert part.box[0] == slice(0, 51) or part.box[0] == slice(0, 50)
    assert len(part.regions) == 1
    with pytest.raises(BadStroke, match="0 turns"):
        split(everywhere(), Stroke(LINE, turns=0))


def test_turns_backward_are_a_stroke_drawn_the_other_way():
    ((backward,),) = (part.regions for part in split(everywhere(), Stroke(LINE, turns=-2)))
    ((reversed_,),) = (part.regions for part in split(everywhere(), Stroke(LINE[::-1], turns=2)))
    np.testing.assert_array_equal(backward.segment.direction, reversed_.segment.direction)
    assert backward.segment.turns == reversed_.segment.turns == 2
