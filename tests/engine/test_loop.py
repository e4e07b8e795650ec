"""Frames of a loop and the file that holds it."""

from __future__ import annotations

import errno
import os
import zipfile

import numpy as np
import pytest

from engine import BadFile, BadSettings, Loop
from engine.arrayfile import load_arrays, save_arrays

from .pictures import SIZE, STEP, as_type, box_mask, moved_pattern, moving, pattern

KINDS = [(dtype, channels) for dtype in (np.uint8, np.uint16, np.float32) for channels in (1, 3, 4)]
TOLERANCE = {np.uint8: 1.0, np.uint16: 100.0, np.float32: 0.006}


@pytest.mark.parametrize(("dtype", "channels"), KINDS)
def test_a_periodic_pattern_moves_right_by_its_step(dtype, channels):
    mask = box_mask()
    loop = moving(moved_pattern(0, dtype, channels), mask)
    for phase in (0.25, 0.5, 0.9):
        frame = loop.frame(phase)
        off = np.abs(frame.astype(float) - moved_pattern(phase, dtype, channels).astype(float))
        assert off[box_mask(45, 75, 45, 105)].max() <= TOLERANCE[dtype]
        # Beside the motion nothing can be pulled from: the last rows lean on mirrored ones.
        assert off[box_mask(23, 97, 33, 117)].max() <= 0.03 * float(loop.still.max())


@pytest.mark.parametrize(("dtype", "channels"), KINDS)
def test_phase_zero_and_everything_outside_the_mask_are_the_still_bit_for_bit(dtype, channels):
    generator = np.random.default_rng(channels)
    still = as_type(generator.random(SIZE), dtype, channels)
    if dtype == np.float32:
        still[generator.random(SIZE) < 0.05] = np.nan
        still[generator.random(SIZE) < 0.05] = -np.inf
    before = still.copy()
    mask = generator.random(SIZE) < 0.5
    loop = moving(still, mask)
    assert loop.frame(0).tobytes() == before.tobytes()
    assert loop.frame(1.0).tobytes() == before.tobytes()
    for phase in (0.1, 0.5, 0.99):
        frame = loop.frame(phase)
        assert frame.dtype == still.dtype and frame.shape == still.shape
        assert frame[~mask].tobytes() == before[~mask].tobytes()
        assert np.isfinite(frame[mask]).all()
    assert still.tobytes() == before.tobytes()


def test_a_frame_belongs_to_the_caller():
    loop = moving(moved_pattern(0, np.uint8, 3), box_mask())
    loop.frame(0)[:] = 0
    loop.frame(0.5)[:] = 0
    assert loop.frame(0).any() and loop.frame(0.5).any()


def test_the_loop_closes_without_a_jump():
    generator = np.random.default_rng(5)
    still = as_type(generator.random(SIZE) * 0.4 + 0.3 * (np.indices(SIZE)[1] % STEP > 9), np.uint8, 3)
    loop = moving(still, box_mask())
    frames = [frame.astype(float) for frame in loop.frames(24)]
    assert len(frames) == 24
    changes = [np.abs(frames[i] - frames[i - 1]).mean() for i in range(24)]
    assert max(changes) < 1.6 * np.median(changes)


def test_highlights_above_one_move_unclipped_and_none_turns_negative():
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float64)
    lamp = np.where((columns % STEP < 4) & (rows % 15 < 4), 50.0, 0.01).astype(np.float32)[..., None]
    loop = moving(lamp, box_mask())
    for phase in (0.5, 0.25):
        frame = loop.frame(phase)
        assert frame.max() > 45
        assert frame.min() >= 0


def test_details_that_differ_keep_their_strength_at_mid_loop():
    generator = np.random.default_rng(7)
    still = as_type(0.5 + 0.1 * generator.standard_normal(SIZE).clip(-3, 3), np.uint8, 3)
    mask = box_mask()
    loop = moving(still, mask, step=24)
    core = box_mask(30, 90, 40, 110)
    kept = loop.frame(0.5)[core].std() / still[core].std()
    assert 0.85 < kept < 1.15  # a plain average keeps 0.71


