"""Stills whose forward displacement field is known: repeating units seen through a known warp.

A still shows a plane of repeating units through a smooth map W from its pixels to the plane: W = affine ∘
perspective ∘ elastic. The next repetition of pixel p along the step a (one unit of the plane) is q with
W(q) = W(p) + a, so the field is F(p) = q - p; q is found by Newton's method to well below 0.05 px.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .cases import Case
from .motifs import MOTIFS, Motif, fractal

Points = NDArray[np.float64]

CONDITIONS = ("noise", "elastic", "perspective", "cells", "elastic+cells", "perspective+cells")
OVERSAMPLING = 3
"""Samples a pixel along each axis."""

TILE_DENSITY = 1.5
"""Tile pixels for a still's pixel, at the middle of the mask."""


@dataclass(frozen=True)
class Warp:
    """The map W from a still's pixels to the plane of units; see the module's docstring.

    Parameters
    ----------
    center : (2,) pixels
        The still's point that the perspective and the rotation keep in the middle.
    tilt : (2,) per pixel
        The perspective: 1 + tilt · (p - center) is the depth's divisor.
    waves : (K, 5)
        The elastic part: frequency (2,) in radians per pixel, displacement (2,) in pixels, phase.
    matrix : (2, 2)
        The affine part, tile pixels for pixels.
    """

    center: Points
    tilt: Points
    waves: Points
    matrix: Points

    def __call__(self, points: Points) -> tuple[Points, Points]:
        """Map (..., 2) pixels to (..., 2) tile pixels, and differentiate there: (..., 2, 2)."""
        x, y = points[..., 0] - self.center[0], points[..., 1] - self.center[1]
        # (u, v) is the bent point; u_x is its u's derivative by x, and so on.
        u, v = x.copy(), y.copy()
        u_x, u_y, v_x, v_y = np.ones_like(x), np.zeros_like(x), np.zeros_like(x), np.ones_like(x)
        for fx, fy, dx, dy, phase in self.waves:
            angle = x * fx + y * fy + phase
            wave, slope = np.sin(angle), np.cos(angle)
            u += dx * wave
            v += dy * wave
            u_x += dx * fx * slope
            u_y += dx * fy * slope
            v_x += dy * fx * slope
            v_y += dy * fy * slope
        divisor = 1 + u * self.tilt[0] + v * self.tilt[1]
        flat = np.stack([u / divisor, v / divisor], -1)
        bend = np.stack([np.stack([u_x, u_y], -1), np.stack([v_x, v_y], -1)], -2)
        divisor_slope = self.tilt[0] * bend[..., 0, :] + self.tilt[1] * bend[..., 1, :]
        derivative = (bend - flat[..., :, None] * divisor_slope[..., None, :]) / divisor[..., None, None]
        return (
            np.einsum("ij,...j->...i", self.matrix, flat),
            np.einsum("ij,...jk->...ik", self.matrix, derivative),
        )

    def next_repetition(self, points: Points, step: Points) -> Points:
        """Find where each of (N, 2) pixels is repeated, `step` (2,) tile pixels further on the plane."""
        start, derivative = self(points)
        target = start + step
        found = points + _solve(derivative, np.broadcast_to(step, points.shape))
        for _ in range(20):
            reached, derivative = self(found)
            rest = reached - target
            if np.abs(rest).max() < 1e-3:
                return found
            found = found - _solve(derivative, rest)
        raise ArithmeticError(f"the warp can't be inverted: {np.abs(rest).max():.3g} tile pixels remain")


def _solve(matrices: Points, right: Points) -> Points:
    """Solve (N, 2, 2) systems with right-hand sides (N, 2)."""
    a, b, c, d = matrices[:, 0, 0], matrices[:, 0, 1], matrices[:, 1, 0], matrices[:, 1, 1]
    x, y = right[:, 0], right[:, 1]
    return np.stack([d * x - b * y, a * y - c * x], -1) / (a * d - b * c)[:, None]


