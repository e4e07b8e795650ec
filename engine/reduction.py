"""Large pictures are solved at a fraction of their size: fields are smooth, frames alone need every pixel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .area import Area, mask_box
from .inputs import to_unit
from .motion import Speeds
from .resample import averaged, enlarge_planes
from .strokes import Stroke
from .threads import in_threads, threads_for

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

ENOUGH = 512
"""Pixels on the longer side of a part: so many it keeps. Repetitions are searched at less than half of that,
and registration sees the still itself where steps are short."""
MOST = 128
"""Pixels along a side that become one: so many are counted in a byte."""
NARROWEST = 24
"""Pixels on its shorter side, which it keeps as well."""
BAND = 128
"""Rows of the still that are reduced at a time."""
LEAST_SHARE = 1 / 400
"""Of the largest part; smaller ones have no say in how far a picture is reduced."""


@dataclass(frozen=True)
class Reduction:
    """What is solved.

    Parameters
    ----------
    still : (H, W, C) array
        At its own size: `shown` reduces what is looked at.
    box : Area
        Of the still's mask, at its own size.
    inside : (h, w) bool
    strokes : list of Stroke
    factor : int
        How many pixels of the still, along each axis, are one here; 1 leaves all as it is.
    """

    still: NDArray[Any]
    box: Area
    inside: Mask
    strokes: Sequence[Stroke]
    factor: int

    @classmethod
    def of(cls, still: NDArray[Any], inside: Mask, strokes: Sequence[Stroke]) -> Reduction:
        """Reduce a still, its mask and strokes as far as its parts allow, to a whole fraction."""
        box = mask_box(inside)
        factor = _factor(inside[box])
        if factor == 1:
            return cls(still, box, inside, strokes, 1)
        moved = [
            replace(stroke, points=(np.asarray(stroke.points) + 0.5) / factor - 0.5) for stroke in strokes
        ]
        return cls(still, box, _reduced_mask(inside, box, factor), moved, factor)

    def shown(self, area: Area) -> NDArray[Any]:
        """Reduce the still in an area of what is solved.

        Returns
        -------
        (rows, columns, C) array
        """
        values = self.unreduced(area)
        if self.factor == 1:
            return values
        rows, columns = (side.stop - side.start for side in area)
        smaller = np.empty((rows, columns, values.shape[2]), values.dtype)

        def reduce(band: slice) -> None:
            pixels = values[band.start * self.factor : band.stop * self.factor]
            smaller[band] = averaged(to_unit(pixels) if pixels.dtype.kind == "f" else pixels, self.factor)

        in_threads(reduce, _bands(rows, self.factor), threads_for(values.size))
        return smaller

    def unreduced(self, area: Area) -> NDArray[Any]:
        """Show the same at the still's own size."""
        return self.still[_enlarged(area, self.factor)]

    def moving(self, inside: Mask, moving: Mask) -> tuple[Mask, Area]:
        """Say which pixels of the still's mask move, and in which box, when it's known which move here."""
        import cv2

        if self.factor == 1:
            return moving, mask_box(moving)
        apart = cv2.dilate((self.inside & ~moving).view(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        apart &= ~moving
        if not apart.any():
            return inside, self.box
        whole = (slice(0, inside.shape[0]), slice(0, inside.shape[1]))
        mask = inside & (enlarge_planes([apart.astype(np.float32)], self.factor, whole, 1 / 2)[0] == 0)
        return mask, mask_box(mask)

    def speeds(self, speeds: Speeds, moving: Mask, box: Area) -> Speeds:
        """Give speeds over the box of what moves here for a box of the still."""
        if self.factor == 1 or speeds.shares is None:
            return speeds
        whole = np.zeros((len(speeds.turns), *moving.shape), np.float32)
        whole[(slice(None), *mask_box(moving))] = speeds.shares
        return replace(speeds, shares=enlarge_planes(list(whole), self.factor, box, 1 / 256))

    def follower(self, follower: tuple[int, int, int], inside: Mask) -> tuple[int, int, int]:
        """Find the pixel of the still's mask for one of a part's here."""
        x, y, stroke = follower
        block = inside[y * self.factor : (y + 1) * self.factor, x * self.factor : (x + 1) * self.factor]
        row, column = np.argwhere(block)[0]
        return x * self.factor + int(column), y * self.factor + int(row), stroke


def _enlarged(area: Area, factor: int) -> Area:
    rows, columns = (slice(side.start * factor, side.stop * factor) for side in area)
    return rows, columns


def _bands(rows: int, factor: int) -> Iterator[slice]:
    """Part so many rows of what is solved into slices whose pixels stay in the processor's cache."""
    step = max(1, BAND // factor)
    return (slice(first, min(first + step, rows)) for first in range(0, rows, step))


def _reduced_mask(inside: Mask, box: Area, factor: int) -> Mask:
    """Reduce a mask, which is in a box: half of a pixel, or more, has to be inside."""
    import cv2

    reduced = np.zeros((inside.shape[0] // factor, inside.shape[1] // factor), bool)
    rows, columns = (
        slice(side.start // factor, min(-(-side.stop // factor), size))
        for side, size in zip(box, reduced.shape, strict=True)
    )
    target, values = reduced[rows, columns], inside[_enlarged((rows, columns), factor)].view(np.uint8)
    counts = np.add.reduce(values.reshape(len(target), factor, -1), 1, dtype=np.uint8) * np.uint16(factor)
    # Their means along the rows are whole numbers: how many pixels are inside.
    target[:] = cv2.resize(counts, target.shape[::-1], interpolation=cv2.INTER_AREA) >= factor**2 / 2
    return reduced


def _factor(inside: Mask) -> int:
    """Say how far a picture may be reduced whose mask fills its box so."""
    import cv2

    most = min(MOST, 2 ** int(np.log2(max(1, max(inside.shape) / ENOUGH))))
    if most == 1:
        return 1
    coarse = np.ascontiguousarray(inside[::most, ::most]).view(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(coarse, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if not areas.size:
        return 1
    sides = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]][areas >= LEAST_SHARE * areas.max()] * most
    spare = min(sides.max(1).min() / ENOUGH, sides.min() / NARROWEST)
    return min(most, 2 ** int(np.log2(max(1, spare))))
