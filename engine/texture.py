"""The still continued beyond the mask, so that frames pull only pattern from there (3.2, figure 5)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .area import Area
from .canvas import Canvas
from .known import Known, is_opaque, layered
from .resample import (
    averaged,
    bordered,
    cells,
    enlarge,
    enlarge_part,
    extrapolate,
    shrink,
    times,
)
from .threads import in_threads, threads_for

Floats = NDArray[np.float32]

BAND = 64
"""Rows of the still that are read at once: they stay in the processor's cache."""
BROAD = 2
"""Cells; the scale at which the continued pattern is matched to the still in light and color."""


@dataclass(frozen=True)
class Texture:
    """What the frames are warped from.

    Parameters
    ----------
    pixels : (h, w, C) array
        Of the still's own type. Integer stills that aren't opaque throughout the mask are float32,
        0 to 1, premultiplied by alpha; all others have no alpha here. Inside the mask they are the
        still's own.
    origin : (x, y)
        Where in the still the first pixel lies; negative where the pattern continues past the
        picture's border.
    """

    pixels: NDArray[Any]
    origin: tuple[int, int]

    def place(self, area: Area) -> Area:
        """Find an area of the still on it."""
        rows, columns = (
            slice(side.start - first, side.stop - first)
            for side, first in zip(area, self.origin[::-1], strict=True)
        )
        return rows, columns

    @property
    def full(self) -> float:
        """What white is: 255, 65535 or 1."""
        return 1.0 if self.pixels.dtype.kind == "f" else float(np.iinfo(self.pixels.dtype).max)


def continue_texture(
    still: NDArray[Any],
    mask: NDArray[np.bool_],
    box: Area,
    forward: Floats,
    inverse: Floats,
    bends: tuple[Floats, Floats] | None = None,
) -> tuple[Texture, NDArray[np.bool_]]:
    """Continue the pattern from inside the mask as far out as any frame reaches.

    Parameters
    ----------
    still : (H, W, C) array
        uint8, uint16 or float32; NaN and Inf inside the mask are filled from around them.
    mask : (H, W) bool
    box : Area
        The mask's: see `mask_box`.
    forward, inverse : (H, W, 2) float32
        Displacement fields in pixels of the still (x right, y down), smooth beyond the mask as well;
        or whole fractions of that size.
    bends : pair of (H, W, 2) float32, optional
        How the forward and the inverse path are curved, of the same size.

    Returns
    -------
    texture : Texture
        It covers the mask's bounding box and the fields' reach around it; what no frame reaches
        there is black.
    held : (rows, columns) bool
        Of the cells that it parts into, those that aren't black for that reason.

    Raises
    ------
    BadImage
        When what is pulled into the mask is too long for frames to be rendered.

    Notes
    -----
    Each outer pixel takes what lies one repetition along the forward field, or along the inverse
    one, when that is inside the mask. Where neither is (beside the motion, and in corners narrower
    than a repetition) the mask's inside is mirrored at its border, or its colors extrapolated. The
    difference in light and color between this pulled pattern and the still at the mask's border is
    spread outwards as a smooth membrane, which is what a Poisson blend solves for (paper, 3.2).
    """
    import cv2

    curved = [(forward, bends and bends[0]), (inverse, bends and bends[1])]
    canvas = Canvas.around(mask, box, curved)
    known, coarse, pixels, whole = _read(still[box], mask[box], canvas, canvas.place(box))
    share = coarse.share
    steps = [canvas.coarse(field, mask.shape) for field in (forward, inverse)]
    curves = [None if bend is None else canvas.coarse(bend, mask.shape) for _, bend in curved]
    places = [_places(way) for way in (*steps, _mirror(share))]
    pulled = list(accumulate((coarse.at(x, y) for x, y in places), Known.over))
    ways = [canvas.pixels_of(x, y) for x, y in places]
    pattern = _Pattern(canvas, known, ways, *_light(coarse, pulled[-1]))
    needed = canvas.reached(share > 0, whole, [*zip(steps, curves, strict=True)]) & ~whole
    premultiplied = pixels.dtype.kind == "f" and still.dtype.kind != "f"

    def fill(piece: tuple[Area, list[int]]) -> None:
        tile, leading = piece
        colors = pattern.continued(tile, leading)
        if premultiplied:  # integers are kept in their range by OpenCV
            np.clip(colors, 0, 1, out=colors)
        if mask[canvas.on_still(tile)].any():
            cv2.copyTo(colors, (known.part(tile).lacking > 0).view(np.uint8), pixels[tile])
        else:
            pixels[tile] = colors.reshape(pixels[tile].shape)

    pieces = list(canvas.pieces(needed, [one.share for one in pulled]))
    in_threads(fill, pieces, threads_for(sum(_size(tile) for tile, _ in pieces)))
    held = share > 0
    for tile, _ in pieces:
        held[canvas.cells_of(tile)] = True
    return Texture(pixels, (canvas.columns.start, canvas.rows.start)), held


