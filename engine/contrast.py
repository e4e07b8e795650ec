"""The contrast that a blend loses where its two pictures differ in detail, and how to give it back.

Averaging two textures that have nothing to do with each other shrinks their deviations from the
local mean; by how much follows from their correlation alone. Dividing by that factor is the
histogram-preserving blend of by-example noise, made local: where the two pictures agree nothing
changes, where they don't the details keep their strength instead of fading at mid-loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .resample import cells, look_up_field, middles, sample, shrink
from .texture import Area, Texture, mask_box
from .threads import in_threads

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
COMPARISONS = 16
"""Places along the window's sigma at which details are compared: as close as the finest of them."""
POOLED = 4
"""Places whose comparisons are added up before a window is laid over them."""
FAINTEST = 3e-4
"""Of white; what deviates less is no detail."""
LENGTHS = 10_000
"""About as many pixels' steps tell what is typical."""
BAND_ROWS = 64
"""Rows whose luminance is found at once: they stay in the processor's cache."""


@dataclass(frozen=True)
class Contrast:
    """What the contrast-preserving blend needs beside the texture; both are smooth, and kept on cells.

    Parameters
    ----------
    lowpass : (rows, columns) float32
        The texture's luminance without its details, in the texture's units, over the whole texture.
    similarity : (rows, columns) float32, -0.2 to 1
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
    forward, inverse : (H, W, 2) float32
        Pixels of the still; or whole fractions of that size.
    """
    import cv2

    box = mask_box(mask)
    step = _typical_length(forward, mask, box)
    bright = luminance(texture.pixels)
    lowpass, _ = _smooth(bright, step * BAND)
    smooth, cell = _smooth(bright, max(step * COMPARED, FINEST))

    spacing = max(1, round(step * WINDOW / COMPARISONS))
    rows, columns = (middles(side, spacing, size) for side, size in zip(box, mask.shape, strict=True))
    places = np.ix_(rows, columns)
    details = []
    for field in (inverse, forward):
        move = look_up_field(field, rows, columns, mask.shape)
        x = move[..., 0] * np.float32(0.5) + (columns - texture.origin[0]).astype(np.float32)
        y = move[..., 1] * np.float32(0.5) + (rows - texture.origin[1]).astype(np.float32)[:, None]
        on_cells = [((at + np.float32(0.5)) / np.float32(cell) - np.float32(0.5)) for at in (x, y)]
        detail = sample(bright, x, y)
        detail -= sample(smooth, *on_cells)
        details.append(detail * mask[places] * np.float32(1 / texture.full))
    products = np.stack([details[0] * details[1], details[0] ** 2, details[1] ** 2], -1)
    pooled = shrink(products, cells(products.shape, POOLED))
    moments = cv2.GaussianBlur(pooled, (0, 0), max(step * WINDOW / spacing / POOLED, 1.0))
    moments = moments.reshape(pooled.shape)
    power = np.sqrt(moments[..., 1] * moments[..., 2])
    similarity = np.ones(power.shape, np.float32)  # where there is no detail there is nothing to give back
    np.divide(moments[..., 0], power, out=similarity, where=power > FAINTEST**2)
    return Contrast(lowpass, np.clip(similarity, LOWEST_SIMILARITY, 1))


def luminance(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Weigh (h, w, C) colors into one channel (Rec. 601), in their units; alpha isn't a color."""
    import cv2

    bright = np.empty(pixels.shape[:2], np.float32)
    code = {3: cv2.COLOR_RGB2GRAY, 4: cv2.COLOR_RGBA2GRAY}.get(pixels.shape[2])

    def weigh(first: int) -> None:
        rows = slice(first, first + BAND_ROWS)
        values = pixels[rows].astype(np.float32)
        if code is None:
            bright[rows] = values[..., 0]
        else:
            cv2.cvtColor(values, code, dst=bright[rows])

    in_threads(weigh, range(0, pixels.shape[0], BAND_ROWS))
    return bright


def _smooth(bright: NDArray[np.float32], sigma: float) -> tuple[NDArray[np.float32], int]:
    """Blur by a Gaussian on cells of which it's one to two wide; gives their side as well."""
    import cv2

    coarse, cell = bright, 1
    while 2 * cell <= sigma:  # by halves: OpenCV is several times faster at those
        coarse, cell = shrink(coarse, cells(coarse.shape, 2)), 2 * cell
    return np.asarray(cv2.GaussianBlur(coarse, (0, 0), sigma / cell), np.float32), cell


def _typical_length(field: NDArray[np.float32], mask: NDArray[np.bool_], box: Area) -> float:
    inside = mask[box]
    apart = max(1, int(np.sqrt(inside.size / LENGTHS)))
    if not inside[::apart, ::apart].any():
        apart = 1
    rows, columns = (np.arange(side.start, side.stop, apart) for side in box)
    moves = look_up_field(field, rows, columns, mask.shape)[inside[::apart, ::apart]]
    return float(np.median(np.hypot(moves[:, 0], moves[:, 1])))
