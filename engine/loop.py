"""The solved loop: frames at any phase, and one file that holds it (paper, 3.2)."""

from __future__ import annotations

import math
import os
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .contrast import Contrast, boost, coarse_field, measure_contrast
from .errors import BadFile, BadSettings
from .storage import replaced_file
from .texture import Texture, continue_texture, enlarge, mask_box

MOST_FRAMES = 10_000
FORMAT = "endless-loop-1"
STRIPE = 64
"""Rows rendered at once: a stripe's temporaries stay in the processor's cache."""


class Loop:
    """A still that moves along its strokes for ever.

    Parameters
    ----------
    still : (H, W, C) array
        uint8, uint16 or float32.
    mask : (H, W) bool
    forward, inverse : (H, W, 2) float32
        Pixels (x right, y down) by which a pixel moves in one turn of the loop, and back; what
        lies outside the mask is dropped.
    confidence : float, 0 to 1
        How well the still repeats along the strokes.
    texture : Texture
        What frames are warped from; equals the still inside the mask.
    contrast : Contrast
        What keeps details from fading at mid-loop.

    Notes
    -----
    Everything a frame is made of is an attribute, so that shaders and node trees can make the same
    picture: ``A = texture(p + phase * inverse(p))``, ``B = texture(p + (1 - phase) * forward(p))``,
    ``v = (1 - phase) * A + phase * B``, the same for ``lowpass`` gives ``mean``, and the frame is
    ``v + (v - mean) * boost(similarity, phase)``; alpha is ``v``.
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
        self.still = still
        self.mask = mask
        self.forward = np.where(mask[..., None], forward, np.float32(0))
        self.inverse = np.where(mask[..., None], inverse, np.float32(0))
        self.confidence = confidence
        self.texture = texture
        self.contrast = contrast
        self._box = mask_box(mask)
        inside = mask[self._box]
        self._coarse = [
            coarse_field(f[self._box], inside, contrast.cell) for f in (self.inverse, self.forward)
        ]
        self._opaque = still.shape[2] == 4 and bool((still[mask, 3] == _opacity(still)).all())

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
        texture = continue_texture(still, mask, forward, inverse)
        contrast = measure_contrast(texture, mask, forward, inverse)
        return cls(
            still=still,
            mask=mask,
            forward=forward,
            inverse=inverse,
            confidence=confidence,
            texture=texture,
            contrast=contrast,
        )

    @property
    def lowpass(self) -> NDArray[np.float32]:
        """The texture without its details, (h, w, C) float32, pixel for pixel under `texture`."""
        return enlarge(self.contrast.lowpass, self.texture.pixels.shape)

    @property
    def similarity(self) -> NDArray[np.float32]:
        """Correlation of the details that mid-loop blends, (H, W) float32, 1 outside the mask."""
        full = np.ones(self.mask.shape, np.float32)
        full[self._box] = enlarge(self.contrast.similarity, full[self._box].shape)
        full[~self.mask] = 1
        return full

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
        mean = enlarge(self._coarse_mean(phase), inside.shape)
        strength = enlarge(boost(self.contrast.similarity, phase), inside.shape)

        def render(first: int) -> None:
            rows = slice(first, min(first + STRIPE, inside.shape[0]))
            moved = self._blend(rows, phase, mean[rows], strength[rows])
            np.copyto(target[rows], self._encode(moved), where=inside[rows][..., None])

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
            "forward": self.forward[self._box],
            "inverse": self.inverse[self._box],
            "confidence": np.array(self.confidence, np.float64),
            "texture": self.texture.pixels,
            "origin": np.array(self.texture.origin, np.int64),
            "lowpass": self.contrast.lowpass,
            "similarity": self.contrast.similarity,
            "cell": np.array(self.contrast.cell, np.int64),
        }
        with replaced_file(path) as temporary:
            with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                for name, array in arrays.items():
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                        np.lib.format.write_array(entry, array, allow_pickle=False)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Loop:
        """Read a loop that `save` wrote; its frames are the same, bit for bit.

        Raises
        ------
        BadFile
            When it isn't there, isn't a loop, or is damaged.
        """
        try:
            with zipfile.ZipFile(path) as archive:
                arrays = {}
                for entry in archive.namelist():
                    with archive.open(entry) as stream:
                        arrays[entry.removesuffix(".npy")] = np.lib.format.read_array(
                            stream, allow_pickle=False
                        )
            if str(arrays["format"]) != FORMAT:
                raise BadFile(f"{path} was saved by another version of Endless Loops: solve it again.")
            return cls._unpack(arrays)
        except OSError as reason:
            raise BadFile(f"Can't read {path}: {(reason.strerror or str(reason)).lower()}.") from reason
        except (
            zipfile.BadZipFile,
            zlib.error,
            KeyError,
            ValueError,
            EOFError,
            NotImplementedError,
        ) as reason:
            raise BadFile(f"{path} isn't a saved loop or is damaged: solve it again.") from reason

    @classmethod
    def _unpack(cls, arrays: dict[str, NDArray[Any]]) -> Loop:
        still = arrays["still"]
        height, width, _ = still.shape
        mask = np.unpackbits(arrays["mask"], count=height * width).reshape(height, width).astype(bool)
        fields = {}
        for name in ("forward", "inverse"):
            fields[name] = np.zeros((height, width, 2), np.float32)
            fields[name][mask_box(mask)] = arrays[name]
        x, y = (int(value) for value in arrays["origin"])
        return cls(
            still=still,
            mask=mask,
            confidence=float(arrays["confidence"]),
            texture=Texture(arrays["texture"], (x, y)),
            contrast=Contrast(arrays["lowpass"], arrays["similarity"], int(arrays["cell"])),
            **fields,
        )

    def _blend(
        self, rows: slice, phase: float, mean: NDArray[np.float32], strength: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Warp the texture both ways for some rows of the mask's box and mix the two pictures."""
        top, left = self._box[0].start + rows.start, self._box[1].start
        columns = np.arange(left, self._box[1].stop, dtype=np.float32) - np.float32(self.texture.origin[0])
        lines = np.arange(top, top + rows.stop - rows.start, dtype=np.float32) - np.float32(
            self.texture.origin[1]
        )
        warped = []
        for field, share in ((self.inverse, phase), (self.forward, 1 - phase)):
            place = field[self._box][rows] * np.float32(share)
            place[..., 0] += columns
            place[..., 1] += lines[:, None]
            warped.append(_sample(self.texture.pixels, place))
        blend = warped[0] * np.float32(1 - phase) + warped[1] * np.float32(phase)
        colors = 3 if blend.shape[2] == 4 else blend.shape[2]
        plain = blend[..., :colors]
        vivid = plain + (plain - mean[..., :colors]) * strength[..., None]
        # A dark pixel stays at black: only what was negative in a scene-linear still may be below it.
        blend[..., :colors] = np.maximum(vivid, np.minimum(plain, 0))
        return blend

    def _coarse_mean(self, phase: float) -> NDArray[np.float32]:
        """Warp and mix the low-pass like the texture, a cell of the mask's box at a time."""
        lowpass, box = self.contrast.lowpass, self._box
        height, width = self._coarse[0].shape[:2]
        scale_y = (box[0].stop - box[0].start) / height
        scale_x = (box[1].stop - box[1].start) / width
        center_y = (np.arange(height) + 0.5) * scale_y + box[0].start - self.texture.origin[1]
        center_x = (np.arange(width) + 0.5) * scale_x + box[1].start - self.texture.origin[0]
        per_cell = np.array(lowpass.shape[1::-1], np.float32) / np.array(self.texture.pixels.shape[1::-1])
        mixed = np.zeros((height, width, lowpass.shape[2]), np.float32)
        for field, share, weight in zip(self._coarse, (phase, 1 - phase), (1 - phase, phase), strict=True):
            place = field * np.float32(share)
            place[..., 0] += center_x
            place[..., 1] += center_y[:, None]
            place = (place * per_cell - 0.5).astype(np.float32)
            mixed += _sample(lowpass, place) * np.float32(weight)
        return mixed

    def _encode(self, picture: NDArray[np.float32]) -> NDArray[Any]:
        """Turn texture values back into the still's: straight alpha and integers where it has them."""
        if self.still.dtype.kind == "f":
            if self._opaque:
                picture[..., 3] = 1
            return picture
        if picture.shape[2] == 4:
            if self._opaque:
                picture[..., 3] = 1
            else:
                picture[..., :3] /= np.maximum(picture[..., 3:], 1e-6)
        picture *= np.iinfo(self.still.dtype).max
        return np.clip(np.rint(picture, out=picture), 0, np.iinfo(self.still.dtype).max).astype(
            self.still.dtype
        )


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


def _sample(pixels: NDArray[np.float32], place: NDArray[np.float32]) -> NDArray[np.float32]:
    import cv2

    warped = cv2.remap(pixels, place, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(warped, np.float32).reshape(*place.shape[:2], pixels.shape[2])


def _opacity(still: NDArray[Any]) -> float:
    return 1.0 if still.dtype.kind == "f" else float(np.iinfo(still.dtype).max)
