"""A plane seen in perspective, laid flat: there, steps are equal and what repeats has one size.

Costs compare windows of one size. Where a step shrinks by a third from one repetition to the next, what
repeats shrinks as well, and no window matches; on the plane laid flat it does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .anchors import Doubles, Floats

SMALLEST = 16
"""Pixels; no flat picture is made to have fewer a side."""
NEAREST_HORIZON = 0.22
"""Of the nearness at the center; what lies further away has no pixels left to compare."""
FAR_SHARE = 0.15
"""Of the region's pixels: the far end of a plane, which would fill most of its flat picture, is left out."""


@dataclass(frozen=True)
class Plane:
    """Maps pixels of a flat picture to working pixels and back.

    Parameters
    ----------
    center : (2,) float64
        Working pixels; sizes there are kept but for `scale`.
    fall : (2,) float64
        The nearness of a point is 1 + fall . (point - center); the horizon is where it is 0.
    origin : (2,) float64
        Where the center lies in the flat picture, its pixels.
    scale : float
        Flat pixels in a working pixel, at the center.
    size : (rows, columns)
        Of the flat picture.
    horizon : float
        Nearness below which nothing is looked at.
    """

    center: Doubles
    fall: Doubles
    origin: Doubles
    scale: float
    size: tuple[int, int]
    horizon: float

    @classmethod
    def facing(cls, size: tuple[int, int], scale: float = 1.0) -> Plane:
        """Return the picture itself, or a smaller one, as a plane that faces the viewer.

        It is no smaller than what still can be compared.
        """
        scale = min(1.0, max(scale, SMALLEST / min(size)))
        rows, columns = (round(side * scale) for side in size)
        return cls(np.zeros(2), np.zeros(2), np.full(2, (scale - 1) / 2), scale, (rows, columns), 0.0)

    @classmethod
    def tilted(cls, inside: NDArray[np.bool_], center: Doubles, fall: Doubles, long_side: int) -> Plane:
        """Lay a tilted plane flat so that what is inside fits a picture with a given longer side."""
        across, down = np.arange(inside.shape[1]) - center[0], np.arange(inside.shape[0])[:, None] - center[1]
        nearness = 1 + fall[0] * across + fall[1] * down
        horizon = max(NEAREST_HORIZON, float(np.percentile(nearness[inside], 100 * FAR_SHARE)))
        seen = inside & (nearness > horizon)
        flat = np.stack([(away / nearness)[seen] for away in (across, down)])
        low, high = flat.min(1), flat.max(1)
        scale = (long_side - 1) / max(float((high - low).max()), 1.0)
        size = np.maximum(np.ceil((high - low) * scale).astype(int) + 1, SMALLEST)
        return cls(center, fall, -low * scale, scale, (int(size[1]), int(size[0])), horizon)

    def to_picture(self, points: Doubles) -> Doubles:
        """Return the working pixels of (..., 2) flat pixels."""
        flat = (points - self.origin) / self.scale
        return self.center + flat / np.maximum(1 - flat @ self.fall, 1e-3)[..., None]

    def to_flat(self, points: Doubles) -> Doubles:
        """Return the flat pixels of (..., 2) working pixels."""
        away = points - self.center
        return self.origin + self.scale * away / np.maximum(1 + away @ self.fall, 1e-3)[..., None]

    def lay_flat(self, picture: Floats, zoom: float) -> Floats:
        """Resample a picture that has `zoom` pixels in a working pixel to the flat one's pixels."""
        import cv2

        if not self.fall.any():
            if picture.shape[:2] == self.size:
                return picture
            return np.asarray(cv2.resize(picture, self.size[::-1], interpolation=cv2.INTER_AREA), np.float32)
        unzoom = np.array([[zoom, 0, (zoom - 1) / 2], [0, zoom, (zoom - 1) / 2], [0, 0, 1]])
        place = np.array([[1, 0, self.center[0]], [0, 1, self.center[1]], [0, 0, 1]])
        tilt = np.array([[1, 0, 0], [0, 1, 0], [-self.fall[0], -self.fall[1], 1]])
        shift = np.array([[1, 0, -self.origin[0]], [0, 1, -self.origin[1]], [0, 0, self.scale]])
        matrix = unzoom @ place @ tilt @ shift
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        flat = cv2.warpPerspective(
            picture, matrix, self.size[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(flat, np.float32)

    def in_sight(self) -> NDArray[np.bool_]:
        """Which flat pixels are not too close to the horizon."""
        across, down = (
            (np.arange(side) - first) / self.scale
            for side, first in zip(self.size[::-1], self.origin, strict=True)
        )
        # Nearness in the picture is the inverse of what it is on the flat.
        far = 1 - self.fall[0] * across - self.fall[1] * down[:, None]
        return np.asarray(1 / np.maximum(far, 1e-3) > self.horizon)
