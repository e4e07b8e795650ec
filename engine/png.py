"""PNG files of pictures that are alike: what they share is compressed once."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .threads import results_in_order

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = b"\x78\x01"
"""Of a zlib stream."""
COLOR_TYPES = {1: 0, 3: 2, 4: 6}
"""By channels: gray, RGB, RGB with alpha."""
DIFFERENCE = 1
"""The filter by which each pixel is stored as its difference from the one on its left."""
ADLER = 65521
BAND = 64
"""Rows of a large picture that are compressed at once."""


class PngEncoder:
    """Encodes pictures that equal a first one above and below some rows.

    Parameters
    ----------
    still : (H, W, C) uint8 or uint16, C = 1, 3 or 4
    rows : slice, optional
        What may differ; all rows by default.

    Notes
    -----
    A PNG is one compressed stream, but its pieces may be compressed by themselves and joined where
    a piece ends on a whole byte. Only runs are looked for, not repeated strings: on photographs that
    is three times as fast as the fastest level of zlib's, and the files are smaller.

    Examples
    --------
    >>> encoder = PngEncoder(still, slice(100, 200))
    >>> Path("frame.png").write_bytes(encoder.encode(frame))
    """

    def __init__(self, still: NDArray[Any], rows: slice | None = None) -> None:
        self._rows = rows or slice(0, len(still))
        self._above = _Piece(still[: self._rows.start])
        self._below = _Piece(still[self._rows.stop :], last=True)
        self._start = _start(still) + _chunk(b"IDAT", self._above.deflated)
        self._end = _chunk(b"IDAT", self._below.deflated)

    def encode(self, picture: NDArray[Any]) -> bytes:
        """Encode a picture of the still's shape and type."""
        piece = _Piece(picture[self._rows])
        return b"".join(
            (
                self._start,
                _chunk(b"IDAT", piece.deflated),
                self._end,
                _finish([self._above, piece, self._below]),
            )
        )


def write_png(
    path: str | os.PathLike[str],
    picture: NDArray[Any],
    progress: Callable[[float], None] = lambda fraction: None,
) -> None:
    """Write one large picture, whose bands all cores compress.

    Parameters
    ----------
    path : path
    picture : (H, W, C) uint8 or uint16, C = 1, 3 or 4
    progress : callable(fraction)
        Called often, 0 to 1; may raise to stop, which leaves an unfinished file.

    Raises
    ------
    OSError
        When it can't be written.
    """
    bands = [slice(first, first + BAND) for first in range(0, len(picture), BAND)]
    pieces = []

    def compressed(band: slice) -> _Piece:
        return _Piece(picture[band], last=band is bands[-1])

    with Path(path).open("wb") as file:
        file.write(_start(picture))
        for index, piece in enumerate(results_in_order(compressed, bands)):
            progress(index / len(bands))
            file.write(_chunk(b"IDAT", piece.deflated))
            piece.deflated = b""  # what is left of it is its checksum
            pieces.append(piece)
        file.write(_finish(pieces))


def _start(picture: NDArray[Any]) -> bytes:
    """Write all that comes before the pieces."""
    height, width, channels = picture.shape
    depth = 8 * picture.dtype.itemsize
    shape = struct.pack(">IIBBBBB", width, height, depth, COLOR_TYPES[channels], 0, 0, 0)
    return SIGNATURE + _chunk(b"IHDR", shape) + _chunk(b"IDAT", HEADER)


class _Piece:
    """Some rows of a picture as a part of a zlib stream that ends on a whole byte, and their checksum."""

    def __init__(self, pixels: NDArray[Any], last: bool = False) -> None:
        raw = _filtered(pixels)
        deflate = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_RLE)
        self.deflated = deflate.compress(raw) + deflate.flush(zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH)
        self.checksum, self.length = zlib.adler32(raw), raw.nbytes


def _filtered(pixels: NDArray[Any]) -> memoryview:
    """Lay rows out as a PNG stores them: the filter's number, then each pixel less the one on its left."""
    height, width, channels = pixels.shape
    pixel = channels * pixels.dtype.itemsize
    stored = pixels.astype(pixels.dtype.newbyteorder(">"), copy=False)
    values = np.ascontiguousarray(stored).view(np.uint8).reshape(height, width * pixel)
    raw = np.empty((height, width * pixel + 1), np.uint8)
    raw[:, 0] = DIFFERENCE
    raw[:, 1 : pixel + 1] = values[:, :pixel]
    np.subtract(values[:, pixel:], values[:, :-pixel], out=raw[:, pixel + 1 :])
    return raw.reshape(-1).data


def _finish(pieces: Iterable[_Piece]) -> bytes:
    """Write all that comes after the pieces: first the Adler-32 checksum of all, from those of each."""
    low, high = 1, 0
    for piece in pieces:
        high += piece.length * (low - 1) + (piece.checksum >> 16)
        low += (piece.checksum & 0xFFFF) - 1
    checksum = (high % ADLER) << 16 | low % ADLER
    return _chunk(b"IDAT", struct.pack(">I", checksum)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(content, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(content)), kind, content, struct.pack(">I", checksum)))