def _size(area: Area) -> int:
    return (area[0].stop - area[0].start) * (area[1].stop - area[1].start)


@dataclass(frozen=True)
class _Pattern:
    """What is pulled out of the mask, and the light that makes it meet the still around.

    Parameters
    ----------
    canvas : Canvas
    known : Known
        What the mask holds.
    ways : list of pair of (rows + 2, columns + 2) float32
        Where (x, y) the forward field, the inverse one and the mirror lead: see `Canvas.pixels_of`.
    base : Known
        Of (rows + 2, columns + 2) cells: the mask's colors extrapolated, where no way leads into it.
    membrane : (rows + 2, columns + 2, C) array
        What is added to all, of the colors' type; of integers its middle stands for nothing.
    strength : float
        By which it's multiplied.
    """

    canvas: Canvas
    known: Known
    ways: list[tuple[Floats, Floats]]
    base: Known
    membrane: NDArray[Any]
    strength: float

    def continued(self, area: Area, leading: list[int]) -> NDArray[Any]:
        """Follow the ways that lead somewhere from an area of the canvas; (h, w, C) colors."""
        import cv2

        cell = self.canvas.cell
        places = ([enlarge_part(place, cell, area) for place in self.ways[way]] for way in leading)
        found = reduce(Known.over, (self.known.at(x, y) for x, y in places))
        if found.lacking.any():
            found = found.over(
                Known(tuple(enlarge_part(layer, cell, area) for layer in self.base.layers), found.full)
            )
        light = enlarge_part(self.membrane, cell, area)
        nothing = -self.strength * _middle(light.dtype)
        return np.asarray(cv2.addWeighted(found.colors, 1, light, self.strength, nothing))


