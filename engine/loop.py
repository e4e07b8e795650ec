"""The solved loop: frames at any phase, and one file that holds it (paper, 3.2)."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .contrast import Contrast, boost, luminance, measure_contrast
from .errors import BadFile, BadSettings
from .spline import sample_spline, spline_coefficients, spline_pixels
from .storage import load_arrays, save_arrays
from .texture import Texture, continue_texture, mask_box

MOST_FRAMES = 10_000
FORMAT = "endless-loop-1"
EDGE = 0.7
"""Pixels; the blur that makes a ramp of the mask's edge. Parts three pixels wide still move."""
LEAST_COVER = 1 / 64
"""What tells the mask's outermost pixels from those outside of it."""
STRIPE = 64
"""Rows rendered at once: a stripe's temporaries stay in the processor's cache."""


class Loop:
    """A still that moves along its strokes for ever.

    Parameters
    ----------
    still : (H, W, C) array
        uint8, uint16 or float32.
    mask : (H, W) bool
    forward, inverse : (hb, wb, 2) float32
        Pixels (x right, y down) by which a pixel moves in one turn of the loop, and back, over the
        mask's bounding box.
    confidence : float, 0 to 1
        How well the still repeats along the strokes.
    texture : Texture
        What frames are warped from; equals the still inside the mask.
    contrast : Contrast
        What keeps details from fading at mid-loop.

    Notes
    -----
    Everything a frame is made of is an attribute, so that shaders and node trees can make the same
    picture. With ``at(m, p)`` for a cubic B-spline look-up in a map, whose first pixel lies at
    ``texture.origin``, and s for the phase::

        v    = (1 - s) * at(coefficients, p + s * inverse(p)) + s * at(coefficients, p + (1 - s) * forward(p))
        mean = the same of contrast.lowpass
        v   += (luminance(v) - mean) * boost(contrast.similarity(p), s)      (color only, not alpha)
        v    = r + (v - r) * cover(p)   with r = at(coefficients, p), the picture at rest

    Color stays above 0 (above v, where that is negative) in the third line, and is divided by alpha
    at last where the still is an integer one with alpha. A still that is opaque throughout the mask
    has no alpha here.
    """

    def __init__(
        self,
        *,
        still: NDArray[Any],
        mask: NDArray[np.bool_],
        forward: NDArray[np.float32],
        inverse: NDArray[np.float32],
        confidence: float,
        texture: Texture,
        contrast: Contrast,
    ) -> None:
        self.still, self.mask = still.copy(), mask.copy()
        self.still.flags.writeable = self.mask.flags.writeable = False
        self.confidence = confidence
        self.texture = texture
        self.contrast = contrast
        self._box = mask_box(mask)
        corner = (self._box[1].start - texture.origin[0], self._box[0].start - texture.origin[1])
        # Planes of x and y, as the look-ups take them.
        self._fields = tuple(
            tuple(np.ascontiguousarray(f[..., i]) for i in (0, 1)) for f in (inverse, forward)
        )
        self._opaque = still.shape[2] == 4 and bool((still[mask, 3] == _opacity(still)).all())
        pixels = texture.pixels[..., :3] if self._opaque else texture.pixels
        self.coefficients = spline_coefficients(pixels, scene_linear=still.dtype.kind == "f")
        rows, columns = (
            slice(start, start + side.stop - side.start)
            for start, side in zip(corner[::-1], self._box, strict=True)
        )
        self._resting = spline_pixels(self.coefficients)[rows, columns].copy()
        # OpenCV looks up four channels faster than three, and two inexactly.
        lowpass = contrast.lowpass[..., None]
        packed = self.coefficients.shape[2] == 3
        self._layers = (np.dstack([self.coefficients, lowpass]),) if packed else (self.coefficients, lowpass)
        self._corner = corner

    @classmethod
    def from_fields(
        cls,
        still: NDArray[Any],
        mask: NDArray[np.bool_],
        forward: NDArray[np.float32],
        inverse: NDArray[np.float32],
        confidence: float,
    ) -> Loop:
        """Make a loop from fields that go on smoothly beyond the mask.

        Parameters
        ----------
        still : (H, W, C) array
        mask : (H, W) bool
        forward, inverse : (H, W, 2) float32
            Pixels; the texture beyond the mask is pulled along what lies outside of it.
        confidence : float, 0 to 1
        """
        # On grids finer than any difference one could see, the arrays of a saved loop compress well.
        texture = continue_texture(still, mask, forward, inverse)
        if still.dtype.kind != "f":
            _round_to(texture.pixels, 2.0 ** -(8 * still.dtype.itemsize + 4))
        box = mask_box(mask)
        forward, inverse = (_round_to(field[box].copy(), 1 / 64) for field in (forward, inverse))
        contrast = measure_contrast(texture, mask, forward, inverse)
        _round_to(contrast.similarity, 1 / 256)
        if still.dtype.kind != "f":
            _round_to(contrast.lowpass, 1 / 4096)
        return cls(
            still=still,
            mask=mask,
            forward=forward,
            inverse=inverse,
            confidence=confidence,
            texture=texture,
            contrast=contrast,
        )

    @cached_property
    def forward(self) -> NDArray[np.float32]:
        """Pixels (x right, y down) by which a pixel moves in one turn, (H, W, 2); 0 outside the mask."""
        return self._masked(1)

    @cached_property
    def inverse(self) -> NDArray[np.float32]:
        """Pixels by which each pixel moves in one turn backward, as `forward`."""
        return self._masked(0)

    @cached_property
    def cover(self) -> NDArray[np.float32]:
        """How much of each pixel moves, (H, W) float32: 0 outside the mask, 1 two pixels inside of it.

        A mask's edge is a staircase; the ramp hides its steps.
        """
        import cv2

        blurred = cv2.GaussianBlur(
            self.mask.astype(np.float32), (0, 0), EDGE, borderType=cv2.BORDER_REPLICATE
        )
        ramp = np.clip(2 * np.asarray(blurred, np.float32) - 1, LEAST_COVER, 1)
        return np.where(self.mask, ramp, np.float32(0))

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
        if not math.isfinite(phase):
            raise BadSettings(f"The phase must be a number from 0 to 1, not {phase}.")
        phase = float(phase) % 1.0
        picture = self.still.copy()
        if phase == 0:
            return picture
        inside = self.mask[self._box]
        target = picture[self._box]

        def render(first: int) -> None:
            rows = slice(first, min(first + STRIPE, inside.shape[0]))
            np.copyto(target[rows], self._encode(self._blend(rows, phase)), where=inside[rows][..., None])

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(render, range(0, inside.shape[0], STRIPE)))
        return picture

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
        return (self.frame(index / count) for index in range(count))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the loop to one file; an existing one is replaced in one step.

        Raises
        ------
        BadFile
            When it can't be written.
        """
        arrays = {
            "format": np.array(FORMAT),
            "still": self.still,
            "mask": np.packbits(self.mask),
            "inverse": np.stack(self._fields[0], -1),
            "forward": np.stack(self._fields[1], -1),
            "confidence": np.array(self.confidence, np.float64),
            "texture": self.texture.pixels,
            "origin": np.array(self.texture.origin, np.int64),
            "lowpass": self.contrast.lowpass,
            "similarity": self.contrast.similarity,
        }
        save_arrays(path, arrays)

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
            if str(arrays["format"]) != FORMAT:
                raise BadFile(f"{path} was saved by another version of Endless Loops: solve it again.")
            return cls._unpack(arrays)
        except (KeyError, ValueError, IndexError) as reason:
            raise BadFile(f"{path} isn't a saved loop or is damaged: solve it again.") from reason

    @classmethod
    def _unpack(cls, arrays: dict[str, NDArray[Any]]) -> Loop:
        still = arrays["still"]
        height, width, _ = still.shape
        mask = np.unpackbits(arrays["mask"], count=height * width).reshape(height, width).astype(bool)
        x, y = (int(value) for value in arrays["origin"])
        return cls(
            still=still,
            mask=mask,
            forward=arrays["forward"],
            inverse=arrays["inverse"],
            confidence=float(arrays["confidence"]),
            texture=Texture(arrays["texture"], (x, y)),
            contrast=Contrast(arrays["lowpass"], arrays["similarity"]),
        )

    def _masked(self, which: int) -> NDArray[np.float32]:
        full = np.zeros((*self.mask.shape, 2), np.float32)
        np.copyto(full[self._box], np.stack(self._fields[which], -1), where=self.mask[self._box][..., None])
        return full

    def _blend(self, rows: slice, phase: float) -> NDArray[Any]:
        """Warp the texture both ways for some rows of the mask's box and mix the two pictures."""
        columns = np.arange(self._fields[0][0].shape[1], dtype=np.float32) + np.float32(self._corner[0])
        lines = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + np.float32(self._corner[1])
        moved = []
        for (across, down), share in zip(self._fields, (phase, 1 - phase), strict=True):
            x, y = across[rows] * np.float32(share) + columns, down[rows] * np.float32(share) + lines
            moved.append([sample_spline(layer, x, y) for layer in self._layers])
        mixed = [
            first * np.float32(1 - phase) + second * np.float32(phase)
            for first, second in zip(*moved, strict=True)
        ]
        mean = mixed[-1][..., -1]
        blend: NDArray[np.float32] = mixed[0][..., : self.coefficients.shape[2]]
        colors = blend[..., :3]
        detail = (luminance(colors) - mean) * boost(self.contrast.similarity[rows], phase)
        # A dark pixel stays at black: only what was negative in a scene-linear still may be below it.
        np.maximum(colors + detail[..., None], np.minimum(colors, 0), out=colors)
        resting = self._resting[rows]
        return resting + (blend - resting) * self.cover[self._box][rows][..., None]

    def _encode(self, picture: NDArray[Any]) -> NDArray[Any]:
        """Turn texture values back into the still's: straight alpha and integers where it has them."""
        if self._opaque:
            picture = np.concatenate([picture, np.ones_like(picture[..., :1])], axis=2)
        if self.still.dtype.kind == "f":
            return picture
        if self.still.shape[2] == 4 and not self._opaque:
            picture[..., :3] /= np.maximum(picture[..., 3:], 1e-6)
        full = np.iinfo(self.still.dtype).max
        encoded: NDArray[Any] = np.rint(picture * np.float32(full)).clip(0, full).astype(self.still.dtype)
        return encoded


def check_frame_count(count: int) -> int:
    """Return a usable frame count, or say why it isn't one.

    Raises
    ------
    BadSettings
        When it isn't a whole number from 2 to 10 000.
    """
    if not isinstance(count, int | np.integer) or isinstance(count, bool):
        raise BadSettings(f"The number of frames must be a whole number, not {count!r}.")
    if count < 2:
        raise BadSettings(f"A loop of {count} frames doesn't move: ask for 2 or more.")
    if count > MOST_FRAMES:
        raise BadSettings(f"A loop of {count} frames is too long: ask for {MOST_FRAMES} or fewer.")
    return int(count)


def _round_to(values: NDArray[np.float32], grid: float) -> NDArray[np.float32]:
    """Round to multiples of a power of two, in place."""
    values *= np.float32(1 / grid)
    np.rint(values, out=values)
    values *= np.float32(grid)
    return values


def _opacity(still: NDArray[Any]) -> float:
    return 1.0 if still.dtype.kind == "f" else float(np.iinfo(still.dtype).max)
