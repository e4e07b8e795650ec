"""The still continued beyond the mask, so that frames pull only pattern from there (3.2, figure 5)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .inputs import to_unit
from .resample import cells, enlarge, extrapolate, sample, shrink

Area = tuple[slice, slice]
"""Rows and columns of a picture."""

TILE = 64
"""Cells a side of what one thread works on at a time."""
COARSE_SIDE = 512
"""Cells; about the long side at which colors are extrapolated: they are smooth, full size only costs."""
BROAD = 8
"""Cells; the scale at which the continued pattern is matched to the still in light and color."""


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
    Each outer pixel takes what lies one repetition along the forward field, or along the inverse
    one, when that is inside the mask. Where neither is (beside the motion, and in corners narrower
    than a repetition) the mask's inside is mirrored at its border, or its colors extrapolated. The
    difference in light and color between this pulled pattern and the still at the mask's border is
    spread outwards as a smooth membrane, which is what a Poisson blend solves for (paper, 3.2).
    """
    canvas = _Canvas.around(mask, forward, inverse)
    known = _read_known(still, mask, canvas)
    coarse = known.coarser(canvas.cell)
    share = np.maximum(coarse.share, 1e-6)[..., None]
    base = extrapolate(np.divide(coarse.pixels, share, dtype=np.float32), coarse.share)

    mirror = _mirror(coarse.share)
    pulls = [canvas.coarse(field) for field in (forward, inverse)]
    whole = (slice(0, base.shape[0]), slice(0, base.shape[1]))
    pulled = coarse.pull(base, np.ones_like(coarse.share), whole, [*pulls, mirror])
    # What differs in detail is the pattern's own business: only light and color are made to meet.
    broad = cells(coarse.share.shape, BROAD)
    share = shrink(coarse.share, broad)
    difference = shrink(coarse.pixels - pulled * coarse.share[..., None], broad)
    np.divide(difference, np.maximum(share, 1e-6)[..., None], out=difference)
    membrane = extrapolate(difference, share)

    pixels, membrane = enlarge(base, canvas.shape), enlarge(membrane, canvas.shape)
    mirror = enlarge(mirror, canvas.shape) * np.float32(canvas.cell)

    def pull(tile: Area) -> None:
        lacking = 1 - known.share[tile]
        if lacking.any():
            pulls = [canvas.window(forward, tile), canvas.window(inverse, tile), mirror[tile]]
            pixels[tile] = known.pull(pixels[tile], lacking, tile, pulls) + membrane[tile]
            if still.dtype.kind != "f":
                np.clip(pixels[tile], 0, 1, out=pixels[tile])
        np.copyto(pixels[tile], known.pixels[tile], where=lacking[..., None] == 0)

    canvas.in_threads(pull)
    return Texture(pixels, (canvas.columns.start, canvas.rows.start))


