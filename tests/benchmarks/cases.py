"""What is measured: a still with its mask and its stroke, and what is known about its repetitions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

# Two halves of like difficulty, dealt out in the order of the plain recipe's agreement at mid-loop: the first
# tunes, the next two are held, the next two tune, and so on. A solver may be tuned on its half alone, and is
# reported on both.
TUNING_PHOTOGRAPHS = frozenset(
    {
        "balconies_lattice.png",
        "small_chain2.jpg",
        "leaf_ribs.jpg",
        "arcade_facade.png",
        "small_ladder3.jpg",
        "shadow_stripes_floor.png",
        "caps_kodim03.png",
        "checker_plaza.png",
        "dune_ripples.jpg",
        "pier_sunset.jpg",
        "clouds_waterberg.png",
    }
)
TUNING_SEEDS = (1,)
HELD_SEEDS = (101,)


@dataclass(frozen=True)
class Anchor:
    """One hand-measured repetition of a photograph.

    Parameters
    ----------
    at : (2,) float, pixels
        Where it was measured.
    step : (2,) float, pixels
        From there to the next repetition along the stroke.
    tolerance : float, pixels
        How well it could be measured.
    """

    at: NDArray[np.float64]
    step: NDArray[np.float64]
    tolerance: float


@dataclass(frozen=True)
class Case:
    """A still to solve.

    Parameters
    ----------
    name : str
        What the reports call it.
    half : {"tune", "held"}
        Whether one may look at it while tuning a solver.
    still : (H, W, 3) uint8, RGB
    mask : (H, W) bool
    stroke : (N, 2) float, pixels
    anchors : tuple of Anchor
        Empty where nobody measured the repetitions.
    stripes : bool
        The still has no texture across the step: only the component along it can be seen.
    truth : (H, W, 2) float32, pixels, or None
        The known forward displacement field of a synthetic still, NaN outside the mask.
    middle : (H, W, 3) uint8 or None
        The known picture at half a turn, where the field is uniform enough for there to be one.
    strokes : tuple of (N, 2) float, pixels
        All of them, where one stroke can't tell the motion.
    kind : str
        What is special about it: its figures then are lines of their own.
    """

    name: str
    half: str
    still: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    stroke: NDArray[np.float64]
    anchors: tuple[Anchor, ...] = field(default=())
    stripes: bool = False
    truth: NDArray[np.float32] | None = None
    middle: NDArray[np.uint8] | None = None
    strokes: tuple[NDArray[np.float64], ...] = ()
    kind: str = ""

    @property
    def all_strokes(self) -> tuple[NDArray[np.float64], ...]:
        """Every stroke; solvers that know one only take the first."""
        return self.strokes or (self.stroke,)


def photographs(folder: Path) -> Iterator[Case]:
    """Read the annotated photographs of a folder, in the order of its `annotations.json`."""
    for note in json.loads((folder / "annotations.json").read_text()):
        still = cv2.cvtColor(cv2.imread(str(folder / note["file"])), cv2.COLOR_BGR2RGB)
        mask = np.zeros(still.shape[:2], np.uint8)
        cv2.fillPoly(mask, [np.array(note["mask_polygon"], np.int32)], 1)
        tolerance = float(note["tolerance_px"] or 0)
        yield Case(
            name=note["file"],
            half="tune" if note["file"] in TUNING_PHOTOGRAPHS else "held",
            still=still,
            mask=mask > 0,
            stroke=np.array(note["stroke"], float),
            anchors=tuple(
                Anchor(np.array(p["at"], float), np.array(p["vector"], float), tolerance)
                for p in note["period_vectors"]
            ),
            stripes=bool(note["stripes"]),
        )
