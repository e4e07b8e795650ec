"""How alike small windows of a picture are to themselves at every lag: what suggestions rest on (4.4, 7).

The paper lets corner points vote for the offset to their best buddy. Here every window of a picture, at
three scales, is compared with itself at all lags at once (a masked autocorrelation of its descriptors, by
FFT), so that a repetition without corners, or one whose steps shrink with perspective, has its say as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .similarity import describe_levels
from .threads import thread_count

Floats = NDArray[np.float32]

WINDOW = 64
"""Pixels a side, at a window's own scale."""
SHORTEST = 6.0
OCTAVE = 14
"""Lengths in an octave: neighbors differ by 5 %."""
LENGTHS = (SHORTEST * 2 ** np.arange(0, np.log2(0.75 * WINDOW / SHORTEST), 1 / OCTAVE)).astype(np.float32)
ANGLES = np.radians(np.arange(0, 180, 4)).astype(np.float32)
"""Half a turn: a lag and its opposite are one."""
NUDGE = 2.0
"""Pixels: a lag that tells how much changes along a direction."""
CHANNELS = 8
"""Principal components of the descriptors, the strongest ones: enough to find a lag by."""
FLAT = 0.02
"""Of the picture's variance: what varies less within a window repeats by accident."""
LEAST_INSIDE = 0.15
"""Of a window; with less of it in the region it is left out."""
ASIDE = (0.75, 1.3)
"""A repetition is a dip: these multiples of its length must fit worse."""
FULL_SUPPORT = 0.3
"""Overlap at a lag, of the window's own area, from which on its likeness is believed."""


@dataclass(frozen=True)
class Windows:
    """What the windows of one scale show.

    Parameters
    ----------
    planes : (CHANNELS, h, w) float32
        The descriptors at this scale, with a variance of about 1 over the region.
    boxes : list of (rows, columns)
        Where the windows lie, in pixels of this scale.
    area : (N,) float32
        Pixels of each that lie in the region.
    depth : (N, A, R) float32, 0 to 1
        How much better a window fits itself at a lag (of ANGLES and LENGTHS) than at shorter and longer
        ones of the same direction: 0 is chance, 1 an exact repetition.
    contrast : (N, A) float32
        How much changes along each direction, against the mean over all directions: hardly anything
        does along stripes.
    """

    planes: Floats
    boxes: list[tuple[slice, slice]]
    area: Floats
    depth: Floats
    contrast: Floats


def measure_windows(picture: Floats, inside: NDArray[np.bool_], scales: int = 3) -> list[Windows]:
    """Compare the windows of a picture with themselves.

    Parameters
    ----------
    picture : (h, w, 3) float32, 0 to 1
    inside : (h, w) bool
        The region that is looked at.
    scales : int
        Each half as large as the one before.

    Returns
    -------
    list of Windows
        One for each scale at which the region fills a window; none for a tiny region.
    """
    found = []
    for planes, mask in describe_levels(picture, inside, scales):
        boxes = [box for box in _boxes(mask.shape) if mask[box].sum() >= LEAST_INSIDE * WINDOW**2 / 4]
        boxes = [box for box in boxes if mask[box].mean() >= LEAST_INSIDE]
        if not boxes:
            continue
        masks = np.stack([mask[box] for box in boxes])
        strongest = np.argsort(planes[:, mask > 0.5].var(1))[-CHANNELS:]
        planes = np.ascontiguousarray(planes[strongest])
        likeness, support = _correlate(np.stack([planes[:, *box] for box in boxes]), masks)
        along, overlap = _polar(likeness, support)
        contrast = np.maximum(1 - _smooth(along[..., 0]), 0)
        contrast /= np.maximum(contrast.mean(1, keepdims=True), 1e-3)
        depth = _depth(along[..., 1:], overlap[..., 1:])
        found.append(Windows(planes, boxes, masks.sum((1, 2)), depth, contrast))
    return found


