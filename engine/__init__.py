"""Endless Loops: a still, a mask and a few strokes become a seamless loop. Needs no Blender."""

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
from .loop import Loop
from .settings import Settings
from .solver import solve
from .strokes import Stroke
from .suggest import Direction, suggest_directions
from .video import MovingLoop, solve_video

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
    "solve",
    "solve_video",
    "suggest_directions",
]
