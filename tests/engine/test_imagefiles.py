"""Pictures read from disk and frames written to it, whole or not at all."""

from __future__ import annotations

import os
import struct

import cv2
import numpy as np
import pytest

from engine import BadFile, Cancelled
from engine.imagefiles import read_mask, read_still, write_frames, write_video

from .pictures import SIZE, as_type, box_mask, moved_pattern, moving

FOLDER = "Folder with 空白 and ümlauts"


def gradient(dtype, channels):
    values = np.linspace(0, 1, SIZE[0] * SIZE[1]).reshape(SIZE)
    picture = as_type(values, dtype, channels)
    if channels >= 3:
        picture[..., 1] = picture[..., 1] // 2
    if channels == 4:
        picture[..., 3] = picture[..., 0][:, ::-1]
    return picture


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_still_is_read_with_its_depth_channels_and_color_order(tmp_path, suffix, dtype, channels):
    still = gradient(dtype, channels)
    order = [2, 1, 0, 3][:channels] if channels > 1 else [0]
    path = tmp_path / f"still 静{suffix}"
    cv2.imencode(suffix, still[..., order])[1].tofile(path)
    np.testing.assert_array_equal(read_still(path), still)


UPRIGHT = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: lambda stored: np.rot90(stored),
}


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_read_the_way_up_the_camera_held_it(tmp_path, channels, orientation):
    still = gradient(np.uint8, channels)
    order = [2, 1, 0, 3][:channels] if channels > 1 else [0]
    one_entry = struct.pack("<2sHIHHHIII", b"II", 42, 8, 1, 0x112, 3, 1, orientation, 0)
    exif = np.frombuffer(one_entry, np.uint8)
    encoded = cv2.imencodeWithMetadata(".png", still[..., order], [cv2.IMAGE_METADATA_EXIF], [exif])[1]
    encoded.tofile(tmp_path / "still.png")
    np.testing.assert_array_equal(read_still(tmp_path / "still.png"), UPRIGHT[orientation](still))


def test_a_mask_is_white_and_not_transparent(tmp_path):
    mask = np.full((*SIZE, 4), 255, np.uint8)
    mask[:50, ..., 3] = 0
    mask[80:, ..., :3] = 0
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    read = read_mask(tmp_path / "mask.png")
    assert read.shape == SIZE and read.dtype == np.uint8
    assert (read[50:80] == 255).all() and not read[:50].any() and not read[80:].any()


def test_what_is_no_picture_is_told(tmp_path):
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(BadFile, match="isn't a picture"):
        read_still(tmp_path / "text.png")
    with pytest.raises(BadFile, match="isn't a picture"):
        read_still(tmp_path / "empty.png")
    with pytest.raises(BadFile, match="no such file"):
        read_still(tmp_path / "none.png")
    with pytest.raises(BadFile, match="directory"):
        read_still(tmp_path)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_frames_on_disk_are_the_frames_of_the_loop(tmp_path, dtype, channels):
    loop = moving(moved_pattern(0, dtype, channels), box_mask())
    folder = write_frames(loop, 5, tmp_path / FOLDER)
    names = sorted(os.listdir(folder))
    suffix = "tiff" if dtype == np.float32 else "png"
    assert names == [f"frame_{number:04d}.{suffix}" for number in range(1, 6)]
    for index, name in enumerate(names):
        np.testing.assert_array_equal(read_still(folder / name), loop.frame(index / 5))
    assert os.listdir(tmp_path) == [FOLDER]


def test_a_cancelled_run_leaves_the_previous_sequence_and_nothing_else(tmp_path):
    loop = moving(moved_pattern(0, np.uint8, 3), box_mask())
    folder = write_frames(loop, 3, tmp_path / "frames")
    before = {entry.name: entry.read_bytes() for entry in folder.iterdir()}

    def stop(fraction, stage):
        if fraction > 0.5:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        write_frames(loop, 8, folder, stop)
    assert {entry.name: entry.read_bytes() for entry in folder.iterdir()} == before
    assert os.listdir(tmp_path) == ["frames"]
    with pytest.raises(Cancelled):
        write_video(loop, 8, tmp_path / "loop.mp4", stop)
    assert os.listdir(tmp_path) == ["frames"]


