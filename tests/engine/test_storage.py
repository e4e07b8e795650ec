"""What saved files take the place of, and what they don't."""

from __future__ import annotations

import os
import stat
import sys

import cv2
import numpy as np
import pytest

from engine import BadFile, Loop
from engine.imagefiles import write_frames, write_video

from .pictures import box_mask, moved_pattern, moving


@pytest.fixture(scope="module")
def loop():
    return moving(moved_pattern(0, np.uint8, 3), box_mask())


def test_a_link_to_a_file_stays_one_and_the_file_is_replaced(tmp_path, loop):
    (tmp_path / "there").mkdir()
    film, saved = tmp_path / "there" / "film of another name", tmp_path / "there" / "saved"
    for file in (film, saved):
        file.write_bytes(b"old")
    (tmp_path / "l.mp4").symlink_to(film)
    (tmp_path / "l.loop").symlink_to(saved)
    write_video(loop, 2, tmp_path / "l.mp4")
    loop.save(tmp_path / "l.loop")
    assert (tmp_path / "l.mp4").is_symlink() and (tmp_path / "l.loop").is_symlink()
    assert cv2.VideoCapture(str(film)).get(cv2.CAP_PROP_FRAME_COUNT) == 2
    assert Loop.load(saved).still.shape == loop.still.shape
    assert sorted(os.listdir(tmp_path / "there")) == [film.name, saved.name]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps its pipes and devices elsewhere")
def test_a_device_or_a_pipe_is_not_replaced_by_a_file(tmp_path, loop):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "link"):
        with pytest.raises(BadFile, match="choose a file"):
            loop.save(tmp_path / name)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode) and (tmp_path / "link").is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["link", "pipe"]


def test_a_folder_is_no_file_to_save_to(tmp_path, loop):
    with pytest.raises(BadFile, match="is a folder"):
        loop.save(tmp_path)
    assert os.listdir(tmp_path) == []


def test_an_empty_path_is_not_the_working_directory(tmp_path, loop, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for write in (loop.save, lambda path: write_frames(loop, 2, path)):
        with pytest.raises(BadFile, match="empty"):
            write("")
    assert os.listdir(tmp_path) == ["here"] and os.listdir(tmp_path / "here") == []
