"""Known translations of planes in perspective, found again from pictures of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.repetition import Repetition, find_repetition
from engine.similarity import NODE, describe_levels, measure

from .pictures import plane_texture

SIZE = (160, 200)
NODES = (SIZE[0] // NODE, SIZE[1] // NODE)


def known(step, angle, fall=(0.0, 0.0)):
    center = np.array([SIZE[1] - 1, SIZE[0] - 1]) / 2
    return Repetition(center, angle, step, np.array(fall), 0.0, 1.0)


def found(picture, direction, longest=110):
    similarity = measure(describe_levels(picture, np.ones(SIZE, bool)), direction, longest)
    return find_repetition(similarity, np.ones(NODES, bool))


def error(one, other):
    """Median distance between two displacements over the picture, in steps."""
    columns, rows = np.meshgrid(np.arange(0, SIZE[1], 8), np.arange(0, SIZE[0], 8))
    points = np.stack([columns, rows], axis=-1).reshape(-1, 2)
    distance = np.hypot(*(one.displacement(points) - other.displacement(points)).T)
    return np.median(distance) / other.step


@pytest.mark.parametrize("step", [9, 20, 34, 60])
@pytest.mark.parametrize("angle", [0, 12, -18, 100, 195])
def test_step_and_angle_of_a_plane_that_faces_us(step, angle):
    truth = known(step, np.radians(angle))
    drawn = np.radians(angle + 7)  # nobody draws a stroke exactly along the step
    repetition = found(plane_texture(SIZE, step, np.radians(angle)), drawn)
    # Labels reach a third further than this and registration finds the rest.
    assert error(repetition, truth) < 0.14
    assert repetition.step == pytest.approx(step, rel=0.12)
    turned = (repetition.angle - np.radians(angle) + np.pi) % (2 * np.pi) - np.pi
    assert abs(np.degrees(turned)) < 5
    assert repetition.cost < 0.6 and repetition.merit > 0.12


@pytest.mark.parametrize(
    ("step", "angle", "fall"),
    [(22, 0, (0.003, 0)), (22, 0, (-0.004, 0)), (26, 10, (0, 0.004)), (30, -90, (0.001, -0.003))],
)
def test_a_plane_that_recedes_is_found_with_its_fall(step, angle, fall):
    truth = known(step, np.radians(angle), fall)
    repetition = found(plane_texture(SIZE, step, np.radians(angle), fall), np.radians(angle))
    assert error(repetition, truth) < 0.14
    facing = known(step, np.radians(angle))
    assert error(repetition, truth) < 0.5 * error(facing, truth)
    assert repetition.fall @ fall > 0.3 * np.dot(fall, fall)


def test_of_a_step_and_its_multiples_the_shortest_is_meant():
    picture = plane_texture(SIZE, 18, 0.0)
    noisy = picture + 0.04 * np.random.default_rng(0).standard_normal(picture.shape).astype(np.float32)
    for still in (picture, noisy):
        assert found(still, 0.0).step == pytest.approx(18, rel=0.06)


def test_noise_has_no_merit():
    noise = np.random.default_rng(2).random((*SIZE, 3)).astype(np.float32)
    assert found(noise, 0.0).merit < 0.1


@pytest.mark.parametrize("fall", [(0.0, 0.0), (0.02, 0.01), (-0.05, 0.0), (0.2, -0.3)])
def test_a_displacement_is_bounded_however_steep_the_plane(fall):
    columns, rows = np.meshgrid(np.linspace(-900, 900, 61), np.linspace(-900, 900, 61))
    moves = known(30, 0.4, fall).displacement(np.stack([columns, rows], axis=-1))
    lengths = np.hypot(moves[..., 0], moves[..., 1])
    assert np.isfinite(moves).all()
    assert lengths.max() <= 30 * 4.001
    assert lengths.min() >= 30 / 4.001


def test_a_displacement_leads_from_one_repetition_to_the_next():
    fall = (0.003, -0.002)
    repetition = known(24, 0.3, fall)
    picture = plane_texture(SIZE, 24, 0.3, fall)
    columns, rows = np.meshgrid(np.arange(30, 130), np.arange(30, 120))
    points = np.stack([columns, rows], axis=-1)
    ahead = (points + repetition.displacement(points)).astype(np.float32)
    there = cv2.remap(picture, ahead, None, cv2.INTER_CUBIC)
    assert np.abs(there - picture[30:120, 30:130]).mean() < 0.02
