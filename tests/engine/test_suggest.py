"""Suggestions: which way a masked still repeats, what could be masked, and what a scribble means."""

from __future__ import annotations

import numpy as np
import pytest

import engine

from .pictures import SIZE, box_mask


def windows(angle=0.0, steps=(30, 22), size=(240, 320), fall=0.0, noise=6):
    """A wall of windows, each `steps` from the next along its rows and columns, turned by `angle` degrees."""
    rows, columns = np.mgrid[: size[0], : size[1]].astype(float)
    x, y = columns - size[1] / 2, rows - size[0] / 2
    nearness = 1 + fall * x
    x, y = x / nearness, y / nearness
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    along, across = (x * cos + y * sin) % steps[0], (y * cos - x * sin) % steps[1]
    wall = np.full((*size, 3), (150, 130, 110), float)
    wall[(along < steps[0] * 0.6) & (across < steps[1] * 0.6)] = (40, 60, 90)
    wall[(along < steps[0] * 0.6) & (across < steps[1] * 0.15)] = (220, 220, 210)
    wall += np.random.default_rng(1).normal(0, noise, wall.shape)
    return np.clip(wall, 0, 255).astype(np.uint8)


def off(direction, angle):
    """How far a direction or its opposite is from an angle, degrees."""
    found = np.degrees(np.arctan2(direction.vector[1], direction.vector[0]))
    return abs((found - angle + 90) % 180 - 90)


WHOLE = np.ones((240, 320), bool)


@pytest.mark.parametrize("angle", [0, 25, 63, 110])
def test_the_two_sides_of_a_lattice_are_suggested(angle):
    found = engine.suggest_directions(windows(angle), WHOLE)
    assert min(off(direction, angle) for direction in found) < 6
    assert min(off(direction, angle + 90) for direction in found) < 6


@pytest.mark.parametrize("angle", [0, 25])
def test_windows_too_fine_to_be_seen_at_once_are_suggested_too(angle):
    still = windows(angle, steps=(10, 14), size=(600, 800))
    found = engine.suggest_directions(still, np.ones(still.shape[:2], bool))
    assert min(off(direction, angle) for direction in found) < 6
    assert min(off(direction, angle + 90) for direction in found) < 6


def test_stripes_move_across_themselves():
    still = windows(angle=35, steps=(24, 10_000))
    assert off(engine.suggest_directions(still, WHOLE)[0], 35) < 8


def test_steps_that_shrink_with_perspective_are_found():
    still = windows(steps=(40, 10_000), fall=0.003)
    assert off(engine.suggest_directions(still, WHOLE)[0], 0) < 10


def test_the_best_comes_first_and_none_twice():
    found = engine.suggest_directions(windows(angle=20), WHOLE, count=5)
    votes = [direction.votes for direction in found]
    assert votes == sorted(votes, reverse=True) and votes[-1] > 0
    angles = [np.arctan2(*direction.vector[::-1]) for direction in found]
    for index, angle in enumerate(angles):
        assert np.hypot(*found[index].vector) == pytest.approx(1)
        for other in angles[:index]:
            assert abs((angle - other + np.pi / 2) % np.pi - np.pi / 2) > np.radians(19)


def test_only_as_many_as_asked_for():
    assert len(engine.suggest_directions(windows(), WHOLE, count=1)) == 1
    for count in (0, 2.5, "3", None):
        with pytest.raises(engine.BadSettings, match="one direction or more"):
            engine.suggest_directions(windows(), WHOLE, count=count)


def test_what_lies_outside_the_mask_has_no_vote():
    still = np.concatenate([windows(steps=(20, 10_000)), windows(angle=90, steps=(20, 10_000))], axis=1)
    mask = np.zeros(still.shape[:2], bool)
    mask[20:220, 20:300] = True
    assert off(engine.suggest_directions(still, mask)[0], 0) < 8
    assert off(engine.suggest_directions(still, mask[:, ::-1])[0], 90) < 8


def test_a_stray_dab_of_paint_changes_nothing():
    still = windows(angle=25)
    mask = np.zeros(still.shape[:2], bool)
    mask[60:230, 90:310] = True
    clean = engine.suggest_directions(still, mask)
    mask[:9, :9] = True
    for direction, other in zip(clean, engine.suggest_directions(still, mask), strict=True):
        np.testing.assert_array_equal(direction.stroke, other.stroke)


