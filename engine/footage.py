"""Frames of a video, one after the other: from a movie, a folder of pictures or arrays, and back to files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sized
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import BadFile, BadVideo
from .imagefiles import (
    VIDEO_RATE,
    check_name_for_opencv,
    frames_folder,
    read_still,
    video_writer,
    write_picture,
)
from .settings import Progress, no_progress
from .storage import reading

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
MOVIES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ogv", ".mts", ".wmv", ".gif")


@dataclass(frozen=True)
class Footage:
    """A video that is read once.

    Parameters
    ----------
    frames : iterator of (H, W, C) arrays
    count : int or None
        How many there are, where that is known; a file's own word for it may be wrong.
    rate : float
        Frames a second.
    """

    frames: Iterator[Any]
    count: int | None = None
    rate: float = VIDEO_RATE


def open_footage(source: Any) -> Footage:
    """Open a video.

    Parameters
    ----------
    source : path or iterable of (H, W, C) arrays
        A movie, a folder of pictures, which are taken in the order of their names, or the frames themselves.

    Raises
    ------
    BadFile
        When the path leads to nothing that can be read as a video.
    BadVideo
        When it is neither a path nor an iterable.
    """
    if isinstance(source, str | os.PathLike):
        if not os.fspath(source):
            raise BadFile("The video's path is empty: choose a movie or a folder.")
        return _open_folder(Path(source)) if os.path.isdir(source) else _open_movie(Path(source))
    if not isinstance(source, Iterable):
        raise BadVideo("The video must be a path or a list of pictures: choose a movie or a folder.")
    return Footage(iter(source), len(source) if isinstance(source, Sized) else None)


def count_frames(path: str | os.PathLike[str], progress: Progress = no_progress) -> int:
    """Count a movie's frames by decoding it all: what its file says may be wrong.

    Parameters
    ----------
    path : path
    progress : callable
        Called once a frame; may raise `Cancelled`.

    Raises
    ------
    BadFile
    """
    movie = _opened(Path(path))
    count = 0
    try:
        while movie.grab():
            count += 1
            progress(0.0, "Counting Frames")
    finally:
        movie.release()
    return count


def is_footage(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a folder or is named as a movie; anything else is a picture."""
    return os.path.isdir(path) or Path(path).suffix.lower() in MOVIES


def write_footage(
    frames: Iterable[NDArray[Any]],
    folder: str | os.PathLike[str],
    movie: str | os.PathLike[str] | None = None,
    rate: float = VIDEO_RATE,
) -> int:
    """Write frames as numbered pictures, and as an MP4 if one is asked for; all of it appears or nothing.

    Parameters
    ----------
    frames : iterable of (H, W, C) arrays
        Taken one at a time.
    folder : path
        Made, or replaced when it holds nothing but frames of a previous run.
    movie : path, optional
    rate : float
        Frames a second.

    Returns
    -------
    int
        How many frames there were.

    Raises
    ------
    BadFile
    """
    number = 0
    with ExitStack() as stack:
        target = stack.enter_context(frames_folder(Path(folder)))
        film = None
        for number, frame in enumerate(frames, 1):
            if movie is not None and film is None:
                film = stack.enter_context(video_writer(Path(movie), frame.shape, rate))
            if film is not None:
                film(frame)
            suffix = ".tiff" if frame.dtype.kind == "f" else ".png"
            write_picture(target / f"frame_{number:04d}{suffix}", frame)
    return number


def _open_folder(folder: Path) -> Footage:
    with reading(folder):
        files = sorted(entry for entry in folder.iterdir() if entry.suffix.lower() in PICTURES)
    if not files:
        raise BadFile(f"The folder {folder} holds no pictures: choose one with the frames of a video.")
    return Footage((read_still(file) for file in files), len(files))


def _open_movie(path: Path) -> Footage:
    import cv2

    movie = _opened(path)
    count, rate = int(movie.get(cv2.CAP_PROP_FRAME_COUNT)), movie.get(cv2.CAP_PROP_FPS)
    return Footage(_decoded(movie), count if count > 0 else None, rate if 1 <= rate <= 480 else VIDEO_RATE)


def _opened(path: Path) -> Any:
    import cv2

    check_name_for_opencv(path)
    with reading(path), open(path, "rb"):
        pass
    movie = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not movie.isOpened():
        raise BadFile(f"{path} isn't a video this can read: use MP4, MOV, MKV, WEBM or AVI.")
    return movie


def _decoded(movie: Any) -> Iterator[NDArray[np.uint8]]:
    try:
        while True:
            read, frame = movie.read()
            if not read:
                return
            yield np.ascontiguousarray(frame[..., ::-1])
    finally:
        movie.release()
