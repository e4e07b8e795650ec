"""What repeats too finely for the size at which parts are searched, and what closer looks find of it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .anchors import Anchors, Doubles, Floats
from .joining import SolvedPart
from .reduction import Reduction
from .regions import Part, Region
from .resample import sample
from .showing import source_of
from .sight import Source
from .similarity import ANGLES, OCTAVE, SHORTEST

WINDOW = 64
"""Pixels along a side of the windows that are compared with themselves."""
MOST_WINDOWS = 5
"""Spread over the region: that is enough to tell whether most of it repeats finely."""
FULL = 0.9
"""Of a window, or of the fullest one, that has to lie in the region."""
WIDE = 21
"""Pixels; the side of a square whose mean is taken out: what is wider isn't fine."""
LENGTHS = (2 ** np.arange(0, 4.4, 1 / OCTAVE)).astype(np.float32)
"""Pixels by which windows are moved to be compared with themselves."""
LEAST = 2.5
"""Pixels; what repeats by less shows as what it does together with the pixels' own grid, if at all."""
BEHIND = round(OCTAVE * np.log2(1.6))
"""Lengths behind a step, by which it's worse again."""
FAINT = 1e-3
"""Of white; details that are fainter are none."""
FINE = 0.4
"""How much more alike windows are a step away than a bit further or less far, in their median, 1 at most:
hardly 0.1 where nothing repeats finely. With less than this a closer look seldom finds anything better."""
PLACES = 8000
"""Pixels at which a displacement is tried."""
AGREED, HALF_AGREED = 0.9, 0.5
"""How much alike details a step away have to look for no closer look to be needed, and to say anything."""
MOST_PARTS = 6
"""A step's half, third and so on, to its sixth: it may be a multiple of a fine one."""
NEARLY, SHORTER = 0.9, 0.7
"""Of how much alike details look by one step, and of its length, where a shorter one is meant."""
CLEARLY = 0.1
"""By how much more alike they look by another one that is better."""
COARSE = 0.4
"""How much alike what is left without a fine step has to look by a longer one for that to be meant."""
REMAINING, LITTLE = 0.15, 0.07
"""Of the details' deviation, that has to be left then, and where it looks less alike by the fine step."""


@dataclass(frozen=True)
class Shown:
    """A part as it's searched from some distance, and how well what is found agrees with it.

    Parameters
    ----------
    pixels : (h, w, C) array
        The part's box as it's reduced.
    source, size, scale
        What `source_of` makes of it.
    region : Region
        The largest one, which stands for all of the part.
    """

    pixels: NDArray[Any]
    source: Source
    size: tuple[int, int]
    scale: float
    region: Region

    @classmethod
    def of(
        cls, reduced: Reduction, pixels: NDArray[Any], part: Part, region: Region, nearness: int = 1
    ) -> Shown:
        """Show a part from so many times as close as usual."""
        return cls(pixels, *source_of(reduced, pixels, part.box, nearness), region)

    @cached_property
    def gray(self) -> Floats:
        """The source without its colors, (h, w) float32."""
        import cv2

        return np.asarray(cv2.cvtColor(self.source.picture, cv2.COLOR_RGB2GRAY), np.float32)

    @cached_property
    def inside(self) -> NDArray[np.bool_]:
        """The region's pixels in it."""
        import cv2

        region, size = self.region.inside.view(np.uint8), self.gray.shape[::-1]
        return (
            np.asarray(cv2.resize(region, size, interpolation=cv2.INTER_AREA)) > 0
        )  # rounded: from a half on

    @cached_property
    def details(self) -> Floats:
        """The region's details in it, (h, w) float32."""
        return _details(self.gray, self.inside)

    def misses_finer(self, solved: SolvedPart) -> bool:
        """Say whether something repeats that is too fine to be found from here, and wasn't found.

        Then fine details don't repeat by the steps that were found, or they do by parts of these as well.
        """
        angles = ANGLES + np.float32(np.arctan2(*self.region.segment.direction[::-1]))
        if not shows_finer(self.gray, self.inside, angles, SHORTEST * self.source.zoom):
            return False
        seen = self.agreement(solved)
        parts = (replace(solved, values=solved.values / count) for count in range(2, MOST_PARTS + 1))
        return seen < AGREED or any(self.agreement(part) > NEARLY * seen for part in parts)

    def prefers(self, again: SolvedPart, solved: SolvedPart) -> bool:
        """Say whether another look found what agrees clearly better, or nearly as well by shorter steps."""
        seen, anew = self.agreement(solved), self.agreement(again)
        is_shorter = again.step < SHORTER * solved.step
        return anew > seen + CLEARLY or (is_shorter and anew > max(NEARLY * seen, HALF_AGREED))

    def agreement(self, solved: SolvedPart) -> float:
        """Say how well a field agrees with the details, -1 to 1."""
        return self._agreement(self.details, solved)

    def means_coarse(self, usual: SolvedPart, best: SolvedPart) -> bool:
        """Say whether what remains without a fine step repeats by the usual look's steps, and clearly so.

        Halftones, scan lines or the slats of blinds repeat finely, over what is meant.
        """
        fine = SHORTEST / self.scale if best is usual else best.step
        blurred = _without(fine * self.scale * self.source.zoom, self.gray, self.inside)
        remaining = _details(blurred, self.inside)
        coarse, other = (self._agreement(remaining, solved) for solved in (usual, best))
        least = LITTLE if best is usual or coarse > other + CLEARLY else REMAINING
        return coarse > COARSE and float(remaining.std()) > least * float(self.details.std())

    def _agreement(self, details: Floats, solved: SolvedPart) -> float:
        zoom = self.source.zoom * self.scale / solved.scale
        return agreement(details, self.inside, solved.anchors, solved.values, zoom)


