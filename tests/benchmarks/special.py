"""Stills for what the paper can't do or leaves to many strokes: wheels, bends, steep planes, fine steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cases import Case
from .motifs import MOTIFS, Motif
from .synthetic import Plane

Points = NDArray[np.float64]
Map = Callable[[Points], Points]
"""From (..., 2) pixels to (..., 2) units of the plane, or from pixels to their next repetition."""

SIZE = (360, 360)
UNIT = 96
"""Pixels a side of a motif's tile."""
SAMPLES = 3
"""Of a pixel, along each axis."""


def specials() -> list[Case]:
    """Make every still with two motifs; solvers are tuned on the first."""
    makers = (wheel, fine_wheel, bend, balloon, steep_plane, corner, opposite_lanes, fine_lattice)
    return [make(motif, half) for motif, half in (("blobs", "tune"), ("facade", "held")) for make in makers]


def wheel(motif: str, half: str) -> Case:
    """Show a round object of 10 repetitions; a ring of strokes around it turns it."""
    ring = _around(np.linspace(0, 2 * np.pi, 7))
    strokes = [
        [start + 0.15 * (end - start), end - 0.15 * (end - start)]
        for start, end in zip(ring, ring[1:], strict=False)
    ]
    return _turning("wheel of 10, ring of strokes", 10, motif, half, strokes)


def fine_wheel(motif: str, half: str) -> Case:
    """Show a round object of 18 repetitions, with one closed stroke around it."""
    ring = _around(np.linspace(0, 2 * np.pi, 60))
    return _turning("wheel of 18, closed stroke", 18, motif, half, [ring])


def _around(angles: Points) -> Points:
    return 180 + 110 * np.stack([np.cos(angles), np.sin(angles)], -1)


def _turning(kind: str, count: int, motif: str, half: str, strokes: Sequence[Any]) -> Case:
    center = np.array([180.0, 180.0])

    def to_plane(points: Points) -> Points:
        away = points - center
        turned = np.arctan2(away[..., 1], away[..., 0]) / (2 * np.pi)
        return np.stack([turned * count, _radius(away) / 55], -1)

    def following(points: Points) -> Points:
        return center + _turned(points - center, 2 * np.pi / count)

    def mask(points: Points) -> NDArray[np.bool_]:
        radius = _radius(points - center)
        return (radius > 55) & (radius < 165)

    return _special(kind, motif, half, mask, to_plane, following, strokes, step=(1, 0))


def bend(motif: str, half: str) -> Case:
    """Show a band that bends by a quarter, along one curved stroke."""
    center = np.array([30.0, 330.0])
    turn = 38 / 210

    def to_plane(points: Points) -> Points:
        away = points - center
        return np.stack([np.arctan2(away[..., 1], away[..., 0]) / turn, (_radius(away) - 150) / 38], -1)

    def following(points: Points) -> Points:
        return center + _turned(points - center, turn)

    def mask(points: Points) -> NDArray[np.bool_]:
        away = points - center
        return (_radius(away) > 150) & (_radius(away) < 270) & (away[..., 0] > 0) & (away[..., 1] < 0)

    angles = np.linspace(-1.5, -0.1, 40)
    stroke = center + 210 * np.stack([np.cos(angles), np.sin(angles)], -1)
    return _special("bend of a quarter", motif, half, mask, to_plane, following, [stroke], step=(1, 0))


def balloon(motif: str, half: str) -> Case:
    """Show gores that narrow to a third across the stroke, as on a balloon."""

    def width(points: Points) -> Points:
        return 60 - 42 * np.clip((points[..., 1] - 30) / 300, 0, 1)

    def to_plane(points: Points) -> Points:
        return np.stack([(points[..., 0] - 180) / width(points), points[..., 1] / 50], -1)

    def following(points: Points) -> Points:
        return points + np.stack([width(points), np.zeros(points.shape[:-1])], -1)

    def mask(points: Points) -> NDArray[np.bool_]:
        return (np.abs(points[..., 0] - 180) < 2.6 * width(points)) & (np.abs(points[..., 1] - 180) < 150)

    stroke = [[110, 130], [250, 130]]
    kind = "balloon, steps of 60 to 18 across"
    return _special(kind, motif, half, mask, to_plane, following, [stroke], step=(1, 0))


def steep_plane(motif: str, half: str) -> Case:
    """Show a floor of which the far end is five times as far away as the near end."""
    horizon, near = -30.0, 345.0

    def to_plane(points: Points) -> Points:
        depth = (near - horizon) / (points[..., 1] - horizon)
        return np.stack([(points[..., 0] - 180) * depth / 70, 9 - 5.2 * depth], -1)

    def following(points: Points) -> Points:
        depth = (near - horizon) / (points[..., 1] - horizon)
        ahead = depth + 1 / 5.2
        return np.stack(
            [180 + (points[..., 0] - 180) * depth / ahead, horizon + (near - horizon) / ahead], -1
        )

    def mask(points: Points) -> NDArray[np.bool_]:
        return (np.abs(points[..., 0] - 180) < 150) & (points[..., 1] > 45) & (points[..., 1] < 335)

    stroke = [[180, 280], [180, 120]]
    kind = "plane, far end 5 times as far"
    return _special(kind, motif, half, mask, to_plane, following, [stroke], step=(0, -1))


