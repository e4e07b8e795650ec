"""The still continued beyond the mask, so that frames pull only pattern from there (3.2, figure 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .inputs import to_unit

Area = tuple[slice, slice]
"""Rows and columns of a picture."""

TILE = 128
"""Cells a side of what one thread works on at a time."""
COARSE_SIDE = 512
"""Cells; about the long side at which colors are extrapolated: they are smooth, full size only costs."""


@dataclass(frozen=True)
class Texture:
    """What the frames are warped from.

    Parameters
    ----------
    pixels : (h, w, C) float32
        Integer stills in 0..1, scene-linear ones as they are; color is premultiplied by alpha
        where there is one. Inside the mask they are the still's own.
    origin : (x, y)
        Where in the still the first pixel lies; negative where the pattern continues past the
        picture's border.
    """

    pixels: NDArray[np.float32]
    origin: tuple[int, int]


def mask_box(mask: NDArray[np.bool_]) -> Area:
    """Bound the mask: the smallest rows and columns that hold all of it."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def continue_texture(
    still: NDArray[Any], mask: NDArray[np.bool_], forward: NDArray[np.float32], inverse: NDArray[np.float32]
) -> Texture:
    """Continue the pattern from inside the mask as far out as any frame reaches.

    Parameters
    ----------
    still : (H, W, C) array
        uint8, uint16 or float32; NaN and Inf inside the mask are filled from around them.
    mask : (H, W) bool
    forward, inverse : (H, W, 2) float32
        Displacement fields in pixels (x right, y down), smooth beyond the mask as well.

    Returns
    -------
    Texture
        It covers the mask's bounding box and the fields' reach around it.

    Notes
    -----
    Colors are extrapolated out of the mask first. Then each outer pixel takes what lies one
    repetition along the forward field, or along the inverse one, when that is inside the mask; the
    difference between this pulled pattern and the still at the mask's border is spread outwards as
    a smooth membrane, which is what a Poisson blend solves for (paper, 3.2).
    """
    box = mask_box(mask)
    reach = _reach(mask, box, forward, inverse)
    cell = max(1, 2 ** round(np.log2(max(b.stop - b.start for b in box) / COARSE_SIDE)))
    rows, columns = (_whole_cells(b, low, high, cell) for b, (low, high) in zip(box, reach, strict=True))
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    pixels = np.zeros((*shape, still.shape[2]), np.float32)
    known = np.zeros(shape, np.float32)
    coarse_shape = cells(shape, cell)
    coarse = _Pattern(
        np.zeros((*coarse_shape, still.shape[2]), np.float32), np.zeros(coarse_shape, np.float32)
    )

    def copy(tile: Area, place: Area) -> None:
        inside = _window(mask, place) & _within(place, mask.shape)
        if not inside.any():
            return
        values = _window(still, place)
        if still.dtype.kind == "f":
            inside = inside & np.isfinite(values).all(2)
        np.copyto(pixels[tile], _premultiplied(values), where=inside[..., None])
        known[tile] = inside
        small = (
            slice(tile[0].start // cell, tile[0].stop // cell),
            slice(tile[1].start // cell, tile[1].stop // cell),
        )
        coarse.known[small] = shrink(known[tile], coarse.known[small].shape)
        coarse.pixels[small] = shrink(pixels[tile], coarse.known[small].shape)

    tiles = list(_tiles(rows, columns, cell))
    _in_threads(copy, tiles)
    share = np.maximum(coarse.known, 1e-6)[..., None]
    base = extrapolate(np.divide(coarse.pixels, share, dtype=np.float32), coarse.known)
    coarse.pixels[:] += base * (1 - coarse.known[..., None])
    centers = np.ix_(_nearest(rows, cell, mask.shape[0]), _nearest(columns, cell, mask.shape[1]))
    pulls = [field[centers] / np.float32(cell) for field in (inverse, forward)]
    everywhere = (slice(0, coarse_shape[0]), slice(0, coarse_shape[1]))
    membrane = extrapolate(coarse.pixels - coarse.pull(everywhere, pulls), coarse.known)
    base, membrane = enlarge(base, shape), enlarge(membrane, shape)
    full = _Pattern(pixels, known)

    def fill(tile: Area, place: Area) -> None:
        np.copyto(pixels[tile], base[tile], where=known[tile][..., None] == 0)

    def pull(tile: Area, place: Area) -> None:
        outside = known[tile] == 0
        if outside.any():
            pulled = full.pull(tile, [_window(field, place) for field in (inverse, forward)]) + membrane[tile]
            if still.dtype.kind != "f":
                np.clip(pulled, 0, 1, out=pulled)
            np.copyto(base[tile], pulled, where=outside[..., None])

    def finish(tile: Area, place: Area) -> None:
        np.copyto(pixels[tile], base[tile], where=known[tile][..., None] == 0)

    # What is pulled comes from the filled texture, so it's kept apart until every tile has its own.
    for step in (fill, pull, finish):
        _in_threads(step, tiles)
    return Texture(pixels, (columns.start, rows.start))


@dataclass(frozen=True)
class _Pattern:
    """A picture and how far each of its pixels is known (0 to 1)."""

    pixels: NDArray[np.float32]
    known: NDArray[np.float32]

    def pull(self, tile: Area, pulls: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Take a tile's pixels from where the pulls point, the later pulls before the earlier ones."""
        import cv2

        rows, columns = tile
        result = self.pixels[tile]
        for pull in pulls:
            place = pull.copy()
            place[..., 0] += np.arange(columns.start, columns.stop, dtype=np.float32)
            place[..., 1] += np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
            trust = cv2.remap(self.known, place, None, cv2.INTER_LINEAR)  # type: ignore[call-overload]
            result = result + (sample(self.pixels, place) - result) * trust[..., None]
        return result


def sample(pixels: NDArray[np.float32], place: NDArray[np.float32]) -> NDArray[np.float32]:
    """Look up (h, w, C) pixels at (n, m, 2) places (x, y), bilinearly; the border goes on for ever."""
    import cv2

    looked_up = cv2.remap(pixels, place, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(looked_up, np.float32).reshape(*place.shape[:2], *pixels.shape[2:])


def _reach(
    mask: NDArray[np.bool_], box: Area, forward: NDArray[np.float32], inverse: NDArray[np.float32]
) -> list[tuple[int, int]]:
    """Say how far (before, after) the fields lead out of the mask's box, in rows and in columns."""
    import cv2

    inside = mask[box].view(np.uint8)
    reach = []
    for axis, component in ((0, 1), (1, 0)):
        ends = [0.0]
        for field in (forward, inverse):
            ends += cv2.minMaxLoc(np.ascontiguousarray(field[box][..., component]), inside)[:2]
        longest = box[axis].stop - box[axis].start  # a longer step repeats nothing
        margin = 4  # the taps of the look-up, and rounding
        reach.append((int(max(min(ends), -longest)) - margin, int(min(max(ends), longest)) + margin))
    return reach


def _whole_cells(side: slice, low: int, high: int, cell: int) -> slice:
    start, stop = side.start + low, side.stop + high
    return slice(start, start + -(-(stop - start) // cell) * cell)


def _nearest(side: slice, cell: int, size: int) -> NDArray[np.intp]:
    """Index the middle of each cell of a side, or what is nearest to it on the picture."""
    return np.clip(np.arange(side.start + cell // 2, side.stop, cell), 0, size - 1)


def _window(array: NDArray[Any], place: Area) -> NDArray[Any]:
    """Cut a place out of an array; beyond the array its border is repeated."""
    if all(side.start >= 0 and side.stop <= size for side, size in zip(place, array.shape[:2], strict=True)):
        return array[place]
    return array[
        np.ix_(*(_nearest(side, 1, size) for side, size in zip(place, array.shape[:2], strict=True)))
    ]


def _within(place: Area, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Say which pixels of a place lie on the picture."""
    rows, columns = (np.arange(side.start, side.stop) for side in place)
    return ((rows >= 0) & (rows < shape[0]))[:, None] & (columns >= 0) & (columns < shape[1])


def _premultiplied(still: NDArray[Any]) -> NDArray[np.float32]:
    unit = to_unit(still)
    if still.shape[2] == 4 and still.dtype.kind != "f":
        unit[..., :3] *= unit[..., 3:]
    return unit


def _tiles(rows: slice, columns: slice, cell: int) -> Iterator[tuple[Area, Area]]:
    """Cut a canvas into tiles of whole cells: where each lies on the canvas, and where on the still."""
    for y in range(0, rows.stop - rows.start, TILE * cell):
        for x in range(0, columns.stop - columns.start, TILE * cell):
            bottom = min(y + TILE * cell, rows.stop - rows.start)
            right = min(x + TILE * cell, columns.stop - columns.start)
            yield (
                (slice(y, bottom), slice(x, right)),
                (
                    slice(y + rows.start, bottom + rows.start),
                    slice(x + columns.start, right + columns.start),
                ),
            )


def _in_threads(work: Callable[[Area, Area], None], tiles: list[tuple[Area, Area]]) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda pair: work(*pair), tiles))


def extrapolate(values: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill what isn't known from what is, smoothly.

    Parameters
    ----------
    values : (h, w, C) float32
    known : (h, w) float32, 0 to 1
        How much of each pixel is known.

    Returns
    -------
    (h, w, C) float32
        Averages on the way down a pyramid, filled in on the way up; close to `values` where they
        are known.
    """
    weight, weighted = known, values * known[..., None]
    levels: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    while True:
        average = np.divide(weighted, np.maximum(weight, 1e-6)[..., None], dtype=np.float32)
        trust = np.minimum(weight * 4, 1, dtype=np.float32)
        levels.append((average, trust[..., None]))
        if max(weight.shape) <= 2:
            break
        half = cells(weight.shape, 2)
        weight, weighted = shrink(trust, half), shrink(average * trust[..., None], half)
    filled = levels[-1][0]
    for average, part in reversed(levels[:-1]):
        filled = enlarge(filled, average.shape)
        filled += (average - filled) * part
    return filled


def cells(shape: tuple[int, ...], cell: int) -> tuple[int, int]:
    """Count the (rows, columns) of cells that cover a picture."""
    return -(-shape[0] // cell), -(-shape[1] // cell)


def shrink(array: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Average a (h, w) or (h, w, C) array down to (rows, columns)."""
    import cv2

    small = cv2.resize(array, shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).reshape(*shape, *array.shape[2:])


def enlarge(array: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Interpolate a (h, w) or (h, w, C) array up to the first two of `shape`, linearly."""
    import cv2

    if array.shape[:2] == tuple(shape[:2]):
        return array
    large = cv2.resize(array, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32).reshape(*shape[:2], *array.shape[2:])
