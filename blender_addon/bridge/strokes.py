"""Directions: what was drawn with Blender's annotation tool, and what a script or another editor added.

A stroke of an annotation can't carry settings of its own, so a still keeps them, and knows by its points
which stroke they belong to: `EndlessLoopsSettings.direction_settings`, in the order of the strokes.
"""

import hashlib
from functools import partial

import numpy as np

from ..errors import Refused
from . import images, versions

LAYER = "Endless Loops"


def annotation_of(still):
    """The annotation that a still's directions are drawn on, made when it is missing."""
    settings = still.endless_loops
    images.hold(still)
    if settings.annotation is not None and not versions.can_be_drawn_on(settings.annotation):
        _let_go(still)
    if settings.annotation is None:
        settings.annotation = versions.new_annotation(f"{still.name} Directions")
    layer = _layer(settings.annotation)
    if layer is None:
        layer = settings.annotation.layers.new(LAYER, set_active=True)
        layer.color = (1.0, 0.55, 0.1)
    settings.annotation.layers.active_note = layer.info
    return settings.annotation


def refusal(still):
    """Why the directions of `still` can't be removed, as a sentence; empty when they can. Cheap."""
    annotation = still.endless_loops.annotation
    if annotation is not None and annotation.library is not None:
        return (
            f"The annotation {annotation.name} belongs to another file: "
            "make it local first (the link icon beside its name)"
        )
    return ""


def is_directions(annotation):
    """Whether an annotation holds the directions of some still."""
    return _layer(annotation) is not None


def read_strokes(still):
    """All directions of a still.

    Returns
    -------
    list of (N, 2) float64, N >= 2
        Points in drawing order, in pixels of the still: x right, y down, (0, 0) the top left corner of the
        picture. A dot that was drawn by accident has no direction and is left out.
    """
    return [points * np.array(images.size(still), float) for points in _lines(still)]


def read_turns(still):
    """How many repetitions each direction moves in one loop, in the order of `read_strokes`."""
    known = {entry.key: entry.turns for entry in still.endless_loops.direction_settings}
    return [known.get(_key(points), 1) for points in _lines(still)]


def read_soft_edges(still):
    """Pixels over which motion fades, for each direction in the order of `read_strokes`."""
    settings = still.endless_loops
    own = {e.key: e.soft_edge for e in settings.direction_settings if e.use_soft_edge}
    return [float(own.get(_key(points), settings.soft_edge)) for points in _lines(still)]


def sync_settings(still):
    """Let each direction have its settings: those it had, or new ones."""
    entries = still.endless_loops.direction_settings
    keys = [_key(points) for points in _lines(still)]
    if still.library is not None or [entry.key for entry in entries] == keys:
        return
    known = {entry.key: (entry.turns, entry.use_soft_edge, entry.soft_edge) for entry in entries}
    entries.clear()
    for key in keys:
        entry = entries.add()
        entry.key = key
        if key in known:
            entry.turns, entry.use_soft_edge, entry.soft_edge = known[key]


def add_direction(still, points, turns=1):
    """Add a stroke: (N, 2) pixels of the still (x right, y down), in the order of the motion."""
    size = images.size(images.checked(still))
    try:
        line = np.asarray(points, float)
    except (TypeError, ValueError):
        line = np.empty(0)
    if line.ndim != 2 or line.shape[1] != 2 or not np.isfinite(line).all() or not len(line):
        raise Refused("A direction is a line of x, y points in pixels of the still")
    if np.ptp(line, axis=0).max() == 0:  # a dot has no direction to carry the turns
        return
    images.hold(still)
    _add(still, line / size)
    sync_settings(still)
    if turns != 1:
        still.endless_loops.direction_settings[-1].turns = turns


def draw_direction(still, points, frame):
    """Draw a stroke, (N, 2) pixels of the still, into the annotation; 4.5 can only add it."""
    if not versions.HAS_OWN_ANNOTATIONS:
        return add_direction(still, points)
    u, v = (np.asarray(points) / np.array(images.size(still), float)).T
    layer = _layer(annotation_of(still))
    drawn_on = next((f for f in layer.frames if f.frame_number == frame), None)
    versions.draw_stroke(drawn_on or layer.frames.new(frame), np.column_stack([u, 1 - v]))
    sync_settings(still)


def remove_direction(still, points):
    """Remove the stroke with these points, drawn or added, if it is still there."""
    wanted = np.asarray(points) / np.array(images.size(still), float)
    for line, remove in reversed(_found(still)):
        if line.shape == wanted.shape and np.allclose(line, wanted, atol=1e-5):
            remove()
    sync_settings(still)


def remove_at(still, index):
    """Remove one direction, counted from 0 in the order of `read_strokes`, and its settings with it."""
    found = _found(still)
    if not 0 <= index < len(found):
        raise Refused(f"There is no stroke {index + 1} on this still: choose one from the list of directions")
    sync_settings(still)
    _points, remove = found[index]
    remove()
    settings = still.endless_loops
    settings.direction_settings.remove(index)
    chosen = settings.active_direction  # the list keeps the stroke that is chosen in it
    settings.active_direction = max(0, min(chosen - (chosen > index), len(found) - 2))


def remove_last_direction(still):
    """Remove the stroke that was added last, if any is left."""
    directions = still.endless_loops.directions
    if directions:
        directions.remove(len(directions) - 1)


def clear(still):
    """Remove every direction of a still, drawn or added."""
    settings = still.endless_loops
    settings.directions.clear()
    settings.direction_settings.clear()
    layer = _layer(settings.annotation)
    if layer is not None:
        versions.clear_layer(layer)


def _layer(annotation):
    if annotation is None:
        return None
    return next((layer for layer in annotation.layers if versions.layer_name(layer) == LAYER), None)


def _add(still, line):
    direction = still.endless_loops.directions.add()
    for point in line:
        direction.points.add().co = point


def _let_go(still):
    """Go on without a datablock that nothing can be drawn on: its strokes become added ones."""
    sync_settings(still)
    settings = still.endless_loops
    drawn = [points for points, _remove in _drawn(settings.annotation)]
    settings.annotation = None
    for index, points in enumerate(drawn):
        _add(still, points)
        settings.directions.move(len(settings.directions) - 1, index)
    for entry, points in zip(settings.direction_settings, _lines(still), strict=True):
        entry.key = _key(points)  # the same stroke, rounded


def _lines(still):
    """Points of every direction as (N, 2) widths and heights of the still, origin top left."""
    return [points for points, _remove in _found(still)]


def _found(still):
    """Every direction: its points, as in `_lines`, and a function that removes it.

    Who removes several begins with the last one.
    """
    found = list(_drawn(still.endless_loops.annotation))
    directions = still.endless_loops.directions
    for index, direction in enumerate(directions):
        flat = np.empty(len(direction.points) * 2)
        direction.points.foreach_get("co", flat)
        found.append((flat.reshape(-1, 2), partial(directions.remove, index)))
    return [item for item in found if len(item[0]) >= 2 and np.ptp(item[0], axis=0).max() > 0]


def _key(points):
    """A short text that stays a stroke's own."""
    return hashlib.blake2b(points.tobytes(), digest_size=9).hexdigest()


def _drawn(annotation):
    """As `_found`, for every stroke of an annotation; the frames of the layer all count."""
    layer = _layer(annotation)
    if layer is None:
        return
    for uv, remove in versions.drawn_strokes(layer):
        yield np.column_stack([uv[:, 0], 1 - uv[:, 1]]), remove
