"""The contrast that a blend loses where its two pictures differ in detail, and how to give it back.

Averaging two textures that have nothing to do with each other shrinks their deviations from the
local mean; by how much follows from their correlation alone. Dividing by that factor is the
histogram-preserving blend of by-example noise, made local: where the two pictures agree nothing
changes, where they don't the details keep their strength instead of fading at mid-loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .area import Area
from .resample import cells, look_up_field, middles, sample, shrink
from .texture import Texture
from .threads import in_threads, threads_for

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
COMPARISONS = 12
"""Places along the window's sigma at which details are compared: closer than the finest of them are wide."""
POOLED = 4
"""Places whose comparisons are added up before a window is laid over them."""
MOST = 98
"""Percent of the mask's pixels of a float still that aren't lamps or glints."""
GLARE = 2
"""By how much lamps are brighter than these."""
FAINTEST = 3e-4
"""Of white; what deviates less is no detail."""
LENGTHS = 10_000
"""About as many pixels' steps tell what is typical."""
LEAST_WEIGHT = 1e-3
"""Of what a blur adds up; less is too far from all that is seen to matter."""
BAND_ROWS = 64
"""Rows whose luminance is found at once: they stay in the processor's cache."""
PLACES = 16_384
"""Compared at once, for the same reason."""


@dataclass(frozen=True)
class Contrast:
    """What the contrast-preserving blend needs beside the texture; both are smooth, and kept on cells.

    Parameters
    ----------
    lowpass : (rows, columns) float32
        The texture's luminance without its details, in the texture's units, over the whole texture.
    similarity : (rows, columns) float32, -0.2 to 1
        Correlation of the two warped pictures' details at mid-loop, over the mask's bounding box.
    ceiling : float
        The luminance above which light isn't detail but a lamp or a glint, in the texture's units: what is
        above it is warped and blended, but neither told from its surroundings nor made stronger.
    """

    lowpass: NDArray[np.float32]
    similarity: NDArray[np.float32]
    ceiling: float = np.inf


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
    texture: Texture,
    held: NDArray[np.bool_],
    mask: NDArray[np.bool_],
    box: Area,
    forward: NDArray[np.float32],
    inverse: NDArray[np.float32],
) -> Contrast:
    """Split the texture into low-pass and details and compare the details that mid-loop blends.

    Parameters
    ----------
    texture : Texture
    held : (rows, columns) bool
        Which of its cells hold anything.
    mask : (H, W) bool
    box : Area
        The mask's.
    forward, inverse : (H, W, 2) float32
        Pixels of the still; or whole fractions of that size.
    """
    import cv2

    step = _typical_length(forward, mask, box)
    finest = max(step * COMPARED, FINEST)
    cell = _halved(1, finest)
    ceiling = _ceiling(texture, mask, box)
    bright = _bright_cells(texture.pixels, cell, ceiling)
    details = _Details.of(texture, bright, held, cell, finest, ceiling)
    spacing = max(1, round(step * WINDOW / COMPARISONS))
    pooled = _compared(details, mask, box, (inverse, forward), spacing)
    moments = cv2.GaussianBlur(pooled, (0, 0), max(step * WINDOW / spacing / POOLED, 1.0))
    moments = moments.reshape(pooled.shape)
    power = np.sqrt(moments[..., 1]) * np.sqrt(moments[..., 2])  # apart: squares of large floats overflow
    similarity = np.ones(power.shape, np.float32)  # where there is no detail there is nothing to give back
    np.divide(moments[..., 0], power, out=similarity, where=power > FAINTEST**2)
    similarity = _over_box(np.clip(similarity, LOWEST_SIMILARITY, 1), box, spacing * POOLED)
    return Contrast(_smooth(bright, held, cell, step * BAND), similarity, ceiling)


