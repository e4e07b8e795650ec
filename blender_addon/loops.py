"""The solved loops: in memory, in a file beside the .blend, and whether they fit what they were made from.

Each solve has a file of its own. So undo, or closing without saving, brings the loop before back, and not the
settings of one loop with the file of another. Files that nothing uses are removed when the .blend is saved,
but for the latest.
"""

import contextlib
import hashlib
import re
import shutil
from collections import Counter
from pathlib import Path
from unicodedata import normalize

import bpy
import numpy as np
from bpy.app.handlers import persistent

from . import handlers, jobs
from .bridge import images, masks, strokes
from .errors import Refused

KEPT = 2  # of a still's files that nothing uses any more

_loops = {}  # session_uid of a still -> (name of its loop's file, the loop)
_softened = {}  # session_uid of a still -> (its solved loop, soft edges, the loop with these)
_places = {}  # session_uid of a still -> its loop's file, while the .blend is being saved
_left = {}  # session_uid of a still -> its loop's file, which couldn't be saved beside the .blend
_missed = {}  # session_uid of a still -> (its file, the .blend or copy that it couldn't be saved beside)


def is_solved(still):
    """Whether a loop was solved for this still; cheap."""
    return bool(still.endless_loops.loop_file)


def folder(blend=""):
    """Where solved loops lie: beside a .blend, or in the session's temporary folder until it is saved."""
    path = Path(blend or bpy.data.filepath)
    if path.name:
        return path.parent / "endless_loops" / f"solved_{path.stem}"
    return Path(bpy.app.tempdir) / "endless_loops"


def name_for(still):
    """The name for a still's files; one that shares its name with another one's gets a name of its own.

    A copy of a still shares it at first: the still that it is named after keeps it, or the first one.
    """
    others = [image for image in bpy.data.images if image != still and image.library is None]
    name, stem, number = name_of(still), images.file_stem(still.name), 0
    rivals = [other for other in others if name_of(other).casefold() == name.casefold()]
    if name and all(_claim(still, name) < _claim(rival, name) for rival in rivals):
        return name
    taken, name = {name_of(other).casefold() for other in others}, stem
    while name.casefold() in taken:
        number += 1
        name = f"{stem}-{number}"
    return name


def _claim(still, name):
    return images.file_stem(still.name) != name, still.session_uid


def file_name(name, sources):
    """The name of the file of a loop that was solved from sources with this fingerprint."""
    return f"{name}.{short_digest(sources)}.loop"


def short_digest(text):
    """A few letters for the name of a file, which change when a text does."""
    return hashlib.blake2b(text.encode(), digest_size=5).hexdigest()


def adopt(still, loop, name, sources):
    """Make `loop`, whose file has this name, the loop of `still`."""
    images.hold(still)
    settings = still.endless_loops
    settings.loop_file, settings.fingerprint = name, sources
    settings.confidence = float(loop.confidence)
    settings.hardly_repeats = loop.hardly_repeats
    settings.coverage = float(loop.mask.mean())
    settings.warnings = "\n".join(loop.warnings)
    _loops[still.session_uid] = name, loop


def name_of(still):
    """The name of a solved still's files, which no other still of the .blend has."""
    return _name_in(still.endless_loops.loop_file)


def _name_in(file):
    """The name of the files of which a loop's file is one; the first version wrote no digest into it."""
    return re.sub(r"(\.[0-9a-f]{10})?\.loop$", "", file)


def get(still):
    """The solved loop of a still, from memory or from its file."""
    if not is_solved(still):
        raise Refused("There is no loop yet: press Solve first")
    name = still.endless_loops.loop_file
    if not _is_in_memory(still):
        from . import engine

        try:
            loop = engine.Loop.load(_file(still))
        except engine.EndlessLoopsError as error:
            raise Refused(f"The solved loop can't be read ({error}): press Solve to make it again") from error
        _loops[still.session_uid] = name, loop
    return _loops[still.session_uid][1]


def _is_in_memory(still):
    return _loops.get(still.session_uid, ("",))[0] == still.endless_loops.loop_file


def _file(still):
    """Where the file of a loop lies: beside the .blend, or where it was if it couldn't be saved there."""
    name = still.endless_loops.loop_file
    file, left = folder() / name, _left.get(still.session_uid, Path())
    return left if left.name == name and not file.is_file() else file


def reason_unsaved(still):
    """Why a solved loop doesn't lie beside a .blend, as a sentence; empty when it does. Cheap."""
    name, blend = _missed.get(still.session_uid, ("", ""))
    if name != still.endless_loops.loop_file or not name:
        return ""
    return f"The loop couldn't be saved beside {blend}: free space or allow writing there, then save again"


def soft_edges(still, loop):
    """Pixels over which a loop's motion fades, one a stroke it was solved with; reads no pixels."""
    widths = strokes.read_soft_edges(still)
    count = 1 + max((stroke for _x, _y, stroke in loop.followed), default=0)
    widths += [float(still.endless_loops.soft_edge)] * count
    return tuple(widths[:count])


def softened(still):
    """The solved loop of a still with the soft edge that is set now."""
    loop = get(still)
    return soften(still.session_uid, loop, soft_edges(still, loop))