def test_the_stroke_lies_in_the_mask_and_can_be_solved():
    still = windows()
    mask = np.zeros(still.shape[:2], bool)
    mask[100:220, 30:290] = True
    for direction in engine.suggest_directions(still, mask):
        (x, y), (u, v) = direction.stroke
        assert mask[round(y), round(x)] and mask[round(v), round(u)]
        np.testing.assert_allclose(direction.vector, [u - x, v - y] / np.hypot(u - x, v - y))
    best = min(engine.suggest_directions(still, mask), key=lambda direction: off(direction, 0))
    loop = engine.solve(still, mask, [best.stroke])
    assert np.median(loop.forward[mask][:, 0]) == pytest.approx(30, abs=1.5)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_every_type_of_still_repeats_alike(dtype):
    still = windows(angle=25)
    scaled = still.astype(dtype) * (257 if dtype == np.uint16 else np.float32(4 / 255))
    found = engine.suggest_directions(scaled.astype(dtype), WHOLE)
    assert min(off(direction, 25) for direction in found) < 6


def test_a_flat_picture_has_no_direction():
    with pytest.raises(engine.NoRepetition, match="draw a direction"):
        engine.suggest_directions(np.full((*SIZE, 3), 90, np.uint8), box_mask())


@pytest.mark.parametrize(
    ("still", "mask", "error"),
    [
        (windows()[..., 0], WHOLE, engine.BadImage),
        (windows(), WHOLE[:9], engine.BadMask),
        (windows(), ~WHOLE, engine.EmptyMask),
        (windows(), np.pad(np.ones((5, 5), bool), ((9, 226), (9, 306))), engine.BadMask),
    ],
)
def test_bad_input_is_told(still, mask, error):
    with pytest.raises(error):
        engine.suggest_directions(still, mask)


def overlap(one, other):
    return (one & other).sum() / (one | other).sum()


def scene():
    """A wall of windows in front of a plain sky, and where it is."""
    sky = np.linspace(190, 230, 240)[:, None, None] + np.zeros((240, 320, 3))
    sky += np.random.default_rng(2).normal(0, 3, sky.shape)
    still = np.clip(sky, 0, 255).astype(np.uint8)
    wall = np.zeros((240, 320), bool)
    wall[70:220, 90:300] = True
    still[wall] = windows()[wall]
    return still, wall


def test_the_wall_that_repeats_is_among_the_masks():
    still, wall = scene()
    masks = engine.suggest_masks(still)
    assert max(overlap(mask, wall) for mask in masks) > 0.9
    assert all(mask.shape == wall.shape and mask.dtype == bool for mask in masks)


def test_no_mask_is_suggested_twice():
    masks = engine.suggest_masks(scene()[0])
    assert 2 <= len(masks) <= 5
    for index, mask in enumerate(masks):
        assert all(overlap(mask, other) < 0.7 for other in masks[:index])
    np.testing.assert_array_equal(engine.suggest_masks(scene()[0], count=1)[0], masks[0])


def test_a_flat_still_has_no_masks():
    with pytest.raises(engine.NoRepetition, match="paint the mask"):
        engine.suggest_masks(np.full((*SIZE, 3), 90, np.uint8))
    for count in (0, 2.5, "3", None):
        with pytest.raises(engine.BadSettings, match="one mask or more"):
            engine.suggest_masks(scene()[0], count=count)


def test_a_thin_scribble_grows_over_the_wall_it_lies_on():
    still, wall = scene()
    scribble = np.zeros_like(wall)
    scribble[100:190, 120:124] = scribble[140:144, 110:280] = True
    assert overlap(engine.grow_mask(still, scribble), wall) > 0.9


def test_a_rough_mask_keeps_its_place_and_gets_the_edge_of_the_wall():
    still, wall = scene()
    rough = np.zeros_like(wall)
    rough[64:214, 96:304] = True
    grown = engine.grow_mask(still, rough)
    assert overlap(grown, wall) > max(0.95, overlap(rough, wall))


def test_growing_again_gives_the_same():
    still, wall = scene()
    scribble = np.zeros_like(wall)
    scribble[140:144, 110:280] = True
    np.testing.assert_array_equal(engine.grow_mask(still, scribble), engine.grow_mask(still, scribble))


def test_a_mask_of_everything_stays():
    assert engine.grow_mask(scene()[0], WHOLE).all()


@pytest.mark.parametrize("noise", [0, 60])
def test_a_scribble_never_comes_back_empty(noise):
    still = np.clip(120 + np.random.default_rng(3).normal(0, noise, (240, 320, 3)), 0, 255).astype(np.uint8)
    dot = ~WHOLE
    dot[100, 100] = True
    assert engine.grow_mask(still, dot).any()


def test_an_empty_scribble_is_refused():
    with pytest.raises(engine.EmptyMask):
        engine.grow_mask(scene()[0], ~WHOLE)
