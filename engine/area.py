"""Areas of a picture: their rows and columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Area = tuple[slice, slice]
"""Rows and columns of a picture."""


def mask_box(mask: NDArray[np.bool_]) -> Area:
    """Bound the mask: the smallest rows and columns that hold all of it."""
    rows = np.flatnonzero(mask.any(1))
    columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def touched(mask: NDArray[np.bool_], cell: int) -> NDArray[np.bool_]:
    """Say which cells hold something of a mask, (rows, columns) bool; the last ones may reach beyond it."""
    for _ in range(2):  # rows, then columns
        found = mask[::cell].copy("K")
        for first in range(1, cell):
            others = mask[first::cell]
            found[: len(others)] |= others
        mask = found.T
    return mask


def tiles(shape: tuple[int, int], side: int) -> list[Area]:
    """Cover a picture with squares; the last ones may be smaller."""
    rows, columns = ([slice(at, min(at + side, size)) for at in range(0, size, side)] for size in shape)
    return [(row, column) for row in rows for column in columns]
