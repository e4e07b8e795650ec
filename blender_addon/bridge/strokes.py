"""Directions: what was drawn with Blender's annotation tool, and what a script or another editor added."""

import numpy as np

from . import images, versions

LAYER = "Endless Loops"


def annotation_of(still):
    """The annotation that holds a still's drawn directions, made when it is missing."""
    settings = still.endless_loops
    images.hold(still)
    if settings.annotation is None:
        settings.annotation = versions.annotations().new(f"{still.name} Directions")
    layer = _layer(settings.annotation)
    if layer is None:
        layer = settings.annotation.layers.new(LAYER, set_active=True)
        layer.color = (1.0, 0.55, 0.1)
    settings.annotation.layers.active_note = layer.info
    return settings.annotation


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
    width, height = still.size
    size = np.array([width, height], float)
    strokes = []
    for uv in _drawn(still.endless_loops.annotation):
        strokes.append(np.column_stack([uv[:, 0], 1 - uv[:, 1]]) * size)
    for direction in still.endless_loops.directions:
        flat = np.empty(len(direction.points) * 2)
        direction.points.foreach_get("co", flat)
        strokes.append(flat.reshape(-1, 2) * size)
    return [points for points in strokes if len(points) >= 2 and np.ptp(points, axis=0).max() > 0]


def add_direction(still, points):
    """Add a stroke: (N, 2) pixels of the still (x right, y down), in the order of the motion."""
    width, height = still.size
    images.hold(still)
    direction = still.endless_loops.directions.add()
    for x, y in points:
        direction.points.add().co = (x / width, y / height)


def remove_last_direction(still):
    """Remove the stroke that was added last, if any is left."""
    directions = still.endless_loops.directions
    if directions:
        directions.remove(len(directions) - 1)


def clear(still):
    """Remove every direction of a still, drawn or added."""
    settings = still.endless_loops
    settings.directions.clear()
    layer = _layer(settings.annotation)
    if layer is not None:
        for frame in list(layer.frames):
            layer.frames.remove(frame)


def _layer(annotation):
    if annotation is None:
        return None
    return next((layer for layer in annotation.layers if layer.info == LAYER), None)


def _drawn(annotation):
    """Points of every stroke as (N, 2) UV, origin bottom left; the frames of the layer all count."""
    layer = _layer(annotation)
    if layer is None:
        return
    for frame in layer.frames:
        for stroke in frame.strokes:
            flat = np.empty(len(stroke.points) * 3, np.float32)
            stroke.points.foreach_get("co", flat)
            yield flat.reshape(-1, 3)[:, :2].astype(float)
