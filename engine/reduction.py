"""Large pictures are solved at a fraction of their size: fields are smooth, frames alone need every pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .inputs import to_unit
from .motion import Speeds
from .resample import enlarge_planes
from .strokes import Stroke
from .texture import Area, mask_box

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

ENOUGH = 512
"""Pixels on the longer side of a part: so many it keeps. Repetitions are searched at less than half of that,
and registration sees the still itself where steps are short."""
NARROWEST = 24
"""Pixels on its shorter side, which it keeps as well."""
LEAST_SHARE = 1 / 400
"""Of the largest part; smaller ones have no say in how far a picture is reduced."""


@dataclass(frozen=True)
class Reduction:
    """What is solved.

    Parameters
    ----------
    still : (h, w, C) array
    inside : (h, w) bool
    strokes : list of Stroke
    factor : int
        How many pixels of the still, along each axis, are one here; 1 leaves all as it is.
    """

    still: NDArray[Any]
    inside: Mask
    strokes: Sequence[Stroke]
    factor: int

    @classmethod
    def of(cls, still: NDArray[Any], inside: Mask, strokes: Sequence[Stroke]) -> Reduction:
        """Reduce a still, its mask and strokes as far as its parts allow, to a whole fraction."""
        import cv2

        factor = _factor(inside)
        if factor == 1:
            return cls(still, inside, strokes, 1)
        rows, columns = (side // factor for side in inside.shape)
        whole = (slice(0, rows * factor), slice(0, columns * factor))  # at most a few pixels are left over
        pixels = to_unit(still[whole]) if still.dtype.kind == "f" else still[whole]
        size = (columns, rows)
        smaller = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).reshape(
            rows, columns, still.shape[2]
        )
        share = cv2.resize(
            np.where(inside[whole], np.uint8(255), np.uint8(0)), size, interpolation=cv2.INTER_AREA
        )
        moved = [
            replace(stroke, points=(np.asarray(stroke.points) + 0.5) / factor - 0.5) for stroke in strokes
        ]
        return cls(smaller.reshape(rows, columns, still.shape[2]), share > 127, moved, factor)

    def moving(self, inside: Mask, moving: Mask) -> Mask:
        """Say which pixels of the still's mask move, when it's known which move here."""
        import cv2

        if self.factor == 1:
            return moving
        apart = cv2.dilate((self.inside & ~moving).view(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        apart &= ~moving
        if not apart.any():
            return inside
        whole = (slice(0, inside.shape[0]), slice(0, inside.shape[1]))
        return inside & (enlarge_planes([apart.astype(np.float32)], self.factor, whole, 1 / 2)[0] == 0)

    def speeds(self, speeds: Speeds, moving: Mask, area: Area) -> Speeds:
        """Give speeds over the box of what moves here for the box of what moves in the still."""
        if self.factor == 1 or speeds.shares is None:
            return speeds
        whole = np.zeros((len(speeds.turns), *moving.shape), np.float32)
        whole[(slice(None), *mask_box(moving))] = speeds.shares
        return replace(speeds, shares=enlarge_planes(list(whole), self.factor, area, 1 / 256))

    def follower(self, follower: tuple[int, int, int], inside: Mask) -> tuple[int, int, int]:
        """Find the pixel of the still's mask for one of a part's here."""
        x, y, stroke = follower
        block = inside[y * self.factor : (y + 1) * self.factor, x * self.factor : (x + 1) * self.factor]
        row, column = np.argwhere(block)[0]
        return x * self.factor + int(column), y * self.factor + int(row), stroke


def _factor(inside: Mask) -> int:
    import cv2

    box = mask_box(inside)
    most = 2 ** int(np.log2(max(1, max(side.stop - side.start for side in box) / ENOUGH)))
    if most == 1:
        return 1
    coarse = np.ascontiguousarray(inside[box][::most, ::most]).view(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(coarse, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if not areas.size:
        return 1
    sides = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]][areas >= LEAST_SHARE * areas.max()] * most
    spare = min(sides.max(1).min() / ENOUGH, sides.min() / NARROWEST)
    return min(most, 2 ** int(np.log2(max(1, spare))))
