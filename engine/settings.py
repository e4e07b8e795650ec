"""The choices a caller has, and how it is told about progress."""

from __future__ import annotations

from collections.abc import Callable
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
    """

    crf: Literal["builtin", "pydensecrf"] = "builtin"
