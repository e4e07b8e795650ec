"""Pictures on disk for the shell: stills and masks in, numbered frames and videos out."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import BadFile
from .loop import Loop, check_frame_count
from .png import PngEncoder
from .settings import Progress, no_progress
from .storage import check_replaceable, reading, replaced_file, replaced_folder
from .threads import limited_threads, thread_count

FRAME_NAME = re.compile(r"frame_\d{4,}\.(png|tiff)")
MASK_NAME = re.compile(r"mask_\d{2,}\.png")
VIDEO_RATE = 25
"""Frames a second; a turn lasts as long as its frames do."""
WAITING = 2
"""Rendered frames that may wait while every thread encodes one; each holds a whole picture."""


def read_still(path: str | Path) -> NDArray[Any]:
    """Read a picture the way up its EXIF orientation says.

    Parameters
    ----------
    path : path
        PNG, JPEG, TIFF, WEBP, BMP and whatever else OpenCV reads; 8 bit, 16 bit or float.

    Returns
    -------
    (H, W, C) array
        Grey, RGB or RGB with alpha, first row on top, in the file's own depth.

    Raises
    ------
    BadFile
        When it isn't there or isn't a picture that can be read.
    """
    import cv2

    with reading(path):
        encoded = np.fromfile(path, np.uint8)
    raw = _decode(encoded, cv2.IMREAD_UNCHANGED)
    upright = _decode(encoded, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR)
    if raw is None:
        raise BadFile(f"{path} isn't a picture this can read: use PNG, JPEG, TIFF, WEBP or BMP.")
    picture = raw if upright is None else upright
    if raw.ndim == 3 and raw.shape[2] == 4 and upright is not None:
        picture = _turned_like(raw, upright)
    if picture.ndim == 2:
        return picture[..., None]
    order = [2, 1, 0, 3][: picture.shape[2]]
    return np.ascontiguousarray(picture[..., order])


def read_mask(path: str | Path) -> NDArray[Any]:
    """Read a mask: white is inside, and what is transparent isn't.

    Parameters
    ----------
    path : path

    Returns
    -------
    (H, W) array
        Of the file's own depth, as `check_mask` takes it.
    """
    picture = read_still(path)
    value = picture[..., :3].astype(np.float64).mean(2)
    if picture.shape[2] == 4:
        full = 1.0 if picture.dtype.kind == "f" else float(np.iinfo(picture.dtype).max)
        value *= picture[..., 3] / full
    return np.asarray(value, picture.dtype)


def write_frames(loop: Loop, count: int, folder: str | Path, progress: Progress = no_progress) -> Path:
    """Write one turn of a loop as numbered pictures; the folder appears whole or not at all.

    Parameters
    ----------
    loop : Loop
    count : int, 2 to 10 000
    folder : path
        Made, or replaced when it holds nothing but frames of a previous run.
    progress : callable
        Called once a frame; may raise `Cancelled`, and nothing was written then.

    Returns
    -------
    Path
        The folder, with frame_0001.png and so on: PNG of the still's depth, TIFF for float stills.

    Raises
    ------
    BadFile, BadSettings
    """
    count = check_frame_count(count)
    if loop.still.dtype.kind == "f":
        suffix, encode = ".tiff", _encode_tiff
    else:
        suffix, encode = ".png", PngEncoder(loop.still, loop.box[0]).encode

    def write(path: Path, picture: NDArray[Any]) -> None:
        path.write_bytes(encode(picture))

    with limited_threads(loop.threads), frames_folder(folder) as target:
        paths = [target / f"frame_{number:04d}{suffix}" for number in range(1, count + 1)]
        write_pictures(loop.frames(count), paths, write, progress)
    progress(1.0, "Writing Frames")
    return Path(folder)


def write_masks(masks: Sequence[NDArray[np.bool_]], folder: str | Path) -> Path:
    """Write masks as mask_01.png and so on, white inside; the folder appears whole or not at all.

    Parameters
    ----------
    masks : sequence of (H, W) bool
    folder : path
        Made, or replaced when it holds nothing but masks of a previous run.

    Raises
    ------
    BadFile
    """
    with replaced_folder(folder, lambda name: bool(MASK_NAME.fullmatch(name))) as target:
        for number, mask in enumerate(masks, 1):
            write_picture(target / f"mask_{number:02d}.png", mask[..., None] * np.uint8(255))
    return Path(folder)


def check_frames_folder(folder: str | Path) -> None:
    """Refuse a folder for frames that holds anything but those of a previous run.

    Raises
    ------
    BadFile
    """
    check_replaceable(Path(folder), _is_frame)


def _is_frame(name: str) -> bool:
    return bool(FRAME_NAME.fullmatch(name))


@contextmanager
def frames_folder(folder: str | Path) -> Iterator[Path]:
    """Yield an empty folder for numbered frames; on success it takes the place of a previous run's.

    Raises
    ------
    BadFile
    """
    with replaced_folder(folder, _is_frame) as target:
        yield target


def write_pictures(
    pictures: Iterable[NDArray[Any]],
    paths: Sequence[Path],
    write: Callable[[Path, NDArray[Any]], None],
    progress: Progress = no_progress,
) -> None:
    """Write pictures in as many threads as there are cores, while the next one is being made.

    Parameters
    ----------
    pictures : iterable of arrays
        As many as paths; made one after the other.
    paths : sequence of Path
    write : callable(path, picture)
        Called in the threads; what it raises is raised here.
    progress : callable
        Called once a picture; may raise `Cancelled`: nothing is written any more when it gets out.
    """
    threads = thread_count()
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[None]] = deque()
        try:
            for index, (path, picture) in enumerate(zip(paths, pictures, strict=True)):
                progress(index / len(paths), "Writing Frames")
                waiting.append(pool.submit(write, path, picture))
                if len(waiting) >= threads + WAITING:
                    waiting.popleft().result()
            for written in waiting:
                written.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def write_picture(path: Path, picture: NDArray[Any]) -> None:
    """Write an (H, W, C) picture in the format that its name ends in, PNG or TIFF."""
    path.write_bytes(encode_png(picture) if path.suffix == ".png" else _encode_tiff(picture))


def encode_png(picture: NDArray[Any], level: int | None = None) -> bytes:
    """Encode an (H, W, C) uint8 or uint16 picture as PNG, the fastest way or with zlib's level 0 to 9."""
    import cv2

    if level is None:
        return PngEncoder(picture).encode(picture)
    return _encode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, level])


