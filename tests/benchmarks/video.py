"""How well a plane is followed past a camera that is known, and how much the carried loop flickers."""

from __future__ import annotations

import time
from collections.abc import Iterator

import cv2
import numpy as np

from engine import solve_video
from engine.tracking import PlaneTracker

from ..engine import videos
from .speed import Line

FRAMES = 100
PER_TURN = 20
RIM = (2, 8)
"""Pixels inside the mask's border that make its rim: what is pulled from beyond the mask shows there."""
INTERIOR = 12


def _tracked(frames: Iterator[np.ndarray], swing: float) -> tuple[np.ndarray, float]:
    """Follow the plane; returns each frame's worst corner error in pixels, and the fastest frame's time."""
    tracker = PlaneTracker(next(frames), videos.mask())
    errors, times = [], []
    for index, frame in enumerate(frames, 1):
        begun = time.perf_counter()
        found = tracker.follow(frame)
        times.append(time.perf_counter() - begun)
        true = videos.mapped(videos.camera(index / (FRAMES - 1), swing), videos.corners())
        there = np.full_like(true, np.nan) if found is None else videos.mapped(found, videos.corners())
        errors.append(np.hypot(*(there - true).T).max())
    return np.array(errors), 1000 * min(times)


def _half_hidden(frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Let something stand in front of the camera from frame 11 on."""
    cover = np.random.default_rng(8).integers(0, 256, (9, 12, 3), np.uint8).repeat(40, 0).repeat(40, 1)
    for index, frame in enumerate(frames):
        if index >= 10:
            frame[:, :220] = cover[:, :220]
        yield frame


def _flicker() -> tuple[float, float]:
    """How far each frame's loop, laid back on the first frame, is from the first frame's loop.

    Returns
    -------
    (rim, interior)
        Mean differences in standard deviations of the masked still; at whole turns, where the frames are the
        video's own, the same difference is nothing but the camera's.
    """
    mask = videos.mask()
    deep = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    areas = (deep > RIM[0]) & (deep < RIM[1]), deep > INTERIOR
    made = solve_video(
        videos.shot(FRAMES, noise=0, exposure=0), mask, [[(150, 180), (330, 180)]], frames_per_turn=PER_TURN
    )
    back = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    sums = []
    for index, frame in enumerate(made):
        if index % PER_TURN == 0:
            continue
        camera = videos.camera(index / (FRAMES - 1))
        laid = cv2.warpPerspective(frame.astype(np.float32), camera, videos.SIZE[::-1], flags=back)
        shown = cv2.warpPerspective(np.ones(videos.SIZE, np.uint8), camera, videos.SIZE[::-1], flags=back) > 0
        off = np.abs(laid - made.loop.frame(index / PER_TURN).astype(np.float32)).mean(2)
        sums.append([off[area & shown].mean() for area in areas])
    rim, interior = np.mean(sums, axis=0) / made.loop.still[mask].std()
    return float(rim), float(interior)


def lines() -> Iterator[Line]:
    """Film, follow, and compare with the camera that is known."""
    shots = {
        "light changes, noise 6": (videos.shot(FRAMES, noise=6), 1.0),
        "a wilder camera, noise 12": (videos.shot(FRAMES, swing=1.6, noise=12), 1.6),
        "half of the plane hidden from frame 11 on": (_half_hidden(videos.shot(FRAMES, noise=6)), 1.0),
    }
    for name, (frames, swing) in shots.items():
        errors, fastest = _tracked(frames, swing)
        yield Line(
            f"{name}: worst corner of {FRAMES} frames, px",
            "<= 0.5",
            f"{np.max(errors):.3f}",
            f"median {np.median(errors):.3f}, lost in {np.isnan(errors).sum()}, {fastest:.0f} ms a frame",
        )
    rim, interior = _flicker()
    yield Line(
        "carried loops, laid back on the first frame's: off at the rim, contrasts",
        "",
        f"{rim:.3f}",
        f"in the interior {interior:.3f}: the rim flickers no more than two look-ups differ",
    )
