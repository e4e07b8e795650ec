"""The solved loop: frames at any phase, and one file that holds it (paper, 3.2)."""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .area import Area, mask_box
from .arrayfile import load_arrays, save_arrays
from .contrast import measure_contrast
from .edges import check_soft_edge, fade, faded_similarity, mask_edges
from .errors import BadFile, BadSettings
from .inputs import is_whole
from .motion import Path, Speeds, repeated
from .renderer import Renderer, ramp_cover
from .resample import enlarge, enlarge_planes
from .saving import FORMATS, Parts, packed, unpacked
from .sheets import SharedSheets, Sheets, draw_sheets
from .texture import continue_texture
from .threads import results_in_order

MOST_FRAMES = 10_000
LOW_CONFIDENCE, LOW_SIMILARITY = 0.3, 0.3
"""Below both, hardly anything repeats: noise and clouds are, a facade in perspective isn't."""


class Loop:
    """A still that moves along its strokes for ever.

    Parameters
    ----------
    parts : Parts
        Each is an attribute as well: the pair of `paths`, inverse and forward, and `contrast` with the
        soft edge, `full_paths` without it.
    threads : int, optional
        How many cores render a frame; all there are by default. Frames are the same.

    Notes
    -----
    Everything a frame is made of is an attribute, so that shaders and node trees can make the same
    picture. With ``at(p)`` for a bilinear look-up in the sheet, which has two pixels for each of the
    texture's, at ``2 * (p - texture.origin)``, s for the phase in one repetition (the loop's times
    its speed, modulo 1), and the pixel's own paths (`Path.dense`)::

        v, mean = (1 - s) * at(p + s * inverse(p)) + s * at(p + (1 - s) * forward(p))
                  (and s * (1 - s) times their bends, where paths are curved)
        v   += (luminance(v) - mean) * boost(contrast.similarity(p), s)      (color only, not alpha)
        v    = sum of these v at each speed's s, by the speeds' shares
        v    = r + (v - r) * cover(p)   with r = texture(p), the picture at rest

    Color stays above 0 (above v, where that is negative) in the third line, and is divided by alpha
    at last where the still is an integer one with alpha. A still that is opaque throughout the mask
    has no alpha here.
    """

    def __init__(self, parts: Parts, threads: int | None = None) -> None:
        self.parts = parts
        self.still, self.mask, self.box = parts.still.view(), parts.mask.view(), parts.box
        self.still.flags.writeable = self.mask.flags.writeable = False
        self.confidence, self.texture, self.speeds = parts.confidence, parts.texture, parts.speeds
        self.held, self.followed, self.warnings = parts.held, parts.followed, parts.warnings
        scene_linear = self.still.dtype.kind == "f"
        self._sheets = SharedSheets(
            lambda: draw_sheets(parts.texture, parts.contrast, scene_linear=scene_linear)
        )
        self.threads = threads
        self._soften(parts.soft_edge)

    @classmethod
    def from_fields(
        cls,
        still: NDArray[Any],
        mask: NDArray[np.bool_],
        forward: NDArray[np.float32],
        inverse: NDArray[np.float32],
        confidence: float,
        *,
        box: Area | None = None,
        bends: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
        speeds: Speeds | None = None,
        held: NDArray[np.float32] | None = None,
        followed: Sequence[tuple[int, int, int]] = (),
        soft_edge: float | Sequence[float] = 0.0,
        warnings: Sequence[str] = (),
        threads: int | None = None,
    ) -> Loop:
        """Make a loop from fields that go on smoothly beyond the mask.

        Parameters
        ----------
        still : (H, W, C) array
        mask : (H, W) bool
            Both are kept, not copied: nothing may change them later.
        forward, inverse : (H, W, 2) float32
            Pixels of the still in one repetition; the texture beyond the mask is pulled along what lies
            outside of it. Smooth fields of a whole fraction of that size will do, and bends and
            `held` of that size too.
        confidence : float, 0 to 1
        box : Area, optional
            The mask's, where it's known already: it takes a while to find in a large one.
        bends : pair of (H, W, 2) float32, optional
            How the forward and the inverse path are curved.
        speeds, held, followed, soft_edge, warnings, threads
            As the loop has them.
        """
        box = box or mask_box(mask)
        texture, held_cells = continue_texture(still, mask, box, forward, inverse, bends)
        contrast = measure_contrast(texture, held_cells, mask, box, forward, inverse)
        # On grids finer than any difference one could see, the arrays of a saved loop compress well.
        _round_to(contrast.similarity, 1 / 256)
        if still.dtype.kind != "f":
            _round_to(contrast.lowpass, texture.full / 4096)
            if texture.pixels.dtype == np.float32:
                _round_to(texture.pixels, 2.0 ** -(8 * still.dtype.itemsize + 4))
        factor = mask.shape[0] // forward.shape[0]
        parts = Parts(
            still=still,
            mask=mask,
            box=box,
            inverse=Path.over(box, factor, inverse, bends and bends[1]),
            forward=Path.over(box, factor, forward, bends and bends[0]),
            confidence=confidence,
            texture=texture,
            contrast=contrast,
            speeds=speeds or Speeds(),
            held=None if held is None else enlarge_planes([held], factor, box, 1 / 256)[0],
            followed=tuple(followed),
            soft_edge=check_soft_edge(soft_edge, followed),
            warnings=tuple(warnings),
        )
        return cls(parts, threads)

    def with_soft_edge(self, width: float | Sequence[float]) -> Loop:
        """Return the same loop with another soft edge; nothing is solved again.

        Parameters
        ----------
        width : float, or one a stroke
            Pixels inside the mask's edge over which the motion fades to nothing; below 2 it's a hard edge. A
            part of the mask takes the width of the stroke that it follows. What would leave nothing
            that moves fully is narrowed.

        Raises
        ------
        BadSettings
            When a width isn't a number of 0 or more, or there are fewer than strokes.
        """
        other = copy.copy(self)
        for name in ("forward", "inverse", "cover", "_renderer"):
            other.__dict__.pop(name, None)
        other._soften(check_soft_edge(width, self.followed))
        return other

    def _soften(self, widths: tuple[float, ...]) -> None:
        """Derive paths and contrast from those without a soft edge."""
        self.soft_edge = widths
        self.paths, self.contrast = self.full_paths, self.parts.contrast
        self._fade = np.float32(1) if self.held is None else self.held
        if not any(widths):
            return
        found = mask_edges(self.mask, self.box, self.followed, widths)
        if not found.widths.any():  # no part follows a stroke that has one
            return
        fading = fade(self.paths, found)
        self.paths = fading.paths
        share = fading.paths[0].over_box(fading.share, fading.cover.shape)
        similarity = enlarge(self.contrast.similarity, share.shape)
        self.contrast = replace(self.contrast, similarity=faded_similarity(similarity, share))
        self._fade = self._fade * fading.cover

    @cached_property
    def forward(self) -> NDArray[np.float32]:
        """Pixels (x right, y down) by which a pixel moves in one turn, (H, W, 2); 0 outside the mask.

        Where speeds pass into each other, it's that of the speed with the larger share.
        """
        return self._moved(forward=True)

    @cached_property
    def inverse(self) -> NDArray[np.float32]:
        """Pixels by which each pixel moves in one turn backward, as `forward`."""
        return self._moved(forward=False)

    @property
    def full_paths(self) -> tuple[Path, Path]:
        """The inverse and the forward path without a soft edge, smooth across the mask's border."""
        return self.parts.inverse, self.parts.forward

    def _dense_paths(self) -> tuple[Path, Path]:
        inverse, forward = self.paths
        shape = self.mask[self.box].shape
        return inverse.dense(shape), forward.dense(shape)

    @property
    def hardly_repeats(self) -> bool:
        """Whether frames will look soft: no step stood out, and what is blended at mid-loop differs."""
        typical = float(np.median(self.contrast.similarity))
        return self.confidence < LOW_CONFIDENCE and typical < LOW_SIMILARITY

    @cached_property
    def cover(self) -> NDArray[np.float32]:
        """How much of each pixel moves, (H, W) float32: 0 outside the mask, 1 inside, where no edge is near.

        A mask's edge is a staircase; a ramp of two pixels hides its steps.
        """
        full = np.zeros(self.mask.shape, np.float32)
        full[self.box] = ramp_cover(self.mask, self.box, self._fade)
        return full

    @property
    def sheets(self) -> Sheets:
        """What frames are looked up in: see `draw_sheets`."""
        return self._sheets.get()

    @cached_property
    def _renderer(self) -> Renderer:
        return Renderer(
            self.still,
            self.mask,
            self.box,
            self.paths,
            self.speeds,
            self.texture,
            self.contrast.similarity,
            ramp_cover(self.mask, self.box, self._fade),
            self.sheets,
        )

    def frame(self, phase: float) -> NDArray[Any]:
        """Render the picture at a phase.

        Parameters
        ----------
        phase : float
            Turns of the loop; only the fraction counts. Content moves along the strokes as it grows.

        Returns
        -------
        (H, W, C) array
            Of the still's dtype. Phase 0 is the still, and so is everything outside the mask, bit
            for bit.

        Raises
        ------
        BadSettings
            When the phase isn't a finite number.
        """
        shares = self._shares_of_repetitions(phase)
        return self._renderer.frame(shares, self.threads) if any(shares) else self.still.copy()

    def _shares_of_repetitions(self, phase: float) -> list[float]:
        """Say how far into a repetition each speed is."""
        try:
            share = float(phase) % 1.0
        except (TypeError, ValueError, OverflowError):
            share = math.nan
        if math.isnan(share):
            raise BadSettings(f"The phase must be a number from 0 to 1, not {phase!r}.")
        return [round(share * turns, 12) % 1.0 for turns in self.speeds.turns]

    def frames(self, count: int) -> Iterator[NDArray[Any]]:
        """Render one turn of the loop.

        Parameters
        ----------
        count : int, 2 to 10 000
            Frames in a turn; they lie at phases 0, 1/count, … and the frame after the last is the first.

        Raises
        ------
        BadSettings
            For any other count.
        """
        count = check_frame_count(count)
        return self.frames_at([index / count for index in range(count)])

    def frames_at(self, phases: Sequence[float]) -> Iterator[NDArray[Any]]:
        """Render the pictures at some phases, faster than one by one.

        Parameters
        ----------
        phases : sequence of float
            As `frame` takes them.

        Raises
        ------
        BadSettings
            When a phase isn't a finite number, or they aren't a list.
        """
        if not isinstance(phases, Iterable):
            raise BadSettings(f"Phases must be a list of numbers from 0 to 1, not {phases!r}.")
        shares = [self._shares_of_repetitions(phase) for phase in phases]
        renderer = self._renderer
        # A frame a thread: threads that share a frame wait for each other at every step.
        return results_in_order(lambda each: renderer.frame(each, 1), shares, self.threads)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the loop to one file; an existing one is replaced in one step.

        Raises
        ------
        BadFile
            When it can't be written.
        """
        save_arrays(path, packed(replace(self.parts, soft_edge=self.soft_edge)))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Loop:
        """Read a loop that `save` wrote; its frames are the same, bit for bit.

        Raises
        ------
        BadFile
            When it isn't there, isn't a loop, or is damaged.
        """
        arrays = load_arrays(path)
        try:
            if str(arrays["format"]) not in FORMATS:
                raise BadFile(f"{path} was saved by another version of Endless Loops: solve it again.")
            return cls(unpacked(arrays))
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as reason:
            raise BadFile(f"{path} isn't a saved loop or is damaged: solve it again.") from reason

    def _moved(self, forward: bool) -> NDArray[np.float32]:
        """Follow the paths as often as pixels do in one turn of the loop."""
        paths = self._dense_paths()
        ways = [paths[(turns > 0) == forward] for turns in self.speeds.turns]
        moves = [repeated(way, abs(turns)) for way, turns in zip(ways, self.speeds.turns, strict=True)]
        moved = moves[0]
        if self.speeds.shares is not None:
            most = self.speeds.shares.argmax(0)
            for index, move in enumerate(moves):
                np.copyto(moved, move, where=(most == index)[..., None])
        full = np.zeros((*self.mask.shape, 2), np.float32)
        np.copyto(full[self.box], moved, where=self.mask[self.box][..., None])
        return full


def check_frame_count(count: int) -> int:
    """Return a usable frame count, or say why it isn't one.

    Raises
    ------
    BadSettings
        When it isn't a whole number from 2 to 10 000.
    """
    if not is_whole(count):
        raise BadSettings(f"The number of frames must be a whole number, not {count!r}.")
    if count < 2:
        raise BadSettings(f"A loop of {count} frames doesn't move: ask for 2 or more.")
    if count > MOST_FRAMES:
        raise BadSettings(f"A loop of {count} frames is too long: ask for {MOST_FRAMES} or fewer.")
    return int(count)


def _round_to(values: NDArray[np.float32], grid: float) -> None:
    """Round to multiples of a power of two, in place."""
    values *= np.float32(1 / grid)
    np.rint(values, out=values)
    values *= np.float32(grid)