def write_video(loop: Loop, count: int, path: str | Path, progress: Progress = no_progress) -> Path:
    """Write one turn of a loop as an MP4 at 25 frames a second; the file appears whole or not at all.

    What is transparent is black in it.

    Parameters
    ----------
    loop : Loop
    count : int, 2 to 10 000
    path : path
        Ends in .mp4.
    progress : callable
        Called once a frame; may raise `Cancelled`, and nothing was written then.

    Raises
    ------
    BadFile, BadSettings
    """
    count = check_frame_count(count)
    with video_writer(path, loop.still.shape) as write:
        for index, frame in enumerate(loop.frames(count)):
            progress(index / count, "Writing the Video")
            write(frame)
    progress(1.0, "Writing the Video")
    return Path(path)


@contextmanager
def video_writer(
    path: str | Path, shape: tuple[int, ...], rate: float = VIDEO_RATE
) -> Iterator[Callable[[NDArray[Any]], None]]:
    """Yield a function that adds a frame to an MP4; the file appears whole or not at all.

    Parameters
    ----------
    path : path
        Ends in .mp4.
    shape : (height, width, ...)
        Of the frames.
    rate : float
        Frames a second.

    Raises
    ------
    BadFile
    """
    import cv2

    check_video_name(path)
    height, width = shape[:2]
    with replaced_file(path) as target:
        # MPEG-4 part 2: the one encoder every build of OpenCV has.
        writer = cv2.VideoWriter(str(target), cv2.VideoWriter.fourcc(*"mp4v"), rate, (width, height))
        written = 0
        try:
            if not writer.isOpened():
                raise BadFile(f"Can't write {path}: this OpenCV can't encode {width} x {height} video.")

            def write(frame: NDArray[Any]) -> None:
                nonlocal written
                writer.write(_screen_bgr(frame))
                written += 1

            yield write
        finally:
            writer.release()
        # The writer says nothing when the disk is full.
        if cv2.VideoCapture(str(target)).get(cv2.CAP_PROP_FRAME_COUNT) != written:
            raise BadFile(f"Can't write {path}: the video isn't whole. Is the disk full?")


