"""What frames are looked up in: the texture at twice its size, with its low-pass."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .contrast import Contrast, luminance
from .resample import enlarge
from .spline import doubled
from .texture import Texture
from .threads import in_threads, threads_for

Floats = NDArray[np.float32]
Sheets = tuple[NDArray[Any], ...]
"""Colors, and alpha if any, at twice the texture's size: see `draw_sheets`."""

_Stretch = tuple[slice, slice, slice]
TILE = (64, 2048)
"""Rows and columns of the texture that are doubled at once: little else is in memory then."""
AROUND = 8
"""Pixels on either side that matter to them."""
WHITE = (1 << 15) - 1
"""The highest value in 15 bits."""


class SharedSheets:
    """Sheets of loops that differ in their soft edge alone: drawn once, when one of them is looked at."""

    def __init__(self, draw: Callable[[], Sheets]) -> None:
        self._draw: Callable[[], Sheets] | None = draw
        self._sheets: Sheets = ()
        self._turn = threading.Lock()

    def get(self) -> Sheets:
        """Draw them, if nobody did; who asks meanwhile waits."""
        with self._turn:
            if self._draw is not None:
                self._sheets, self._draw = self._draw(), None
        return self._sheets


def draw_sheets(texture: Texture, contrast: Contrast, *, scene_linear: bool) -> Sheets:
    """Draw the texture at twice its size, for look-ups that are as sharp as on a cubic spline.

    Parameters
    ----------
    texture : Texture
    contrast : Contrast
    scene_linear : bool

    Returns
    -------
    tuple of (2 h, 2 w, 4) and, if there is alpha, (2 h, 2 w, 1) arrays
        uint8, uint16 of 15 bits, or float32: color with the low-pass in the fourth channel, then
        alpha. OpenCV looks up four channels, or one, several times faster than three; what takes
        longest is the memory that look-ups go through.
    """
    import cv2

    pixels = texture.pixels
    height, width, channels = pixels.shape
    wide = enlarge(contrast.lowpass, (len(contrast.lowpass), width))
    white = WHITE if pixels.dtype == np.uint16 else None
    sizes = (4, 1) if channels == 4 else (4,)
    sheets = tuple(np.zeros((2 * height, 2 * width, size), pixels.dtype) for size in sizes)

    def draw(stretches: tuple[_Stretch, _Stretch]) -> None:
        part, around, inner = zip(*stretches, strict=True)
        values, mean = pixels[around], _enlarged_rows(wide[:, around[1]], around[0], height)
        if not values.any() and not mean.any():  # no frame looks there: the sheet is black already
            return
        layers = [values.copy() if channels == 4 else _as_rgba(values)]
        if np.isfinite(contrast.ceiling):  # above it there are no details: luminance less this is none
            mean += np.maximum(luminance(values) - np.float32(contrast.ceiling), 0)
        if pixels.dtype != np.float32:
            mean = np.rint(mean, out=mean).clip(0, texture.full, out=mean).astype(pixels.dtype)
        cv2.insertChannel(mean, layers[0], 3)
        if channels == 4:
            layers.append(values[..., 3:].copy())
        if white is not None:
            layers = [in_15_bits(layer) for layer in layers]
        for sheet, layer in zip(sheets, layers, strict=True):
            sheet[part] = doubled(layer, scene_linear=scene_linear, white=white)[inner]

    parts = itertools.product(_stretches(height, TILE[0]), _stretches(width, TILE[1]))
    in_threads(draw, parts, threads_for(sheets[0].size))
    return sheets


def _stretches(side: int, length: int) -> list[_Stretch]:
    """Part a side of the texture: a part on the sheet, what matters to it, and the part in that, doubled."""
    stretches = []
    for start in range(0, side, length):
        stop = min(start + length, side)
        first, last = max(0, start - AROUND), min(stop + AROUND, side)
        inner = slice(2 * (start - first), 2 * (stop - first))
        stretches.append((slice(2 * start, 2 * stop), slice(first, last), inner))
    return stretches


def _enlarged_rows(coarse: Floats, rows: slice, height: int) -> Floats:
    """Interpolate some of so many rows out of fewer, linearly."""
    last = len(coarse) - 1
    at = ((np.arange(rows.start, rows.stop) + 0.5) * (len(coarse) / height) - 0.5).clip(0, last)
    above = at.astype(int)
    found, below = coarse[above], coarse[np.minimum(above + 1, last)]
    below -= found
    below *= (at - above).astype(np.float32)[:, None]
    found += below
    return found


def unit_sheets(sheets: Sheets) -> list[Floats]:
    """Scale sheets of integers to 0 to 1; floats stay as they are."""
    whites = {np.dtype(np.uint8): 255, np.dtype(np.uint16): WHITE}
    return [sheet.astype(np.float32) / np.float32(whites.get(sheet.dtype, 1)) for sheet in sheets]


def in_15_bits(values: NDArray[Any]) -> NDArray[Any]:
    """Scale integers to 15 bits; floats stay as they are."""
    if values.dtype == np.float32:
        return values
    return values >> 1 if values.dtype == np.uint16 else (values.astype(np.uint16) << 7) + (values >> 1)


def _as_rgba(pixels: NDArray[Any]) -> NDArray[Any]:
    import cv2

    return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGBA if pixels.shape[2] == 1 else cv2.COLOR_RGB2RGBA)
