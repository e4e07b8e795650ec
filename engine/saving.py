"""What a loop is made of, as the arrays of one file, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .area import Area, mask_box
from .contrast import Contrast
from .inputs import STILL_TYPES
from .motion import Path, Speeds, as_planes
from .texture import Texture

FORMAT = "endless-loop-3"
FORMATS = ("endless-loop-2", FORMAT)
"""What is read; before the last one, every pixel had paths of its own."""


def packed(
    *,
    still: NDArray[Any],
    mask: NDArray[np.bool_],
    forward: Path,
    inverse: Path,
    confidence: float,
    texture: Texture,
    contrast: Contrast,
    speeds: Speeds,
    held: NDArray[np.float32] | None,
    followed: tuple[tuple[int, int, int], ...],
    soft_edge: tuple[float, ...],
    warnings: tuple[str, ...],
) -> dict[str, NDArray[Any]]:
    """Name the arrays that a loop is saved as; it's told as `Loop` takes it."""
    arrays = {
        "format": np.array(FORMAT),
        "still": still,
        "mask": np.packbits(mask),
        "turns": np.array(speeds.turns, np.int64),
        "followed": np.array(followed, np.int64).reshape(-1, 3),
        "soft_edge": np.array(soft_edge, np.float64),
        "warnings": np.array(warnings, np.str_),
        "confidence": np.array(confidence, np.float64),
        "texture": texture.pixels,
        "origin": np.array(texture.origin, np.int64),
        "cells": np.array([inverse.cell, *inverse.start], np.int64),
        "lowpass": contrast.lowpass,
        "similarity": contrast.similarity,
        "ceiling": np.array(contrast.ceiling, np.float64),
    }
    for name, way in (("inverse", inverse), ("forward", forward)):
        arrays[name] = way.move
        if way.bend is not None:
            arrays[f"{name}_bend"] = way.bend
    if speeds.shares is not None:
        arrays["shares"] = speeds.shares
    if held is not None:
        arrays["held"] = held
    return arrays


def unpacked(arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """Tell what a loop that was saved as these arrays is made of, as `Loop` takes it.

    Raises
    ------
    KeyError, TypeError, ValueError, IndexError
        When they aren't a loop's.
    """
    still = arrays["still"]
    height, width, _ = still.shape
    mask = np.unpackbits(arrays["mask"], count=height * width).reshape(height, width).astype(bool)
    x, y = (int(value) for value in arrays["origin"])
    texture = Texture(arrays["texture"], (x, y))
    if not {still.dtype, texture.pixels.dtype} <= set(STILL_TYPES):
        raise ValueError("these aren't pixels")
    if not _covers(texture, mask_box(mask)):
        raise ValueError("frames look where there is no texture")
    return {
        "still": still,
        "mask": mask,
        "forward": _path(arrays, "forward"),
        "inverse": _path(arrays, "inverse"),
        "confidence": float(arrays["confidence"]),
        "texture": texture,
        "contrast": Contrast(arrays["lowpass"], arrays["similarity"], float(arrays.get("ceiling", np.inf))),
        "speeds": Speeds(tuple(int(turns) for turns in arrays["turns"]), arrays.get("shares")),
        "held": arrays.get("held"),
        "followed": tuple((int(x), int(y), int(stroke)) for x, y, stroke in arrays["followed"]),
        "soft_edge": tuple(float(width) for width in arrays["soft_edge"]),
        "warnings": tuple(str(warning) for warning in arrays["warnings"]),
    }


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
