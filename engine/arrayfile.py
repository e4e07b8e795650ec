"""Named arrays in one file: small, and written and read by all cores."""

from __future__ import annotations

import io
import os
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import prod
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from .errors import BadFile
from .storage import reading, replaced_file
from .threads import in_threads, results_in_order, threads_for

KIND = "rows"
"""What an entry's name ends with, behind the array's own."""
BAND = 2**20
"""Bytes, about, that are packed at once: they stay in the processor's cache."""
LENGTH = 4
"""Bytes that tell how long a packed band is."""
TIGHTEST = 1100
"""Bytes that one packed byte can stand for: an array that claims more is damaged, and isn't given memory."""
ITEMS = {"u": (1, 2, 4, 8), "i": (1, 2, 4, 8), "f": (2, 4, 8)}
"""Kinds of numbers that are kept, and how many bytes they have; text has any multiple of four."""
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    tokenize.TokenError,  # from an array's header
    SyntaxError,  # the same
    TypeError,
    ValueError,
    OverflowError,
    MemoryError,  # an array claims what no file could hold
    RuntimeError,  # an entry that claims to be encrypted, or packed in a way of its own
    EOFError,
)
"""What Python and NumPy raise when they read a file that is damaged."""


def save_arrays(path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays to one file in one step.

    Notes
    -----
    A zip of one entry an array: the header of an .npy file, then bands of rows, each behind its
    length. A band holds its first row and each one's differences from the row above, as integers,
    whose bytes lie together by significance; zlib packs them as runs and Huffman codes, like a PNG
    that is written quickly. The first axis counts rows.

    Raises
    ------
    BadFile
        When it can't be written; the previous file is then still there.
    """
    with replaced_file(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.{KIND}", "w", force_zip64=True) as entry:
                for piece in _packed(array):
                    entry.write(piece)


def load_arrays(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """Read what `save_arrays` wrote.

    Raises
    ------
    BadFile
        When it isn't there, isn't such a file, or is damaged.
    """
    arrays = {}
    try:
        with reading(path), zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                name, _, kind = entry.filename.rpartition(".")
                if kind != KIND:
                    with archive.open(entry) as stream:
                        arrays[name] = _as_before(stream, kind)
                elif entry.compress_type == zipfile.ZIP_STORED:  # its size is what it takes on the disk
                    arrays[name] = _unpacked(archive.read(entry))
                else:
                    raise ValueError("an array is packed twice")
    except DAMAGE as reason:
        raise BadFile(f"{path} isn't a saved loop or is damaged: solve it again.") from reason
    return arrays


def _packed(array: NDArray[Any]) -> Iterator[bytes]:
    """Yield the pieces of an array's entry."""
    array = np.asarray(array, order="C")
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(array))
    yield head.getvalue()
    rows = _as_rows(array)

    def pack(band: slice) -> bytes:
        steps = rows[band].copy()
        steps[1:] -= rows[band][:-1]
        by_significance = steps.reshape(-1, 1).view(np.uint8).T
        packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
        return packer.compress(np.ascontiguousarray(by_significance).data) + packer.flush()

    for packed in results_in_order(pack, _bands(rows), threads_for(rows.size)):
        yield len(packed).to_bytes(LENGTH, "little") + packed


def _unpacked(content: bytes) -> NDArray[Any]:
    """Make the array of an entry again."""
    head = io.BytesIO(content)
    if np.lib.format.read_magic(head) != (1, 0):
        raise ValueError("an array has another header")
    shape, _, dtype = np.lib.format.read_array_header_1_0(head)
    is_kept = dtype.itemsize > 0 if dtype.kind == "U" else dtype.itemsize in ITEMS.get(dtype.kind, ())
    if not is_kept or prod(shape) * dtype.itemsize > TIGHTEST * len(content):
        raise ValueError("an array claims what it can't be")
    array = np.empty(shape, dtype)
    rows = _as_rows(array)
    view, place, packed = memoryview(content), head.tell(), []
    for band in _bands(rows):
        start = place + LENGTH
        place = start + int.from_bytes(view[place:start], "little")
        packed.append((band, view[start:place]))

    def unpack(item: tuple[slice, memoryview]) -> None:
        band, piece = item
        unpacker, size = zlib.decompressobj(), rows[band].nbytes
        by_significance = np.frombuffer(unpacker.decompress(piece, size + 1), np.uint8)
        if by_significance.size != size or not unpacker.eof:
            raise ValueError("a band holds more than its rows, or less")
        steps = by_significance.reshape(rows.itemsize, -1).T.copy().view(rows.dtype)
        rows[band] = steps.reshape(rows[band].shape)
        for above, row in pairwise(rows[band]):  # NumPy adds up along an axis many times slower
            row += above

    in_threads(unpack, packed, threads_for(rows.size))
    return array


def _as_rows(array: NDArray[Any]) -> NDArray[Any]:
    """View an array's memory as rows of unsigned integers; one row, where it has one dimension or none."""
    unit = 4 if array.dtype.kind == "U" else array.itemsize
    count = len(array) if array.ndim > 1 else 1
    return array.reshape(-1).view(f"u{unit}").reshape(count, -1 if array.size else 0)


def _bands(rows: NDArray[Any]) -> list[slice]:
    """Part rows into as many as are packed at once."""
    if not rows.size:
        return []
    height = max(1, BAND // rows[0].nbytes)
    return [slice(first, first + height) for first in range(0, len(rows), height)]


def _as_before(stream: IO[bytes], kind: str) -> NDArray[Any]:
    """Read an entry as it was written at first: an .npy file, or one of float32's bytes by significance."""
    stored = np.lib.format.read_array(stream, allow_pickle=False)
    if kind == "bytes":
        stored = np.ascontiguousarray(np.moveaxis(stored, 0, -1)).view(np.float32)[..., 0]
    return np.asarray(stored)