def soften(uid, loop, widths):
    """A loop that was solved for the still of this `session_uid`, with soft edges; in any thread."""
    known = _softened.get(uid)
    if known is None or known[:2] != (loop, widths):
        known = (loop, widths, loop.with_soft_edge(widths))
        if _loops.get(uid, ("", None))[1] is loop:  # another file may have been opened meanwhile
            _softened[uid] = known
    return known[2]


def digest_still(array):
    """A short text that changes when the still's pixels do."""
    digest = hashlib.blake2b(f"{array.shape} {array.dtype}".encode(), digest_size=12)
    digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


def fingerprint(still_digest, mask_trace, stroke_list, turns):
    """A short text that changes when any of a loop's sources does."""
    digest = hashlib.blake2b(mask_trace, digest_size=12)
    for points, speed in zip(stroke_list, turns, strict=True):
        digest.update(points.tobytes() + f"|{speed}|".encode())
    return f"{still_digest}-{digest.hexdigest()}"


def is_out_of_date(still, still_digest=None, mask=None):
    """Whether the loop is lost, or still, mask or directions differ from what it was solved from; reads all.

    A caller that knows the still's digest, or has read the mask, spares it the reading.
    """
    try:
        known, trace = still_digest or digest_still(images.read_still(still)), masks.trace(still, mask)
        now = fingerprint(known, trace, strokes.read_strokes(still), strokes.read_turns(still))
    except Refused:
        return True
    is_there = _is_in_memory(still) or _file(still).is_file()
    return now != still.endless_loops.fingerprint or not is_there


@persistent
def _forget(*_args):
    _loops.clear()
    _softened.clear()
    _places.clear()
    _left.clear()
    _missed.clear()


@persistent
def _before_save(path, *_args):
    _rebase(bpy.data.filepath, path)
    for image in bpy.data.images:
        if is_solved(image):
            _places[image.session_uid] = _file(image)
    for image in bpy.data.images:
        if image.endless_loops.painted_still is not None:
            masks.keep(image)


@persistent
def _not_saved(path, *_args):
    _rebase(path, bpy.data.filepath)
    _places.clear()


@persistent
def _after_save(path, *_args):
    """See to it that the loops lie beside the .blend that was saved, and remove old ones."""
    from . import engine

    is_copy = path != bpy.data.filepath  # then the file itself is as it was
    for image in bpy.data.images:
        old = _places.pop(image.session_uid, None)
        if old is None:
            continue
        if not is_copy:
            _left.pop(image.session_uid, None)
        if not is_copy or _missed.get(image.session_uid, ("", ""))[1] == Path(path).name:
            _missed.pop(image.session_uid, None)
        try:
            _carry_over(image, old, folder(path) / image.endless_loops.loop_file)
        except (OSError, engine.EndlessLoopsError) as error:  # the next saving tries it again
            _missed[image.session_uid] = old.name, Path(path).name
            if not is_copy:
                _left[image.session_uid] = old
            print(f"Endless Loops: the loop of {image.name} couldn't be saved with the .blend. {error}")
    jobs.tag_sidebars(bpy.context)
    if is_copy:
        _rebase(path, bpy.data.filepath)
    elif is_blend(path):
        _remove_old_loops()


def _carry_over(image, old, new):
    from .engine.storage import replaced_file

    if old.is_file():
        if not (new.exists() and new.samefile(old)):
            with replaced_file(new) as temporary:
                shutil.copyfile(old, temporary)
    elif not new.is_file() and _is_in_memory(image):  # another Blender may have removed it
        _loops[image.session_uid][1].save(new)


def is_blend(path):
    """Whether a path is a .blend's, not the startup file's or a backup's: saving those removes nothing."""
    return Path(path).suffix == ".blend"


def _rebase(before, after):
    """Let a folder that is remembered relative to one .blend be so to another, as Blender does with paths."""
    for image in bpy.data.images if before else ():
        settings = image.endless_loops
        if settings.sequences_folder and image.library is None:
            place = bpy.path.abspath(settings.sequences_folder, start=str(Path(before).parent))
            settings.sequences_folder = images.portable(Path(place), after)


def _remove_old_loops():
    """Remove loops that nothing uses, but for the latest: undo, a backup or another Blender may need them."""
    used = {normalize("NFC", image.endless_loops.loop_file) for image in bpy.data.images}
    files = [
        file for file in folder().glob("*.loop") if not file.name.startswith(".")
    ]  # a job is to save that
    unused = [file for file in files if normalize("NFC", file.name) not in used]
    for file in all_but_latest(unused, lambda file: _name_in(file.name)):
        with contextlib.suppress(OSError):  # in use, or gone already
            file.unlink()


def all_but_latest(paths, group):
    """Those of some files or folders that aren't among the latest of their group."""
    latest_first = sorted(paths, key=lambda path: path.stat().st_mtime_ns, reverse=True)
    seen, rest = Counter(), []
    for path in latest_first:
        seen[group(path)] += 1
        if seen[group(path)] > KEPT:
            rest.append(path)
    return rest


_HANDLERS = (
    ("load_pre", _forget),
    ("save_pre", _before_save),
    ("save_post", _after_save),
    ("save_post_fail", _not_saved),
)


def register():
    handlers.add(_HANDLERS)


def unregister():
    handlers.remove(_HANDLERS)
    _forget()
