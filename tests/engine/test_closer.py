"""What repeats too finely for the size at which parts are searched is looked at from closer."""

import numpy as np
import pytest

import engine
from engine.anchors import Anchors
from engine.closer import agreement, shows_finer

from .pictures import as_type, texture

RIGHT = np.radians([-10, 0, 10], dtype=np.float32)


FINER = 2
"""Samples of a pixel, along each axis."""


def pattern(size, step, slope=0.1):
    """A pattern with so many pixels to a step, which leads a bit downwards, as a camera sees it, (h, w)."""
    rows, columns = (np.indices((size[0] * FINER, size[1] * FINER)) + 0.5) / FINER - 0.5
    cos, sin = np.cos(slope), np.sin(slope)
    values = texture(columns * cos + rows * sin, rows * cos - columns * sin, step)[..., 0]
    return values.reshape(size[0], FINER, size[1], FINER).mean((1, 3))


def solved(values, slope=0.1):
    """Solve it along its longer side; returns how far each pixel moves along the slope, and the loop."""
    height, width = values.shape
    inside = np.zeros(values.shape, bool)
    inside[8:-8, 8:-8] = True
    line = [[0.2 * width, height / 2], [0.8 * width, height / 2]]
    loop = engine.solve(as_type(values, np.uint8, 3), inside, [line])
    return loop.forward[inside] @ [np.cos(slope), np.sin(slope)], loop


@pytest.mark.parametrize(
    ("size", "step"),
    [
        ((400, 600), 10.0),
        ((300, 1000), 12.5),
        ((64, 2000), 10.0),
        ((160, 1300), 13.0),  # solved at half its size
    ],
)
def test_what_repeats_sixty_to_two_hundred_times_is_found(size, step):
    moved, loop = solved(pattern(size, step))
    assert np.median(np.abs(moved / step - 1)) < 0.02
    assert loop.confidence > 0.9


def test_of_a_fine_step_and_its_multiples_the_step_is_meant():
    fine, coarse = pattern((400, 600), 10.0), pattern((400, 600), 50.0)
    moved, _ = solved(0.9 * fine + 0.1 * coarse)
    assert np.median(np.abs(moved / 10.0 - 1)) < 0.05


def halftone(values, step):
    """Print a picture in dots, each so many pixels from the next."""
    rows, columns = np.indices(values.shape) * 2 * np.pi / step / np.sqrt(2)
    threshold = 0.5 + (np.cos(rows + columns) + np.cos(rows - columns)) / 4
    return 1 / (1 + np.exp(-12 * (values - threshold)))


def scan_lines(values, step):
    """Show a picture on an old screen, whose lines lie along the stroke's side of 60 degrees."""
    rows, columns = np.indices(values.shape)
    return values * (0.75 + 0.25 * np.sin(2 * np.pi / step * (0.9 * columns + 0.44 * rows)))


@pytest.mark.parametrize("raster", [halftone, scan_lines])
@pytest.mark.parametrize("step", [5.0, 8.0])
def test_what_is_shown_by_a_fine_raster_moves_and_not_the_raster(raster, step):
    moved, loop = solved(raster(pattern((500, 700), 60.0), step))
    assert np.median(np.abs(moved / 60.0 - 1)) < 0.05
    assert loop.confidence > 0.5


def test_what_is_too_fine_to_be_found_at_all_is_told():
    _, loop = solved(pattern((800, 1000), 1000 / 150))
    assert loop.confidence < 0.3


@pytest.mark.parametrize(
    "picture",
    [
        np.random.default_rng(1).random((300, 380)),
        np.full((300, 380), 0.5),
        np.linspace(0, 1, 380) * np.ones((300, 1)),
        pattern((300, 380), 60.0),
        pattern((20, 380), 60.0),
    ],
    ids=["noise", "plain", "ramp", "coarse", "thin"],
)
def test_nothing_finer_is_seen_where_there_is_nothing(picture):
    inside = np.ones(picture.shape, bool)
    assert not shows_finer(picture.astype(np.float32), inside, RIGHT, 9.0)


@pytest.mark.parametrize("step", [5.0, 8.5])
def test_something_finer_is_seen(step):
    picture = pattern((300, 380), step, 0.0).astype(np.float32)
    inside = np.zeros(picture.shape, bool)
    inside[20:280, 30:] = True
    assert shows_finer(picture, inside, RIGHT, 9.0)


def test_details_agree_with_those_a_step_away():
    details, inside = pattern((200, 300), 20.0, 0.0) - 0.5, np.ones((200, 300), bool)
    anchors = Anchors.over((100, 150))
    moves = np.full((len(anchors.points), 2), [10.0, 0.0])  # working pixels, of which each is two
    assert agreement(details.astype(np.float32), inside, anchors, moves, 2.0) > 0.98
    assert agreement(details.astype(np.float32), inside, anchors, moves / 2, 2.0) < 0.5
