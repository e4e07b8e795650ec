"""How pixels move during one turn of the loop: their paths and speeds (3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .area import Area
from .resample import cells_around, cut_cells, enlarge, enlarge_cells, sample

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

GRID = 1 / 64
"""Pixels, to which paths are rounded: finer than what one could see, and saved loops compress well."""


@dataclass(frozen=True)
class Path:
    """Where pixels come from, or go to, in one repetition: known in the middles of cells, linear between.

    Parameters
    ----------
    move : (rows, columns, 2) float32
        Pixels (x right, y down) to the end of the path.
    bend : (rows, columns, 2) float32, optional
        Four times what the middle of a curved path lies off the straight one; None where all are straight.
    cell : int
        Pixels along a cell's side; where it's 1 each pixel has its own.
    start : (row, column)
        The first cell's first pixel, counted from that of the mask's box.
    """

    move: Floats
    bend: Floats | None = None
    cell: int = 1
    start: tuple[int, int] = (0, 0)

    @classmethod
    def over(cls, box: Area, factor: int, move: Floats, bend: Floats | None) -> Path:
        """Take what a box of the still needs of fields of its size, or a whole fraction of that."""
        cells, _ = cells_around(box, factor)
        rows, columns = (side.start * factor - pixels.start for side, pixels in zip(cells, box, strict=True))
        return cls(
            _rounded(move, cells), None if bend is None else _rounded(bend, cells), factor, (rows, columns)
        )

    def around(self, area: Area) -> tuple[Area, Area]:
        """Say which cells an area of the mask's box lies between, and where it is in them, enlarged."""
        rows, columns = (
            slice(side.start - first, side.stop - first) for side, first in zip(area, self.start, strict=True)
        )
        return cells_around((rows, columns), self.cell)

    def dense(self, shape: tuple[int, ...]) -> Path:
        """Give each pixel of a mask's box of a shape its own."""
        if self.cell == 1 and self.start == (0, 0):
            return self
        cells, inner = self.around((slice(0, shape[0]), slice(0, shape[1])))

        def enlarged(field: Floats) -> Floats:
            return as_planes([enlarge_cells(field[..., axis][cells], self.cell, inner) for axis in (0, 1)])

        return Path(enlarged(self.move), None if self.bend is None else enlarged(self.bend))

    def over_box(self, cells: Floats, shape: tuple[int, ...]) -> Floats:
        """Take what its (rows, columns) cells have on an even grid over a mask's box, about as fine."""
        if self.cell == 1 and self.start == (0, 0):
            return cells
        rows, columns = (
            (((np.arange(count) + 0.5) * (side / count) - (self.cell / 2 + first)) / self.cell).astype(
                np.float32
            )
            for count, side, first in zip(
                (-(-side // self.cell) for side in shape), shape, self.start, strict=True
            )
        )
        return np.asarray(sample(cells, *np.meshgrid(columns, rows)), np.float32)

    def finer(self, longest: float) -> Path:
        """Know it in cells whose sides, halved as often as need be, aren't longer than that."""
        cell = self.cell
        while cell > max(1, longest) and cell % 2 == 0:
            cell //= 2
        if cell == self.cell:
            return self
        rows, columns = (side * (self.cell // cell) for side in self.move.shape[:2])

        def enlarged(field: Floats) -> Floats:
            return as_planes([enlarge(field[..., axis], (rows, columns)) for axis in (0, 1)])

        return Path(enlarged(self.move), None if self.bend is None else enlarged(self.bend), cell, self.start)

    def shortened(self, share: Floats) -> Path:
        """Let each pixel, or cell, go a (h, w) share of its path only, and take the same time for it."""
        share = share[..., None]
        if self.bend is None:
            return replace(self, move=self.move * share)
        move = self.move * share + self.bend * (share * (1 - share))
        return replace(self, move=move, bend=self.bend * share**2)


@dataclass(frozen=True)
class Speeds:
    """How often pixels go along their paths in one turn of the loop.

    Parameters
    ----------
    turns : tuple of int
        Every speed there is; negative ones go back.
    shares : (speeds, h, w) float32 or None
        How much of each pixel's picture moves at each speed, 1 in all; None where all move alike.
    """

    turns: tuple[int, ...] = (1,)
    shares: Floats | None = None


def repeated(path: Path, turns: int) -> Floats:
    """Follow every pixel's path several times, (h, w, 2): what it's moved by in all."""
    import cv2

    height, width = path.move.shape[:2]
    columns, rows = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    moved = path.move.copy()
    for _ in range(turns - 1):
        place = moved + np.stack(np.broadcast_arrays(columns, rows), -1)
        moved += cv2.remap(path.move, place, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return moved


def mixed_speeds(turns: NDArray[np.int8], inside: NDArray[np.bool_], sigma: float) -> Speeds:
    """Let one speed pass into another where they meet.

    Parameters
    ----------
    turns : (h, w) int8
        Of each pixel.
    inside : (h, w) bool
    sigma : float
        Pixels; half the width of the passage.
    """
    import cv2

    speeds = tuple(int(speed) for speed in np.unique(turns[inside]))
    if len(speeds) == 1:
        return Speeds(speeds)
    weight = np.maximum(cv2.GaussianBlur(inside.astype(np.float32), (0, 0), sigma), 1e-6)
    there = [((turns == speed) & inside).astype(np.float32) for speed in speeds]
    shares = np.stack([cv2.GaussianBlur(one, (0, 0), sigma) / weight for one in there])
    shares = np.rint(np.clip(shares, 0, 1) * 256) / 256
    shares[0] = 1 - shares[1:].sum(0)
    return Speeds(speeds, shares.astype(np.float32))


def as_planes(sides: Sequence[Floats]) -> Floats:
    """Put x and y together as (h, w, 2) so that each lies in one piece, as look-ups take them."""
    return np.moveaxis(np.stack(sides), 0, -1)


def _rounded(field: Floats, cells: Area) -> Floats:
    planes = as_planes([cut_cells(field[..., axis], cells, straight=True) for axis in (0, 1)])
    planes *= np.float32(1 / GRID)
    np.rint(planes, out=planes)
    planes *= np.float32(GRID)
    return planes
