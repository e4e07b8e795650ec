"""Which pixels follow which stroke, what is held, what turns about a point, and which strokes are named."""

from __future__ import annotations

import numpy as np
import pytest

from engine import BadMask, BadStroke, Stroke
from engine.regions import divide
from engine.strokes import check_strokes

SHAPE = (100, 160, 3)
LINE = [[10, 50], [90, 50]]


def division(mask, *strokes):
    return divide(mask, check_strokes(strokes, SHAPE))


def split(mask, *strokes):
    return division(mask, *strokes).parts


def everywhere():
    return np.ones(SHAPE[:2], bool)


def two_boxes():
    mask = np.zeros(SHAPE[:2], bool)
    mask[10:90, 10:70] = mask[10:90, 90:150] = True
    return mask


def test_each_pixel_follows_the_nearest_stroke():
    (part,) = split(everywhere(), [[20, 20], [140, 20]], [[80, 70], [80, 90]])
    above, below = part.regions
    np.testing.assert_allclose([above.segment.direction, below.segment.direction], np.eye(2), atol=1e-9)
    np.testing.assert_array_equal(above.inside ^ below.inside, part.inside)
    assert above.inside[:40].all() and below.inside[60:, 60:100].all()


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


def test_lanes_in_opposite_directions_share_one_that_one_of_them_follows_backward():
    (part,) = split(everywhere(), [[20, 20], [140, 20]], [[140, 80], [20, 80]])
    above, below = part.regions
    np.testing.assert_allclose(above.segment.direction, below.segment.direction, atol=1e-9)
    ways = [region.segment.turns * region.segment.direction[0] for region in part.regions]
    np.testing.assert_allclose(ways, [1, -1])


def test_a_part_without_a_stroke_follows_the_nearest_whole_stroke():
    mask = two_boxes()
    own, other = split(mask, [[20, 30], [60, 30]], [[20, 85], [20, 50]])
    assert len(own.regions) == 2
    ((borrowed,),) = ([region.segment for region in part.regions] for part in [other])
    np.testing.assert_allclose(borrowed.direction, [1, 0], atol=1e-9)


def test_a_part_with_a_stroke_of_its_own_follows_no_other():
    left, right = split(two_boxes(), [[65, 20], [65, 80]], [[120, 50], [145, 50]])
    assert [len(part.regions) for part in (left, right)] == [1, 1]
    np.testing.assert_allclose(right.regions[0].segment.direction, [1, 0], atol=1e-9)


def test_a_stroke_that_holds_one_part_leaves_the_next_one_alone():
    divided = division(two_boxes(), Stroke([[60, 20], [60, 80]], turns=0), [[20, 40], [30, 40]])
    right = divided.parts[-1]
    np.testing.assert_array_equal(right.inside, True)
    assert divided.held[:, 50:70].any() and not divided.held[:, 90:].any()


def ring(start=0.0, end=2 * np.pi, radius=35.0, wobble=0.0, clockwise=True):
    angles = np.linspace(start, end, 40)
    radii = radius + wobble * np.random.default_rng(0).standard_normal(40)
    points = np.stack([80 + radii * np.cos(angles), 50 + radii * np.sin(angles)], axis=1)
    return points if clockwise else points[::-1]


@pytest.mark.parametrize(
    ("strokes", "sense"),
    [
        ([ring()], 1),
        ([ring(clockwise=False, wobble=0.5)], -1),
        ([ring(end=2.0)], 1),
        ([ring(k, k + 0.6) for k in (0.1, 1.4, 2.9, 4.6)], 1),
    ],
)
def test_strokes_around_a_point_turn_the_part_about_it(strokes, sense):
    (part,) = split(everywhere(), *strokes)
    (region,) = part.regions
    assert region.turn.sense == sense
    assert np.hypot(*(region.turn.center - [80, 50])) < 3
    assert region.strokes == tuple(range(len(strokes)))


@pytest.mark.parametrize(
    "strokes",
    [
        [[[20, 20], [140, 20]], [[140, 80], [20, 81]]],
        [[[20, 30], [120, 30]], [[130, 40], [130, 90]]],
        [
            np.concatenate(
                [ring(np.pi, 1.5 * np.pi, 20), [120, 50] - ring(0, 0.5 * np.pi, 20)[::-1] + [80, 30]]
            )
        ],
        [ring(0, 1), ring(3, 4, clockwise=False)],
    ],
    ids=["lanes", "corner", "S", "against each other"],
)
def test_strokes_around_no_point_are_followed_piece_by_piece(strokes):
    assert all(region.turn is None for part in split(everywhere(), *strokes) for region in part.regions)


def test_strokes_outside_of_every_part_are_named():
    mask = two_boxes()
    mask[:, 80:] = False
    assert division(mask, LINE).warnings == ()
    for strokes, number, says in (
        (([[100, 20], [150, 20]],), 1, "what is nearest follows it"),
        ((LINE, [[100, 20], [150, 20]]), 2, "nothing follows it"),
        ((LINE, Stroke([[100, 20], [150, 20]], turns=0)), 2, "nothing follows it"),
    ):
        (warning,) = division(mask, *strokes).warnings
        assert warning.startswith(f"Stroke {number} lies outside") and says in warning


def test_a_stroke_within_what_is_held_is_named():
    held = Stroke([[20, 50], [140, 50]], turns=0)
    divided = division(everywhere(), held, [[60, 50], [100, 50]], [[20, 90], [140, 90]])
    (warning,) = divided.warnings
    assert warning.startswith("Stroke 2 moves nothing: stroke 1 holds")
    with pytest.raises(BadStroke, match="Stroke 1 holds the whole mask still"):
        division(everywhere(), held, [[60, 50], [100, 50]])


def test_strokes_that_cross_in_opposite_directions_are_named():
    crossing = division(everywhere(), [[20, 40], [140, 60]], [[140, 40], [20, 60]], [[20, 90], [140, 90]])
    (warning,) = crossing.warnings
    assert warning.startswith("Strokes 1 and 2 go opposite ways around 80, 50")
    assert division(everywhere(), [[20, 40], [140, 60]], [[80, 10], [80, 90]]).warnings == ()