def shows_finer(picture: Floats, inside: NDArray[np.bool_], angles: Floats, shortest: float) -> bool:
    """Say whether something repeats that is too fine to be searched.

    Parameters
    ----------
    picture : (h, w) float32, 0 to 1
    inside : (h, w) bool
        The region.
    angles : (A,) float32
        Along which it's looked, radians, x right and y down.
    shortest : float
        The picture's pixels that a step has at least that is searched; 12 at most.
    """
    alike = _alike_along(_windows(picture, inside), angles)
    before = np.minimum.accumulate(alike, axis=-1)[..., : -BEHIND - 1]
    spans = np.lib.stride_tricks.sliding_window_view(alike[..., 1:], BEHIND, -1)
    dip = alike[..., 1:-BEHIND] - np.maximum(before, spans[..., 1:, :].min(-1))
    lengths = LENGTHS[1:-BEHIND]
    finer = (lengths >= LEAST) & (lengths <= shortest)
    return float(np.median(dip[..., finer].max((1, 2), initial=0))) >= FINE


def agreement(
    details: Floats, inside: NDArray[np.bool_], anchors: Anchors, values: Doubles, zoom: float
) -> float:
    """Say how much details look like those a displacement away, -1 to 1.

    Parameters
    ----------
    details : (h, w) float32
        What is left of a picture without its mean.
    inside : (h, w) bool
    anchors : Anchors
    values : (anchors, 2) float64
        Their displacements, working pixels.
    zoom : float
        The picture's pixels in one of these working pixels.
    """
    spacing = max(1.0, float(np.sqrt(np.count_nonzero(inside) / PLACES)))
    rows, columns = (np.arange(spacing / 2, side, spacing).astype(int) for side in inside.shape)
    down, along = anchors.lattice((rows + 0.5) / zoom - 0.5, (columns + 0.5) / zoom - 0.5)
    grid = (zoom * values).T.reshape(2, *anchors.shape).astype(np.float32)
    right, below = down @ grid @ along.T
    x, y = right + columns.astype(np.float32), below + rows.astype(np.float32)[:, None]
    there, landed = sample(details, x, y), sample(inside.astype(np.float32), x, y) > 0.5
    landed &= (x >= 0) & (y >= 0) & (x <= inside.shape[1] - 1) & (y <= inside.shape[0] - 1)
    both = landed & inside[np.ix_(rows, columns)]
    one, other = details[np.ix_(rows, columns)][both], there[both]
    return float(one @ other / np.sqrt(max((one @ one) * (other @ other), 1e-12)))


def _without(step: float, picture: Floats, inside: NDArray[np.bool_]) -> Floats:
    """Blur out of a region what repeats by so many pixels."""
    import cv2

    region = inside.astype(np.float32)
    mean, share = (
        cv2.GaussianBlur(plane, (0, 0), max(step / 2, 0.3), borderType=cv2.BORDER_CONSTANT)
        for plane in (picture * region, region)
    )
    return np.asarray(mean / np.maximum(share, 1e-3) * region, np.float32)


def _details(picture: Floats, inside: NDArray[np.bool_]) -> Floats:
    """Take out of a region what changes slowly, and all that isn't in it."""
    import cv2

    region = inside.astype(np.float32)
    mean, share = (
        cv2.blur(plane, (WIDE, WIDE), borderType=cv2.BORDER_CONSTANT) for plane in (picture * region, region)
    )
    return np.asarray((picture - mean / np.maximum(share, 1e-3)) * region, np.float32)


def _windows(picture: Floats, inside: NDArray[np.bool_]) -> Floats:
    """Show the details of some windows of a region, spread over it, (N, WINDOW, WINDOW)."""
    starts = (
        [min(first, max(0, side - WINDOW)) for first in range(0, max(1, side - WINDOW // 2), WINDOW)]
        for side in inside.shape
    )
    boxes = [(slice(y, y + WINDOW), slice(x, x + WINDOW)) for y, x in itertools.product(*starts)]
    shares = np.array([np.count_nonzero(inside[box]) for box in boxes])
    full = np.flatnonzero(shares >= FULL * shares.max())
    chosen = full[np.linspace(0, len(full) - 1, min(MOST_WINDOWS, len(full))).round().astype(int)]
    windows = np.zeros((len(chosen), WINDOW, WINDOW), np.float32)
    for window, index in zip(windows, chosen, strict=True):
        details = _details(picture[boxes[index]], inside[boxes[index]])
        window[: details.shape[0], : details.shape[1]] = details
    return windows


def _alike_along(windows: Floats, angles: Floats) -> Floats:
    """Correlate windows with themselves at every angle and length, (N, A, LENGTHS)."""
    from scipy import fft

    most = int(np.ceil(LENGTHS[-1])) + 1
    size = fft.next_fast_len(WINDOW + most, True)
    waves = fft.rfft2(windows, (size, size))
    power = fft.irfft2(waves.real**2 + waves.imag**2, (size, size))
    lags = np.arange(-most, most + 1)
    overlap = (1 - np.abs(lags) / WINDOW).astype(np.float32)
    energy = power[:, :1, :1] + np.float32((FAINT * WINDOW) ** 2)
    alike = power[:, lags[:, None], lags] / (overlap[:, None] * overlap * energy)
    x, y = (most + np.outer(way(angles), LENGTHS).astype(np.float32) for way in (np.cos, np.sin))
    return np.stack([sample(np.ascontiguousarray(plane, np.float32), x, y) for plane in alike])
