"""The contrast that a blend loses where its two pictures differ in detail, and how to give it back.

Averaging two textures that have nothing to do with each other shrinks their deviations from the
local mean; by how much follows from their correlation alone. Dividing by that factor is the
histogram-preserving blend of by-example noise, made local: where the two pictures agree nothing
changes, where they don't the details keep their strength instead of fading at mid-loop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .texture import Texture, cells, enlarge, extrapolate, mask_box, shrink

LOWEST_SIMILARITY = -0.2
"""Below it the gain would exceed 1.6 and show as overshoot."""


@dataclass(frozen=True)
class Contrast:
    """What the contrast-preserving blend needs beside the texture.

    Parameters
    ----------
    lowpass : (h / cell, w / cell, C) float32
        The texture without its details, over the texture's canvas.
    similarity : (hb / cell, wb / cell) float32, -0.2 to 1
        Correlation of the two warped pictures' details at mid-loop, over the mask's bounding box.
    cell : int, pixels
        What one pixel of the two maps covers.
    """

    lowpass: NDArray[np.float32]
    similarity: NDArray[np.float32]
    cell: int


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
    forward, inverse : (H, W, 2) float32
        Pixels, right inside the mask.
    """
    import cv2

    box = mask_box(mask)
    inside = mask[box]
    step = float(np.median(np.hypot(*np.moveaxis(forward[box][inside], 1, 0))))
    cell = 1
    while cell * 16 < step:  # a quarter step is then two to four cells
        cell *= 2
    small = shrink(texture.pixels, cells(texture.pixels.shape, cell))
    blurred = cv2.GaussianBlur(small, (0, 0), max(step / 4 / cell, 1.0))
    lowpass = np.asarray(blurred, np.float32).reshape(small.shape)
    detail = texture.pixels - enlarge(lowpass, texture.pixels.shape)
    if detail.shape[2] > 1:
        detail = detail[..., :3] @ np.full((3, 1), 1 / 3, np.float32)

    warped = []
    for field in (inverse, forward):
        place = field[box] * np.float32(0.5)
        place[..., 0] += np.arange(box[1].start, box[1].stop, dtype=np.float32) - texture.origin[0]
        place[..., 1] += np.arange(box[0].start, box[0].stop, dtype=np.float32)[:, None] - texture.origin[1]
        warped.append(cv2.remap(detail, place, None, cv2.INTER_LINEAR))  # type: ignore[call-overload]
    first, second = warped
    size = cells(inside.shape, cell)
    weight = inside.astype(np.float32)
    products = np.stack([first * second, first * first, second * second], -1) * weight[..., None]
    window = max(step / 2 / cell, 1.0)
    moments = cv2.GaussianBlur(shrink(products, size), (0, 0), window)
    share = cv2.GaussianBlur(shrink(weight, size), (0, 0), window)
    power = np.sqrt(moments[..., 1] * moments[..., 2])
    similarity = moments[..., 0] / np.maximum(power, 1e-9)
    similarity[power < 1e-6 * np.maximum(share, 1e-6)] = 1  # nothing there to give back
    return Contrast(lowpass, np.clip(similarity, LOWEST_SIMILARITY, 1).astype(np.float32), cell)


def coarse_field(field: NDArray[np.float32], inside: NDArray[np.bool_], cell: int) -> NDArray[np.float32]:
    """Average a field that is 0 outside the mask over cells, continued smoothly past the mask's edge."""
    size = cells(inside.shape, cell)
    weight = shrink(inside.astype(np.float32), size)
    average = np.divide(shrink(field, size), np.maximum(weight, 1e-6)[..., None], dtype=np.float32)
    return extrapolate(average, np.minimum(weight * cell, 1, dtype=np.float32), 1)
