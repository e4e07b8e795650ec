"""One displacement a place: candidate steps as the labels of a dense CRF (3.1.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .repetition import Repetition
from .settings import Settings
from .similarity import ANGLES, NODE, SHORTEST, Similarity
from .threads import in_threads, threads_for

Floats = NDArray[np.float32]

SPREAD = np.radians(np.arange(-30, 31, 5)).astype(np.float32)
"""Label angles off the repetition's own direction at a place (3.1.2: up to 30 degrees)."""
SCALES = np.exp(np.linspace(-0.4, 0.4, 13)).astype(np.float32)
"""Label lengths against the repetition's own step at a place."""
CERTAINTY = 6.0
"""Unary energy of a displacement at chance level; the CRF weighs it against its neighbors."""
STRAY = 1.6
"""Equation 3's lambda: 0.1 a pixel, for a step of 16 pixels, applied to the relative deviation."""
TURN = 5.0
"""Unary energy of a label 30 degrees off, growing with the square: stripes can't tell by themselves."""
SMOOTHNESS = 4.0
"""Weight of the pairwise term (4)."""
THETA_ALPHA = 10.0
"""Working pixels (equation 4)."""
ITERATIONS = 10
NEGLIGIBLE = 1e-4
"""Of the strongest combination of angles; weaker ones change the posterior by less than a millionth."""


@dataclass(frozen=True)
class Assignment:
    """What the CRF says at each node.

    Parameters
    ----------
    displacement : (h, w, 2) float32
        Mean displacement over the labels' posterior, working pixels, x right and y down.
    trust : (h, w) float32, 0 to 1
        0 where a displacement costs as much as chance, and outside the region.
    """

    displacement: Floats
    trust: Floats


def assign(
    similarity: Similarity, inside: NDArray[np.bool_], repetition: Repetition, settings: Settings
) -> Assignment:
    """Choose a displacement at each node around what the repetition suggests there.

    Parameters
    ----------
    similarity : Similarity
    inside : (h, w) bool
        Nodes of the region.
    repetition : Repetition
        Its displacement at a node is the initial one, g_i in equation 3.
    settings : Settings
        Which solver runs the CRF.

    Returns
    -------
    Assignment
    """
    rows, columns = inside.shape
    nodes = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1) * float(NODE) + (NODE - 1) / 2
    guide = repetition.displacement(nodes)
    length = np.hypot(guide[..., 0], guide[..., 1]).astype(np.float32)
    heading = np.arctan2(guide[..., 1], guide[..., 0]).astype(np.float32)
    ratio = _label_costs(similarity, heading, length)
    deviation = STRAY * np.abs(SCALES - 1)[None, :, None, None]
    unary = CERTAINTY * np.minimum(ratio, 1.5) * (1 + deviation)
    unary += TURN * (SPREAD / np.radians(30))[:, None, None, None] ** 2
    posterior = solve_crf(
        unary.astype(np.float32), SPREAD, inside, THETA_ALPHA / NODE, SMOOTHNESS, settings.crf
    )
    turned = heading[None] + SPREAD[:, None, None]
    stretched = (posterior * SCALES[None, :, None, None]).sum(1) * length
    displacement = np.stack(
        [(stretched * np.cos(turned)).sum(0), (stretched * np.sin(turned)).sum(0)], axis=-1
    )
    trust = np.clip(1 - (posterior * ratio).sum((0, 1)), 0, 1) * inside
    return Assignment(displacement.astype(np.float32), trust.astype(np.float32))


def _label_costs(similarity: Similarity, heading: Floats, length: Floats) -> Floats:
    """Look labels up in the volume, (angle, scale, h, w): cost against chance."""
    angle = heading[None] + SPREAD[:, None, None] - similarity.direction
    angle = (angle + np.pi) % (2 * np.pi) - np.pi
    column = (angle - ANGLES[0]) / (ANGLES[1] - ANGLES[0])
    row = np.log(np.maximum(length[None] * SCALES[:, None, None], 1e-3) / SHORTEST) / similarity.growth
    last = len(similarity.lengths) - 1
    seen = ((column > -0.5) & (column < len(ANGLES) - 0.5))[:, None] & ((row > -0.5) & (row < last + 0.5))[
        None
    ]
    column = np.clip(np.rint(column), 0, len(ANGLES) - 1).astype(np.int32)[:, None]
    low = np.clip(np.floor(row), 0, max(last - 1, 0)).astype(np.int32)[None]
    share = np.clip(row - low, 0, 1).astype(np.float32)
    # Lengths come first in memory.
    place = np.arange(heading.size, dtype=np.int32).reshape(heading.shape)
    below = (low * len(ANGLES) + column) * heading.size + place
    above = below + np.int32(min(last, 1) * len(ANGLES) * heading.size)

    def between(volume: Floats) -> Floats:
        values = volume.swapaxes(0, 1).reshape(-1)
        shorter = values.take(below)
        return shorter + (values.take(above) - shorter) * share

    seen &= between(similarity.support) > 0.1
    return np.where(seen, between(similarity.cost) / between(similarity.chance), np.float32(1))


