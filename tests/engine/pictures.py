"""Small periodic stills with known fields, for tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine import Loop

SIZE = (120, 160)
STEP = 20


def pattern(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values 0.05 to 0.95 that repeat every STEP pixels sideways."""
    return 0.5 + 0.3 * np.sin(2 * np.pi * x / STEP) + 0.15 * np.sin(2 * np.pi * y / 15)


def as_type(values: NDArray[np.float64], dtype: type, channels: int) -> NDArray[np.generic]:
    """Give values (H, W) a type and channels: floats go up to 3, alpha is opaque."""
    picture = np.repeat(values[..., None], channels, axis=2)
    if np.dtype(dtype).kind == "f":
        picture = picture * 3
        full = 1.0
    else:
        full = float(np.iinfo(dtype).max)
        picture = np.rint(picture * full)
    if channels == 4:
        picture[..., 3] = full
    return picture.astype(dtype)


def moved_pattern(phase: float, dtype: type, channels: int) -> NDArray[np.generic]:
    """Draw the still as it is after the pattern went right by a part of its step."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float64)
    return as_type(pattern(columns - phase * STEP, rows), dtype, channels)


def box_mask(top: int = 20, bottom: int = 100, left: int = 30, right: int = 120) -> NDArray[np.bool_]:
    mask = np.zeros(SIZE, bool)
    mask[top:bottom, left:right] = True
    return mask


def sideways(step: float = STEP) -> NDArray[np.float32]:
    field = np.zeros((*SIZE, 2), np.float32)
    field[..., 0] = step
    return field


def moving(still: NDArray[np.generic], mask: NDArray[np.bool_], step: float = STEP) -> Loop:
    return Loop.from_fields(still, mask, sideways(step), -sideways(step), confidence=1.0)