def _read(
    values: NDArray[Any], mask: NDArray[np.bool_], canvas: Canvas, place: Area
) -> tuple[Known, Known, NDArray[Any], NDArray[np.bool_]]:
    """Copy the still in the mask's box, where it's finite and masked, to that place on a canvas.

    Returns
    -------
    known, coarse : Known
        Every pixel, and their means on cells.
    pixels : (h, w, C) array
        The colors alone.
    whole : (rows, columns) bool
        Which cells lack no pixel: a mean doesn't tell, which is rounded.
    """
    import cv2

    opaque = values.shape[2] < 4 or is_opaque(values, mask)
    pixel = layered(values[:1, :1], opaque)

    def blank(size: tuple[int, int], like: NDArray[Any]) -> NDArray[Any]:
        return np.zeros((*size, like.shape[2]), like.dtype)  # memory is touched where it's filled

    known = Known(tuple(blank(canvas.shape, layer) for layer in pixel.layers), pixel.full)
    coarse = Known(tuple(blank(canvas.whole, layer) for layer in pixel.layers), pixel.full)
    pixels = blank(canvas.shape, pixel.colors)
    whole = np.zeros(canvas.whole, bool)
    cell = canvas.cell
    first, last = place[1].start // cell, -(-place[1].stop // cell)

    def read(start: int) -> None:
        stop = min(start + BAND, -(-place[0].stop // cell) * cell)
        rows = slice(max(start, place[0].start), min(stop, place[0].stop))
        here = slice(rows.start - place[0].start, rows.stop - place[0].start)
        inside = mask[here]
        if values.dtype.kind == "f":
            inside = inside & np.isfinite(values[here]).all(2)
        shown = layered(values[here], opaque)
        for layer, target in zip((*shown.layers, shown.colors), (*known.layers, pixels), strict=True):
            cv2.copyTo(layer, inside.view(np.uint8), target[rows, place[1]])
        for layer, small in zip(known.layers, coarse.layers, strict=True):
            part = small[start // cell : stop // cell, first:last]
            part[:] = averaged(layer[start:stop, first * cell : last * cell], cell)
        layer = known.layers[-1][start:stop, first * cell : last * cell]
        share = cv2.extractChannel(layer, layer.shape[2] - 1)
        least = share.reshape(-1, cell, share.shape[1]).min(1).reshape(-1, last - first, cell).min(2)
        whole[start // cell : stop // cell, first:last] = least == known.full

    in_threads(read, range(place[0].start // cell * cell, place[0].stop, BAND), threads_for(values.size))
    return known, coarse, pixels, whole


def _places(way: Floats) -> tuple[Floats, Floats]:
    """Say where (x, y), in cells, a way leads from each cell."""
    rows, columns = (np.arange(side, dtype=np.float32) for side in way.shape[:2])
    return way[..., 0] + columns, way[..., 1] + rows[:, None]


def _light(coarse: Known, pulled: Known) -> tuple[Known, NDArray[Any], float]:
    """Extrapolate colors, and what has to be added to those that are pulled to meet them: see `_Pattern`.

    What differs in detail is the pattern's own business: only light and color are made to meet.
    """
    colors, share = coarse.colors.astype(np.float32), coarse.share
    broad = cells(share.shape, BROAD)
    base = extrapolate(colors, share)
    continued = pulled.colors + times(base, 1 - pulled.share)
    differing = extrapolate(shrink(colors - times(continued, share), broad), shrink(share, broad))
    dtype = coarse.layers[0].dtype
    middle = _middle(dtype)
    strength = max(1.0, float(np.abs(differing).max()) / (middle - 1)) if middle else 1.0
    differing *= np.float32(1 / strength)
    light = _of_type(enlarge(differing, share.shape) + np.float32(middle), dtype)
    return coarse.everywhere(bordered(_of_type(base, dtype))), bordered(light), strength


def _middle(dtype: np.dtype[Any]) -> float:
    """Say what stands for nothing where light is told from darkness: integers have no sign."""
    return 0.0 if dtype.kind == "f" else float(2 ** (8 * dtype.itemsize - 1))


def _of_type(values: Floats, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Round to integers, within their range, where that is the type."""
    if dtype.kind == "f":
        return values
    return np.rint(values).clip(0, np.iinfo(dtype).max).astype(dtype)


def _mirror(known: Floats) -> Floats:
    """Lead each unknown cell as far into the mask as it lies outside, through the nearest known one."""
    import cv2

    unknown = (known < 0.5).astype(np.uint8)
    if unknown.all():
        return np.zeros((*known.shape, 2), np.float32)
    labels = cv2.distanceTransformWithLabels(
        unknown, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )[1]
    flat = np.flatnonzero(unknown == 0)
    nearest = np.zeros((int(labels.max()) + 1, 2), np.float32)
    nearest[labels.take(flat)] = np.stack([flat % known.shape[1], flat // known.shape[1]], -1)
    rows, columns = (np.arange(side, dtype=np.float32) for side in known.shape)
    ragged = nearest.take(np.asarray(labels, np.intp), 0)
    ragged[..., 0] -= columns
    ragged[..., 1] -= rows[:, None]
    ragged *= 2
    return np.asarray(cv2.GaussianBlur(ragged, (0, 0), 1.5), np.float32)
