"""Suggestions in turn: each press of a button shows the next one, until what they were made from changes."""

from dataclasses import dataclass

import bpy
from bpy.app.handlers import persistent


@dataclass
class _Round:
    made_from: str
    items: list
    shown: int = -1


_rounds = {}  # (kind, session_uid of a still) -> the suggestions whose turn it is


def known(kind, still, made_from):
    """The suggestions that were made from this, or None."""
    turn = _rounds.get((kind, still.session_uid))
    return turn.items if turn is not None and turn.made_from == made_from else None


def shown(kind, still):
    """The suggestion that was shown last, whatever it was made from, or None."""
    turn = _rounds.get((kind, still.session_uid))
    return turn.items[turn.shown] if turn is not None else None


def show_next(kind, still, made_from, items):
    """Take the next suggestion's turn; returns it and its number, which counts from 1."""
    if known(kind, still, made_from) is None:
        _rounds[kind, still.session_uid] = _Round(made_from, items)
    turn = _rounds[kind, still.session_uid]
    turn.shown = (turn.shown + 1) % len(turn.items)
    return turn.items[turn.shown], turn.shown + 1


@persistent
def _forget(*_args):
    _rounds.clear()


def register():
    bpy.app.handlers.load_pre.append(_forget)


def unregister():
    bpy.app.handlers.load_pre.remove(_forget)
    _forget()
