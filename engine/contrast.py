"""The contrast that a blend loses where its two pictures differ in detail, and how to give it back.

Averaging two textures that have nothing to do with each other shrinks their deviations from the
local mean; by how much follows from their correlation alone. Dividing by that factor is the
histogram-preserving blend of by-example noise, made local: where the two pictures agree nothing
changes, where they don't the details keep their strength instead of fading at mid-loop.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .resample import cells, enlarge, sample, shrink
from .texture import Texture, mask_box

LOWEST_SIMILARITY = -0.2
"""Below it the gain would exceed 1.6 and show as overshoot."""
BAND = 1 / 8
"""Of a step; what is finer is given its strength back. Coarser forms agree, or show as they are."""
COMPARED = 1 / 32
"""Of a step; what is finer is compared. The finest details agree least, and are what blurs first."""
FINEST = 1.5
"""Pixels; what is finer still is noise."""
WINDOW = 1 / 2
"""Of a step; how far around a pixel details are compared."""
STRIPE = 16
"""Rows of cells that are compared at once."""


@dataclass(frozen=True)
class Contrast:
    """What the contrast-preserving blend needs beside the texture.

    Parameters
    ----------
    lowpass : (h, w) float32
        The texture's luminance without its details.
    similarity : (hb, wb) float32, -0.2 to 1
        Correlation of the two warped pictures' details at mid-loop, over the mask's bounding box.
    """

    lowpass: NDArray[np.float32]
    similarity: NDArray[np.float32]


def boost(similarity: NDArray[np.float32], phase: float) -> NDArray[np.float32]:
    """Say by how much a blend's details have to grow at a phase; 0 leaves them as they are.

    Parameters
    ----------
    similarity : float32 array, -0.2 to 1
    phase : float, 0 to 1

    Returns
    -------
    float32 array
        The blend is ``v + (v - mean) * boost``.
    """
    kept = (1 - phase) ** 2 + phase**2 + 2 * phase * (1 - phase) * similarity
    return np.asarray(1 / np.sqrt(kept) - 1, np.float32)


def measure_contrast(
    texture: Texture, mask: NDArray[np.bool_], forward: NDArray[np.float32], inverse: NDArray[np.float32]
) -> Contrast:
    """Split the texture into low-pass and details and compare the details that mid-loop blends.

    Parameters
    ----------
    texture : Texture
    mask : (H, W) bool
    forward, inverse : (hb, wb, 2) float32
        Pixels, over the mask's bounding box.
    """
    import cv2

    box = mask_box(mask)
    inside = mask[box]
    step = _typical_length(forward, inside)
    cell = _cell(step / 4)
    bright = luminance(texture.pixels)
    lowpass = _smooth(bright, step * BAND)
    detail = bright - _smooth(bright, max(step * COMPARED, FINEST))

    size = cells(inside.shape, cell)
    products = np.zeros((*size, 3), np.float32)
    columns = np.arange(inside.shape[1], dtype=np.float32) + np.float32(box[1].start - texture.origin[0])

    def compare(first: int) -> None:
        part = slice(first, first + STRIPE)
        rows = slice(first * cell, min((first + STRIPE) * cell, inside.shape[0]))
        lines = np.arange(rows.start, rows.stop, dtype=np.float32) + np.float32(
            box[0].start - texture.origin[1]
        )
        warped = []
        for field in (inverse, forward):
            place = field[rows] * np.float32(0.5)
            place[..., 0] += columns
            place[..., 1] += lines[:, None]
            warped.append(sample(detail, place) * inside[rows])
        pairs = np.stack([warped[0] * warped[1], warped[0] ** 2, warped[1] ** 2], -1)
        products[part] = shrink(pairs, products[part].shape[:2])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(compare, range(0, size[0], STRIPE)))
    moments = cv2.GaussianBlur(products, (0, 0), max(step * WINDOW / cell, 1.0)).reshape(products.shape)
    power = np.sqrt(moments[..., 1] * moments[..., 2])
    similarity = np.ones(size, np.float32)  # where there is no detail there is nothing to give back
    np.divide(moments[..., 0], power, out=similarity, where=power > 1e-7)
    return Contrast(lowpass, enlarge(np.clip(similarity, LOWEST_SIMILARITY, 1), inside.shape))


def luminance(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weigh (h, w, C) colors into one channel (Rec. 601); alpha isn't a color."""
    import cv2

    if pixels.shape[2] == 1:
        return pixels[..., 0]
    weights = np.array([[0.299, 0.587, 0.114] + [0.0] * (pixels.shape[2] - 3)], np.float32)
    return np.asarray(cv2.transform(pixels, weights), np.float32)


def _smooth(bright: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Blur by a Gaussian, at a scale where it's a few cells wide."""
    import cv2

    cell = _cell(sigma)
    coarse = shrink(bright, cells(bright.shape, cell)) if cell > 1 else bright
    return enlarge(np.asarray(cv2.GaussianBlur(coarse, (0, 0), sigma / cell), np.float32), bright.shape)


def _cell(sigma: float) -> int:
    """Pick the cells on which a blur is two to four cells wide."""
    return int(2 ** max(0, np.floor(np.log2(sigma / 2)))) if sigma > 2 else 1


def _typical_length(field: NDArray[np.float32], inside: NDArray[np.bool_]) -> float:
    places = np.flatnonzero(inside)
    rows, columns = np.divmod(places[:: max(1, places.size // 10_000)], inside.shape[1])
    return float(np.median(np.hypot(*field[rows, columns].T)))
