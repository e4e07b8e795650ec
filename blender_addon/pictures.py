"""The pictures that the compositor plays a loop from: where they lie, and how long they stay.

Another loop has a folder of its own. So undo, or closing without saving, leaves no nodes of one loop with the
pictures of another.
"""

import os
import shutil
from pathlib import Path

import bpy
from bpy.app.handlers import persistent

from . import handlers, loops
from .bridge import strokes

_FOR_UNDO = 2  # folders that nothing plays any more stay until the .blend is saved

_new = []  # folders made since the .blend was saved, the latest last: no other .blend plays them


def maps_folder(still):
    """Where the maps lie that the compositor's nodes play a solved loop from."""
    return _folder(still, "nodes")


def frames_folder(still):
    """Where the frames lie that the compositor plays as a sequence."""
    settings = still.endless_loops
    return _folder(still, "frames", settings.frame_count, settings.turns, settings.reverse)


def _folder(still, kind, *pace):
    settings = still.endless_loops
    made_of = settings.loop_file, strokes.read_soft_edges(still), settings.soft_edge, *pace
    return loops.folder() / f"{loops.name_of(still)}.{loops.short_digest(repr(made_of))}_{kind}"


def note_new(place):
    """Remember a folder that was made, and remove the oldest of those that nothing plays any more."""
    _new.append(place)
    unused = [place for place in _new if not _is_played(place)]
    for place in unused[:-_FOR_UNDO]:
        _new.remove(place)
        _remove(place)


@persistent
def _after_save(path, *_args):
    """Remove what nothing plays any more, unless a copy was saved: then the file itself is as it was."""
    if path == bpy.data.filepath:
        places = [place for kind in ("nodes", "frames") for place in loops.folder().glob(f"*_{kind}")]
        for place in places if _is_alone() else _new:
            if not _is_played(place):
                _remove(place)
    _new[:] = [place for place in _new if place.exists() and not _is_played(place)]


def _is_alone():
    """Whether no .blend lies beside this one: it may have begun as its copy, and play the same pictures."""
    blend = Path(bpy.data.filepath)
    return all(other == blend for other in blend.parent.glob("*.blend"))


def _is_played(place):
    paths = (bpy.path.abspath(image.filepath) for image in bpy.data.images if image.filepath)
    return Path(os.path.realpath(place)) in {Path(os.path.realpath(path)).parent for path in paths}


def _remove(place):
    if place.is_dir() and all(file.suffix in {".exr", ".png"} for file in place.iterdir()):
        shutil.rmtree(place, ignore_errors=True)


@persistent
def _forget(*_args):
    _new.clear()


_HANDLERS = (("load_pre", _forget), ("save_post", _after_save))


def register():
    handlers.add(_HANDLERS)


def unregister():
    handlers.remove(_HANDLERS)
    _forget()
