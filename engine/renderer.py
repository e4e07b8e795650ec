"""Frames of a loop: its texture warped both ways and mixed, without losing contrast (paper, 3.2)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .area import Area, mask_box
from .contrast import boost
from .motion import Path, Speeds
from .resample import enlarge, enlarge_cells, sample, times
from .sheets import WHITE, Sheets, in_15_bits
from .texture import Texture
from .threads import in_threads, threads_for

Floats = NDArray[np.float32]
Planes = list[tuple[Floats, Floats | None]]
"""A path's moves and bends along x, then along y."""

EDGE = 0.7
"""Pixels; the blur that makes a ramp of the mask's edge. Parts three pixels wide still move."""
AROUND_EDGE = 4
"""Pixels on either side that matter to it."""
LEAST_COVER = 1 / 64
"""What tells the mask's outermost pixels from those outside of it."""
TILE = (256, 512)
"""Rows and columns rendered at once: their temporaries stay in the processor's cache, yet a step takes so
long that threads seldom wait for each other's."""
BAND = 64
"""Rows of the mask whose edge is found at once."""
SMALLEST = 8
"""Pixels along a tile's side; OpenCV takes arrays of a few numbers for colors."""
FEW = 1 / 8
"""Of a tile's pixels; so many are faster handled one by one than all at once."""


