"""A loop at a whole fraction of its size: what is played where the whole one would take too long."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .area import Area, mask_box, touched
from .loop import Loop
from .motion import Path, as_planes
from .resample import averaged, bordered, sample
from .saving import Parts
from .texture import Texture

Floats = NDArray[np.float32]


def smaller_loop(loop: Loop, factor: int) -> Loop:
    """Reduce a loop; nothing is solved again.

    Parameters
    ----------
    loop : Loop
    factor : int, 1 or more
        Pixels along the side of a square that becomes one pixel; the last squares may reach beyond the
        picture, which goes on there as at its border.

    Returns
    -------
    Loop
        A square moves where any of its pixels does. Soft edges are as wide as the loop's.
    """
    if factor == 1:
        return loop
    parts = loop.parts
    mask = touched(parts.mask, factor)
    box, still = mask_box(mask), _picture(parts.still, factor)
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


def _picture(still: NDArray[Any], factor: int) -> NDArray[Any]:
    """Reduce a still; colors of integers count by their alpha."""
    squares = bordered(still, [(0, -side % factor) for side in still.shape[:2]])
    if still.dtype.kind == "f" or still.shape[2] < 4:
        return averaged(squares, factor)
    full = np.float32(np.iinfo(still.dtype).max)
    alpha = averaged(squares[..., 3:].astype(np.float32), factor)
    colors = averaged(squares[..., :3] * squares[..., 3:].astype(np.float32), factor)
    straight = np.dstack([colors / np.maximum(alpha, np.float32(1e-3)), alpha])
    return np.rint(straight).clip(0, full).astype(still.dtype)


def _texture(parts: Parts, still: NDArray[Any], mask: NDArray[np.bool_], box: Area, factor: int) -> Texture:
    """Reduce the texture; where the still moves it's the still's own again, though it were half beside it."""
    import cv2

    whole, starts = parts.texture, parts.texture.origin[::-1]
    sides = [
        (start % factor, -(start + size) % factor)
        for start, size in zip(starts, whole.pixels.shape[:2], strict=True)
    ]
    y, x = (start // factor for start in starts)
    texture = Texture(averaged(bordered(whole.pixels, sides), factor), (x, y))
    own = still[box][..., : texture.pixels.shape[2]]
    if own.dtype == texture.pixels.dtype:
        shown = mask[box] & np.isfinite(own).all(2) if own.dtype.kind == "f" else mask[box]
        cv2.copyTo(own.copy(), shown.view(np.uint8), texture.pixels[texture.place(box)])
    return texture