def check_video_name(path: str | Path) -> None:
    """Refuse a video whose name doesn't end in .mp4 or can't be handed to OpenCV.

    Raises
    ------
    BadFile
    """
    if Path(path).suffix.lower() != ".mp4":
        raise BadFile(f"Can't write {path}: the name of a video must end in .mp4.")
    check_name_for_opencv(os.path.realpath(path))


def check_name_for_opencv(path: str | Path) -> None:
    """Refuse a path that isn't Unicode, which OpenCV ends the process at instead of raising an error.

    Raises
    ------
    BadFile
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as reason:
        shown = str(path).encode(errors="backslashreplace").decode()
        raise BadFile(
            f"The name {shown} isn't valid UTF-8, which videos need: rename the file, or the folder it is in."
        ) from reason


def _decode(encoded: NDArray[np.uint8], flags: int) -> NDArray[Any] | None:
    import cv2

    try:
        return cv2.imdecode(encoded, flags)
    except cv2.error:
        return None


def _turned_like(raw: NDArray[Any], upright: NDArray[Any]) -> NDArray[Any]:
    """Turn a picture with alpha the way its colors were turned: OpenCV honors EXIF only without alpha."""
    colors = raw[..., :3] if upright.ndim == 3 else raw[..., 0]
    for turned, turned_colors in ((raw, colors), (raw.swapaxes(0, 1), colors.swapaxes(0, 1))):
        for rows in (1, -1):
            for columns in (1, -1):
                if np.array_equal(turned_colors[::rows, ::columns], upright):
                    return turned[::rows, ::columns]
    return raw


def _encode_tiff(picture: NDArray[Any]) -> bytes:
    return _encode(".tiff", picture, [])


def _encode(suffix: str, picture: NDArray[Any], options: list[int]) -> bytes:
    import cv2

    order = [2, 1, 0, 3][: picture.shape[2]] if picture.shape[2] > 1 else [0]
    done, encoded = cv2.imencode(suffix, picture[..., order], options)
    if not done:
        raise BadFile(f"Can't encode a {picture.shape[1]} x {picture.shape[0]} {picture.dtype} picture.")
    return encoded.tobytes()


def _screen_bgr(frame: NDArray[Any]) -> NDArray[np.uint8]:
    """Show a frame over black as an 8-bit screen does; scene-linear values become sRGB, clipped at white."""
    colors = frame[..., :3]
    if colors.dtype.kind == "f":  # with alpha they are over black already
        linear = np.clip(np.nan_to_num(colors), 0, 1)
        screen = np.where(linear < 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
        colors = np.rint(screen * 255).astype(np.uint8)
    else:
        if frame.shape[2] == 4:  # whatever colors transparent pixels hide would show in some frames only
            colors = colors * (frame[..., 3:] / np.float32(np.iinfo(frame.dtype).max))
            colors = np.rint(colors).astype(frame.dtype)
        if colors.dtype == np.uint16:
            colors = (colors >> 8).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(colors[..., ::-1], (*colors.shape[:2], 3)))