class Renderer:
    """Makes the frames between the first and the last; see `Loop` for the formula.

    Parameters
    ----------
    still : (H, W, C) array
    mask : (H, W) bool
    box : Area
        The mask's.
    paths : pair of Path
        The inverse and the forward one, over the mask's bounding box: where pixels are along them is
        found for their cells, and then interpolated.
    speeds : Speeds
    texture : Texture
    similarity : float32 array
        `Contrast.similarity`.
    cover : (h, w) float32
        How much of each pixel moves, over the mask's bounding box.
    sheets : Sheets

    Notes
    -----
    Integer stills are blended in 15 bits, so that sums and differences fit into 16: that takes as
    long as bytes do, and a third of what floats take.
    """

    def __init__(
        self,
        still: NDArray[Any],
        mask: NDArray[np.bool_],
        box: Area,
        paths: tuple[Path, Path],
        speeds: Speeds,
        texture: Texture,
        similarity: Floats,
        cover: Floats,
        sheets: Sheets,
    ) -> None:
        self._still, self._mask, self._box = still, mask, box
        self._ways, self._speeds = [(path, _planes(path)) for path in paths], speeds
        self._similarity, self._cover, self._sheets = similarity, cover, sheets
        self._size = mask[self._box].shape
        left, top = texture.origin
        self._corner = self._box[0].start - top, self._box[1].start - left
        rows, columns = (
            slice(start, start + side) for start, side in zip(self._corner, self._size, strict=True)
        )
        self._resting = texture.pixels[rows, columns]

    def frame(self, phases: Sequence[float], threads: int | None) -> NDArray[Any]:
        """Render the picture at a phase for each speed, 0 to 1.

        Parameters
        ----------
        phases : sequence of float
        threads : int or None
        """
        import cv2

        picture = self._still.copy()
        if not any(phases) or self._cover.size == 1:  # a single pixel has nowhere to go
            return picture
        target, inside = picture[self._box], self._mask[self._box].view(np.uint8)
        gains = [_Gain(self._similarity, phase, self._size) for phase in phases]

        def render(tile: _Tile) -> None:
            if self._speeds.shares is None:
                values = self._blend(tile.area, phases[0], gains[0])
            else:
                values = self._mix(tile.area, phases, gains)
            self._settle(values, tile)
            cv2.copyTo(self._encoded(values), inside[tile.area], target[tile.area])

        in_threads(render, self._tiles, threads)
        return picture

    @cached_property
    def _tiles(self) -> list[_Tile]:
        """Cover what moves with tiles of much the same size, cropped to it."""
        rows, columns = (
            np.linspace(0, side, -(-side // longest) + 1).astype(int)
            for side, longest in zip(self._size, TILE, strict=True)
        )
        tiles = []
        for top, bottom in itertools.pairwise(rows):
            for left, right in itertools.pairwise(columns):
                moving = self._cover[top:bottom, left:right] > 0
                if moving.any():
                    inner = mask_box(moving)
                    if min(side.stop - side.start for side in inner) < SMALLEST:
                        inner = (slice(0, bottom - top), slice(0, right - left))
                    y, x = (
                        slice(int(first) + side.start, int(first) + side.stop)
                        for first, side in zip((top, left), inner, strict=True)
                    )
                    tiles.append(self._tile((y, x)))
        return tiles

    def _tile(self, area: Area) -> _Tile:
        cover = self._cover[area]
        partial = (cover > 0) & (cover < 1)
        if np.count_nonzero(partial) > FEW * cover.size:
            return _Tile(area, None)
        rows, columns = np.nonzero(partial)
        resting = in_15_bits(self._resting[area][rows, columns]).astype(np.float32)
        return _Tile(area, (rows * cover.shape[1] + columns, cover[rows, columns][:, None], resting))

    @cached_property
    def _grid(self) -> tuple[Floats, Floats]:
        """Columns and rows on the sheets of as many cells as a tile has pixels, from the first one on."""
        path, _ = self._ways[0]
        rows, columns = (
            2 * (path.cell * cells + (path.cell - 1) / 2 + first + corner)
            for cells, first, corner in zip(
                np.indices(TILE, np.float32), path.start, self._corner, strict=True
            )
        )
        return columns, rows

    def _mix(self, area: Area, phases: Sequence[float], gains: Sequence[_Gain]) -> NDArray[Any]:
        """Mix what moves at each speed by their shares, for an area of the mask's box."""
        assert self._speeds.shares is not None
        resting = in_15_bits(self._resting[area])
        mixed = resting.astype(np.float32)
        for shares, phase, gain in zip(self._speeds.shares, phases, gains, strict=True):
            share = shares[area][..., None]
            if share.any():
                mixed += (self._blend(area, phase, gain) - resting.astype(np.float32)) * share
        return mixed if resting.dtype == np.float32 else np.rint(mixed).astype(np.int16)

    def _blend(self, area: Area, phase: float, gain: _Gain) -> NDArray[Any]:
        """Warp the texture both ways for an area of the mask's box and mix the two pictures."""
        places = [
            self._places(path, planes, area, share)
            for (path, planes), share in zip(self._ways, (phase, 1 - phase), strict=True)
        ]
        mixed = [_mixed(sheet, places, phase) for sheet in self._sheets]
        values = _vivid(mixed[0], gain.of(area))
        if self._resting.shape[2] == 1:
            return values[..., :1].copy()
        return values if len(mixed) == 1 else np.dstack([values, mixed[1]])

    def _places(self, path: Path, planes: Planes, area: Area, share: float) -> list[Any]:
        """Say where on the sheets (x, y) pixels are along their paths at a share of a repetition.

        Linear interpolation keeps the pixels' own places, so that cells need no more than one sum each.
        """
        import cv2

        places = []
        cells, inner = path.around(area)
        for (move, bend), grid, side in zip(planes, self._grid, cells[::-1], strict=True):
            moved = move[cells]
            here = grid[: moved.shape[0], : moved.shape[1]]
            place = cv2.addWeighted(moved, 2 * share, here, 1, 2 * path.cell * side.start)
            if bend is not None:
                place = cv2.scaleAdd(bend[cells], 2 * share * (1 - share), place)
            places.append(enlarge_cells(np.asarray(place, np.float32), path.cell, inner))
        return places

    def _settle(self, values: NDArray[Any], tile: _Tile) -> None:
        """Fade to the picture at rest where a tile's cover is partial, in place."""
        if tile.ramp is not None:
            places, cover, resting = tile.ramp
            pixels = values.reshape(-1, values.shape[2])
            faded = resting + (pixels[places] - resting) * cover
            pixels[places] = np.rint(faded) if values.dtype == np.int16 else faded
            return
        resting = in_15_bits(self._resting[tile.area]).astype(np.float32)
        faded = resting + times(values - resting, self._cover[tile.area])
        values[:] = np.rint(faded) if values.dtype == np.int16 else faded

    def _encoded(self, values: NDArray[Any]) -> NDArray[Any]:
        """Turn texture values into the still's: straight alpha and integers where it has them."""
        import cv2

        dtype, channels = self._still.dtype, self._still.shape[2]
        if values.dtype == np.int16:
            values = _from_15_bits(values, dtype)
        elif dtype.kind != "f":
            values[..., :3] /= np.maximum(values[..., 3:], 1e-6)
            white = np.iinfo(dtype).max
            values = np.rint(values * np.float32(white)).clip(0, white).astype(dtype)
        # A look-up's alpha is left out where it's all that there is.
        return cv2.cvtColor(values, cv2.COLOR_RGB2RGBA) if values.shape[2] < channels else values


@dataclass(frozen=True)
class _Tile:
    """An area of the mask's box, and where in it the cover is partial.

    That is told by numbers of pixels, their cover and how they look at rest; None where it's most of them.
    """

    area: Area
    ramp: tuple[NDArray[np.intp], Floats, Floats] | None


class _Gain:
    """By how much details grow at a phase, in an area of the mask's box."""

    def __init__(self, similarity: Floats, phase: float, size: tuple[int, ...]) -> None:
        self._similarity, self._phase = similarity, phase
        self._coarse = None if similarity.shape == size else enlarge(boost(similarity, phase), size)

    def of(self, area: Area) -> Floats:
        if self._coarse is not None:
            return self._coarse[area]
        return boost(self._similarity[area], self._phase)


def ramp_cover(mask: NDArray[np.bool_], box: Area, fade: Floats | np.float32) -> Floats:
    """Say how much of each pixel of the mask's box moves.

    Parameters
    ----------
    mask : (H, W) bool
    box : Area
    fade : (h, w) float32 or float32, 0 to 1
        How much of it moves but for the ramp that hides the steps of the mask's edge.

    Returns
    -------
    (h, w) float32
        0 outside the mask, and nowhere else.
    """
    import cv2

    rows, columns = box
    left = max(0, columns.start - AROUND_EDGE)
    inner = slice(columns.start - left, columns.stop - left)
    cover = np.empty((rows.stop - rows.start, columns.stop - columns.start), np.float32)

    def draw(first: int) -> None:
        here = slice(first, min(first + BAND, rows.stop))
        top = max(0, here.start - AROUND_EDGE)
        inside = mask[top : here.stop + AROUND_EDGE, left : columns.stop + AROUND_EDGE].astype(np.float32)
        blurred = cv2.GaussianBlur(inside, (0, 0), EDGE, borderType=cv2.BORDER_REPLICATE)
        part = slice(here.start - rows.start, here.stop - rows.start)
        ramp = 2 * np.asarray(blurred, np.float32)[here.start - top : here.stop - top, inner] - 1
        ramp *= fade[part] if isinstance(fade, np.ndarray) else fade
        cover[part] = np.where(mask[here, columns], np.clip(ramp, LEAST_COVER, 1, out=ramp), np.float32(0))

    in_threads(draw, range(rows.start, rows.stop, BAND), threads_for(cover.size))
    return cover


def _planes(path: Path) -> Planes:
    """Part a path into x and y, the way they lie in memory already."""
    return [
        (
            np.ascontiguousarray(path.move[..., axis]),
            None if path.bend is None else np.ascontiguousarray(path.bend[..., axis]),
        )
        for axis in (0, 1)
    ]


def _mixed(sheet: NDArray[Any], places: list[list[Any]], phase: float) -> NDArray[Any]:
    """Look a sheet up both ways and blend, in 15 bits or floats."""
    import cv2

    first, second = (sample(sheet, x, y) for x, y in places)
    scale = 1.0
    if sheet.dtype == np.uint8:
        first, second, scale = first.astype(np.uint16), second.astype(np.uint16), WHITE / 255
    return cv2.addWeighted(first, scale * (1 - phase), second, scale * phase, 0)


def _vivid(mixed: NDArray[Any], gain: Floats) -> NDArray[Any]:
    """Give a blend of colors, with their low-pass in the fourth channel, its contrast back."""
    import cv2

    depth = cv2.CV_32F if mixed.dtype == np.float32 else cv2.CV_16S
    colors, bright = cv2.cvtColor(mixed, cv2.COLOR_RGBA2RGB), cv2.cvtColor(mixed, cv2.COLOR_RGBA2GRAY)
    detail = cv2.subtract(bright, cv2.extractChannel(mixed, 3), dtype=depth)
    detail = cv2.multiply(detail, gain, dtype=depth)
    details = cv2.merge([detail] * 3)
    # A dark pixel stays at black: only what was negative in a scene-linear still may be below it.
    if depth == cv2.CV_32F:
        return np.maximum(colors + details, np.minimum(colors, 0))
    return cv2.max(cv2.add(colors.view(np.int16), details), 0)  # type: ignore[call-overload]


def _from_15_bits(values: NDArray[np.int16], dtype: Any) -> NDArray[Any]:
    import cv2

    if dtype == np.uint8:
        return cv2.convertScaleAbs(values, alpha=255 / WHITE).reshape(values.shape)
    doubled_up = values.view(np.uint16)
    return (doubled_up << 1) | (doubled_up >> 14)  # white is white again