@dataclass(frozen=True)
class Plane:
    """The plane of units, and how each of them differs from its neighbors.

    Parameters
    ----------
    motif : Motif
    gain, shift : (64, 64, 3)
        What a unit's color is multiplied by and what is added to it.
    present : (64, 64, K) bool
        Which of the motif's details a unit has.
    """

    motif: Motif
    gain: NDArray[np.float32]
    shift: NDArray[np.float32]
    present: NDArray[np.bool_]

    def sample(self, points: Points) -> NDArray[np.float32]:
        """Look up (H, W, 2) tile pixels: (H, W, 3) colors."""
        height, width = self.motif.tile.shape[:2]
        row = np.floor(points[..., 1] / height)
        along = points[..., 0] - self.motif.stagger * width * row
        column = np.floor(along / width)
        x = (along - column * width).astype(np.float32) + 1
        y = (points[..., 1] - row * height).astype(np.float32) + 1
        cell = row.astype(int) % 64, column.astype(int) % 64

        def look(layer: NDArray[np.float32]) -> NDArray[np.float32]:
            wrapped = cv2.copyMakeBorder(layer, 1, 2, 1, 2, cv2.BORDER_WRAP)
            return cv2.remap(wrapped, x, y, cv2.INTER_LINEAR)

        color = look(self.motif.tile)
        for k, (cover, tint) in enumerate(self.motif.details):
            share = look(cover) * self.present[(*cell, k)]
            color = color + share[..., None] * (tint - color)
        return np.clip(color * self.gain[cell] + self.shift[cell], 0, 1)


def _plane(rng: np.random.Generator, motif: Motif, changing: bool) -> Plane:
    amount = rng.uniform(0.5, 1.0) if changing else 0.0
    brightness = 0.25 * amount * rng.uniform(-1, 1, (64, 64, 1))
    tint = 0.12 * amount * rng.uniform(-1, 1, (64, 64, 3))
    gain = (1 + brightness + tint).astype(np.float32)
    shift = (0.06 * amount * rng.uniform(-1, 1, (64, 64, 3))).astype(np.float32)
    # A detail that never changes is a part of every unit, or of none.
    share = rng.uniform(0.2, 0.6, len(motif.details)) if changing else rng.integers(0, 2, len(motif.details))
    present = rng.uniform(size=(64, 64, len(motif.details))) < share
    return Plane(motif, gain, shift, present)


def _warp(rng: np.random.Generator, condition: str, center: Points, long_side: float, angle: float) -> Warp:
    tilt = np.zeros(2)
    waves = np.zeros((0, 5))
    shear = rng.uniform(-0.12, 0.12)
    if "perspective" in condition:
        way = rng.uniform(0, 2 * np.pi)
        tilt = rng.uniform(0.2, 0.55) / long_side * np.array([np.cos(way), np.sin(way)])
    if "elastic" in condition:
        strength = rng.uniform(0.15, 0.45)
        waves = np.empty((3, 5))
        for wave in waves:
            frequency = 2 * np.pi / (long_side * rng.uniform(0.6, 1.6))
            way, to, phase = rng.uniform(0, 2 * np.pi, 3)
            size = strength / 3 / frequency
            wave[:] = (
                *(frequency * np.array([np.cos(way), np.sin(way)])),
                size * np.cos(to),
                size * np.sin(to),
                phase,
            )
    c, s = np.cos(angle), np.sin(angle)
    matrix = TILE_DENSITY * np.array([[1, shear], [0, 1]]) @ np.array([[c, s], [-s, c]])
    return Warp(center, tilt, waves, matrix)


def _mask(rng: np.random.Generator, long_side: int) -> NDArray[np.bool_]:
    """Paint a region whose bounding box has the wanted long side, mostly with room around it."""
    short_side = int(long_side * rng.uniform(0.6, 1.0))
    box = (long_side, short_side) if rng.uniform() < 0.5 else (short_side, long_side)
    room = (0.0, 0.04) if rng.uniform() < 0.25 else (0.1, 0.25)
    margins = (rng.uniform(*room, 4) * long_side).astype(int)
    mask = np.zeros((box[1] + margins[0] + margins[1], box[0] + margins[2] + margins[3]), np.uint8)
    x0, y0, x1, y1 = margins[2], margins[0], margins[2] + box[0] - 1, margins[0] + box[1] - 1
    kind = rng.choice(["box", "ellipse", "quadrilateral", "hexagon"])
    if kind == "box":
        mask[y0 : y1 + 1, x0 : x1 + 1] = 1
    elif kind == "ellipse":
        middle = ((x0 + x1) // 2, (y0 + y1) // 2)
        cv2.ellipse(mask, middle, ((x1 - x0) // 2, (y1 - y0) // 2), 0, 0, 360, 1, -1)
    else:
        cut = rng.uniform(0, 0.25, 8) * np.tile([box[0], box[1]], 4)
        corners = [(x0 + cut[0], y0), (x1 - cut[2], y0), (x1, y0 + cut[3])]
        corners += [(x1, y1 - cut[5]), (x1 - cut[6], y1), (x0, y1 - cut[7])]
        if kind == "quadrilateral":
            corners = [corners[0], (x1, y0 + cut[3]), (x1 - cut[6], y1), (x0, y1 - cut[7])]
        cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], 1)
    return mask > 0


def _render(plane: Plane, warp: Warp, rows: slice, columns: slice, shift: Points) -> NDArray[np.float32]:
    """Show the plane, moved along by `shift` tile pixels, through the warp."""
    y, x = np.mgrid[rows, columns]
    position, derivative = warp(np.stack([x, y], -1).astype(float))
    offsets = (np.arange(OVERSAMPLING) + 0.5) / OVERSAMPLING - 0.5
    total = np.zeros((*x.shape, 3), np.float32)
    for dy in offsets:
        for dx in offsets:
            total += plane.sample(position + derivative[..., 0] * dx + derivative[..., 1] * dy - shift)
    return total / OVERSAMPLING**2


def _surroundings(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float32]:
    color = rng.uniform(0, 1, 3).astype(np.float32)
    kind = rng.choice(["flat", "gradient", "texture"])
    if kind == "flat":
        return np.broadcast_to(color, (*shape, 3)).copy()
    if kind == "gradient":
        return np.linspace(0.6, 1.0, shape[0], dtype=np.float32)[:, None, None] * color + np.zeros(
            (1, shape[1], 1), np.float32
        )
    texture = fractal(rng, *shape, rng.uniform(0.6, 1.6))[..., None]
    return np.clip(color + 0.15 * texture, 0, 1)


def _finish(rng: np.random.Generator, picture: NDArray[np.float32], noisy: bool) -> NDArray[np.uint8]:
    """Add the camera: noise, and a JPEG's rounding for some of the noisy ones."""
    amount = rng.uniform(0.03, 0.09) if noisy else 0.008
    picture = picture + amount * rng.standard_normal(picture.shape).astype(np.float32)
    pixels = np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    if noisy and rng.uniform() < 0.4:
        packed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 80))])[1]
        pixels = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    return pixels