def _boxes(shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
    """Cover a picture with windows that overlap by half."""
    starts = []
    for side in shape:
        count = max(1, int(np.ceil((side - WINDOW) / (WINDOW / 2))) + 1)
        starts.append(np.linspace(0, max(0, side - WINDOW), count).astype(int))
    return [
        (slice(y, min(y + WINDOW, shape[0])), slice(x, min(x + WINDOW, shape[1])))
        for y in starts[0]
        for x in starts[1]
    ]


def _correlate(planes: Floats, masks: Floats) -> tuple[Floats, Floats]:
    """Return the likeness, -1 to 1, of windows (N, C, h, w) to themselves at all lags, and its support.

    Both are (N, L + 1, 2 L' + 1): lags of 0 to L rows down and of -L' to L' columns.
    """
    from scipy import fft

    height, width = masks.shape[1:]
    lags = int(LENGTHS[-1]) + 2
    down, aside = min(height - 1, lags), min(width - 1, lags)
    size = (fft.next_fast_len(height + down, True), fft.next_fast_len(width + aside, True))
    mean = np.einsum("nchw,nhw->nc", planes, masks) / masks.sum((1, 2))[:, None]
    planes = (planes - mean[..., None, None]) * masks[:, None]
    energy = np.square(planes).sum(1)
    waves = fft.rfft2(planes, size, workers=thread_count())
    mask_waves, energy_waves = fft.rfft2(masks, size), fft.rfft2(energy, size)
    spectra = [
        (waves.real**2 + waves.imag**2).sum(1),
        mask_waves.real**2 + mask_waves.imag**2,
        2 * (energy_waves * mask_waves.conj()).real,
    ]
    product, overlap, energies = (
        np.concatenate([lags[:, : down + 1, -aside:], lags[:, : down + 1, : aside + 1]], axis=2)
        for lags in (fft.irfft2(spectrum, size, workers=thread_count()) for spectrum in spectra)
    )
    least = 1e-3 * energies.max((1, 2), keepdims=True)
    likeness = 2 * product / np.maximum(energies + 2 * FLAT * overlap + least, 1e-6)
    support = overlap / overlap.max((1, 2), keepdims=True)
    return likeness.astype(np.float32), support.astype(np.float32)


def _polar(likeness: Floats, support: Floats) -> tuple[Floats, Floats]:
    """Sample both at NUDGE and at every length, along every angle: (N, A, 1 + R)."""
    import cv2

    lengths = np.concatenate([[np.float32(NUDGE)], LENGTHS])
    column = np.cos(ANGLES)[:, None] * lengths + np.float32((likeness.shape[2] - 1) / 2)
    row = np.sin(ANGLES)[:, None] * lengths
    samples = [
        cv2.remap(np.dstack(maps), column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        for maps in zip(likeness, support, strict=True)
    ]
    along, overlap = np.moveaxis(np.asarray(samples, np.float32), -1, 0)
    return along, overlap


def _depth(likeness: Floats, support: Floats) -> Floats:
    """How much better each lag fits than the same ones a little shorter and longer."""
    cost = np.minimum(1 - likeness, 1)
    steps = np.rint(np.log2(ASIDE) * OCTAVE).astype(int)
    places = np.clip(np.arange(len(LENGTHS)) + steps[:, None], 0, len(LENGTHS) - 1)
    beside = np.minimum(cost[..., places[0]], cost[..., places[1]])
    depth = np.maximum(1 - cost / np.maximum(beside, 1e-3), 0)
    return np.where(support > 0.1, depth * np.minimum(support / FULL_SUPPORT, 1), 0).astype(np.float32)


def _smooth(values: Floats, sigma: float = 1.0) -> Floats:
    """Blur over the angles, which go round."""
    from scipy.ndimage import gaussian_filter1d

    return np.asarray(gaussian_filter1d(values, sigma, axis=-1, mode="wrap"), np.float32)
