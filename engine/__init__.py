"""Endless Loops: a still, a mask and a few strokes become a seamless loop. Needs no Blender.

Names are loaded when they are first used: Blender starts with this package, and most sessions never solve.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import (
        BadFile,
        BadImage,
        BadMask,
        BadSettings,
        BadStroke,
        BadVideo,
        Cancelled,
        EmptyMask,
        EndlessLoopsError,
        LostPlane,
        NoRepetition,
    )
    from .grow import grow_mask
    from .loop import Loop
    from .propose import suggest_masks
    from .settings import Settings
    from .solver import solve
    from .strokes import Stroke
    from .suggest import Direction, suggest_directions
    from .video import MovingLoop, play_in_video, solve_video

__all__ = [
    "BadFile",
    "BadImage",
    "BadMask",
    "BadSettings",
    "BadStroke",
    "BadVideo",
    "Cancelled",
    "Direction",
    "EmptyMask",
    "EndlessLoopsError",
    "Loop",
    "LostPlane",
    "MovingLoop",
    "NoRepetition",
    "Settings",
    "Stroke",
    "grow_mask",
    "play_in_video",
    "solve",
    "solve_video",
    "suggest_directions",
    "suggest_masks",
]

_HOMES = {
    "Direction": "suggest",
    "Loop": "loop",
    "MovingLoop": "video",
    "Settings": "settings",
    "Stroke": "strokes",
    "grow_mask": "grow",
    "play_in_video": "video",
    "solve": "solver",
    "solve_video": "video",
    "suggest_directions": "suggest",
    "suggest_masks": "propose",
}
"""The modules of the public names; all others are errors."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES.get(name, 'errors')}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
