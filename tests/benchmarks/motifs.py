"""Repeating units for the synthetic stills: tiles that wrap around, and details a repetition may lack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
Paint = Callable[[Picture, int, int], None]


@dataclass
class Motif:
    """One repetition.

    Parameters
    ----------
    tile : (H, W, 3) float32, 0 to 1
        The unit's picture; its left edge continues at its right edge, its top at its bottom.
    details : list of ((H, W) float32, (3,) float32)
        Coverage and color of what a single repetition may have or lack.
    stagger : float
        By how much of a unit's width each row of units is shifted against the one above it.
    """

    tile: Picture
    details: list[tuple[Picture, Picture]] = field(default_factory=list)
    stagger: float = 0.0


def fractal(rng: np.random.Generator, height: int, width: int, slope: float) -> Picture:
    """Noise with a 1/f**slope amplitude spectrum that wraps around, mean 0, deviation 1."""
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    radius = np.hypot(fy, fx)
    radius[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((height, width))) / radius**slope
    noise = np.fft.irfft2(spectrum, (height, width))
    return ((noise - noise.mean()) / noise.std()).astype(np.float32)


def _wrapped(picture: Picture, paint: Paint) -> None:
    """Paint here and in the eight neighbors, so that what leaves one edge enters at the other."""
    height, width = picture.shape[:2]
    for dy in (-height, 0, height):
        for dx in (-width, 0, width):
            paint(picture, dx, dy)


def _layer(height: int, width: int, paint: Paint) -> Picture:
    layer = np.zeros((height, width), np.float32)
    _wrapped(layer, paint)
    return layer


def _color(rng: np.random.Generator, low: float = 0.1, high: float = 0.9) -> Picture:
    return rng.uniform(low, high, 3).astype(np.float32)


def _ellipse(rng: np.random.Generator, height: int, width: int, low: float, high: float) -> Paint:
    center = (rng.uniform(0, width), rng.uniform(0, height))
    axes = rng.uniform(low, high, 2) * width
    angle = rng.uniform(0, 180)

    def paint(layer: Picture, dx: int, dy: int) -> None:
        middle = (round(center[0] + dx), round(center[1] + dy))
        cv2.ellipse(layer, middle, (round(axes[0]), round(axes[1])), angle, 0, 360, 1.0, -1, cv2.LINE_AA)

    return paint


def _curve(rng: np.random.Generator, height: int, width: int, thickness: int) -> Paint:
    start = rng.uniform(0, 1, 2) * (width, height)
    turns = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.uniform(-0.6, 0.6, 12))
    steps = np.stack([np.cos(turns), np.sin(turns)], 1) * width * rng.uniform(0.03, 0.07)
    points = start + np.cumsum(steps, 0)

    def paint(layer: Picture, dx: int, dy: int) -> None:
        line = np.round((points + (dx, dy)) * 16).astype(np.int32)
        cv2.polylines(layer, [line], False, 1.0, thickness, cv2.LINE_AA, 4)

    return paint


def _cover(tile: Picture, layer: Picture, color: Picture) -> None:
    tile += np.clip(layer, 0, 1)[..., None] * (color - tile)


def facade(rng: np.random.Generator, height: int, width: int) -> Motif:
    """Draw a window in a wall: smooth glass, straight edges, large flat parts."""
    wall = _color(rng, 0.35, 0.85)
    grain = fractal(rng, height, width, 0.8)[..., None]
    tile = np.broadcast_to(wall, (height, width, 3)) + 0.02 * grain
    tile = tile.astype(np.float32)
    x0, x1 = (int(f * width) for f in (rng.uniform(0.15, 0.3), rng.uniform(0.65, 0.85)))
    y0, y1 = (int(f * height) for f in (rng.uniform(0.12, 0.25), rng.uniform(0.65, 0.85)))
    border = max(2, int(0.05 * width))
    tile[y0 - border : y1 + border, x0 - border : x1 + border] = np.clip(wall + rng.uniform(-0.3, 0.3), 0, 1)
    glass = _color(rng, 0.05, 0.35) + np.linspace(0, 0.2, y1 - y0)[:, None, None]
    tile[y0:y1, x0:x1] = glass
    for k in range(1, int(rng.integers(2, 4))):
        at = x0 + (x1 - x0) * k // 3
        tile[y0:y1, at : at + max(1, border // 2)] = wall * 0.9
    tile[y1 : y1 + 2 * border, x0 - border : x1 + border] *= 0.7

    def pane(top: float, bottom: float, left: float, right: float) -> Picture:
        layer = np.zeros((height, width), np.float32)
        rows = slice(int(y0 + top * (y1 - y0)), int(y0 + bottom * (y1 - y0)))
        layer[rows, int(x0 + left * (x1 - x0)) : int(x0 + right * (x1 - x0))] = 0.85
        return layer

    details = [
        (pane(0, rng.uniform(0.3, 0.7), 0, 1), _color(rng, 0.6, 0.95)),
        (pane(0, 1, 0, rng.uniform(0.2, 0.4)), _color(rng, 0.5, 0.9)),
        (pane(0.7, 1.1, 0.1, 0.9), _color(rng)),
        (pane(0, 1, 0, 1) * 0.8, np.array([0.95, 0.8, 0.45], np.float32)),
    ]
    return Motif(np.clip(tile, 0, 1), details)


def tiles(rng: np.random.Generator, height: int, width: int) -> Motif:
    """Draw a marbled floor tile with a joint around it."""
    first, second = _color(rng, 0.3, 0.9), _color(rng, 0.3, 0.9)
    mix = 0.5 + 0.3 * fractal(rng, height, width, 1.6)[..., None]
    tile = (first + np.clip(mix, 0, 1) * (second - first)).astype(np.float32)
    joint = max(2, int(0.04 * width))
    tile[:joint] = tile[:, :joint] = _color(rng, 0.1, 0.4)
    details = [
        (_layer(height, width, _curve(rng, height, width, 2)), _color(rng, 0.05, 0.3)),
        (_layer(height, width, _ellipse(rng, height, width, 0.08, 0.2)) * 0.5, _color(rng)),
        (_layer(height, width, _curve(rng, height, width, 3)), _color(rng, 0.7, 1.0)),
    ]
    return Motif(np.clip(tile, 0, 1), details, stagger=float(rng.choice([0.0, 0.5])))


def stripes(rng: np.random.Generator, height: int, width: int) -> Motif:
    """Draw planks across the step, with a grain along them that repeats from plank to plank."""
    x = np.arange(width) / width
    profile = 0.5 + 0.25 * np.sin(2 * np.pi * x + rng.uniform(0, 6)) * rng.uniform(0.5, 1.0)
    gap = rng.uniform(0.08, 0.3)
    profile = np.where(x < gap, profile * 0.4, profile)
    grain = cv2.GaussianBlur(np.tile(fractal(rng, height, width, 0.5), (3, 3)), (0, 0), 0.8, None, width / 16)
    grain = grain[height : 2 * height, width : 2 * width]
    tone = profile[None] + 0.1 * grain / grain.std()
    tile = (tone[..., None] * _color(rng, 0.6, 1.3)).astype(np.float32)
    details = [
        (_layer(height, width, _ellipse(rng, height, width, 0.05, 0.12)), _color(rng, 0.05, 0.3)),
        (_layer(height, width, _curve(rng, height, width, 2)), _color(rng, 0.6, 1.0)),
    ]
    return Motif(np.clip(tile, 0, 1), details)


def blobs(rng: np.random.Generator, height: int, width: int) -> Motif:
    """Draw overlapping soft pebbles."""
    tile = np.broadcast_to(_color(rng), (height, width, 3)).astype(np.float32).copy()
    layers = [
        (_layer(height, width, _ellipse(rng, height, width, 0.06, 0.22)), _color(rng))
        for _ in range(int(rng.integers(6, 14)))
    ]
    kept = len(layers) - 3
    for layer, color in layers[:kept]:
        _cover(tile, layer, color)
    soft = cv2.GaussianBlur(np.tile(tile, (3, 3, 1)), (0, 0), width * rng.uniform(0.01, 0.03))
    return Motif(soft[height : 2 * height, width : 2 * width], layers[kept:])


def drawing(rng: np.random.Generator, height: int, width: int) -> Motif:
    """Draw with ink on paper: thin curves and circles, nothing in between."""
    paper, ink = _color(rng, 0.8, 1.0), _color(rng, 0.0, 0.3)
    tile = np.broadcast_to(paper, (height, width, 3)).astype(np.float32).copy()
    thickness = max(1, width // 40)
    for _ in range(int(rng.integers(5, 10))):
        _cover(tile, _layer(height, width, _curve(rng, height, width, thickness)), ink)
    ring = _layer(height, width, _ellipse(rng, height, width, 0.12, 0.25))
    _cover(tile, ring - cv2.erode(ring, np.ones((3, 3))), ink)
    details = [
        (_layer(height, width, _curve(rng, height, width, thickness)), _color(rng, 0, 0.5)) for _ in range(3)
    ]
    return Motif(tile, details)


def lattice(rng: np.random.Generator, height: int, width: int) -> Motif:
    """Draw one round or pointed thing a unit, in staggered rows, with neighboring lattice vectors."""
    power = rng.choice([1.0, 2.0, 4.0])
    y, x = np.mgrid[0:height, 0:width]
    x, y = (x + 0.5) / width * 2 - 1, (y + 0.5) / height * 2 - 1
    size = rng.uniform(0.5, 0.85)
    radius = (np.abs(x) ** power + np.abs(y) ** power) ** (1 / power)
    inside = np.clip((size - radius) * width / 4, 0, 1)[..., None]
    shade = 1 - 0.35 * (x * np.cos(0.7) + y * np.sin(0.7))[..., None]
    tile = _color(rng, 0.05, 0.5) * (1 - inside) + _color(rng, 0.4, 0.9) * shade * inside
    tile = np.clip(tile + 0.02 * fractal(rng, height, width, 1.0)[..., None], 0, 1).astype(np.float32)
    core = np.clip((rng.uniform(0.2, 0.35) - radius) * width / 4, 0, 1).astype(np.float32)
    side = _layer(height, width, _ellipse(rng, height, width, 0.06, 0.15))
    return Motif(tile, [(core, _color(rng)), (side, _color(rng))], stagger=0.5)


def noise(rng: np.random.Generator, height: int, width: int) -> Motif:
    """Fill a patch with colored noise: nothing in it but detail."""
    slope = rng.uniform(0.7, 1.7)
    layers = np.stack([fractal(rng, height, width, slope) for _ in range(3)], -1)
    mixing = np.eye(3) + rng.uniform(-0.6, 0.6, (3, 3))
    tile = np.clip(_color(rng, 0.35, 0.65) + 0.13 * layers @ mixing.T, 0, 1).astype(np.float32)
    veil = np.clip(0.5 + fractal(rng, height, width, 1.8), 0, 1) * 0.6
    spot = _layer(height, width, _ellipse(rng, height, width, 0.1, 0.25))
    return Motif(tile, [(veil, _color(rng)), (spot, _color(rng))])


MOTIFS: dict[str, Callable[[np.random.Generator, int, int], Motif]] = {
    maker.__name__: maker for maker in (facade, tiles, stripes, blobs, drawing, lattice, noise)
}