def test_transparent_surroundings_leave_no_dark_fringe():
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float64)
    opaque = columns % STEP < 10
    still = np.zeros((*SIZE, 4), np.uint8)
    still[opaque] = [200, 100, 50, 255]
    frame = moving(still, box_mask()).frame(0.37)
    seen = frame[..., 3] > 8
    assert (frame[..., 3] < 250).any() and seen.any()
    np.testing.assert_allclose(
        frame[seen][:, :3].astype(int), np.broadcast_to([200, 100, 50], (seen.sum(), 3)), atol=8
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_opaque_stills_stay_opaque(dtype):
    generator = np.random.default_rng(3)
    still = as_type(generator.random(SIZE), dtype, 4)
    full = still[0, 0, 3]
    assert (moving(still, box_mask()).frame(0.3)[..., 3] == full).all()


@pytest.mark.parametrize("light", [10, 1000, 65504])
def test_lamps_and_glints_do_not_darken_what_is_around_them(tmp_path, light):
    still = moved_pattern(0, np.float32, 3)
    with_light = still.copy()
    with_light[58:62, 70:74] = light
    loop = moving(with_light, box_mask())
    loop.save(tmp_path / "loop")
    frame, plain = loop.frame(0.4), moving(still, box_mask()).frame(0.4)
    off = np.abs(frame - plain).max(2) > 0.05 * still.max()
    lit = frame.max(2) > 1.05 * plain.max()
    assert lit.any() and (off & ~lit).sum() < 0.03 * box_mask().sum()
    np.testing.assert_array_equal(Loop.load(tmp_path / "loop").frame(0.4), frame)


@pytest.mark.parametrize("phase", [np.nan, np.inf, -np.inf, "a", None, [0.5], 10**400])
def test_a_phase_that_is_no_number_is_refused(phase):
    loop = moving(moved_pattern(0, np.uint8, 3), box_mask())
    with pytest.raises(BadSettings, match="phase"):
        loop.frame(phase)
    for phases in ([0, phase], 3):
        with pytest.raises(BadSettings, match=r"phase|Phase"):
            loop.frames_at(phases)


@pytest.mark.parametrize(
    ("count", "says"),
    [
        (1, "doesn't move"),
        (0, "doesn't move"),
        (-3, "2 or more"),
        (10_001, "10000 or fewer"),
        (2.5, "whole number"),
        (True, "whole number"),
        ("12", "whole number"),
    ],
)
def test_frame_counts_that_make_no_loop_are_refused_before_anything_is_rendered(count, says):
    with pytest.raises(BadSettings, match=says):
        moving(moved_pattern(0, np.uint8, 3), box_mask()).frames(count)


def test_fields_and_maps_end_at_the_mask():
    mask = box_mask()
    loop = moving(moved_pattern(0, np.uint8, 3), mask)
    for field in (loop.forward, loop.inverse):
        assert field.shape == (*SIZE, 2) and field.dtype == np.float32
        assert not field[~mask].any() and field[mask].any(1).all()


def test_the_edge_of_the_mask_is_a_ramp_that_ends_inside_of_it():
    rows, columns = np.indices(SIZE)
    mask = (columns > 30 + rows / 7) & (columns < 130)
    cover = moving(moved_pattern(0, np.uint8, 3), mask).cover
    assert not cover[~mask].any() and cover[mask].min() > 0.01
    assert (cover[60, 45:125] == 1).all()
    edge = np.array([cover[row].sum() for row in range(10, 110)])
    # A staircase is 6 rows of the same width and a row that is a pixel narrower.
    assert np.abs(np.diff(edge)).max() < 0.6


@pytest.mark.parametrize(("dtype", "channels"), KINDS)
def test_a_saved_loop_makes_the_same_frames(tmp_path, dtype, channels):
    generator = np.random.default_rng(11)
    still = as_type(generator.random(SIZE), dtype, channels)
    loop = moving(still, box_mask(), step=17.3)
    path = tmp_path / "Häuser 楼 loop.npz"
    loop.save(path)
    again = Loop.load(path)
    assert again.still.tobytes() == still.tobytes() and again.confidence == loop.confidence
    np.testing.assert_array_equal(again.mask, loop.mask)
    for phase in (0, 0.123, 0.5):
        assert again.frame(phase).tobytes() == loop.frame(phase).tobytes()
    assert os.listdir(tmp_path) == [path.name]


def test_loading_what_is_no_loop_says_so(tmp_path):
    missing = tmp_path / "none"
    with pytest.raises(BadFile, match="no such file"):
        Loop.load(missing)
    with pytest.raises(BadFile, match="directory"):
        Loop.load(tmp_path)
    text = tmp_path / "text"
    text.write_text("a picture of a loop")
    with pytest.raises(BadFile, match="isn't a saved loop"):
        Loop.load(text)
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(BadFile, match="isn't a saved loop"):
        Loop.load(tmp_path / "zip")


def test_every_kind_of_damage_is_found(tmp_path):
    path = tmp_path / "loop"
    moving(as_type(pattern(*np.mgrid[: SIZE[1], : SIZE[0]]).T, np.uint8, 3), box_mask()).save(path)
    whole = path.read_bytes()
    generator = np.random.default_rng(0)
    reference = Loop.load(path).frame(0.4).tobytes()
    for _ in range(40):
        damaged = bytearray(whole)
        if generator.random() < 0.3:
            del damaged[int(generator.integers(len(whole))) :]
        else:
            place = int(generator.integers(len(whole)))
            damaged[place : place + 8] = generator.bytes(8)
        path.write_bytes(damaged)
        try:
            assert Loop.load(path).frame(0.4).tobytes() == reference  # a byte that carries nothing
        except BadFile as reason:
            assert "damaged" in str(reason) or "another version" in str(reason)


@pytest.mark.parametrize(
    "changed",
    [
        {"cells": np.array([0, 0, 0])},
        {"cells": np.array([1])},
        {"mask": np.zeros(5, np.float32)},
        {"mask": np.zeros(SIZE[0] * SIZE[1] // 8, np.uint8)},
        {"confidence": np.array([1.0, 2.0])},
        {"followed": np.array([1, 2])},
        {"still": np.zeros((*SIZE, 3))},
        {"texture": np.zeros((9, 9, 3), np.uint8)},
        {"origin": np.array([500, 0])},
        {"origin": np.array([1, 2, 3])},
        {"inverse": np.zeros((*SIZE, 2))},
        {"turns": np.array([[1]])},
    ],
    ids=lambda changed: f"{[*changed][0]}",
)
def test_arrays_that_make_no_loop_are_refused(tmp_path, changed):
    path = tmp_path / "loop"
    moving(moved_pattern(0, np.uint8, 3), box_mask()).save(path)
    save_arrays(path, load_arrays(path) | changed)
    with pytest.raises(BadFile, match="isn't a saved loop or is damaged"):
        Loop.load(path)


def test_a_full_disk_is_told_and_leaves_the_previous_file(tmp_path, monkeypatch):
    path = tmp_path / "loop"
    loop = moving(moved_pattern(0, np.uint8, 3), box_mask())
    loop.save(path)
    before = path.read_bytes()

    def full(stream, _):
        stream.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array_header_1_0", full)
    with pytest.raises(BadFile, match="no space left"):
        loop.save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["loop"]


def test_a_place_where_nothing_can_be_written_is_told(tmp_path):
    loop = moving(moved_pattern(0, np.uint8, 3), box_mask())
    (tmp_path / "file").write_text("")
    with pytest.raises(BadFile, match="file exists|not a directory"):
        loop.save(tmp_path / "file" / "loop")
    loop.save(tmp_path / "new" / "folder" / "loop")
    assert os.listdir(tmp_path / "new" / "folder") == ["loop"]


@pytest.mark.parametrize(
    "places",
    [
        [(3, 5)],
        [(3, 5), (110, 150)],
        [(3, slice(5, 9))],
        [(slice(3, 7), 5)],
        [(slice(3, 36), slice(5, 150))],
        [(slice(3, 5), slice(2, 159))],
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_masks_of_any_size_move_inside_alone(places, dtype):
    mask = np.zeros(SIZE, bool)
    for place in places:
        mask[place] = True
    still = moved_pattern(0, dtype, 3)
    loop = moving(still, mask)
    for phase in (0.3, 0.5):
        frame = loop.frame(phase)
        assert frame[~mask].tobytes() == still[~mask].tobytes()
        assert np.isfinite(frame.astype(float)).all()


def test_another_soft_edge_draws_nothing_anew():
    loop = moving(moved_pattern(0, np.uint8, 3), box_mask())
    softer = loop.with_soft_edge(5)
    assert softer.sheets[0] is loop.sheets[0]
