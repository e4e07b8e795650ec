"""The still continued beyond the mask, so that frames pull only pattern from there (3.2, figure 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .inputs import to_unit
from .resample import (
    bordered,
    cells,
    divided,
    enlarge,
    enlarge_part,
    extrapolate,
    look_up_field,
    middles,
    sample,
    shrink,
    times,
)
from .threads import in_threads

Area = tuple[slice, slice]
"""Rows and columns of a picture."""
Floats = NDArray[np.float32]
Way = tuple[Floats, Floats | None]
"""A displacement field and, where paths are curved, how."""

TILE = 256
"""Pixels a side of what one thread works on at a time: it nearly stays in the processor's cache, and takes so
long that threads seldom wait for each other."""
COARSE_SIDE = 256
"""Cells; about the long side at which colors are extrapolated: they are smooth, full size only costs."""
BROAD = 4
"""Cells; the scale at which the continued pattern is matched to the still in light and color."""
ON_THE_WAY = np.linspace(0.2, 0.8, 4, dtype=np.float32)
"""Shares of a curved path at which it's looked at how far it leads."""
BLOCK = 8
"""Cells a side; how finely it's known where frames reach."""


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

    @property
    def full(self) -> float:
        """What white is: 255, 65535 or 1."""
        return 1.0 if self.pixels.dtype.kind == "f" else float(np.iinfo(self.pixels.dtype).max)


def mask_box(mask: NDArray[np.bool_]) -> Area:
    """Bound the mask: the smallest rows and columns that hold all of it."""
    rows = np.flatnonzero(mask.any(1))
    columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def continue_texture(
    still: NDArray[Any],
    mask: NDArray[np.bool_],
    forward: Floats,
    inverse: Floats,
    bends: tuple[Floats, Floats] | None = None,
) -> Texture:
    """Continue the pattern from inside the mask as far out as any frame reaches.

    Parameters
    ----------
    still : (H, W, C) array
        uint8, uint16 or float32; NaN and Inf inside the mask are filled from around them.
    mask : (H, W) bool
    forward, inverse : (H, W, 2) float32
        Displacement fields in pixels of the still (x right, y down), smooth beyond the mask as well;
        or whole fractions of that size.
    bends : pair of (H, W, 2) float32, optional
        How the forward and the inverse path are curved, of the same size.

    Returns
    -------
    Texture
        It covers the mask's bounding box and the fields' reach around it; what no frame reaches
        there is black.

    Notes
    -----
    Each outer pixel takes what lies one repetition along the forward field, or along the inverse
    one, when that is inside the mask. Where neither is (beside the motion, and in corners narrower
    than a repetition) the mask's inside is mirrored at its border, or its colors extrapolated. The
    difference in light and color between this pulled pattern and the still at the mask's border is
    spread outwards as a smooth membrane, which is what a Poisson blend solves for (paper, 3.2).
    """
    import cv2

    ways = [(forward, bends and bends[0]), (inverse, bends and bends[1])]
    canvas = _Canvas.around(mask, ways)
    known = _read_known(still, mask, canvas)
    coarse = known.coarser(canvas.cell)
    colors, share = coarse.layers[0], coarse.share
    base = extrapolate(divided(colors, share), share)
    mirror = _mirror(share)
    steps = [canvas.coarse(field, mask.shape) for field in (forward, inverse)]
    whole = (slice(0, share.shape[0]), slice(0, share.shape[1]))
    pulled, rest = coarse.pull(whole, [*steps, mirror])
    pulled += times(base, rest)
    # What differs in detail is the pattern's own business: only light and color are made to meet.
    broad = cells(share.shape, BROAD)
    seen = shrink(share, broad)
    difference = shrink(colors - times(pulled, share), broad)
    membrane = enlarge(extrapolate(divided(difference, seen), seen), share.shape)
    smooth = [bordered(way * np.float32(canvas.cell)) for way in (*steps, mirror)]
    base, membrane = bordered(base), bordered(membrane)
    curves = [None if bend is None else canvas.coarse(bend, mask.shape) for _, bend in ways]
    needed = _reached(share > 0, steps, curves) & _touched(share < 1, BLOCK)
    pixels = known.alone(known.layers[0])

    def fill(tile: Area) -> None:
        tile = canvas.cropped(tile, needed)
        if not known.lacking[tile].any():
            return
        ways = (enlarge_part(way, canvas.cell, tile) for way in smooth)  # only those that are needed
        colors, rest = known.pull(tile, ways)
        if rest.any():
            colors += times(enlarge_part(base, canvas.cell, tile), rest)
        colors += enlarge_part(membrane, canvas.cell, tile)
        if still.dtype.kind != "f":
            np.clip(colors, 0, known.full, out=colors)
        if pixels.dtype != np.float32:
            np.rint(colors, out=colors)
        encoded = known.alone(colors.astype(pixels.dtype, copy=False))
        cv2.copyTo(encoded, known.lacking[tile], pixels[tile])

    canvas.in_threads(fill)
    return Texture(pixels, (canvas.columns.start, canvas.rows.start))


