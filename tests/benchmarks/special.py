"""Stills for what the paper can't do or leaves to many strokes: wheels, bends, balloons, steep planes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine import Stroke

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


@dataclass(frozen=True)
class Special:
    """A still whose motion one straight stroke can't describe.

    Parameters
    ----------
    case : Case
        Its `stroke` is the first of the strokes.
    strokes : tuple of Stroke
    """

    case: Case
    strokes: tuple[Stroke, ...]


def specials(motif: str = "blobs") -> list[Special]:
    """Make every still with the same motif."""
    return [make(motif) for make in (wheel, fine_wheel, bend, balloon, steep_plane, corner, opposite_lanes)]


def wheel(motif: str, count: int = 10) -> Special:
    """Show a round object of `count` repetitions; a ring of strokes around it turns it."""
    center = np.array([180.0, 180.0])

    def to_plane(points: Points) -> Points:
        away = points - center
        return np.stack(
            [np.arctan2(away[..., 1], away[..., 0]) / (2 * np.pi) * count, _radius(away) / 55], -1
        )

    def following(points: Points) -> Points:
        return center + _turned(points - center, 2 * np.pi / count)

    def mask(points: Points) -> NDArray[np.bool_]:
        radius = _radius(points - center)
        return (radius > 55) & (radius < 165)

    angles = np.linspace(0, 2 * np.pi, 7)
    ring = [center + 110 * np.stack([np.cos(a), np.sin(a)], -1) for a in angles]
    strokes = tuple(
        Stroke(np.array([start + 0.15 * (end - start), end - 0.15 * (end - start)]))
        for start, end in zip(ring, ring[1:], strict=False)
    )
    return _special(f"wheel of {count}", motif, mask, to_plane, following, strokes)


def fine_wheel(motif: str) -> Special:
    """Show a round object of many repetitions, with one closed stroke around it."""
    drawn = wheel(motif, 18)
    angles = np.linspace(0, 2 * np.pi, 60)
    ring = Stroke(180 + 110 * np.stack([np.cos(angles), np.sin(angles)], -1))
    case = drawn.case
    return Special(_with_stroke(case, "wheel of 18, one stroke", ring), (ring,))


def bend(motif: str) -> Special:
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
    stroke = Stroke(center + 210 * np.stack([np.cos(angles), np.sin(angles)], -1))
    return _special("bend of a quarter", motif, mask, to_plane, following, (stroke,))


def balloon(motif: str) -> Special:
    """Show gores that narrow to a third across the stroke, as on a balloon."""

    def width(points: Points) -> Points:
        return 60 - 42 * np.clip((points[..., 1] - 30) / 300, 0, 1)

    def to_plane(points: Points) -> Points:
        return np.stack([(points[..., 0] - 180) / width(points), points[..., 1] / 50], -1)

    def following(points: Points) -> Points:
        return points + np.stack([width(points), np.zeros(points.shape[:-1])], -1)

    def mask(points: Points) -> NDArray[np.bool_]:
        return (np.abs(points[..., 0] - 180) < 2.6 * width(points)) & (np.abs(points[..., 1] - 180) < 150)

    stroke = Stroke([[110, 130], [250, 130]])
    return _special("balloon, step 60 to 18", motif, mask, to_plane, following, (stroke,))


def steep_plane(motif: str) -> Special:
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

    stroke = Stroke([[180, 280], [180, 120]])
    return _special("plane, far end 5 times as far", motif, mask, to_plane, following, (stroke,))


def corner(motif: str) -> Special:
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

    strokes = (Stroke([[60, 100], [280, 100]]), Stroke([[255, 200], [255, 300]]))
    return _special("corner of two strokes", motif, mask, to_plane, following, strokes)


def opposite_lanes(motif: str) -> Special:
    """Show two lanes side by side of which one moves back."""
    step = 40.0

    def to_plane(points: Points) -> Points:
        return points / step

    def following(points: Points) -> Points:
        back = np.sign(180 - points[..., 1])
        return points + np.stack([step * back, np.zeros_like(back)], -1)

    def mask(points: Points) -> NDArray[np.bool_]:
        return (np.abs(points[..., 0] - 180) < 150) & (np.abs(points[..., 1] - 180) < 140)

    strokes = (Stroke([[60, 110], [300, 110]]), Stroke([[300, 250], [60, 250]]))
    return _special("opposite lanes", motif, mask, to_plane, following, strokes)


def _special(
    name: str,
    motif: str,
    mask: Callable[[Points], NDArray[np.bool_]],
    to_plane: Map,
    following: Map,
    strokes: tuple[Stroke, ...],
) -> Special:
    rng = np.random.default_rng([7, list(MOTIFS).index(motif)])
    plane = _even(MOTIFS[motif](rng, UNIT, UNIT))
    pixels = np.stack(np.meshgrid(np.arange(SIZE[1]), np.arange(SIZE[0])), -1).astype(float)
    inside = mask(pixels)
    offsets = (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5
    shown = np.zeros((*SIZE, 3), np.float32)
    for dy in offsets:
        for dx in offsets:
            shown += plane.sample(to_plane(pixels + [dx, dy]) * UNIT) / SAMPLES**2
    shown = np.where(inside[..., None], shown, np.float32(0.45))
    shown += rng.normal(0, 0.01, shown.shape).astype(np.float32)
    truth = np.where(inside[..., None], following(pixels) - pixels, np.nan).astype(np.float32)
    still = np.round(255 * np.clip(shown, 0, 1)).astype(np.uint8)
    case = Case(f"{name}/{motif}", "held", still, inside, np.asarray(strokes[0].points, float), truth=truth)
    return Special(case, strokes)


def _even(motif: Motif) -> Plane:
    """Let every unit of the plane be the same."""
    every = (64, 64)
    present = np.ones((*every, len(motif.details)), bool)
    return Plane(motif, np.ones((*every, 3), np.float32), np.zeros((*every, 3), np.float32), present)


def _with_stroke(case: Case, name: str, stroke: Stroke) -> Case:
    motif = case.name.rpartition("/")[2]
    points = np.asarray(stroke.points, float)
    return Case(f"{name}/{motif}", case.half, case.still, case.mask, points, truth=case.truth)


def _radius(away: Points) -> Points:
    return np.hypot(away[..., 0], away[..., 1])


def _turned(away: Points, angle: float) -> Points:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([away[..., 0] * cos - away[..., 1] * sin, away[..., 0] * sin + away[..., 1] * cos], -1)
