"""Small periodic stills with known fields, for tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine import Loop
from engine.motion import Speeds

SIZE = (120, 160)
STEP = 20


def pattern(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values 0.05 to 0.95 that repeat every STEP pixels sideways."""
    return 0.5 + 0.3 * np.sin(2 * np.pi * x / STEP) + 0.15 * np.sin(2 * np.pi * y / 15)


def as_type(values: NDArray[np.float64], dtype: type, channels: int) -> NDArray[np.generic]:
    """Give values (H, W) a type and channels: floats go up to 3, alpha is opaque."""
    picture = np.repeat(values[..., None], channels, axis=2)
    if np.dtype(dtype).kind == "f":
        picture = picture * 3
        full = 1.0
    else:
        full = float(np.iinfo(dtype).max)
        picture = np.rint(picture * full)
    if channels == 4:
        picture[..., 3] = full
    return picture.astype(dtype)


def moved_pattern(phase: float, dtype: type, channels: int) -> NDArray[np.generic]:
    """Draw the still as it is after the pattern went right by a part of its step."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float64)
    return as_type(pattern(columns - phase * STEP, rows), dtype, channels)


def box_mask(top: int = 20, bottom: int = 100, left: int = 30, right: int = 120) -> NDArray[np.bool_]:
    mask = np.zeros(SIZE, bool)
    mask[top:bottom, left:right] = True
    return mask


def sideways(step: float = STEP) -> NDArray[np.float32]:
    field = np.zeros((*SIZE, 2), np.float32)
    field[..., 0] = step
    return field


def moving(still: NDArray[np.generic], mask: NDArray[np.bool_], step: float = STEP) -> Loop:
    return Loop.from_fields(still, mask, sideways(step), -sideways(step), confidence=1.0)


def texture(
    along: NDArray[np.float64], across: NDArray[np.float64], step: float, seed: int = 0
) -> NDArray[np.float32]:
    """Draw something in color that repeats every `step` along one coordinate, and never along the other."""
    generator = np.random.default_rng(seed)
    total = np.zeros((*along.shape, 3))
    for harmonic in (1, 1, 1, 2, 2, 2, 3, 3, 4, 5):
        phase = generator.uniform(0, 2 * np.pi, 3)
        wave = generator.uniform(-4, 4)
        total += np.sin(2 * np.pi / step * (harmonic * along + wave * across)[..., None] + phase)
    return np.clip(0.5 + 0.1 * total, 0, 1).astype(np.float32)


def plane_texture(
    size: tuple[int, int], step: float, angle: float, fall: tuple[float, float] = (0, 0)
) -> NDArray[np.float32]:
    """Draw a plane that repeats along an angle (radians) and recedes from the picture's center by `fall`."""
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float64)
    x, y = columns - (size[1] - 1) / 2, rows - (size[0] - 1) / 2
    nearness = 1 + fall[0] * x + fall[1] * y
    x, y = x / nearness, y / nearness
    cos, sin = np.cos(angle), np.sin(angle)
    return texture(x * cos + y * sin, y * cos - x * sin, step)


STILL = moved_pattern(0, np.uint8, 3)


def every_kind() -> dict[str, Loop]:
    """Loops with everything that paths, speeds and edges can be."""
    mask, field = box_mask(), sideways()
    two_parts = mask.copy()
    two_parts[:, 70:76] = False
    bend = np.zeros_like(field)
    bend[..., 1] = 12
    shares = np.zeros((2, 80, 90), np.float32)
    shares[0] = np.linspace(0, 1, 90) > 0.5
    shares[1] = 1 - shares[0]
    seeds = [(40, 50, 0), (100, 50, 1)]
    ramp = np.linspace(0, 1, SIZE[1] // 4, dtype=np.float32)
    return {
        "plain": Loop.from_fields(STILL, mask, field, -field, 1.0),
        "soft": Loop.from_fields(STILL, two_parts, field, -field, 1.0, followed=seeds, soft_edge=[10, 0]),
        "curved": Loop.from_fields(STILL, mask, field, -field, 1.0, bends=(bend, -bend)),
        "in cells": Loop.from_fields(STILL, mask, field[::4, ::4], -field[::4, ::4], 1.0),
        "held in cells": Loop.from_fields(
            STILL, mask, field[::4, ::4], -field[::4, ::4], 1.0, held=np.tile(ramp, (SIZE[0] // 4, 1))
        ),
        "two speeds": Loop.from_fields(STILL, mask, field, -field, 1.0, speeds=Speeds((1, 2), shares)),
    }
