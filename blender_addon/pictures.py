"""The pictures that the compositor plays a loop from: where they lie, and how long they stay.

Another loop has a folder of its own. So undo, or closing without saving, leaves no nodes of one loop with the
pictures of another.
"""

import contextlib
import json
import os
import re
import shutil
from pathlib import Path
from unicodedata import normalize

import bpy
from bpy.app.handlers import persistent

from . import handlers, loops
from .bridge import footage, strokes

_PLAYERS = "players.json"  # beside such folders: which .blends play each of them

_new = []  # folders made since the .blend was saved: no other .blend plays them


def maps_folder(still):
    """Where the maps lie that the compositor's nodes play a solved loop from."""
    return _folder(still, "nodes", "PNG")  # folders of the first version, with EXR alone, stay as they are


def frames_folder(still):
    """Where the frames lie that the compositor plays as a sequence."""
    settings = still.endless_loops
    shot = footage.made_of(still) if footage.is_footage(still) else ()
    return _folder(still, "frames", settings.frame_count, settings.turns, settings.reverse, *shot)


def _folder(still, kind, *pace):
    settings = still.endless_loops
    made_of = settings.loop_file, strokes.read_soft_edges(still), settings.soft_edge, *pace
    return loops.folder() / f"{loops.name_of(still)}.{loops.short_digest(repr(made_of))}_{kind}"


def note_new(place):
    """Remember a folder that was made, and remove old ones that nothing plays any more."""
    _new.append(place)
    _remove_old(_new, _played())


@persistent
def _after_save(path, *_args):
    """Note what the .blend that was saved plays, and remove what nothing plays any more."""
    played = _played()
    _note_player(played, path)
    if path == bpy.data.filepath and loops.is_blend(path):  # not if a copy was saved
        _remove_old(_in_folder() if _is_alone() else _new, played)
        _new.clear()


def _remove_old(places, played):
    """Remove folders that nothing plays, but for the latest: undo may need these."""
    unplayed = [place for place in places if place.is_dir() and _real(place) not in played]
    for place in loops.all_but_latest(unplayed, _group):
        is_ours = all(file.suffix in {".exr", ".png"} for file in place.iterdir())
        if is_ours and not _plays_elsewhere(place):
            shutil.rmtree(place, ignore_errors=True)


def _in_folder():
    return [place for kind in ("nodes", "frames") for place in loops.folder().glob(f"*_{kind}")]


def _group(place):
    """What the folders of one still have in common."""
    return re.sub(r"\.[0-9a-f]{10}_", "_", place.name)


def _is_alone():
    """Whether no other .blend lies beside this one but those that are known to play pictures, or not to.

    It may have begun as this one's copy, and play the same.
    """
    known = {os.path.realpath(bpy.data.filepath)}
    for players in _players(loops.folder()).values():
        known.update(players)
    beside = Path(bpy.data.filepath).parent.glob("*.blend")
    return all(os.path.realpath(other) in known for other in beside)


def _played():
    """The folders that images of this .blend play."""
    folders = {Path(bpy.path.abspath(image.filepath)).parent for image in bpy.data.images if image.filepath}
    return {_real(place) for place in folders if place.name.endswith(("_nodes", "_frames"))}


def _real(place):
    return normalize("NFC", os.path.realpath(place))


def _note_player(played, path):
    """Write down, beside the folders that a .blend plays, that it does."""
    from .engine.errors import BadFile
    from .engine.storage import replaced_file

    for parent in {os.path.dirname(place) for place in played} if path else ():
        players = _players(parent)
        for name in (os.path.basename(place) for place in played if os.path.dirname(place) == parent):
            players[name] = {*players.get(name, ()), os.path.realpath(path)}
        notes = {name: sorted(_portable(p, parent) for p in blends) for name, blends in players.items()}
        with contextlib.suppress(OSError, BadFile), replaced_file(Path(parent, _PLAYERS)) as file:
            file.write_text(json.dumps(notes, indent=1), "utf-8")


def _players(folder):
    """The .blends that are noted for each folder in there, and still exist."""
    try:
        notes = json.loads(Path(folder, _PLAYERS).read_text("utf-8"))
        places = {name: {os.path.realpath(Path(folder, p)) for p in blends} for name, blends in notes.items()}
    except (OSError, ValueError, TypeError, AttributeError):  # missing, or edited by hand
        return {}
    return {name: {place for place in blends if os.path.isfile(place)} for name, blends in places.items()}


def _portable(path, folder):
    """A path relative to a folder, so that both may be moved together, where they lie on one drive."""
    try:
        return os.path.relpath(path, folder)
    except ValueError:
        return path


def _plays_elsewhere(place):
    """Whether another .blend played a folder when it was saved."""
    players = _players(place.parent).get(normalize("NFC", place.name), set())
    return bool(players - {os.path.realpath(bpy.data.filepath)})


@persistent
def _forget(*_args):
    _new.clear()


_HANDLERS = (("load_pre", _forget), ("save_post", _after_save))


def register():
    handlers.add(_HANDLERS)


def unregister():
    handlers.remove(_HANDLERS)
    _forget()
