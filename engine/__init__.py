"""Endless Loops: a still, a mask and a few strokes become a seamless loop. Needs no Blender."""

from .errors import (
    BadFile,
    BadImage,
    BadMask,
    BadSettings,
    BadStroke,
    Cancelled,
    EmptyMask,
    EndlessLoopsError,
    NoRepetition,
)
from .loop import Loop
from .settings import Settings
from .solver import solve
from .strokes import Stroke
from .suggest import Direction, suggest_directions

__all__ = [
    "BadFile",
    "BadImage",
    "BadMask",
    "BadSettings",
    "BadStroke",
    "Cancelled",
    "Direction",
    "EmptyMask",
    "EndlessLoopsError",
    "Loop",
    "NoRepetition",
    "Settings",
    "Stroke",
    "solve",
    "suggest_directions",
]