@dataclass(frozen=True)
class _Canvas:
    """Where the texture lies on the still, in pixels that may be beyond its border, and in whole cells."""

    rows: slice
    columns: slice
    cell: int

    @classmethod
    def around(
        cls, mask: NDArray[np.bool_], forward: NDArray[np.float32], inverse: NDArray[np.float32]
    ) -> _Canvas:
        """Bound the mask and how far the fields lead out of it."""
        box = mask_box(mask)
        cell = max(1, 2 ** round(np.log2(max(side.stop - side.start for side in box) / COARSE_SIDE)))
        sides = []
        for side, (low, high) in zip(box, _reach(mask, box, forward, inverse), strict=True):
            start, stop = side.start + low, side.stop + high
            sides.append(slice(start, start + -(-(stop - start) // cell) * cell))
        return cls(sides[0], sides[1], cell)

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start

    def in_threads(self, work: Callable[[Area], None]) -> None:
        """Do the same for every tile of whole cells."""
        side = TILE * self.cell
        height, width = self.shape
        tiles = [
            (slice(y, min(y + side, height)), slice(x, min(x + side, width)))
            for y in range(0, height, side)
            for x in range(0, width, side)
        ]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(work, tiles))

    def window(self, array: NDArray[Any], tile: Area) -> NDArray[Any]:
        """Cut a tile out of an array of the still's size; beyond the still its border is repeated."""
        place = tuple(
            slice(part.start + side.start, part.stop + side.start)
            for part, side in zip(tile, (self.rows, self.columns), strict=True)
        )
        sizes = array.shape[:2]
        if all(side.start >= 0 and side.stop <= size for side, size in zip(place, sizes, strict=True)):
            return array[place]
        return array[np.ix_(*(_nearest(side, 1, size) for side, size in zip(place, sizes, strict=True)))]

    def coarse(self, field: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take a field of the still's size in the middle of every cell, in cells."""
        sides = zip((self.rows, self.columns), field.shape[:2], strict=True)
        middles = field[np.ix_(*(_nearest(side, self.cell, size) for side, size in sides))]
        return np.divide(middles, self.cell, dtype=np.float32)

    def on_still(self, tile: Area, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Say which pixels of a tile lie on the still."""
        rows = np.arange(tile[0].start, tile[0].stop) + self.rows.start
        columns = np.arange(tile[1].start, tile[1].stop) + self.columns.start
        inside: NDArray[np.bool_] = np.logical_and.outer(
            (rows >= 0) & (rows < shape[0]), (columns >= 0) & (columns < shape[1])
        )
        return inside


@dataclass(frozen=True)
class _Known:
    """What is known of a canvas: each pixel's share (0 to 1), and its color times that."""

    pixels: NDArray[np.float32]
    share: NDArray[np.float32]

    def coarser(self, cell: int) -> _Known:
        """Average to cells."""
        size = cells(self.share.shape, cell)
        return _Known(shrink(self.pixels, size), shrink(self.share, size))

    def pull(
        self,
        base: NDArray[np.float32],
        lacking: NDArray[np.float32],
        tile: Area,
        pulls: list[NDArray[np.float32]],
    ) -> NDArray[np.float32]:
        """Color what a tile lacks by what the pulls lead to, the first that is known, or by the base."""
        columns = np.arange(tile[1].start, tile[1].stop, dtype=np.float32)
        rows = np.arange(tile[0].start, tile[0].stop, dtype=np.float32)[:, None]
        result = np.zeros_like(base)
        for pull in pulls:
            place = pull.copy()
            place[..., 0] += columns
            place[..., 1] += rows
            result += sample(self.pixels, place) * lacking[..., None]
            lacking = lacking * (1 - sample(self.share, place))
            if not lacking.any():
                return result
        return result + base * lacking[..., None]


def _mirror(known: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lead each unknown pixel as far into the mask as it lies outside, through the nearest known one."""
    import cv2

    unknown = (known < 0.5).astype(np.uint8)
    if unknown.all():
        return np.zeros((*known.shape, 2), np.float32)
    labels = cv2.distanceTransformWithLabels(
        unknown, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )[1]
    rows, columns = np.nonzero(unknown == 0)
    nearest = np.zeros((int(labels.max()) + 1, 2), np.float32)
    nearest[labels[rows, columns]] = np.stack([columns, rows], -1)
    here = np.stack(np.meshgrid(np.arange(known.shape[1]), np.arange(known.shape[0])), -1)
    ragged = np.asarray(2 * (nearest[labels] - here), np.float32)
    return np.asarray(cv2.GaussianBlur(ragged, (0, 0), 6), np.float32)


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


def _nearest(side: slice, cell: int, size: int) -> NDArray[np.intp]:
    """Index the middle of each cell of a side, or what is nearest to it on the still."""
    return np.clip(np.arange(side.start + cell // 2, side.stop, cell), 0, size - 1)


def _read_known(still: NDArray[Any], mask: NDArray[np.bool_], canvas: _Canvas) -> _Known:
    """Copy what is inside the mask and finite to the canvas."""
    pixels = np.zeros((*canvas.shape, still.shape[2]), np.float32)
    share = np.zeros(canvas.shape, np.float32)

    def read(tile: Area) -> None:
        inside = canvas.window(mask, tile) & canvas.on_still(tile, mask.shape)
        if inside.any():
            values = canvas.window(still, tile)
            if still.dtype.kind == "f":
                inside = inside & np.isfinite(values).all(2)
            np.copyto(pixels[tile], _premultiplied(values), where=inside[..., None])
            share[tile] = inside

    canvas.in_threads(read)
    return _Known(pixels, share)


def _premultiplied(still: NDArray[Any]) -> NDArray[np.float32]:
    unit = to_unit(still)
    if still.shape[2] == 4 and still.dtype.kind != "f":
        unit[..., :3] *= unit[..., 3:]
    return unit
