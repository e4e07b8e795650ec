"""What repeats along a stroke: one translation of a plane in perspective that maps it onto itself (3.1.1).

A facade, a floor or a flight of stairs repeats by equal steps on a plane; in the picture the steps shrink
towards a vanishing point and turn with it. All of that is four numbers, so they are searched for all at
once, over the whole region: no single line through it has to be good.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .similarity import ANGLES, NODE, OCTAVE, SHORTEST, Similarity

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

MOST_CHANGE = 4.0
"""Times the step at the center: near a horizon the formula knows no bounds."""
PLACES = 200
"""Nodes that vote, drawn from the region."""
FIRST_PLACES = 48
"""Nodes that vote on the first, long list of hypotheses."""
UNKNOWN = 1.0
"""Cost, in units of chance, of a displacement that can't be measured."""
FULL_SUPPORT = 0.6
"""Support from which on a cost is believed; with less it is drawn towards chance."""
ALIKE = OCTAVE
"""Neighboring lengths that a plane changes by about the same share."""
CREST = 1.3
"""Costs, in units of chance, are all the same from here on."""
ASIDE = (0.75, 1.3)
"""A repetition is a dip: these multiples of its step must cost more."""
BESIDE = np.log([1, *ASIDE])
LONGER = 0.45
"""Doubt for each e-fold of length: of a step and its multiples, the step is meant."""
NEAR = np.exp(np.linspace(-0.12, 0.12, 5))
"""Of half a step: how long what it's twice of may be, to begin with."""
HALF = 0.06
"""Natural logarithm; what is found there has to be half as long, but for so much."""
NEARLY = 0.6
"""Of a step's merit, that its half has to have to be meant; the half of a true step has hardly any."""
OFF_STROKE = 1.5
"""Doubt at 30 degrees off the stroke, growing with the square."""
SLANT = 0.06
"""Doubt about a plane that doubles its steps from the center to the edge, growing with the square."""
BOTH_WAYS = np.concatenate([np.eye(4), -np.eye(4)])[:, None]
"""A hypothesis's numbers, one after the other, up and then down."""
OFF = 1e4
"""A row that is off the volume whatever is added to it."""

APART = float(ANGLES[1] - ANGLES[0])
COLUMNS = np.full(round(2 * np.pi / APART) + 1, -1, np.int32)
"""The column of the volume for each angle off the stroke, from 0 to a full turn in steps of APART."""
COLUMNS[np.rint(ANGLES / APART).astype(int) % (COLUMNS.size - 1)] = np.arange(len(ANGLES))
COLUMNS[-1] = COLUMNS[0]

Slants = tuple[tuple[float, ...], tuple[float, ...]]
ANY_SLANT: Slants = (
    (-0.9, -0.7, -0.5, -0.32, -0.2, -0.1, 0.0, 0.1, 0.2, 0.32, 0.5, 0.7, 0.9),
    (-0.5, -0.25, -0.1, 0.0, 0.1, 0.25, 0.5),
)
HARDLY_ANY_SLANT: Slants = ((-0.3, -0.15, 0.0, 0.15, 0.3), (-0.2, 0.0, 0.2))
"""What is left on a plane that was laid flat."""


@dataclass(frozen=True)
class Repetition:
    """A translation by one step on a plane seen in perspective.

    Parameters
    ----------
    center : (2,) float64
        Working pixels, (x, y).
    angle : float
        Of the step at the center, radians, x right and y down.
    step : float
        Length of the step at the center, working pixels.
    fall : (2,) float64
        How the plane recedes: its depth is 1 / (1 + fall . (p - center)).
    cost : float
        What the step costs over the region against shorter ones; 1 is chance, 0 an exact copy.
    merit : float
        How deep and how likely the dip of the cost is; 0 or less says that nothing repeats, 2 is most.
    """

    center: Doubles
    angle: float
    step: float
    fall: Doubles
    cost: float
    merit: float

    def displacement(self, points: NDArray[np.floating]) -> Doubles:
        """Move points of shape (..., 2) by one step; returns how far each moves, working pixels."""
        away = np.asarray(points, np.float64) - self.center
        heading = np.array([np.cos(self.angle), np.sin(self.angle)])
        nearness = np.maximum(1 + away @ self.fall, 0.05)
        pull = self.step * nearness
        shrink = np.maximum(1 - pull * (heading @ self.fall), 0.2)
        moves = (away + pull[..., None] * heading) / shrink[..., None] - away
        length = np.hypot(moves[..., 0], moves[..., 1])
        bounded = np.clip(length, self.step / MOST_CHANGE, self.step * MOST_CHANGE)
        return moves * (bounded / np.maximum(length, 1e-9))[..., None]


