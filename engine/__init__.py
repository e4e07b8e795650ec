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
    "play_in_video",
    "solve",
    "solve_video",
    "suggest_directions",
]
