"""What a loop is made of, as the arrays of one file, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .area import Area, mask_box
from .contrast import Contrast
from .inputs import STILL_TYPES
from .motion import Path, Speeds, as_planes
from .texture import Texture

FORMAT = "endless-loop-4"
FORMATS = ("endless-loop-2", "endless-loop-3", FORMAT)
"""What is read; in the first, every pixel had paths of its own, and before the last, a texture was whole."""


@dataclass(frozen=True)
class Parts:
    """What a loop is made of.

    Parameters
    ----------
    still : (H, W, C) array
        uint8, uint16 or float32.
    mask : (H, W) bool
    box : Area
        The mask's: see `mask_box`.
    inverse, forward : Path
        Along which a pixel moves back and on in one repetition, over the mask's box, where no edge is
        soft; known in cells as large as those of the fields that they are made of.
    confidence : float, 0 to 1
        How well the still repeats along the strokes.
    texture : Texture
        What frames are warped from; equals the still inside the mask.
    contrast : Contrast
        What keeps details from fading at mid-loop.
    speeds : Speeds
        How often pixels go along their paths in one turn of the loop.
    held : (h, w) float32, 0 to 1, or None
        How much of the moving picture there is near what is held still inside the mask, over its box.
    followed : tuple of (x, y, stroke)
        For each connected part of the mask one of its pixels, and the stroke whose soft edge it has.
    soft_edge : tuple of float
        Pixels over which motion fades at the mask's edge, one a stroke.
    warnings : tuple of str
        Sentences about strokes, or parts of the mask, that don't do what they were drawn for.
    """

    still: NDArray[Any]
    mask: NDArray[np.bool_]
    box: Area
    inverse: Path
    forward: Path
    confidence: float
    texture: Texture
    contrast: Contrast
    speeds: Speeds
    held: NDArray[np.float32] | None
    followed: tuple[tuple[int, int, int], ...]
    soft_edge: tuple[float, ...]
    warnings: tuple[str, ...]


def packed(parts: Parts) -> dict[str, NDArray[Any]]:
    """Name the arrays that a loop of these parts is saved as."""
    import cv2

    place, own = _own(parts.texture, parts.still, parts.mask, parts.box)
    around = np.ones(parts.texture.pixels.shape[:2], bool)
    around[place] = ~own  # the still holds the rest
    texture = np.zeros_like(parts.texture.pixels)
    cv2.copyTo(parts.texture.pixels, around.view(np.uint8), texture)
    arrays = {
        "format": np.array(FORMAT),
        "still": parts.still,
        "mask": np.packbits(parts.mask, axis=1),
        "turns": np.array(parts.speeds.turns, np.int64),
        "followed": np.array(parts.followed, np.int64).reshape(-1, 3),
        "soft_edge": np.array(parts.soft_edge, np.float64),
        "warnings": np.array(parts.warnings, np.str_),
        "confidence": np.array(parts.confidence, np.float64),
        "texture": texture,
        "origin": np.array(parts.texture.origin, np.int64),
        "cells": np.array([parts.inverse.cell, *parts.inverse.start], np.int64),
        "lowpass": parts.contrast.lowpass,
        "similarity": parts.contrast.similarity,
        "ceiling": np.array(parts.contrast.ceiling, np.float64),
    }
    for name, way in (("inverse", parts.inverse), ("forward", parts.forward)):
        arrays[name] = way.move
        if way.bend is not None:
            arrays[f"{name}_bend"] = way.bend
    for index, share in enumerate(() if parts.speeds.shares is None else parts.speeds.shares):
        arrays[f"share_{index}"] = share
    if parts.held is not None:
        arrays["held"] = parts.held
    return arrays


def unpacked(arrays: dict[str, NDArray[Any]]) -> Parts:
    """Tell the parts of a loop that was saved as these arrays.

    Raises
    ------
    KeyError, TypeError, ValueError, IndexError
        When they aren't a loop's.
    """
    import cv2

    still, pixels = arrays["still"], arrays["texture"]
    if not {(still.ndim, *still.shape[2:]), (pixels.ndim, *pixels.shape[2:])} <= {(3, 1), (3, 3), (3, 4)}:
        raise ValueError("these are no pictures")
    mask = _mask(arrays["mask"], still)
    x, y = (int(value) for value in arrays["origin"])
    texture = Texture(pixels, (x, y))
    if not {still.dtype, texture.pixels.dtype} <= set(STILL_TYPES):
        raise ValueError("these aren't pixels")
    box = mask_box(mask)
    if not _covers(texture, box):
        raise ValueError("frames look where there is no texture")
    if str(arrays["format"]) == FORMAT:
        place, own = _own(texture, still, mask, box)
        colors = np.ascontiguousarray(still[box][..., : pixels.shape[2]])
        cv2.copyTo(colors, own.view(np.uint8), pixels[place])
    return Parts(
        still=still,
        mask=mask,
        box=box,
        forward=_path(arrays, "forward"),
        inverse=_path(arrays, "inverse"),
        confidence=float(arrays["confidence"]),
        texture=texture,
        contrast=Contrast(arrays["lowpass"], arrays["similarity"], float(arrays.get("ceiling", np.inf))),
        speeds=_speeds(arrays),
        held=arrays.get("held"),
        followed=tuple((int(x), int(y), int(stroke)) for x, y, stroke in arrays["followed"]),
        soft_edge=tuple(float(width) for width in arrays["soft_edge"]),
        warnings=tuple(str(warning) for warning in arrays["warnings"]),
    )


def _speeds(arrays: dict[str, NDArray[Any]]) -> Speeds:
    """Tell the speeds; their shares have an array each or, in older files, one for all."""
    turns = tuple(int(speed) for speed in arrays["turns"])
    if "shares" in arrays:
        return Speeds(turns, arrays["shares"])
    shares = [arrays[f"share_{index}"] for index in range(len(turns))] if "share_0" in arrays else None
    return Speeds(turns, None if shares is None else np.stack(shares))


def _mask(bits: NDArray[np.uint8], still: NDArray[Any]) -> NDArray[np.bool_]:
    """Unpack a still's mask: rows of bits or, in older files, all of them in one."""
    height, width, _ = still.shape
    if bits.ndim == 1:
        return np.unpackbits(bits, count=height * width).reshape(height, width).view(bool)
    if bits.shape != (height, -(-width // 8)):
        raise ValueError("the mask is of another size")
    return np.unpackbits(bits, axis=1, count=width).view(bool)


def _own(
    texture: Texture, still: NDArray[Any], mask: NDArray[np.bool_], box: Area
) -> tuple[Area, NDArray[np.bool_]]:
    """Find the pixels of a texture that are the still's own.

    Returns
    -------
    place : Area
        The mask's box on the texture.
    own : (h, w) bool
        Which pixels there.
    """
    own, values = mask[box], still[box]
    if texture.pixels.dtype != still.dtype:
        own = np.zeros_like(own)  # alpha makes others of them
    elif values.dtype.kind == "f":
        own = np.array([line & np.isfinite(row).all(1) for line, row in zip(own, values, strict=True)])
    return texture.place(box), own


def _covers(texture: Texture, box: Area) -> bool:
    """Say whether a texture lies below all of a box of the still."""
    sides = zip(box, texture.origin[::-1], texture.pixels.shape[:2], strict=True)
    return all(first <= part.start and part.stop <= first + side for part, first, side in sides)


def _path(arrays: dict[str, NDArray[Any]], name: str) -> Path:
    cell, top, left = (int(value) for value in arrays.get("cells", (1, 0, 0)))
    if cell < 1:
        raise ValueError("cells have no side")
    bend = arrays.get(f"{name}_bend")
    return Path(_in_planes(arrays[name]), None if bend is None else _in_planes(bend), cell, (top, left))


def _in_planes(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """Copy a (h, w, 2) field so that x and y each lie together, as look-ups take them."""
    if field.dtype != np.float32:
        raise ValueError("a field is of another type")
    return as_planes([field[..., 0], field[..., 1]])
