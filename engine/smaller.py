"""A loop at a whole fraction of its size: what is played where the whole one would take too long."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .area import Area, mask_box, touched
from .loop import Loop
from .motion import Path, as_planes
from .resample import averaged, sample
from .saving import Parts
from .texture import Texture

Floats = NDArray[np.float32]


def smaller_loop(loop: Loop, factor: int) -> Loop:
    """Reduce a loop; nothing is solved again.

    Parameters
    ----------
    loop : Loop
    factor : int, 1 or more
        Pixels along the side of a square that becomes one pixel. Rows and columns at the right and at
        the bottom that fill no square are left out.

    Returns
    -------
    Loop
        What any pixel of a square belongs to, the square does: what moves, and what moves with it. Its
        soft edges are as wide as the loop's.
    """
    if factor == 1:
        return loop
    parts = loop.parts
    height, width = (side // factor for side in parts.mask.shape)
    mask = touched(parts.mask[: height * factor, : width * factor], factor)
    box, still = mask_box(mask), averaged(parts.still, factor)
    places = _Places.of(parts.box, box, factor)
    shares = parts.speeds.shares
    smaller = replace(
        parts,
        still=still,
        mask=mask,
        box=box,
        inverse=places.path(parts.inverse),
        forward=places.path(parts.forward),
        texture=_texture(parts, still, mask, box, factor),
        speeds=replace(
            parts.speeds,
            shares=None if shares is None else np.stack([places.look_up(share) for share in shares]),
        ),
        held=None if parts.held is None else places.look_up(parts.held),
        followed=tuple((x // factor, y // factor, stroke) for x, y, stroke in parts.followed),
        soft_edge=tuple(edge / factor for edge in loop.soft_edge),
    )
    return Loop(smaller, loop.threads)


@dataclass(frozen=True)
class _Places:
    """Where the middles of squares are in the mask's box of the whole loop.

    Parameters
    ----------
    x, y : (columns,) and (rows, ) float32
    factor : int
    """

    x: Floats
    y: Floats
    factor: int

    @classmethod
    def of(cls, whole: Area, box: Area, factor: int) -> _Places:
        """Find those of a box of squares."""
        y, x = (
            (np.arange(side.start, side.stop) * factor + (factor - 1) / 2 - first.start).astype(np.float32)
            for side, first in zip(box, whole, strict=True)
        )
        return cls(x, y, factor)

    def look_up(self, plane: Floats, cell: int = 1, start: tuple[int, int] = (0, 0)) -> Floats:
        """Look up what is known in the middles of cells, of which the first pixel is given."""
        row, column = (
            (at - first - (cell - 1) / 2) / cell for at, first in zip((self.y, self.x), start, strict=True)
        )
        x, y = np.meshgrid(column.astype(np.float32), row.astype(np.float32))
        return np.asarray(sample(np.ascontiguousarray(plane), x, y), np.float32)

    def path(self, path: Path) -> Path:
        """Give each square the path of its middle, in squares."""

        def scaled(field: Floats) -> Floats:
            sides = (self.look_up(field[..., axis], path.cell, path.start) for axis in (0, 1))
            return as_planes([side / np.float32(self.factor) for side in sides])

        return Path(scaled(path.move), None if path.bend is None else scaled(path.bend))


def _texture(parts: Parts, still: NDArray[Any], mask: NDArray[np.bool_], box: Area, factor: int) -> Texture:
    """Reduce the texture; where the still moves it's the still's own again, though it were half beside it."""
    import cv2

    whole = parts.texture
    pads, origin = [], []
    for first, size in zip(whole.origin, whole.pixels.shape[1::-1], strict=True):
        before = first % factor
        pads.append((before, -(before + size) % factor))
        origin.append(first // factor)
    (left, right), (top, bottom) = pads
    padded = cv2.copyMakeBorder(whole.pixels, top, bottom, left, right, cv2.BORDER_REPLICATE)
    texture = Texture(averaged(padded.reshape(*padded.shape[:2], -1), factor), (origin[0], origin[1]))
    own = still[box][..., : texture.pixels.shape[2]]
    if own.dtype == texture.pixels.dtype:
        shown = mask[box] & np.isfinite(own).all(2) if own.dtype.kind == "f" else mask[box]
        cv2.copyTo(own.copy(), shown.view(np.uint8), texture.pixels[texture.place(box)])
    return texture