def solve_crf(
    unary: Floats, angles: Floats, inside: NDArray[np.bool_], theta: float, weight: float, solver: str
) -> Floats:
    """Run mean-field inference on a dense CRF whose pairwise term sees only angles.

    Parameters
    ----------
    unary : (A, R, h, w) float32
        Energy of the label (angle, length) at each place.
    angles : (A,) float32
        Radians.
    inside : (h, w) bool
        Places that take part.
    theta : float
        Deviation of the Gaussian kernel, in places (equation 4).
    weight : float
        Of the pairwise term.
    solver : {"builtin", "pydensecrf"}

    Returns
    -------
    (A, R, h, w) float32
        The posterior; sums to 1 over (A, R) inside, 0 outside.

    Notes
    -----
    The compatibility (5) of two labels depends on their angles alone. So do the messages, and mean
    field over the angles, with the lengths summed out once, is the same mean field exactly.
    """
    alike = np.sqrt(np.maximum(np.cos(angles[:, None] - angles[None]), 0)).astype(np.float32)
    if solver == "pydensecrf":
        return _reference(unary, alike, inside, theta, weight)
    angle_count = len(angles)
    lowest = unary.reshape(-1, *inside.shape).min(0)
    posterior = np.empty_like(unary)
    evidence = np.empty((angle_count, *inside.shape), np.float32)

    def weigh(angle: int) -> None:
        np.subtract(lowest, unary[angle], out=posterior[angle])
        np.exp(posterior[angle], out=posterior[angle])
        posterior[angle].sum(0, out=evidence[angle])

    def share(angle: int) -> None:
        posterior[angle] *= belief[angle]

    threads = threads_for(unary.size)
    in_threads(weigh, range(angle_count), threads)
    belief = _mean_field(evidence, weight * alike, inside, theta)
    belief /= evidence
    in_threads(share, range(angle_count), threads)
    return posterior


def _mean_field(evidence: Floats, alike: Floats, inside: NDArray[np.bool_], theta: float) -> Floats:
    """Find the angles' posterior, (A, h, w), from their likelihoods and how well two go together, (A, A).

    Of those A x A only a few combinations count, since they change slowly with the angle: it's these
    that are sent as messages.
    """
    import cv2

    radius = int(np.ceil(4 * theta))
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / theta) ** 2).astype(np.float32)

    def blur(planes: Floats) -> Floats:  # nothing comes in from beyond the border
        blurred = cv2.sepFilter2D(planes, -1, kernel, kernel, borderType=cv2.BORDER_CONSTANT)
        return np.asarray(blurred, np.float32)

    rows, columns = inside.shape
    count = rows * columns
    out, strength, into = np.linalg.svd(alike)
    rank = int((strength > NEGLIGIBLE * strength[0]).sum())
    out, into = out[:, :rank].copy(), strength[:rank, None] * into[:rank]
    region = inside.astype(np.float32)
    norm = 1 / np.sqrt(blur(region) + np.float32(1e-20)).ravel()
    region, evidence = region.ravel(), evidence.reshape(-1, count)
    # The messages are blurred as one tall picture, with so much between them that none sees the next.
    messages = np.zeros((rank, (rows + radius) * columns), np.float32)
    belief = evidence * (region / evidence.sum(0))
    for _ in range(ITERATIONS):
        belief *= norm
        np.matmul(into, belief, out=messages[:, :count])
        arrived = blur(messages.reshape(-1, columns)).reshape(rank, -1)[:, :count]
        np.matmul(out, arrived, out=belief)
        belief *= norm
        np.exp(belief, out=belief)
        belief *= evidence
        belief *= region / belief.sum(0)
    return belief.reshape(-1, rows, columns)


def _reference(
    unary: Floats, alike: Floats, inside: NDArray[np.bool_], theta: float, weight: float
) -> Floats:
    """Solve the same CRF label by label with the reference code of Krähenbühl and Koltun."""
    from .errors import BadSettings

    try:
        import pydensecrf.densecrf as densecrf
    except ImportError as reason:
        raise BadSettings(
            'The reference solver isn\'t installed: use crf="builtin", or install the extra "reference".'
        ) from reason
    angles, lengths, rows, columns = unary.shape
    y, x = np.nonzero(inside)
    labels = angles * lengths
    crf = densecrf.DenseCRF(len(y), labels)
    crf.setUnaryEnergy(np.ascontiguousarray(unary[:, :, y, x].reshape(labels, -1)))
    features = np.ascontiguousarray(np.stack([x, y]) / theta, np.float32)
    of_label = np.repeat(np.arange(angles), lengths)
    # The package's compatibility is an energy; (5) is a similarity.
    energy = np.ascontiguousarray(-weight * alike[of_label][:, of_label], np.float32)
    crf.addPairwiseEnergy(features, energy, densecrf.DIAG_KERNEL, densecrf.NORMALIZE_SYMMETRIC)
    posterior = np.zeros_like(unary)
    posterior[:, :, y, x] = np.array(crf.inference(ITERATIONS)).reshape(angles, lengths, -1)
    return posterior