def _stroke(rng: np.random.Generator, mask: NDArray[np.bool_], direction: Points, long_side: int) -> Points:
    """Draw a stroke near the mask's middle, up to 15 degrees off the true direction."""
    angle = np.arctan2(direction[1], direction[0]) + np.radians(rng.choice([4.0, 15.0]) * rng.uniform(-1, 1))
    half = 0.5 * rng.uniform(0.3, 0.6) * long_side * np.array([np.cos(angle), np.sin(angle)])
    ys, xs = np.nonzero(mask)
    middle = np.array([xs.mean(), ys.mean()]) + rng.uniform(-0.06, 0.06, 2) * long_side
    return np.stack([middle - half, middle + half])


def still(seed: int, motif_name: str, condition: str, half: str) -> Case:
    """Make one still, always the same for the same arguments."""
    rng = np.random.default_rng([seed, list(MOTIFS).index(motif_name), CONDITIONS.index(condition)])
    long_side = int(rng.choice([220, 300, 300, 360, 480, 640]))
    mask = _mask(rng, long_side)
    step = rng.uniform(30, 60) * long_side / 300
    unit = round(TILE_DENSITY * step)
    motif = MOTIFS[motif_name](rng, round(unit * rng.uniform(0.9, 1.4)), unit)
    plane = _plane(rng, motif, "cells" in condition)
    upright = rng.uniform() < 0.5
    angle = rng.integers(0, 4) * np.pi / 2 + rng.uniform(-0.1, 0.1) if upright else rng.uniform(0, 2 * np.pi)
    ys, xs = np.nonzero(mask)
    warp = _warp(rng, condition, np.array([xs.mean(), ys.mean()]), long_side, angle)
    one = np.array([unit, 0.0])

    inside = np.stack([xs, ys], 1).astype(float)
    truth = np.full((*mask.shape, 2), np.nan, np.float32)
    truth[mask] = warp.next_repetition(inside, one) - inside
    middle_step = warp.next_repetition(warp.center[None], one)[0] - warp.center
    outside = _surroundings(rng, mask.shape)

    box = slice(ys.min(), ys.max() + 1), slice(xs.min(), xs.max() + 1)

    def compose(shift: Points) -> NDArray[np.float32]:
        picture = outside.copy()
        picture[box] = np.where(mask[box][..., None], _render(plane, warp, *box, shift), outside[box])
        return picture

    halfway = None
    if condition == "noise":
        halfway = np.round(compose(one / 2) * 255).astype(np.uint8)
    return Case(
        name="/".join((str(seed), motif_name, condition)),
        half=half,
        still=_finish(rng, compose(np.zeros(2)), condition == "noise" or rng.uniform() < 0.3),
        mask=mask,
        stroke=_stroke(rng, mask, middle_step, long_side),
        truth=truth,
        middle=halfway,
    )


def names(seed: int) -> list[tuple[int, str, str]]:
    """List a seed's 42 stills, every motif under every condition: the first arguments of `still`."""
    return [(seed, motif_name, condition) for motif_name in MOTIFS for condition in CONDITIONS]
