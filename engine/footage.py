"""Frames of a video, one after the other: from a file, from a folder of pictures or from arrays."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import BadFile, BadVideo
from .imagefiles import read_still

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
USUAL_RATE = 25.0
"""Frames a second where nothing says otherwise."""


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
    rate: float = USUAL_RATE


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
        path = Path(source)
        return _open_folder(path) if path.is_dir() else _open_movie(path)
    if not isinstance(source, Iterable):
        raise BadVideo("The video must be a path or a list of pictures: choose a movie or a folder.")
    return Footage(iter(source), len(source) if isinstance(source, Sized) else None)


def _open_folder(folder: Path) -> Footage:
    files = sorted(entry for entry in folder.iterdir() if entry.suffix.lower() in PICTURES)
    if not files:
        raise BadFile(f"The folder {folder} holds no pictures: choose one with the frames of a video.")
    return Footage((read_still(file) for file in files), len(files))


def _open_movie(path: Path) -> Footage:
    import cv2

    try:
        with open(path, "rb"):
            pass
    except OSError as reason:
        raise BadFile(f"Can't read {path}: {(reason.strerror or str(reason)).lower()}.") from reason
    movie = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not movie.isOpened():
        raise BadFile(f"{path} isn't a video this can read: use MP4, MOV, MKV, WEBM or AVI.")
    count, rate = int(movie.get(cv2.CAP_PROP_FRAME_COUNT)), movie.get(cv2.CAP_PROP_FPS)
    return Footage(_decoded(movie), count if count > 0 else None, rate if 1 <= rate <= 480 else USUAL_RATE)


def _decoded(movie: Any) -> Iterator[NDArray[np.uint8]]:
    try:
        while True:
            read, frame = movie.read()
            if not read:
                return
            yield np.ascontiguousarray(frame[..., ::-1])
    finally:
        movie.release()
