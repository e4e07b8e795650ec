"""The parts' fields joined into the still's: what is held, how fast each pixel is, which paths are curved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .anchors import Anchors, Doubles, Floats
from .area import mask_box
from .edges import Edges, fade, within
from .field import Model, spread_fields, straight_cells
from .motion import Path, Speeds, mixed_speeds
from .regions import Part
from .resample import shrink

HOLD_FADE = 0.4
"""Of a step; over how much of it motion fades towards what is held still."""
LEAST_FADE = 8.0
"""Pixels; the least for that."""
SPEED_PASSAGE = 0.2
"""Of a step; the sigma with which one speed passes into another."""
LEAST_BEND = 0.5
"""Pixels; paths whose middles lie off the straight by less are taken as straight."""


@dataclass(frozen=True)
class SolvedPart:
    """A part's field on its anchors, working pixels.

    Parameters
    ----------
    part : Part
    anchors : Anchors
    values : (anchors, 2) float64
    scale : float
        Working pixels in a pixel of the still.
    step : float
        Typical length of a step, pixels of the still.
    confidence : float, 0 to 1
    model : callable, optional
        The part's repetition, which goes on beyond the part.
    """

    part: Part
    anchors: Anchors
    values: Doubles
    scale: float
    step: float
    confidence: float
    model: Model | None


@dataclass(frozen=True)
class Fields:
    """The still's fields, (H // cell, W // cell, 2) float32 pixels: zero where no part has written any."""

    forward: Floats
    inverse: Floats
    bends: tuple[Floats, Floats] | None
    cell: int

    @classmethod
    def on(cls, held: NDArray[np.bool_], parts: Sequence[Part], factor: int) -> Fields:
        """Make room for the fields of some parts: curved ones need more.

        Parameters
        ----------
        held : (H, W) bool
        parts : sequence of Part
        factor : int
            How many times as large the fields' picture will be.
        """
        cell = 1 if held.any() else _coarsest(held.shape, parts, factor)
        count = 4 if any(_is_curved(part) for part in parts) else 2
        shape = held.shape[0] // cell, held.shape[1] // cell, 2
        fields = [np.zeros(shape, np.float32) for _ in range(count)]
        return cls(fields[0], fields[1], (fields[2], fields[3]) if count == 4 else None, cell)

    def spread(self, solved: SolvedPart) -> None:
        """Write a part's fields."""
        part, bends = solved.part, self.bends if _is_curved(solved.part) else None
        spread_fields(
            solved.anchors,
            solved.values,
            part,
            solved.scale,
            self.forward,
            self.inverse,
            solved.model,
            bends,
            self.cell,
        )

    def enlarge(self, factor: float) -> None:
        """Give the fields of a picture so many times as large, in as many cells."""
        for field in (self.forward, self.inverse, *(self.bends or ())):
            field *= np.float32(factor)

    def hold(self, solved: SolvedPart, held: NDArray[np.bool_], cover: Floats) -> None:
        """Let a part's motion fade towards what is held still beside it, and write the (H, W) cover."""
        import cv2

        part = solved.part
        near = part.grown(2, held.shape)
        if not held[near].any():
            return
        away = cv2.distanceTransform((~held[near]).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
        rows, columns = (
            slice(side.start - wide.start, side.stop - wide.start)
            for side, wide in zip(part.box, near, strict=True)
        )
        bends = [None, None] if self.bends is None else [bend[part.box] for bend in self.bends]
        paths = Path(self.inverse[part.box], bends[1]), Path(self.forward[part.box], bends[0])
        width = np.array([0.0, max(solved.step * HOLD_FADE, LEAST_FADE)])
        away = np.asarray(away, np.float32)[rows, columns]
        width = within(width, away, part.inside.astype(np.int32))
        if not width.any():  # so little is left that nothing can fade in it
            return
        fading = fade(paths, Edges(away, np.ones(away.shape, np.int32), part.inside, width))
        inside = part.inside[..., None]
        for path, shorter in zip(paths, fading.paths, strict=True):
            np.copyto(path.move, shorter.move, where=inside)
            if path.bend is not None and shorter.bend is not None:
                np.copyto(path.bend, shorter.bend, where=inside)
        np.copyto(cover[part.box], fading.cover, where=part.inside)

    def visible_bends(self, inside: NDArray[np.bool_]) -> tuple[Floats, Floats] | None:
        """Give the bends where one could see them."""
        if self.bends is None:
            return None
        size = self.forward.shape[:2]
        here = shrink(inside[: size[0] * self.cell, : size[1] * self.cell].astype(np.float32), size) > 0
        if all(np.abs(bend[here]).max(initial=0.0) < 4 * LEAST_BEND for bend in self.bends):
            return None
        return self.bends


def _coarsest(shape: tuple[int, ...], parts: Sequence[Part], factor: int) -> int:
    """Say how large cells may be so that fields are straight between them, and no part's in another one's."""
    cell = min(straight_cells(part) for part in parts)
    # A cell more than a picture has whole ones of must not be told from larger cells.
    while cell > 1 and (cell * cell * factor > min(shape) or _touching(parts, cell)):
        cell //= 2
    return cell


def _touching(parts: Sequence[Part], cell: int) -> bool:
    """Whether two parts lie between the same cells."""
    boxes = [[(side.start // cell - 1, -(-side.stop // cell) + 1) for side in part.box] for part in parts]
    return any(
        all(low < end and start < high for (low, high), (start, end) in zip(one, other, strict=True))
        for one, other in combinations(boxes, 2)
    )


def _is_curved(part: Part) -> bool:
    return len(part.regions) > 1 or part.regions[0].turn is not None


def join_speeds(solved: Sequence[SolvedPart], moving: NDArray[np.bool_]) -> Speeds:
    """Say how often each pixel goes along its path; speeds pass into each other within a part."""
    every = tuple(sorted({region.segment.turns for found in solved for region in found.part.regions}))
    if len(every) == 1:
        return Speeds(every)
    box = mask_box(moving)
    shares = np.zeros((len(every), *(side.stop - side.start for side in box)), np.float32)
    for found in solved:
        part = found.part
        turns = np.zeros(part.inside.shape, np.int8)
        for region in part.regions:
            turns[region.inside] = region.segment.turns
        mixed = mixed_speeds(turns, part.inside, max(found.step * SPEED_PASSAGE, 1.0))
        rows, columns = (
            slice(side.start - whole.start, side.stop - whole.start)
            for side, whole in zip(part.box, box, strict=True)
        )
        for index, speed in enumerate(mixed.turns):
            share = np.float32(1) if mixed.shares is None else mixed.shares[index]
            np.copyto(shares[every.index(speed)][rows, columns], share, where=part.inside)
    return Speeds(every, shares)
