"""The still continued beyond the mask, so that frames pull only pattern from there (3.2, figure 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .inputs import to_unit

TILE = 128
COARSE_SIDE = 512
"""Pixels; the long side at which colors are extrapolated: they are smooth, and full size only costs time."""


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


def mask_box(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Bound the mask: the smallest (rows, columns) that hold all of it."""
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
    canvas = _canvas(mask, forward, inverse)
    known = _crop(mask, canvas, fill=True)
    source = _crop(_premultiplied(still), canvas)
    if still.dtype.kind == "f":
        known &= _crop(np.isfinite(still).all(2), canvas, fill=True)
    pulls = (_crop(inverse, canvas), _crop(forward, canvas))

    factor = 1
    while max(known.shape) > factor * COARSE_SIDE * 2:
        factor *= 2
    base = extrapolate(source, known.astype(np.float32), factor)
    source[~known] = base[~known]
    coarse_size = cells(known.shape, factor)
    coarse = _Pattern(shrink(source, coarse_size), shrink(known.astype(np.float32), coarse_size))
    coarse_pulls = tuple(shrink(pull, coarse_size) / np.float32(factor) for pull in pulls)
    everywhere = (slice(0, coarse_size[0]), slice(0, coarse_size[1]))
    difference = coarse.pixels - coarse.pull(everywhere, coarse_pulls)
    membrane = extrapolate(difference, coarse.known, 1)
    membrane = enlarge(membrane, known.shape)

    full = _Pattern(source, known.astype(np.float32))
    pixels = source.copy()
    for tile in _tiles(known.shape):
        outside = ~known[tile]
        if outside.any():
            pulled = full.pull(tile, pulls) + membrane[tile]
            pixels[tile][outside] = pulled[outside]
    if still.dtype.kind != "f":
        np.clip(pixels, 0, 1, out=pixels)
    return Texture(pixels, (canvas[1].start, canvas[0].start))


@dataclass(frozen=True)
class _Pattern:
    """A picture and how far each of its pixels is known (0 to 1)."""

    pixels: NDArray[np.float32]
    known: NDArray[np.float32]

    def pull(self, tile: tuple[slice, slice], pulls: tuple[NDArray[np.float32], ...]) -> NDArray[np.float32]:
        """Take the pixels of a tile from one repetition away, the later fields before the earlier ones."""
        import cv2

        rows, columns = tile
        grid_x, grid_y = np.meshgrid(
            np.arange(columns.start, columns.stop, dtype=np.float32),
            np.arange(rows.start, rows.stop, dtype=np.float32),
        )
        result = self.pixels[tile]
        for pull in pulls:
            map_x, map_y = grid_x + pull[tile][..., 0], grid_y + pull[tile][..., 1]
            pattern = cv2.remap(self.pixels, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            trust = cv2.remap(self.known, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
            result = result + (pattern.reshape(result.shape) - result) * trust[..., None]
        return result


def _canvas(
    mask: NDArray[np.bool_], forward: NDArray[np.float32], inverse: NDArray[np.float32]
) -> tuple[slice, slice]:
    box = mask_box(mask)
    moves = np.concatenate([field[box][mask[box]] for field in (forward, inverse)])
    longest = np.array(
        [box[1].stop - box[1].start, box[0].stop - box[0].start]
    )  # a longer step repeats nothing
    margin = 2  # the bilinear tap and the rounding of the reach
    low = np.floor(np.clip(moves.min(0), -longest, 0)).astype(int) - margin
    high = np.ceil(np.clip(moves.max(0), 0, longest)).astype(int) + margin
    return (
        slice(int(box[0].start + low[1]), int(box[0].stop + high[1])),
        slice(int(box[1].start + low[0]), int(box[1].stop + high[0])),
    )


def _crop(array: NDArray[Any], canvas: tuple[slice, slice], fill: bool = False) -> NDArray[Any]:
    """Cut the canvas out of a picture-sized array; beyond the picture it repeats the border, or is False."""
    before = [max(0, -axis.start) for axis in canvas]
    after = [max(0, axis.stop - size) for axis, size in zip(canvas, array.shape[:2], strict=True)]
    inner = array[max(0, canvas[0].start) : canvas[0].stop, max(0, canvas[1].start) : canvas[1].stop]
    pads = [(b, a) for b, a in zip(before, after, strict=True)] + [(0, 0)] * (array.ndim - 2)
    if fill:
        return np.pad(inner, pads)
    return np.pad(inner, pads, mode="edge")


def _premultiplied(still: NDArray[Any]) -> NDArray[np.float32]:
    unit = to_unit(still)
    if still.shape[2] == 4 and still.dtype.kind != "f":
        unit[..., :3] *= unit[..., 3:]
    return unit


def extrapolate(values: NDArray[np.float32], known: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Fill what isn't known from what is, smoothly.

    Parameters
    ----------
    values : (h, w, C) float32
    known : (h, w) float32, 0 to 1
        How much of each pixel is known.
    factor : int
        Pixels finer than this many are not looked at: the fill is smooth, and full size only costs.

    Returns
    -------
    (h, w, C) float32
        Averages on the way down a pyramid, filled in on the way up; close to `values` where they
        are known.
    """
    size = values.shape[:2]
    weight = known
    weighted = values * weight[..., None]
    if factor > 1:
        small = cells(size, factor)
        weight, weighted = shrink(weight, small), shrink(weighted, small)
    levels: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    while True:
        average = np.divide(weighted, np.maximum(weight, 1e-6)[..., None], dtype=np.float32)
        trust = np.minimum(weight * (4 if levels or factor > 1 else 1), 1, dtype=np.float32)
        levels.append((average, trust[..., None]))
        if max(weight.shape) <= 2:
            break
        small = cells(weight.shape, 2)
        weight, weighted = shrink(trust, small), shrink(average * trust[..., None], small)
    filled = levels[-1][0]
    for average, part in reversed(levels[:-1]):
        filled = enlarge(filled, average.shape)
        filled += (average - filled) * part
    return enlarge(filled, size)


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


def _tiles(shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
    return [
        (slice(y, min(y + TILE, shape[0])), slice(x, min(x + TILE, shape[1])))
        for y in range(0, shape[0], TILE)
        for x in range(0, shape[1], TILE)
    ]
