"""What is known of pixels, and how they show each other where it isn't: what textures are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .area import Area
from .inputs import to_unit
from .resample import sample

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Known:
    """What is known of pixels: colors, and its share as the last channel of the last layer.

    Where nothing is known both are 0. Layers have four channels, or one: OpenCV looks those up
    several times faster than three. They may be integers; `full` is what stands for all.
    """

    layers: tuple[NDArray[Any], ...]
    full: float

    def part(self, area: Area) -> Known:
        """Take an area of it."""
        return Known(tuple(layer[area] for layer in self.layers), self.full)

    def at(self, x: Floats, y: Floats) -> Known:
        """Look it up at (n, m) places."""
        return Known(tuple(sample(layer, x, y) for layer in self.layers), self.full)

    def over(self, behind: Known) -> Known:
        """Show what is behind it where it isn't known itself."""
        import cv2

        layers = []
        for layer, other in zip(self.layers, behind.layers, strict=True):
            weights = cv2.merge([self.lacking] * layer.shape[2])
            shown = cv2.add(layer, cv2.multiply(other, weights, scale=1 / self.full).reshape(layer.shape))
            layers.append(shown.reshape(layer.shape))
        return Known(tuple(layers), self.full)

    def everywhere(self, colors: NDArray[Any]) -> Known:
        """Arrange (h, w, C) colors of its type, all of which are known, as it is."""
        share = np.full((*colors.shape[:2], 1), self.full, colors.dtype)
        layers = (np.concatenate([colors, share], 2),) if len(self.layers) == 1 else (colors, share)
        return Known(layers, self.full)

    @property
    def lacking(self) -> NDArray[Any]:
        """How much of each pixel isn't known, 0 to `full`, of the layers' type."""
        import cv2

        last = self.layers[-1]
        return last.dtype.type(self.full) - cv2.extractChannel(last, last.shape[2] - 1)

    @property
    def share(self) -> Floats:
        """How much of each pixel is known, 0 to 1."""
        return 1 - self.lacking * np.float32(1 / self.full)

    @property
    def colors(self) -> NDArray[Any]:
        """The colors alone."""
        import cv2

        first = self.layers[0]
        return first if len(self.layers) > 1 else cv2.cvtColor(first, cv2.COLOR_RGBA2RGB)


def is_opaque(values: NDArray[Any], mask: NDArray[np.bool_]) -> bool:
    """Say whether (h, w, 4) values are opaque throughout the mask."""
    full = _full(values.dtype)
    return not any((inside & (row[:, 3] != full)).any() for row, inside in zip(values, mask, strict=True))


def layered(values: NDArray[Any], opaque: bool) -> Known:
    """Arrange colors, and that all is known of them, in four channels or one."""
    import cv2

    full = _full(values.dtype)
    if values.shape[2] == 3:
        return Known((np.asarray(cv2.cvtColor(values, cv2.COLOR_RGB2RGBA)),), full)  # alpha is white's value
    if values.shape[2] == 1:
        return Known((values, np.full_like(values, full)), full)
    if opaque:
        return Known((values,), full)
    unit = to_unit(values)
    if values.dtype.kind != "f":
        unit[..., :3] *= unit[..., 3:]
    return Known((unit, np.ones((*values.shape[:2], 1), np.float32)), 1.0)


def _full(dtype: np.dtype[Any]) -> float:
    """Say what white is."""
    return 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)
