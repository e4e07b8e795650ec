"""Aligning a picture of a plane with another one to a fraction of a pixel, one band of details at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Homography = Doubles
"""(3, 3) float64: maps the pixels (x right, y down) of one picture to those of another."""

SAMPLES = 30_000
"""Pixels compared in one pass."""
PASSES = 8
STILL = 0.002
"""Working pixels; a pass that moves the region's rim less is the last."""


class Aligner:
    """A template in one band of details, and how to align pictures with it (inverse compositional).

    Parameters
    ----------
    template : (h, w) float32
        Grey, 0 to 255.
    weight : (h, w) float32
        How much each pixel counts, 0 to 1.
    band : (finest, broadest)
        Pixels; what is finer is noise, what is broader is light and may change.
    """

    def __init__(self, template: Floats, weight: Floats, band: tuple[float, float]) -> None:
        self._band, self._weight = band, weight
        self._details = _details(template, band)
        self.spread = np.sqrt(_blurred(self._details**2, band[1]))
        rows, columns = np.nonzero(weight > 0)
        chosen = np.linspace(0, len(rows) - 1, min(SAMPLES, len(rows))).astype(int)
        self._places = rows[chosen], columns[chosen]
        self._here = np.stack([columns[chosen], rows[chosen]], axis=-1).astype(np.float64)
        # Eight numbers of like size: they move the region's rim by about as many pixels.
        center, radius = self._here.mean(0), float(np.ptp(self._here, axis=0).max()) / 2 + 1
        self._radius = radius
        self._normal = np.array([[1, 0, -center[0]], [0, 1, -center[1]], [0, 0, radius]]) / radius
        self._slopes = self._steepest()

    def correlation(self, picture: Floats, visible: NDArray[np.bool_]) -> Floats:
        """How well each place agrees with the template, -1 to 1."""
        return self._correlation(_details(picture, self._band), visible)

    def _correlation(self, details: Floats, visible: NDArray[np.bool_]) -> Floats:
        shown = visible.astype(np.float32)
        product, first, second = (
            _blurred(values * shown, self._band[1])
            for values in (self._details * details, self._details**2, details**2)
        )
        return product / np.sqrt(first * second + 1e-4)

    def _steepest(self) -> Doubles:
        """How the template's details change with each of a homography's eight numbers, (N, 8)."""
        slope_x, slope_y = (np.gradient(self._details, axis=axis)[self._places] for axis in (1, 0))
        x, y = mapped(self._normal, self._here).T
        outward = slope_x * x + slope_y * y
        columns = [slope_x, slope_y, slope_x * x, slope_x * y, slope_y * x, slope_y * y]
        return np.stack([*columns, -outward * x, -outward * y], axis=-1, dtype=np.float64)

    def correction(self, picture: Floats, visible: NDArray[np.bool_]) -> Homography:
        """Find the homography, near the identity, that moves a picture of the region onto the template."""
        import cv2

        details = _details(picture, self._band)
        likeness = np.clip(self._correlation(details, visible)[self._places], 0.1, 1)
        trust = self._weight[self._places] * visible[self._places] * likeness**2
        target = self._details[self._places]
        total = np.eye(3)
        for _ in range(PASSES):
            x, y = mapped(total, self._here).astype(np.float32).T
            error = cv2.remap(details, x[:, None], y[:, None], cv2.INTER_LINEAR)[:, 0] - target
            usual = 1.5 * float(np.median(np.abs(error[trust > 0]))) + 1e-6
            weighted = self._slopes * (trust / (1 + np.square(error / usual)) ** 2)[:, None]
            system = weighted.T @ self._slopes
            system += 1e-6 * np.trace(system) * np.eye(8)
            tx, ty, xx, xy, yx, yy, px, py = step = np.linalg.solve(system, weighted.T @ error)
            change = np.eye(3) + np.array([[xx, xy, tx], [yx, yy, ty], [px, py, 0]]) / self._radius
            total = total @ np.linalg.inv(self._normal) @ np.linalg.inv(change) @ self._normal
            if np.abs(step).max() < STILL:
                break
        return total


def mapped(homography: Homography, points: NDArray[Any]) -> Doubles:
    """Map (N, 2) points."""
    import cv2

    if len(points) == 0:
        return np.zeros((0, 2))
    there = cv2.perspectiveTransform(np.asarray(points, np.float64)[:, None], homography)
    return np.asarray(there[:, 0], np.float64)


def square_to(corners: NDArray[Any]) -> Homography:
    """Map the unit square to four corners, (4, 2), that go around as (0, 0), (1, 0), (1, 1), (0, 1) do."""
    import cv2

    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(square, np.asarray(corners, np.float32)), np.float64)


def _details(grey: Floats, band: tuple[float, float]) -> Floats:
    """Take out noise, light and shadow, and even out the contrast of the rest."""
    detail = _blurred(grey, band[0]) - _blurred(grey, band[1])
    return np.asarray(detail / np.sqrt(_blurred(detail**2, 2 * band[1]) + 4.0), np.float32)


def _blurred(values: Floats, sigma: float) -> Floats:
    import cv2

    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)