def find_repetition(
    similarity: Similarity, inside: NDArray[np.bool_], slants: Slants = ANY_SLANT
) -> Repetition:
    """Find the shortest step along the stroke that maps the region onto itself.

    Parameters
    ----------
    similarity : Similarity
    inside : (h, w) bool
        Which nodes belong to the region.
    slants : pair of tuples of float
        How much nearer than its center the plane may be at the region's ends, along the stroke and
        across it: where the search starts.

    Returns
    -------
    Repetition
        The best one there is, however bad its cost.
    """
    votes = _Votes(similarity, inside)
    return votes.repetition(votes.undoubled(votes.refined(votes.coarse(slants))[0]))


def _grid(*axes: Any) -> Doubles:
    """Return all combinations of numbers, or rows of numbers, one a row."""
    columns = [np.reshape(axis, (len(axis), -1)) for axis in axes]
    chosen = np.indices([len(axis) for axis in axes]).reshape(len(axes), -1)
    return np.concatenate(
        [axis[which] for axis, which in zip(columns, chosen, strict=True)], axis=1, dtype=np.float64
    )


def _discounted(dip: NDArray[Any], likely: Doubles) -> Doubles:
    """Rate dips, as shares of what is beside them: how deep they are for how likely; lower is better."""
    depth = 1 - dip
    return np.where(depth > 0, -depth * likely, -depth / likely)


def _moved(guesses: Doubles, strides: Doubles) -> Doubles:
    """Move hypotheses: the step by a factor's logarithm, all other numbers by what is added."""
    moved = guesses + strides
    moved[..., 1] = guesses[..., 1] * np.exp(strides[..., 1])
    return moved


