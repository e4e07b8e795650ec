"""Pictures at other sizes and places: averaged, interpolated, looked up, filled where nothing is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .threads import in_threads, threads_for

BAND = 64
"""Rows that are enlarged at a time: they stay in the processor's cache."""
CACHE = 2**25
"""Bytes; what is larger isn't in the processor's cache as a whole."""
CACHE_LINE = 64
"""Bytes that come into it together."""


def extrapolate(weighted: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill what isn't known from what is, smoothly.

    Parameters
    ----------
    weighted : (h, w, C) float32
        Values times how much of them is known.
    known : (h, w) float32, 0 to 1
        How much of each pixel is known.

    Returns
    -------
    (h, w, C) float32
        Averages on the way down a pyramid, filled in on the way up; close to the values where they
        are known.
    """
    levels: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    while max(known.shape) > 2:
        # A quarter of a pixel is trusted like a whole one.
        gain = np.minimum(np.reciprocal(np.maximum(known, np.float32(1e-6))), np.float32(4))
        trusted, trust = times(weighted, gain), known * gain
        levels.append((trusted, trust))
        half = cells(known.shape, 2)
        weighted, known = shrink(trusted, half), shrink(trust, half)
    filled = divided(weighted, known)
    for trusted, trust in reversed(levels):
        filled = times(enlarge(filled, trust.shape), 1 - trust)
        filled += trusted
    return filled


def cells(shape: tuple[int, ...], cell: int) -> tuple[int, int]:
    """Count the (rows, columns) of cells that cover a picture."""
    return -(-shape[0] // cell), -(-shape[1] // cell)


def middles(side: slice, cell: int, size: int) -> NDArray[np.intp]:
    """Index the middle pixel of each cell of a side, or what is nearest to it in a picture of a size."""
    count = -(-(side.stop - side.start) // cell)
    return np.clip(side.start + cell // 2 + cell * np.arange(count), 0, size - 1)


def shrink(array: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Average a (h, w) or (h, w, C) array down to (rows, columns)."""
    import cv2

    small = cv2.resize(array, shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).reshape(*shape, *array.shape[2:])


def averaged(array: NDArray[Any], factor: int) -> NDArray[Any]:
    """Reduce (h, w, C) pixels, of any type, to a whole fraction of their size."""
    import cv2

    height, width, channels = array.shape
    if factor > 2 and factor % 2 == 0:  # half the size is OpenCV's quickest step by far
        array = cv2.resize(array, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    size = width // factor, height // factor
    return cv2.resize(array, size, interpolation=cv2.INTER_AREA).reshape(*size[::-1], channels)


def blurred(picture: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Blur a (h, w) picture by a Gaussian that is wide: as good as that, at a size where it's narrow."""
    import cv2

    coarser = max(1, int(sigma / 3))
    small = shrink(picture, cells(picture.shape, coarser))
    return enlarge(np.asarray(cv2.GaussianBlur(small, (0, 0), sigma / coarser), np.float32), picture.shape)


def enlarge(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Interpolate a (h, w) or (h, w, C) array up to the first two of `shape`, linearly."""
    import cv2

    if array.shape[:2] == tuple(shape[:2]):
        return array
    large = cv2.resize(array, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large).reshape(*shape[:2], *array.shape[2:])


def enlarge_part(coarse: NDArray[Any], cell: int, part: tuple[slice, slice]) -> NDArray[Any]:
    """Interpolate cells (h, w, C) up to some whole cells' pixels, linearly.

    Parameters
    ----------
    coarse : (h + 2, w + 2, C) float32
        With a border of one cell, which tells how they go on there.
    cell : int
    part : rows and columns at full size, multiples of the cell
    """
    rows, columns = (slice(side.start // cell, side.stop // cell + 2) for side in part)
    around = coarse[rows, columns]
    large = enlarge(around, (around.shape[0] * cell, around.shape[1] * cell))
    return large[cell:-cell, cell:-cell]


def enlarge_planes(
    coarse: list[NDArray[np.float32]], factor: int, area: tuple[slice, slice], grid: float
) -> NDArray[np.float32]:
    """Interpolate an area out of planes of which each value stands for a square of pixels, linearly.

    Parameters
    ----------
    coarse : list of (h, w) float32
    factor : int
        Pixels along a square's side; a picture may be up to a square longer than its whole ones.
    area : rows and columns of the picture
    grid : float
        A power of two to whose multiples values are rounded.

    Returns
    -------
    (planes, rows, columns) float32
    """
    rows, columns = area
    planes = np.empty((len(coarse), rows.stop - rows.start, columns.stop - columns.start), np.float32)
    band = max(1, BAND // factor) * factor

    def fill(first: int) -> None:
        part = slice(first, min(first + band, rows.stop))
        for plane, values in zip(
            planes[:, part.start - rows.start : part.stop - rows.start], coarse, strict=True
        ):
            np.multiply(_enlarged(values, factor, (part, columns)), np.float32(1 / grid), out=plane)
            np.rint(plane, out=plane)
            plane *= np.float32(grid)

    in_threads(fill, range(rows.start, rows.stop, band), threads_for(planes.size))
    return planes


def _enlarged(coarse: NDArray[np.float32], factor: int, area: tuple[slice, slice]) -> NDArray[np.float32]:
    cells, inner = cells_around(area, factor)
    return enlarge_cells(cut_cells(coarse, cells), factor, inner)


def cells_around(area: tuple[slice, slice], cell: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Say between the middles of which cells an area of pixels lies; some may be beyond the outermost.

    Returns
    -------
    cells, inner : rows and columns
        The cells, and where the area is in them once they are enlarged.
    """
    cells, inner = [], []
    for side in area:
        first = (2 * side.start + 1 - cell) // (2 * cell)
        cells.append(slice(first, 1 - (cell + 1 - 2 * side.stop) // (2 * cell)))
        inner.append(slice(side.start - first * cell, side.stop - first * cell))
    return (cells[0], cells[1]), (inner[0], inner[1])


def cut_cells(
    coarse: NDArray[np.float32], area: tuple[slice, slice], *, straight: bool = False
) -> NDArray[np.float32]:
    """Cut an area out of (h, w) cells; beyond the outermost ones they go on as these, or straight on."""
    import cv2

    rows, columns = (
        slice(max(side.start, 0), min(side.stop, size)) for side, size in zip(area, coarse.shape, strict=True)
    )
    inner = coarse[rows, columns]
    if area == (rows, columns):
        return inner
    above, before = rows.start - area[0].start, columns.start - area[1].start
    below, after = area[0].stop - rows.stop, area[1].stop - columns.stop
    cut = np.asarray(cv2.copyMakeBorder(inner, above, below, before, after, cv2.BORDER_REPLICATE), np.float32)
    if straight:
        for lines, beyond in ((cut, (above, below)), (cut.T, (before, after))):
            for line, count in zip((lines, lines[::-1]), beyond, strict=True):
                if count and len(line) > count + 1:
                    step = line[count] - line[count + 1]
                    line[:count] += step * np.arange(count, 0, -1, dtype=np.float32)[:, None]
    return cut


def enlarge_cells(around: NDArray[np.float32], cell: int, inner: tuple[slice, slice]) -> NDArray[np.float32]:
    """Interpolate pixels from the (h, w) cells around them, linearly: see `cells_around`."""
    return enlarge(around, (around.shape[0] * cell, around.shape[1] * cell))[inner]


def look_up_field(
    field: NDArray[np.float32],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    shape: tuple[int, ...],
) -> NDArray[np.float32]:
    """Take a field of a picture's shape, or a whole fraction of it, at rows and columns of the picture."""
    factor = shape[0] // field.shape[0]
    if factor == 1:
        return field[rows].take(columns, 1)
    row, column = (((at + 0.5) / factor - 0.5).astype(np.float32) for at in (rows, columns))
    x, y = np.meshgrid(column, row)
    return np.asarray(sample(field, x, y), np.float32)


def bordered(values: NDArray[Any], sides: Sequence[tuple[int, int]] = ((1, 1), (1, 1))) -> NDArray[Any]:
    """Repeat the outermost of (h, w) or (h, w, C) values so often above and below, left and right."""
    import cv2

    if not any(map(any, sides)):
        return values
    larger = np.asarray(cv2.copyMakeBorder(values, *sides[0], *sides[1], cv2.BORDER_REPLICATE))
    return larger.reshape(*larger.shape[:2], *values.shape[2:])


def times(values: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Multiply every channel of (h, w, C) values by a (h, w) weight."""
    import cv2

    if min(weight.shape) <= 4:  # OpenCV takes such an array for a color
        return values * weight[..., None]
    weights = cv2.merge([weight] * values.shape[2])
    return np.asarray(cv2.multiply(values, weights), np.float32).reshape(values.shape)


def divided(weighted: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Divide every channel of (h, w, C) weighted values by their (h, w) weight; 0 where it's 0."""
    return times(weighted, np.reciprocal(np.maximum(weight, np.float32(1e-6))))


def sample(pixels: NDArray[Any], x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[Any]:
    """Look up (h, w) or (h, w, C) pixels at (n, m) places, bilinearly; the border goes on for ever."""
    import cv2

    if pixels.nbytes > CACHE:
        _fetch(pixels, x, y)
    looked_up = cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(looked_up).reshape(*x.shape, *pixels.shape[2:])


def _fetch(pixels: NDArray[Any], x: NDArray[np.float32], y: NDArray[np.float32]) -> None:
    """Bring what lies between the corners of (n, m) places into the processor's cache.

    Look-ups along lines that cross a picture's rows wait for memory most of the time: the processor
    doesn't foresee what comes next, as it does where memory is read in its order. One number of each
    line of the cache is enough for that.
    """
    corners = [[plane.item(row, column) for row in (0, -1) for column in (0, -1)] for plane in (y, x)]
    rows, columns = (slice(max(0, int(min(ends))), max(0, int(max(ends)) + 2)) for ends in corners)
    step = max(1, CACHE_LINE // pixels.strides[1])
    seen = pixels[rows, columns][:, ::step]
    lines = seen if seen.ndim == 2 else seen[..., 0]
    if 0 < lines.size < x.size:  # places that lie apart say nothing of what is between them
        np.maximum.reduce(lines, axis=None)
