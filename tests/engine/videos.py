"""Videos of a plane that a camera moves past, with known homographies, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .pictures import texture

SIZE = (360, 480)
STEP = 40
INSIDE = (slice(90, 270), slice(120, 360))
"""Rows and columns of the first frame that repeat: what the mask covers."""


def mask() -> NDArray[np.bool_]:
    inside = np.zeros(SIZE, bool)
    inside[INSIDE] = True
    return inside


def corners() -> NDArray[np.float64]:
    """The mask's corners in the first frame, (4, 2)."""
    rows, columns = INSIDE
    ends = [(x, y) for y in (rows.start, rows.stop - 1) for x in (columns.start, columns.stop - 1)]
    return np.array(ends, np.float64)


def camera(share: float, swing: float = 1.0) -> NDArray[np.float64]:
    """Map the first frame to the one at `share` (0 to 1) of a move: pan, zoom, roll and perspective."""
    center = np.array([[1, 0, (SIZE[1] - 1) / 2], [0, 1, (SIZE[0] - 1) / 2], [0, 0, 1]])
    angle = swing * np.radians(14) * np.sin(2 * np.pi * share)
    zoom = 1 + swing * 0.35 * share
    turned = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    move = np.eye(3)
    move[:2, :2] = turned
    move[:2, 2] = swing * np.array([60 * np.sin(2 * np.pi * share), 40 * (1 - np.cos(2 * np.pi * share))])
    move[2, :2] = swing * np.array([6e-4, -4e-4]) * np.sin(np.pi * share)
    return center @ move @ np.linalg.inv(center)


def mapped(homography: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    return cv2.perspectiveTransform(points[:, None], homography)[:, 0]


@lru_cache(maxsize=2)
def wall(seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Paint the plane, finer and larger than a frame sees it; and say where the first frame is on it."""
    detail, border = 2, 200
    size = ((SIZE[0] + 2 * border) * detail, (SIZE[1] + 2 * border) * detail)
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float64)
    x, y = (columns + 0.5) / detail - 0.5 - border, (rows + 0.5) / detail - 0.5 - border
    generator = np.random.default_rng(seed)
    noise = generator.normal(0, 1, (*size, 3)).astype(np.float32)
    plaster = sum(cv2.GaussianBlur(noise, (0, 0), sigma) * sigma for sigma in (3, 8, 24))
    plaster = 0.45 + 0.12 * plaster
    inside = (abs(y - 179.5) < 90) & (abs(x - 239.5) < 120)
    painted = texture(x, y, STEP, seed) + 0.03 * noise
    picture = np.where(inside[..., None], painted, plaster).astype(np.float32)
    to_wall = np.array([[detail, 0, 0], [0, detail, 0], [0, 0, 1.0]])
    to_wall[:2, 2] = detail * (border + 0.5) - 0.5
    return np.clip(picture, 0, 1), to_wall


def shot(
    count: int, swing: float = 1.0, noise: float = 3.0, exposure: float = 0.35, seed: int = 0
) -> Iterator[NDArray[np.uint8]]:
    """Film the wall: `count` frames of 8 bit, whose light comes and goes, and whose noise is new in each."""
    picture, to_wall = wall(seed)
    generator = np.random.default_rng(seed + 1)
    finer = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1.0]])
    for index in range(count):
        share = index / max(count - 1, 1)
        matrix = to_wall @ np.linalg.inv(finer @ camera(share, swing))
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        seen = cv2.warpPerspective(
            picture, matrix, (2 * SIZE[1], 2 * SIZE[0]), flags=flags, borderMode=cv2.BORDER_REFLECT
        )
        seen = cv2.resize(seen, SIZE[::-1], interpolation=cv2.INTER_AREA)
        light = 1 + exposure * np.sin(7 * share)
        values = 255 * seen * light + generator.normal(0, noise, seen.shape)
        yield np.rint(np.clip(values, 0, 255)).astype(np.uint8)
