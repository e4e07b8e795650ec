"""Following a plane: known cameras, planes that get lost, and planes that come back."""

from __future__ import annotations

import numpy as np
import pytest

from engine.tracking import PlaneTracker

from . import videos


def corner_errors(frames, count, swing=1.0):
    """Track and compare with the truth: the worst corner's error in every frame, NaN where it was lost."""
    tracker = PlaneTracker(next(frames), videos.mask())
    errors = []
    for index, frame in enumerate(frames, 1):
        found = tracker.follow(frame)
        if found is None:
            errors.append(np.nan)
            continue
        true = videos.mapped(videos.camera(index / (count - 1), swing), videos.corners())
        errors.append(np.hypot(*(videos.mapped(found, videos.corners()) - true).T).max())
    return np.array(errors)


def test_corners_stay_within_half_a_pixel_over_a_hundred_frames():
    errors = corner_errors(videos.shot(100, noise=6), 100)
    assert len(errors) == 99 and errors.max() < 0.5
    assert np.median(errors[-20:]) < 2 * np.median(errors) + 0.05  # nothing adds up


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_other_kinds_of_pixels_are_followed_too(dtype):
    def converted():
        for frame in videos.shot(8, swing=0.3):
            yield (frame.astype(np.uint16) * 257) if dtype == np.uint16 else (frame / np.float32(64)) ** 2

    assert corner_errors((frame.astype(dtype) for frame in converted()), 8, 0.3).max() < 0.5


def test_a_camera_that_moves_by_steps_of_the_pattern_is_not_mistaken_for_one_that_stands():
    """From one frame to the next the wall moves by one repetition and more: its looks alone say it stood."""
    errors = corner_errors(videos.shot(9), 9)
    assert errors.max() < 0.5


def hidden(frames, first, last, rows=slice(None), columns=slice(None)):
    """Put something else in front of the camera for some frames."""
    generator = np.random.default_rng(8)
    for index, frame in enumerate(frames):
        if first <= index <= last:
            frame = frame.copy()
            cover = generator.integers(0, 256, (9, 12, 3)).repeat(40, 0).repeat(40, 1)
            frame[rows, columns] = cover[rows, columns]
        yield frame


def test_a_plane_is_lost_while_it_is_hidden_and_found_again():
    errors = corner_errors(hidden(videos.shot(30), 10, 15), 30)
    assert np.flatnonzero(np.isnan(errors)).tolist() == [9, 10, 11, 12, 13, 14]  # errors begin at frame 1
    assert np.nanmax(errors) < 0.5


def test_something_in_front_of_half_the_plane_does_not_move_it():
    errors = corner_errors(hidden(videos.shot(30), 10, 29, columns=slice(0, 220)), 30)
    assert errors.max() < 0.5