def luminance(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Weigh (h, w, C) colors into one channel (Rec. 601), in their units; alpha isn't a color."""
    import cv2

    values = pixels.astype(np.float32)
    if pixels.shape[2] == 1:
        return values[..., 0]
    code = cv2.COLOR_RGB2GRAY if pixels.shape[2] == 3 else cv2.COLOR_RGBA2GRAY
    return np.asarray(cv2.cvtColor(values, code), np.float32)


@dataclass(frozen=True)
class _Details:
    """What is finer in a texture than its smooth luminance.

    Parameters
    ----------
    texture : Texture
    smooth : (rows, columns) float32
        Its luminance without details on cells, in its units.
    fine : (h, w) float32, optional
        The details of every pixel, where cells are pixels.
    ceiling : float
        `Contrast.ceiling`.
    """

    texture: Texture
    smooth: NDArray[np.float32]
    fine: NDArray[np.float32] | None
    ceiling: float

    @classmethod
    def of(
        cls,
        texture: Texture,
        bright: NDArray[np.float32],
        held: NDArray[np.bool_],
        cell: int,
        sigma: float,
        ceiling: float,
    ) -> _Details:
        """Take the luminance on cells without what is wider than a Gaussian."""
        smooth = _smooth(bright, held, cell, sigma)
        return cls(texture, smooth, bright - smooth if cell == 1 else None, ceiling)

    def at(self, x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
        """Look it up at (n, m) places on the texture; white is 1."""
        white = np.float32(1 / self.texture.full)
        if self.fine is not None:
            return sample(self.fine, x, y) * white
        # Places are far apart: there are less of them than pixels.
        pixels = self.texture.pixels
        x_on_cells, y_on_cells = (
            (at + np.float32(0.5)) * np.float32(few / many) - np.float32(0.5)
            for at, few, many in zip((x, y), self.smooth.shape[::-1], pixels.shape[1::-1], strict=True)
        )
        bright = below(luminance(sample(pixels, x, y)), self.ceiling)
        return (bright - sample(self.smooth, x_on_cells, y_on_cells)) * white


def _compared(
    details: _Details,
    mask: NDArray[np.bool_],
    box: Area,
    fields: tuple[NDArray[np.float32], NDArray[np.float32]],
    spacing: int,
) -> NDArray[np.float32]:
    """Multiply the details that mid-loop blends: with each other, and each with itself.

    Returns
    -------
    (rows, columns, 3) float32
        Means over pools of places, which are about so many pixels apart; outside the mask nothing counts.
    """
    rows, columns = (
        middles(_in_pools(side, spacing), spacing, size) for side, size in zip(box, mask.shape, strict=True)
    )
    pooled = np.empty((len(rows) // POOLED, len(columns) // POOLED, 3), np.float32)
    band = max(1, PLACES // (len(columns) * POOLED))
    left, top = details.texture.origin

    def compare(first: int) -> None:
        part = pooled[first : first + band]
        row = rows[first * POOLED :][: len(part) * POOLED]
        inside, found = mask[row].take(columns, 1), []
        for field in fields:
            move = look_up_field(field, row, columns, mask.shape)
            x = move[..., 0] * np.float32(0.5) + (columns - left).astype(np.float32)
            y = move[..., 1] * np.float32(0.5) + (row - top).astype(np.float32)[:, None]
            found.append(details.at(x, y) * inside)
        for kind, (one, other) in enumerate(((0, 1), (0, 0), (1, 1))):
            part[..., kind] = shrink(found[one] * found[other], part.shape[:2])

    in_threads(compare, range(0, len(pooled), band), threads_for(len(rows) * len(columns)))
    return pooled


def _in_pools(side: slice, spacing: int) -> slice:
    """Lengthen a side to whole pools of places."""
    pool = spacing * POOLED
    return slice(side.start, side.start + -(-(side.stop - side.start) // pool) * pool)


def _over_box(pools: NDArray[np.float32], box: Area, pool: int) -> NDArray[np.float32]:
    """Spread pools of so many pixels, the last of which reach beyond a box, evenly over it."""
    rows, columns = (
        ((np.arange(count) + 0.5) * ((side.stop - side.start) / (count * pool)) - 0.5).astype(np.float32)
        for side, count in zip(box, pools.shape, strict=True)
    )
    return np.asarray(sample(pools, *np.meshgrid(columns, rows)), np.float32)


def below(bright: NDArray[np.float32], ceiling: float) -> NDArray[np.float32]:
    """Lower luminance to a ceiling, if there is one."""
    return bright if np.isinf(ceiling) else np.minimum(bright, np.float32(ceiling))


def _ceiling(texture: Texture, mask: NDArray[np.bool_], box: Area) -> float:
    """Find the luminance from which on floats show lamps; white of integers is too close to the rest."""
    if texture.pixels.dtype.kind != "f":
        return np.inf
    inside = mask[box]
    apart = max(1, int(np.sqrt(np.count_nonzero(inside) / LENGTHS)))
    sparse = inside[::apart, ::apart]
    if not sparse.any():
        return np.inf
    bright = luminance(texture.pixels[texture.place(box)][::apart, ::apart])[sparse]
    ceiling = GLARE * float(np.percentile(bright, MOST))
    return ceiling if ceiling > 0 else np.inf


def _bright_cells(pixels: NDArray[Any], cell: int, ceiling: float) -> NDArray[np.float32]:
    """Average the luminance of (h, w, C) pixels, up to a ceiling, on cells, whose side is a power of two."""
    import cv2

    height, width = pixels.shape[:2]
    exact = gcd(height, width, cell)
    bright = np.empty((height // exact, width // exact), np.float32)
    band = max(1, BAND_ROWS // exact)

    def weigh(first: int) -> None:
        part = bright[first : first + band]
        values = pixels[first * exact : (first + len(part)) * exact]
        if exact > 1:
            half = width // 2, values.shape[0] // 2
            values = cv2.resize(values, half, interpolation=cv2.INTER_AREA).reshape(*half[::-1], -1)
        weighed = below(luminance(values), ceiling)
        while weighed.shape != part.shape:
            weighed = shrink(weighed, cells(weighed.shape, 2))
        part[:] = weighed

    in_threads(weigh, range(0, len(bright), band), threads_for(height * width))
    return _on_cells(bright, exact, cell)


def _halved(cell: int, sigma: float) -> int:
    """Say on cells of which side a Gaussian is drawn: it's one to two of them wide, or narrow already."""
    while 2 * cell <= sigma:
        cell *= 2
    return cell


def _on_cells(bright: NDArray[np.float32], cell: int, wanted: int) -> NDArray[np.float32]:
    """Go on to cells of a power of two times the side, by halves: OpenCV is several times faster at those."""
    while cell < wanted:
        bright, cell = shrink(bright, cells(bright.shape, 2)), 2 * cell
    return bright


def _smooth(
    bright: NDArray[np.float32], held: NDArray[np.bool_], cell: int, sigma: float
) -> NDArray[np.float32]:
    """Blur luminance on cells by a Gaussian, in pixels, on cells of which it's one to two wide.

    Where the texture holds nothing it isn't dark: that has no weight.
    """
    import cv2

    wanted = _halved(cell, sigma)
    lit = _on_cells(bright, cell, wanted)
    weight = cv2.resize(held.astype(np.float32), lit.shape[::-1], interpolation=cv2.INTER_AREA)
    smooth, weight = (cv2.GaussianBlur(one, (0, 0), sigma / wanted) for one in (lit, weight))
    return np.asarray(smooth / np.maximum(weight, np.float32(LEAST_WEIGHT)), np.float32)


def _typical_length(field: NDArray[np.float32], mask: NDArray[np.bool_], box: Area) -> float:
    inside = mask[box]
    apart = max(1, int(np.sqrt(inside.size / LENGTHS)))
    if not inside[::apart, ::apart].any():
        apart = 1
    rows, columns = (np.arange(side.start, side.stop, apart) for side in box)
    moves = look_up_field(field, rows, columns, mask.shape)[inside[::apart, ::apart]]
    return float(np.median(np.hypot(moves[:, 0], moves[:, 1])))