class _Votes:
    """Scores many hypotheses (angle off the stroke, step, fall along and across it) at once."""

    def __init__(self, similarity: Similarity, inside: NDArray[np.bool_]) -> None:
        rows, columns = np.nonzero(inside)
        nodes = np.stack([columns, rows], axis=-1) * float(NODE) + (NODE - 1) / 2
        self.center = nodes.mean(0)
        heading = np.array([np.cos(similarity.direction), np.sin(similarity.direction)])
        self.axes = np.stack([heading, [-heading[1], heading[0]]])
        chosen = np.random.default_rng(0).permutation(len(rows))[:PLACES]
        rows, columns = rows[chosen], columns[chosen]
        self.places = (nodes[chosen] - self.center) @ self.axes.T
        far = int(0.95 * (len(rows) - 1))
        self.reach = np.maximum(np.partition(np.abs(self.places), far, axis=0)[far], 1.0)
        self.similarity = similarity
        chosen = rows * inside.shape[1] + columns
        # (R, A, places): lengths come first in memory
        cost, chance, support = (
            values.swapaxes(0, 1).reshape(-1, inside.size).take(chosen, 1).reshape(-1, len(ANGLES), len(rows))
            for values in (similarity.cost, similarity.chance, similarity.support)
        )
        known = support > 0.1
        sure = chance[::8][support[::8] > 0.3]
        self.blind = float(np.median(sure)) if sure.size else 1.0
        # Cost and chance of a label at a place are one number to look up and to sum. There is one more row
        # at either end, for lengths that can't be looked up.
        self.volume = np.full(
            (len(cost) + 2, *cost.shape[1:]), complex(UNKNOWN, 1) * self.blind, np.complex64
        )
        seen = self.volume[1:-1]
        np.subtract(cost, chance, out=cost)
        cost *= np.minimum(support / FULL_SUPPORT, 1)
        cost += chance
        np.copyto(seen.real, cost, where=known)
        np.copyto(seen.imag, chance, where=known)
        beyond = np.arange(1 - ALIKE, len(self.volume) + ALIKE - 1).clip(0, len(self.volume) - 1)
        few = self.volume[:, :, :FIRST_PLACES].take(beyond, 0).transpose(1, 2, 0)
        # ALIKE rows on from each angle's, place's and first row, side by side: faster to look up
        spans = np.lib.stride_tricks.sliding_window_view(few, ALIKE, 2)
        self.firsts = spans.shape[2]
        self.spans = np.ascontiguousarray(spans).reshape(-1, ALIKE)

    def coarse(self, slants: Slants, kept: int = 8) -> Doubles:
        """Score a grid over all four numbers and keep the best that differ."""
        guesses = self._long_list(slants)
        guesses = guesses[np.argsort(self.score(guesses), kind="stable")]
        apart = np.array([0.2, 0.12, 0.3 / self.reach[0], 0.35 / self.reach[1]])
        places = np.column_stack([guesses[:, 0], np.log(guesses[:, 1]), guesses[:, 2:]]) / apart
        free = np.ones(len(guesses), bool)
        best: list[int] = []
        while free.any() and len(best) < kept:
            best.append(int(free.argmax()))
            free &= (np.abs(places - places[best[-1]]) > 1).any(1)
        return guesses[best]

    def _long_list(self, slants: Slants, most: int = 128) -> Doubles:
        """Return the best of a grid over all four numbers, scored roughly; in no order."""
        falls, turns = (np.array(slants) / reach for slants, reach in zip(slants, self.reach, strict=True))
        tilted, facing = _grid(falls, turns), np.zeros((1, 2))
        planes = np.concatenate(
            [_grid(np.radians([-20, -10, 0, 10, 20]), tilted), _grid(np.radians([-15, -5, 5, 15]), facing)]
        )
        scores = self._scored(planes)
        most = min(most, scores.size)
        plane, length = np.nonzero(scores <= np.partition(scores, most - 1, axis=None)[most - 1])
        return np.insert(planes[plane], 1, self.similarity.lengths[length], axis=1)

    def _scored(self, planes: Doubles) -> Doubles:
        """Score, (N, lengths), every length at an angle on a plane, (N, 3): roughly, for a few places.

        Lengths that are much alike change by the same share from place to place, so that a plane moves
        a whole span of a place's costs along the lengths.
        """
        lengths, growth = self.similarity.lengths, self.similarity.growth
        shorter, longer = np.rint(np.log(ASIDE) / growth).astype(int)
        starts = np.arange(shorter, len(lengths) + longer, ALIKE)
        row, column, pull = self._turned(planes[:, 0], planes[:, 1:], slice(0, FIRST_PLACES))
        label = (column * column.shape[1] + np.arange(column.shape[1], dtype=np.int32)) * self.firsts
        cost = np.empty((len(planes), len(starts), ALIKE), np.float32)
        for number, middle in enumerate(lengths[0] * np.exp((starts + ALIKE // 2) * growth)):
            first = self._stepped(row, pull, middle) + np.float32(ALIKE // 2)
            span = label + np.rint(np.clip(first, 0, self.firsts - 1)).astype(np.int32)
            sums = self.spans.take(span.T, axis=0).sum(0)  # places first: faster to sum
            np.divide(sums.real, sums.imag, out=cost[:, number])
        cost = np.minimum(cost.reshape(len(planes), -1), CREST)
        here = np.arange(len(lengths)) - shorter
        dip = cost[:, here] / np.minimum(cost[:, here + shorter], cost[:, here + longer])
        return _discounted(dip, self._likely(planes[:, :1], lengths, planes[:, None, 1:]))

    def refined(self, guesses: Doubles, rounds: int = 6) -> Doubles:
        """Walk guesses downhill; every second round strides are halved, and the better half goes on.

        Returns the last of them, best first.
        """
        score = self.score(guesses)
        strides = np.array([np.radians(5), 0.05, 0.12 / self.reach[0], 0.15 / self.reach[1]])
        for turn in range(rounds):
            guesses, score = self._downhill(guesses, score, strides)
            if turn % 2 == 1:
                strides /= 2
                kept = np.argsort(score, kind="stable")[: -(-len(score) // 2)]
                guesses, score = guesses[kept], score[kept]
        return guesses

    def _downhill(self, guesses: Doubles, score: Doubles, strides: Doubles) -> tuple[Doubles, Doubles]:
        """Move each guess a stride along all numbers that better its score, or the best of them alone."""
        tried = self.score(_moved(guesses, BOTH_WAYS * strides).reshape(-1, 4)).reshape(2, 4, -1)
        lowest = tried.min(0)
        signs = np.where(lowest < score, 1 - 2 * tried.argmin(0), 0).T
        together = _moved(guesses, signs * strides)
        alone = _moved(guesses, np.where(np.arange(4) == lowest.argmin(0)[:, None], signs, 0) * strides)
        alone_score, together_score = np.minimum(lowest.min(0), score), self.score(together)
        better = together_score < alone_score
        return np.where(better[:, None], together, alone), np.where(better, together_score, alone_score)

    def undoubled(self, guess: Doubles) -> Doubles:
        """Return the half of a step, if that repeats nearly as well; else the step itself.

        Twice a step repeats as well: where things are bent or differ, by chance a bit better.
        """
        half = guess[1] / 2
        around = _grid(guess[0] + np.radians([-5, 0, 5]), half * NEAR, guess[2:3], guess[3:])
        around = around[around[:, 1] > SHORTEST]
        merit = -float(self.score(guess[None])[0])
        if not len(around) or -self.score(around).min() < NEARLY / 2 * merit:
            return guess
        found = self.refined(around[np.argsort(self.score(around))[:4]], rounds=4)[0]
        is_half = abs(np.log(found[1] / half)) < HALF
        return self.undoubled(found) if is_half and -self.score(found[None])[0] > NEARLY * merit else guess

    def score(self, guesses: Doubles) -> Doubles:
        """Rate hypotheses, lower is better: the negated depth of a dip, discounted by how unlikely it is."""
        row, column = self._moves(guesses)
        shifts = (BESIDE / self.similarity.growth).astype(np.float32)
        cost, *beside = self._look(row + shifts[:, None, None], column)
        likely = self._likely(guesses[:, 0], guesses[:, 1], guesses[:, 2:])
        return _discounted(cost / np.minimum(*beside), likely)

    def _likely(self, angle: Doubles, step: NDArray[Any], fall: Doubles) -> Doubles:
        """Say how likely it is that somebody means a step like this; 1 at most."""
        doubt = (
            LONGER * np.log(np.maximum(step, SHORTEST) / SHORTEST)
            + OFF_STROKE * (angle / np.radians(30)) ** 2
        )
        return np.asarray(np.exp(-doubt - SLANT * ((fall * self.reach) ** 2).sum(-1)))

    def repetition(self, guess: Doubles) -> Repetition:
        """Return a hypothesis in the region's own coordinates."""
        cost = float(self._look(*self._moves(guess[None]))[0])
        merit = -float(self.score(guess[None])[0])
        angle = self.similarity.direction + float(guess[0])
        return Repetition(self.center, angle, float(guess[1]), guess[2:] @ self.axes, cost, merit)

    def _moves(self, guesses: Doubles) -> tuple[Floats, NDArray[np.int32]]:
        """Return each place's step, as a row of the volume, and its angle, as a column."""
        row, column, pull = self._turned(guesses[:, 0], guesses[:, 2:])
        return self._stepped(row, pull, guesses[:, 1:2]), column

    def _turned(
        self, angles: Doubles, falls: Doubles, places: slice = slice(None)
    ) -> tuple[Floats, NDArray[np.int32], Floats]:
        """Tell what is known of each place's step before its length is: row, column in the volume, and pull.

        The row is that of the shortest step, if nothing pulled it. Pull is by how much nearer a step ends for
        each pixel of its length.
        """
        import cv2

        angle, along, across = np.column_stack([angles, falls]).T[:, :, None].astype(np.float32)
        x, y = self.places[places].T.astype(np.float32)
        cos, sin = np.cos(angle), np.sin(angle)
        ahead = along * cos + across * sin
        nearness = along * x
        nearness += across * y
        nearness += 1
        length, turn = cv2.cartToPolar(cos + x * ahead, sin + y * ahead)
        length *= nearness
        row = np.log(np.maximum(length, np.float32(1e-3), out=length), out=length)
        row *= np.float32(1 / self.similarity.growth)
        turn *= np.float32(1 / APART)
        column = COLUMNS.take(np.rint(turn, out=turn).astype(np.int32))
        off_plane = nearness < 0.12
        off_plane |= column < 0
        row[off_plane] = -OFF
        column[off_plane] = 0
        nearness *= ahead
        return row, column, nearness

    def _stepped(self, row: Floats, pull: Floats, step: Any) -> Floats:
        """Return each place's step as a row of the volume, for steps of a length at the center."""
        growth = self.similarity.growth
        shrink = np.multiply(pull, -step, dtype=np.float32)
        shrink += 1
        behind = shrink < 0.15
        np.log(np.maximum(shrink, np.float32(0.15), out=shrink), out=shrink)
        shrink *= np.float32(-1 / growth)
        shrink += row
        shrink += np.asarray(np.log(step / SHORTEST) / growth, np.float32)
        shrink[behind] = -OFF
        return shrink

    def _look(self, row: Floats, column: NDArray[np.int32]) -> Floats:
        """Sum costs over the places, the last axis, and divide by what chance gives."""
        label = np.rint(np.clip(row + 1, 0, len(self.volume) - 1)).astype(np.int32)
        label *= self.volume.shape[1]
        label += column
        label *= self.volume.shape[2]
        label += np.arange(self.volume.shape[2], dtype=np.int32)
        total = self.volume.take(label).sum(-1)
        return np.minimum(total.real / total.imag, CREST)
