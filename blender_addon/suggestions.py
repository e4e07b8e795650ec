"""Suggestions in turn: each press of a button shows the next one, until what they were made from changes."""

from dataclasses import dataclass

from bpy.app.handlers import persistent

from . import handlers
from .bridge import masks
from .preview import player


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
    """Take the next suggestion's turn; returns it, and what to tell about it."""
    if known(kind, still, made_from) is None:
        _rounds[kind, still.session_uid] = _Round(made_from, items)
    turn = _rounds[kind, still.session_uid]
    count = len(turn.items)
    turn.shown = (turn.shown + 1) % count
    again = ": press again for the next" if count > 1 else ""
    return turn.items[turn.shown], f"Suggested {kind} {turn.shown + 1} of {count}{again}"


def reveal(still):
    """Let the artist see what is suggested: a loop that plays covers it."""
    if player.is_playing(still):
        player.stop()


def show_mask(still, mask):
    """Make `mask` the painted mask of `still`, also where it is being painted on."""
    reveal(still)
    masks.replace_mask(still, mask)


@persistent
def _forget(*_args):
    _rounds.clear()


_HANDLERS = (("load_pre", _forget),)


def register():
    handlers.add(_HANDLERS)


def unregister():
    handlers.remove(_HANDLERS)
    _forget()