def corner(motif: str, half: str) -> Case:
    """Show a lattice that moves right in its upper half and down in its lower right."""
    step = 40.0

    def to_plane(points: Points) -> Points:
        return points / step

    def following(points: Points) -> Points:
        down = (points[..., 1] > 180)[..., None]
        return points + np.where(down, [0.0, step], [step, 0.0])

    def mask(points: Points) -> NDArray[np.bool_]:
        x, y = points[..., 0], points[..., 1]
        return ((np.abs(x - 180) < 150) & (np.abs(y - 100) < 75)) | (
            (np.abs(x - 255) < 75) & (np.abs(y - 180) < 150)
        )

    strokes = ([[60, 100], [280, 100]], [[255, 200], [255, 300]])
    return _special("corner of two strokes", motif, half, mask, to_plane, following, strokes)


def opposite_lanes(motif: str, half: str) -> Case:
    """Show two lanes side by side of which one moves back."""
    step = 40.0

    def to_plane(points: Points) -> Points:
        return points / step

    def following(points: Points) -> Points:
        back = np.where(points[..., 1] < 180, 1.0, -1.0)
        return points + np.stack([step * back, np.zeros_like(back)], -1)

    def mask(points: Points) -> NDArray[np.bool_]:
        return (np.abs(points[..., 0] - 180) < 150) & (np.abs(points[..., 1] - 180) < 140)

    strokes = ([[60, 110], [300, 110]], [[300, 250], [60, 250]])
    return _special("opposite lanes", motif, half, mask, to_plane, following, strokes)


def fine_lattice(motif: str, half: str) -> Case:
    """Show a wall along which something repeats sixty times, as tiles and bricks do."""
    size, step = (240, 720), 11.0

    def to_plane(points: Points) -> Points:
        return points / step

    def following(points: Points) -> Points:
        return points + [step, 0.0]

    def mask(points: Points) -> NDArray[np.bool_]:
        return (np.abs(points[..., 0] - 360) < 335) & (np.abs(points[..., 1] - 120) < 95)

    stroke = [[100, 120], [620, 120]]
    kind = "lattice of sixty steps"
    return _special(kind, motif, half, mask, to_plane, following, [stroke], step=(1, 0), size=size)


def _special(
    kind: str,
    motif: str,
    half: str,
    mask: Callable[[Points], NDArray[np.bool_]],
    to_plane: Map,
    following: Map,
    strokes: Sequence[Any],
    step: tuple[int, int] | None = None,
    size: tuple[int, int] = SIZE,
) -> Case:
    """Render a still; `step` is one repetition in units of the plane, where all of it moves alike."""
    rng = np.random.default_rng([7, list(MOTIFS).index(motif)])
    plane = _even(MOTIFS[motif](rng, UNIT, UNIT))
    pixels = np.stack(np.meshgrid(np.arange(size[1]), np.arange(size[0])), -1).astype(float)
    inside = mask(pixels)
    offsets = (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5

    def shown(shift: Points) -> NDArray[np.float32]:
        total = np.zeros((*size, 3), np.float32)
        for dy in offsets:
            for dx in offsets:
                total += plane.sample((to_plane(pixels + [dx, dy]) - shift) * UNIT) / SAMPLES**2
        return np.where(inside[..., None], total, np.float32(0.45))

    still = shown(np.zeros(2)) + rng.normal(0, 0.01, (*size, 3)).astype(np.float32)
    return Case(
        f"special/{kind}/{motif}",
        half,
        _in_bytes(still),
        inside,
        np.asarray(strokes[0], float),
        truth=np.where(inside[..., None], following(pixels) - pixels, np.nan).astype(np.float32),
        middle=None if step is None else _in_bytes(shown(np.array(step) / 2)),
        strokes=tuple(np.asarray(stroke, float) for stroke in strokes),
        kind=kind,
    )


def _in_bytes(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8)


def _even(motif: Motif) -> Plane:
    """Let every unit of the plane be the same."""
    every = (64, 64)
    present = np.ones((*every, len(motif.details)), bool)
    return Plane(motif, np.ones((*every, 3), np.float32), np.zeros((*every, 3), np.float32), present)


def _radius(away: Points) -> Points:
    return np.hypot(away[..., 0], away[..., 1])


def _turned(away: Points, angle: float) -> Points:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([away[..., 0] * cos - away[..., 1] * sin, away[..., 0] * sin + away[..., 1] * cos], -1)
