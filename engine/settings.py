"""The choices a caller has, and how it is told about progress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Progress = Callable[[float, str], None]
"""Called with the fraction done (0 to 1) and the stage's name; may raise `Cancelled` to stop."""


def no_progress(fraction: float, stage: str) -> None:
    """Ignore progress: what a caller who doesn't ask for it gets."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a loop is solved.

    Parameters
    ----------
    crf : {"builtin", "pydensecrf"}
        Who solves the dense CRF of section 3.1.2: the built-in exact solver, or the reference
        solver of the optional extra ``reference``.
    soft_edge : float, or a sequence of one a stroke
        Pixels inside the mask's edge over which the motion fades to nothing (4.5): 0 for what has an
        edge of its own, more for water, smoke and clouds. `Loop.with_soft_edge` changes it afterwards.
    threads : int, optional
        How many of the processor's cores solve and render, 1 or more; all there are by default. The
        loop is the same, byte for byte.
    """

    crf: Literal["builtin", "pydensecrf"] = "builtin"
    soft_edge: float | Sequence[float] = 0.0
    threads: int | None = None


@dataclass(frozen=True)
class Share:
    """A progress callback that fills a share of another."""

    report: Progress
    start: float
    length: float

    def __call__(self, fraction: float, stage: str) -> None:
        """Pass a fraction of its share on."""
        self.report(self.start + self.length * fraction, stage)
