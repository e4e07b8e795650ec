"""Write OpenEXR files: OpenCV 5 has no writer for them, and this one works in any thread."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .threads import thread_count

CHANNELS = {1: "Y", 3: "RGB", 4: "RGBA"}
LINES = 16
"""Lines that a ZIP file packs together, by the format's own rule."""
BATCH = 16
"""Packs between two calls of `progress`."""
LEVEL = 1
"""Of zlib: noise doesn't get smaller by trying harder."""


def write_exr(
    path: str | os.PathLike[str],
    pixels: NDArray[np.float32],
    progress: Callable[[float], None] = lambda fraction: None,
) -> None:
    """Write 32-bit float pixels as they are, losslessly compressed.

    Parameters
    ----------
    path : path
    pixels : (h, w, C) float32
        C = 1 (gray), 3 or 4 (RGB(A)), first row on top.
    progress : callable(fraction)
        Called often, 0 to 1; may raise to stop, which leaves an unfinished file.

    Raises
    ------
    OSError
        When it can't be written.
    """
    height, _width, depth = pixels.shape
    channels = sorted(range(depth), key=lambda index: CHANNELS[depth][index])  # the format sorts by name
    starts = range(0, height, LINES)

    def pack(first: int) -> bytes:
        lines = pixels[first : first + LINES, :, channels].transpose(0, 2, 1)
        data = _compress(np.ascontiguousarray(lines, "<f4"))
        return struct.pack("<ii", first, len(data)) + data

    with Path(path).open("wb") as file, ThreadPoolExecutor(thread_count()) as pool:
        file.write(_header(pixels.shape))
        table = file.tell()
        file.write(bytes(8 * len(starts)))
        offsets = []
        for batch in range(0, len(starts), BATCH):
            progress(batch / len(starts))
            for packed in pool.map(pack, starts[batch : batch + BATCH]):
                offsets.append(file.tell())
                file.write(packed)
        file.seek(table)
        file.write(np.array(offsets, "<u8").tobytes())


def _compress(lines: NDArray[np.float32]) -> bytes:
    """Pack lines as the format tells: bytes of like significance together, then their differences."""
    raw = lines.view(np.uint8).ravel()
    parted = np.concatenate([raw[0::2], raw[1::2]])
    parted[1:] -= parted[:-1] + np.uint8(128)  # differences, with 128 for none; they wrap around
    packed = zlib.compress(parted.tobytes(), LEVEL)
    return packed if len(packed) < raw.size else raw.tobytes()


def _header(shape: tuple[int, ...]) -> bytes:
    height, width, depth = shape
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    is_float, every = 2, 1
    names = b"".join(
        name.encode() + b"\0" + struct.pack("<iB3xii", is_float, 0, every, every)
        for name in sorted(CHANNELS[depth])
    )
    zip_of_16_lines, downwards = 3, 0
    attributes = (
        ("channels", "chlist", names + b"\0"),
        ("compression", "compression", bytes([zip_of_16_lines])),
        ("dataWindow", "box2i", window),
        ("displayWindow", "box2i", window),
        ("lineOrder", "lineOrder", bytes([downwards])),
        ("pixelAspectRatio", "float", struct.pack("<f", 1)),
        ("screenWindowCenter", "v2f", struct.pack("<2f", 0, 0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1)),
    )
    magic, version = 20000630, 2
    return (
        struct.pack("<ii", magic, version)
        + b"".join(
            name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value
            for name, kind, value in attributes
        )
        + b"\0"
    )