@dataclass(frozen=True)
class _Canvas:
    """Where the texture lies on the still, in pixels that may be beyond its border, and in whole cells."""

    rows: slice
    columns: slice
    cell: int

    @classmethod
    def around(cls, mask: NDArray[np.bool_], ways: list[Way]) -> _Canvas:
        """Bound the mask and how far the fields lead out of it."""
        box = mask_box(mask)
        cell = max(1, 2 ** round(np.log2(max(side.stop - side.start for side in box) / COARSE_SIDE)))
        sides = []
        for side, (low, high) in zip(box, _reach(mask, box, cell, ways), strict=True):
            start, stop = side.start + low, side.stop + high
            sides.append(slice(start, start + -(-(stop - start) // cell) * cell))
        return cls(sides[0], sides[1], cell)

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start

    def in_threads(self, work: Callable[[Area], None]) -> None:
        """Do the same for every tile."""
        height, width = self.shape
        tiles = [
            (slice(y, min(y + TILE, height)), slice(x, min(x + TILE, width)))
            for y in range(0, height, TILE)
            for x in range(0, width, TILE)
        ]
        in_threads(work, tiles)

    def cropped(self, tile: Area, needed: NDArray[np.bool_]) -> Area:
        """Crop a tile to the blocks in it that are needed."""
        side = self.cell * BLOCK
        blocks = needed[tuple(slice(part.start // side, -(-part.stop // side)) for part in tile)]
        if not blocks.any():
            return slice(0, 0), slice(0, 0)
        rows, columns = (
            slice(
                max(part.start, (part.start // side + part_box.start) * side),
                min(part.stop, (part.start // side + part_box.stop) * side),
            )
            for part, part_box in zip(tile, mask_box(blocks), strict=True)
        )
        return rows, columns

    def coarse(self, field: Floats, shape: tuple[int, ...]) -> Floats:
        """Take a field of a still of a shape in the middle of every cell, in cells."""
        sides = zip((self.rows, self.columns), shape, strict=True)
        rows, columns = (middles(side, self.cell, size) for side, size in sides)
        return np.divide(look_up_field(field, rows, columns, shape), self.cell, dtype=np.float32)


@dataclass(frozen=True)
class _Known:
    """What is known of a canvas: colors, and their share as the last channel of the last layer.

    Where nothing is known both are 0. Layers have four channels, or one: OpenCV looks those up
    several times faster than three.
    """

    layers: tuple[NDArray[Any], ...]
    lacking: NDArray[np.uint8]
    full: float

    def coarser(self, cell: int) -> _Known:
        """Average to cells."""
        size = cells(self.lacking.shape, cell)
        return _Known(tuple(shrink(layer, size) for layer in self.layers), self.lacking, self.full)

    @property
    def share(self) -> Floats:
        """How much of each pixel is known, 0 to 1."""
        import cv2

        last = self.layers[-1]
        return np.asarray(cv2.extractChannel(last, last.shape[2] - 1) * np.float32(1 / self.full), np.float32)

    def alone(self, layer: NDArray[Any]) -> NDArray[Any]:
        """Copy the colors alone out of what is like the first layer."""
        import cv2

        return layer.copy() if len(self.layers) > 1 else cv2.cvtColor(layer, cv2.COLOR_RGBA2RGB)

    def pull(self, tile: Area, ways: Iterable[Floats]) -> tuple[Floats, Floats]:
        """Color a tile by what the ways lead to, the first that is known; say what share is still lacking."""
        import cv2

        columns = np.arange(tile[1].start, tile[1].stop, dtype=np.float32)
        rows = np.arange(tile[0].start, tile[0].stop, dtype=np.float32)[:, None]
        colors: Floats | None = None
        lacking = np.ones((rows.size, columns.size), np.float32)
        for way in ways:
            x, y = cv2.split(way)
            found = _Known(
                tuple(sample(layer, x + columns, y + rows) for layer in self.layers), self.lacking, self.full
            )
            colors = found.layers[0] if colors is None else colors + times(found.layers[0], lacking)
            lacking *= 1 - found.share
            if not lacking.any():
                break
        assert colors is not None  # there is always a first way
        return colors, lacking


def _mirror(known: Floats) -> Floats:
    """Lead each unknown cell as far into the mask as it lies outside, through the nearest known one."""
    import cv2

    unknown = (known < 0.5).astype(np.uint8)
    if unknown.all():
        return np.zeros((*known.shape, 2), np.float32)
    labels = cv2.distanceTransformWithLabels(
        unknown, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )[1]
    rows, columns = np.nonzero(unknown == 0)
    nearest = np.zeros((int(labels.max()) + 1, 2), np.float32)
    nearest[labels[rows, columns]] = np.stack([columns, rows], -1)
    here = np.stack(np.meshgrid(np.arange(known.shape[1]), np.arange(known.shape[0])), -1)
    ragged = np.asarray(2 * (nearest[labels] - here), np.float32)
    return np.asarray(cv2.GaussianBlur(ragged, (0, 0), 3), np.float32)


def _reach(mask: NDArray[np.bool_], box: Area, cell: int, ways: list[Way]) -> list[tuple[int, int]]:
    """Say how far (before, after) the fields lead out of the mask's box, in rows and in columns."""
    touched = _touched(mask[box], cell)
    rows, columns = (middles(side, cell, size) for side, size in zip(box, mask.shape, strict=True))
    ends = []
    for field, bend in ways:
        move = look_up_field(field, rows, columns, mask.shape)[touched]
        ends.append(move)
        if bend is not None:  # curved paths lead furthest somewhere on the way
            curve = look_up_field(bend, rows, columns, mask.shape)[touched]
            ends += [move * share + curve * (share * (1 - share)) for share in ON_THE_WAY]
    moves = np.concatenate(ends)
    reach = []
    for axis, component in ((0, 1), (1, 0)):
        longest = box[axis].stop - box[axis].start  # a longer step repeats nothing
        low, high = min(0.0, moves[:, component].min()), max(0.0, moves[:, component].max())
        margin = 4 + cell // 2  # the taps of the look-up, and what is between the cells' middles
        reach.append((int(max(low, -longest)) - margin, int(min(high, longest)) + margin))
    return reach


def _reached(known: NDArray[np.bool_], steps: list[Floats], curves: list[Floats | None]) -> NDArray[np.bool_]:
    """Say which blocks of cells frames look something up in, or stand beside one."""
    import cv2

    spacing = BLOCK // 2
    rows, columns = np.nonzero(_touched(known, spacing))
    rows, columns = (
        np.minimum(i * spacing + spacing // 2, n - 1)
        for i, n in zip((rows, columns), known.shape, strict=True)
    )
    size = cells(known.shape, BLOCK)
    marks = np.zeros(size, np.uint8)
    for step, curve in zip(steps, curves, strict=True):
        move = step[rows, columns]
        bend = np.zeros_like(move) if curve is None else curve[rows, columns]
        longest = np.hypot(*move.T).max() + np.hypot(*bend.T).max()
        for share in np.linspace(0, 1, int(longest / spacing) + 2, dtype=np.float32):
            x, y = (move * share + bend * (share * (1 - share))).T
            row, column = ((rows + y) / BLOCK).astype(int), ((columns + x) / BLOCK).astype(int)
            marks[row.clip(0, size[0] - 1), column.clip(0, size[1] - 1)] = 1
    return cv2.dilate(marks, np.ones((3, 3), np.uint8)).astype(bool)


def _touched(inside: NDArray[np.bool_], cell: int) -> NDArray[np.bool_]:
    """Say which cells hold something of a mask."""
    size = cells(inside.shape, cell)
    padded = np.zeros((size[0] * cell, size[1] * cell), bool)
    padded[: inside.shape[0], : inside.shape[1]] = inside
    by_rows = padded.reshape(size[0], cell, -1).any(1)
    return np.asarray(by_rows.reshape(*size, cell).any(2))


def _read_known(still: NDArray[Any], mask: NDArray[np.bool_], canvas: _Canvas) -> _Known:
    """Copy what is inside the mask and finite to the canvas."""
    import cv2

    box = mask_box(mask)
    values, inside = still[box], mask[box]
    if still.dtype.kind == "f":
        inside = np.logical_and.reduce(
            [inside, *(np.isfinite(values[..., c]) for c in range(values.shape[2]))]
        )
    full = 1.0 if still.dtype.kind == "f" else float(np.iinfo(still.dtype).max)
    opaque = still.shape[2] == 4 and bool((values[..., 3][inside] == full).all())
    if opaque:
        layers = [values]
    elif still.shape[2] == 3:
        layers = [cv2.cvtColor(values, cv2.COLOR_RGB2RGBA)]  # alpha becomes all that there is, white's value
    elif still.shape[2] == 1:
        layers = [values, np.full_like(values, full)]
    else:
        unit = to_unit(values)
        if still.dtype.kind != "f":
            unit[..., :3] *= unit[..., 3:]
        full = 1.0
        layers = [unit, np.ones((*inside.shape, 1), np.float32)]
    place = tuple(
        slice(part.start - side.start, part.stop - side.start)
        for part, side in zip(box, (canvas.rows, canvas.columns), strict=True)
    )
    selected = inside.view(np.uint8)
    packed = []
    for layer in layers:
        blank = np.zeros((*canvas.shape, layer.shape[2]), layer.dtype)
        cv2.copyTo(layer, selected, blank[place])
        packed.append(blank)
    lacking = np.ones(canvas.shape, np.uint8)
    lacking[place] = 1 - selected
    return _Known(tuple(packed), lacking, full)
