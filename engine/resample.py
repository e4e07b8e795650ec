"""Pictures at other sizes and places: averaged, interpolated, looked up, filled where nothing is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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


def sample(pixels: NDArray[np.float32], place: NDArray[np.float32]) -> NDArray[np.float32]:
    """Look up (h, w, C) pixels at (n, m, 2) places (x, y), bilinearly; the border goes on for ever."""
    import cv2

    looked_up = cv2.remap(pixels, place, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(looked_up, np.float32).reshape(*place.shape[:2], *pixels.shape[2:])
