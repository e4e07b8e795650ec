"""Video as input: what is kept, what moves, what is told when the plane is lost, and what is refused."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

import engine
from engine.footage import is_footage

from . import videos

STROKE = [(150, 180), (330, 180)]
PER_TURN = 8


def solved(source, **options):
    return engine.solve_video(source, videos.mask(), [STROKE], frames_per_turn=PER_TURN, **options)


def moved_mask(homography):
    moved = cv2.warpPerspective(videos.mask().astype(np.float32), homography, videos.SIZE[::-1])
    return moved >= 0.5


def truths(count, swing=1.0):
    return [videos.camera(index / (count - 1), swing) for index in range(count)]


@pytest.fixture(scope="module")
def film():
    """Frames of a moving camera, and what becomes of them."""
    frames = list(videos.shot(17, swing=0.5))
    return frames, list(solved(iter(frames)))


def test_as_many_frames_come_out_as_went_in_and_whole_turns_are_the_videos_own(film):
    frames, made = film
    assert len(made) == len(frames)
    for index in (0, PER_TURN, 2 * PER_TURN):
        np.testing.assert_array_equal(made[index], frames[index])


def test_outside_the_moved_mask_every_frame_is_the_sources(film):
    frames, made = film
    for frame, picture, truth in zip(frames, made, truths(17, 0.5), strict=True):
        outside = cv2.dilate(moved_mask(truth).astype(np.uint8), np.ones((5, 5))) == 0
        assert outside.mean() > 0.3
        np.testing.assert_array_equal(picture[outside], frame[outside])


def test_with_known_homographies_outside_means_outside_to_the_pixel():
    frames = list(videos.shot(5, swing=0.4))
    known = truths(5, 0.4)
    for frame, picture, truth in zip(frames, solved(frames, homographies=known), known, strict=True):
        np.testing.assert_array_equal(picture[~moved_mask(truth)], frame[~moved_mask(truth)])


def test_the_pattern_moves_along_the_plane_by_its_phase(film):
    """Half a turn on, the wall of a frame looks as the video's wall does half a step back."""
    frames, made = film
    index = PER_TURN // 2
    truth = videos.camera(index / 16, 0.5)
    back = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR

    def upright(picture, homography):
        flat = cv2.warpPerspective(picture.astype(np.float32), homography, videos.SIZE[::-1], flags=back)
        return flat[120:240, 180:300]  # well inside the mask

    half_a_step = np.array([[1, 0, -videos.STEP / 2], [0, 1, 0], [0, 0, 1.0]])
    expected = upright(frames[index], truth @ half_a_step)
    stood, moved = (upright(picture[index], truth) for picture in (frames, made))
    assert np.abs(moved - expected).mean() < 0.15 * np.abs(stood - expected).mean()


def test_the_light_of_each_frame_is_its_own():
    frames = [
        np.rint(frame * light).astype(np.uint8)
        for frame, light in zip(videos.shot(3, swing=0.1, exposure=0, noise=0), (0.9, 0.3, 0.6), strict=True)
    ]
    inside = (slice(120, 240), slice(150, 330))
    for frame, picture in zip(frames, solved(frames), strict=True):
        assert picture[inside].mean() == pytest.approx(frame[inside].mean(), rel=0.03)


def test_frames_are_taken_one_at_a_time_and_made_the_same_every_time():
    taken = []

    def counted():
        for frame in videos.shot(5, swing=0.2):
            taken.append(frame)
            yield frame

    made = solved(counted())
    assert len(taken) == 1
    assert len(list(itertools.islice(made, 3))) == 3 and len(taken) == 3
    again = list(itertools.islice(solved(videos.shot(5, swing=0.2)), 3))
    np.testing.assert_array_equal(
        next(itertools.islice(solved(videos.shot(5, swing=0.2)), 2, None)), again[2]
    )


def test_a_cut_leaves_the_rest_as_it_is_with_a_warning_that_names_the_frame():
    frames = list(videos.shot(6, swing=0.2))
    frames[4:] = videos.shot(2, seed=5)
    made = solved(iter(frames))
    pictures = list(made)
    assert len(made.warnings) == 1 and "Frames 5 to 6" in made.warnings[0]
    for index in (4, 5):
        np.testing.assert_array_equal(pictures[index], frames[index])
    assert (pictures[3] != frames[3]).any()


def test_a_plane_that_leaves_the_picture_is_warned_of_too():
    def pushed(amount):
        return np.array([[1, 0, amount], [0, 1, 0], [0, 0, 1.0]])

    first = next(iter(videos.shot(1)))
    frames = [cv2.warpPerspective(first, pushed(x), videos.SIZE[::-1]) for x in range(0, 480, 60)]
    made = solved(frames)
    pictures = list(made)
    assert len(pictures) == len(frames) and len(made.warnings) == 1
    assert made.warnings[0].startswith("Frame") and made.warnings[0].count(".") == 1
    np.testing.assert_array_equal(pictures[-1], frames[-1])


def test_a_plane_lost_at_once_is_an_error_that_names_the_frame():
    frames = [next(iter(videos.shot(1, seed=seed))) for seed in (0, 5)]
    made = solved(frames)
    next(made)
    with pytest.raises(engine.LostPlane, match="frame 2"):
        next(made)


def test_a_plane_that_is_not_known_in_some_frames_is_not_moved_there():
    frames = list(videos.shot(5, swing=0.2))
    known = truths(5, 0.2)
    known[1] = known[3] = None
    made = solved(frames, homographies=iter(known[:4]))
    pictures = list(made)
    assert [index for index in range(1, 5) if (pictures[index] == frames[index]).all()] == [1, 3, 4]
    assert "Frame 2:" in made.warnings[0] and "Frames 4 to 5:" in made.warnings[1]