def test_a_shorter_sequence_replaces_the_longer_one_whole(tmp_path):
    loop = moving(moved_pattern(0, np.uint8, 3), box_mask())
    write_frames(loop, 9, tmp_path / "frames")
    write_frames(loop, 4, tmp_path / "frames")
    assert len(os.listdir(tmp_path / "frames")) == 4
    assert os.listdir(tmp_path) == ["frames"]


def test_a_folder_with_other_files_is_not_touched(tmp_path):
    loop = moving(moved_pattern(0, np.uint8, 3), box_mask())
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "diary.txt").write_text("dear")
    with pytest.raises(BadFile, match=r"other files \(diary.txt\)"):
        write_frames(loop, 4, tmp_path / "frames")
    with pytest.raises(BadFile, match="is a file"):
        write_frames(loop, 4, tmp_path / "frames" / "diary.txt")
    assert os.listdir(tmp_path / "frames") == ["diary.txt"]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_video_shows_the_frames(tmp_path, dtype, channels):
    still = moved_pattern(0, dtype, channels)
    if dtype == np.float32:
        still /= 3
    loop = moving(still, box_mask())
    path = write_video(loop, 6, tmp_path / "ループ.mp4")
    video = cv2.VideoCapture(str(path))
    for index in range(6):
        there, shown = video.read()
        assert there
        frame = loop.frame(index / 6)[..., :1]
        if dtype == np.float32:
            expected = 255 * np.where(frame < 0.0031308, 12.92 * frame, 1.055 * frame ** (1 / 2.4) - 0.055)
        else:
            expected = frame / (np.iinfo(dtype).max / 255)
        assert np.abs(shown - expected).mean() < 6
    assert not video.read()[0]
    assert os.listdir(tmp_path) == ["ループ.mp4"]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_transparent_pixels_hide_flashes_in_no_frame_of_a_video(tmp_path, dtype):
    still = moved_pattern(0, dtype, 4)
    still[box_mask(), 3] = 0
    video = cv2.VideoCapture(str(write_video(moving(still, box_mask()), 3, tmp_path / "loop.mp4")))
    for _ in range(3):
        assert video.read()[1][30:90, 40:110].mean() < 2


def test_a_video_must_be_an_mp4(tmp_path):
    with pytest.raises(BadFile, match=r"\.mp4"):
        write_video(moving(moved_pattern(0, np.uint8, 3), box_mask()), 4, tmp_path / "loop.gif")


@pytest.mark.parametrize("name", ["l\udcfcp.mp4", "f\udcfclder/loop.mp4"])
def test_a_video_must_have_a_name_that_the_encoder_can_take(tmp_path, name):
    with pytest.raises(BadFile, match=r"udcfc.*rename the file"):
        write_video(moving(moved_pattern(0, np.uint8, 3), box_mask()), 4, tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_an_interrupt_between_the_last_two_steps_leaves_the_previous_sequence(tmp_path, monkeypatch):
    loop = moving(moved_pattern(0, np.uint8, 3), box_mask())
    folder = write_frames(loop, 3, tmp_path / "frames")
    before = {entry.name: entry.read_bytes() for entry in folder.iterdir()}
    rename = os.rename

    def interrupted(source, target):
        rename(source, target)
        if str(target).endswith("-previous"):
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_frames(loop, 8, folder)
    assert {entry.name: entry.read_bytes() for entry in folder.iterdir()} == before
    assert os.listdir(tmp_path) == ["frames"]


def test_a_video_that_could_not_be_written_whole_leaves_the_previous_one(tmp_path, monkeypatch):
    path, loop = tmp_path / "loop.mp4", moving(moved_pattern(0, np.uint8, 3), box_mask())
    write_video(loop, 3, path)
    before, writer = path.read_bytes(), cv2.VideoWriter

    class Cut:
        fourcc = writer.fourcc

        def __init__(self, name, *options):
            self.name, self.writer = name, writer(name, *options)

        def __getattr__(self, name):
            return getattr(self.writer, name)

        def release(self):
            self.writer.release()
            os.truncate(self.name, 600)

    monkeypatch.setattr(cv2, "VideoWriter", Cut)
    with pytest.raises(BadFile, match="isn't whole"):
        write_video(loop, 8, path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["loop.mp4"]


def test_a_link_to_a_folder_stays_one(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    write_frames(moving(moved_pattern(0, np.uint8, 3), box_mask()), 3, tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and len(os.listdir(tmp_path / "there")) == 3
    assert sorted(os.listdir(tmp_path)) == ["link", "there"]