def test_homographies_may_come_from_any_coordinates_of_the_plane():
    frames = list(videos.shot(4, swing=0.4))
    known = truths(4, 0.4)
    square = np.array([[0.01, 0, 3], [0.002, 0.03, 5], [0, 1e-4, 1]])
    one, other = (list(solved(frames, homographies=h)) for h in (known, [t @ square for t in known]))
    assert np.abs(np.array(one, float) - np.array(other, float)).mean() < 0.01


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_other_kinds_of_pixels_stay_what_they_are(dtype):
    scale = 257 if dtype == np.uint16 else 1 / 100
    frames = [(frame.astype(np.float32) * scale).astype(dtype) for frame in videos.shot(3, swing=0.1)]
    made = list(solved(frames))
    assert all(picture.dtype == dtype and picture.shape == frames[0].shape for picture in made)
    assert (made[1] != frames[1]).any()


def test_movies_and_folders_of_pictures_are_read(tmp_path):
    frames = list(videos.shot(4, swing=0.2))
    movie = cv2.VideoWriter(
        str(tmp_path / "film.avi"), cv2.VideoWriter.fourcc(*"FFV1"), 24, videos.SIZE[::-1]
    )
    folder = tmp_path / "Bilder 楼梯"
    folder.mkdir()
    for index, frame in enumerate(frames):
        movie.write(frame[..., ::-1])
        cv2.imencode(".png", frame[..., ::-1])[1].tofile(folder / f"film_{index:03d}.png")
    movie.release()
    made = solved(folder)
    assert made.count == 4
    pictures = list(made)
    np.testing.assert_array_equal(pictures[0], frames[0])
    filmed = solved(tmp_path / "film.avi")
    assert filmed.rate == 24
    assert np.abs(np.array(list(filmed), float) - np.array(pictures, float)).mean() < 3  # FFV1 stores YUV


def test_a_solved_loop_goes_on_in_its_video_forward_and_back():
    frames = list(videos.shot(5, swing=0.2))
    made = solved(frames)
    forward = list(made)
    known = dict(frames_per_turn=PER_TURN, homographies=truths(5, 0.2))
    again = list(engine.play_in_video(made.loop, frames, frames_per_turn=PER_TURN))
    np.testing.assert_array_equal(forward, again)
    ahead, back = (list(engine.play_in_video(made.loop, frames, turns=t, **known)) for t in (1, 1 - PER_TURN))
    np.testing.assert_array_equal(ahead, back)  # all but one turn back is one step ahead
    with pytest.raises(engine.BadVideo, match="first frame"):
        engine.play_in_video(made.loop, [FRAME[:300]], frames_per_turn=PER_TURN)


def test_cancelling_stops_between_frames():
    def progress(fraction, stage):
        if stage == "Following the Plane":
            raise engine.Cancelled("stop")

    made = solved(videos.shot(3, swing=0.1), progress=progress)
    next(made)
    with pytest.raises(engine.Cancelled):
        next(made)


FRAME = next(iter(videos.shot(1)))


@pytest.mark.parametrize(
    ("source", "options", "error", "says"),
    [
        ("nowhere.mp4", {}, engine.BadFile, "nowhere.mp4"),
        (__file__, {}, engine.BadFile, "isn't a video"),
        ("f\udcfclm.mp4", {}, engine.BadFile, r"f\\udcfclm.mp4.*rename the file"),
        ("", {}, engine.BadFile, "path is empty"),
        ([], {}, engine.BadVideo, "no frames"),
        (7, {}, engine.BadVideo, "choose a movie"),
        ([FRAME[..., 0]], {}, engine.BadImage, "without channels"),
        ([FRAME[:200]], {}, engine.BadMask, "480 x 200"),
        ([FRAME], {"frames_per_turn": 1}, engine.BadSettings, "2 or more"),
        ([FRAME], {"mask": np.zeros(videos.SIZE, bool)}, engine.EmptyMask, "empty"),
        ([FRAME], {"strokes": []}, engine.BadStroke, "no stroke"),
        ([FRAME], {"homographies": 3}, engine.BadSettings, "list of 3 x 3"),
        ([FRAME], {"homographies": [np.eye(2)]}, engine.BadSettings, "Homography 1"),
        ([FRAME], {"homographies": [np.zeros((3, 3))]}, engine.BadSettings, "flattens"),
        ([FRAME], {"homographies": []}, engine.LostPlane, "first frame"),
        ([np.full_like(FRAME, 90)], {}, engine.LostPlane, "detail"),
    ],
)
def test_what_is_wrong_with_the_arguments_is_said_at_once(source, options, error, says):
    usual = {"mask": videos.mask(), "strokes": [STROKE], "frames_per_turn": PER_TURN}
    with pytest.raises(error, match=says):
        engine.solve_video(source, **(usual | options))


def test_a_folder_without_permission_is_told(tmp_path, monkeypatch):
    def refused(path, *_options, **_more):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refused)
    with pytest.raises(engine.BadFile, match="permission denied"):
        solved(tmp_path)
    monkeypatch.setattr(os, "stat", refused)
    monkeypatch.setattr("builtins.open", refused)
    assert not is_footage(tmp_path / "closed" / "still.png")
    with pytest.raises(engine.BadFile, match="permission denied"):
        solved(tmp_path / "closed" / "film.mp4")


def test_a_frame_of_another_size_is_named():
    made = solved([FRAME, FRAME, FRAME[:300]])
    next(made), next(made)
    with pytest.raises(engine.BadVideo, match="Frame 3.*480 x 300"):
        next(made)
