"""Movies and image sequences as stills: the first frame stands for them, a plane track may tell its motion.

Blender gives a script the pixels of whatever frame was shown last, so frames are read from the files, by the
engine, which may do so in any thread.
"""

import re
from pathlib import Path

import bpy
import numpy as np

from ..errors import Refused

_SEQUENCES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")

_first = {}  # session_uid of a movie or sequence -> (what it was read from, its first frame)


def is_footage(image):
    """Whether an image has many frames."""
    return image is not None and image.source in {"MOVIE", "SEQUENCE"}


def refusal(image):
    """Why the frames of a movie or sequence can't be read, as a sentence; empty when they may be. Cheap."""
    if image.source == "SEQUENCE" and _path(image).suffix.lower() not in _SEQUENCES:
        return "The frames of such a sequence can't be read: save it as PNG, TIFF or JPEG and open that"
    return ""


def first_frame(image):
    """The first frame, (H, W, C) uint8 or float32, as a still of that kind has it; raises `Refused`."""
    path = _path(image)
    if not path.is_file():  # not even where a folder is: the path may be empty
        raise Refused(f"{image.name} can't be read: its file isn't there. Find it (Image menu, Replace)")
    key = (str(path), image.source, _is_data(image), image.alpha_mode, path.stat().st_mtime_ns)
    known = _first.get(image.session_uid)
    if known is None or known[0] != key:
        from ..engine.errors import EndlessLoopsError

        try:
            frame = next(iter(frames(footage(image))), None)
        except EndlessLoopsError as error:
            raise Refused(f"{image.name} can't be read: {error}") from error
        if frame is None:
            raise Refused(f"{image.name} has no frames: open another file (Image menu, Replace)")
        known = _first[image.session_uid] = (key, frame)
    return known[1]


def footage(image):
    """Plain facts from which any thread reads the frames: the files, and what their values are."""
    path, is_movie = _path(image), image.source == "MOVIE"
    return {
        "files": [path] if is_movie else _files(path),
        "is_movie": is_movie,
        "is_data": _is_data(image),
        "is_straight": image.alpha_mode == "STRAIGHT",
    }


def made_of(image):
    """What tells the frames from others: the files, how they are read, and where the plane is.

    Files are known by name, time and size, so that a project may be moved with them.
    """
    facts = footage(image)
    files = [(path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in facts.pop("files")]
    corners = track_corners(image) or []
    return files, sorted(facts.items()), [four if four is None else four.tolist() for four in corners]


def frames(facts):
    """Read the frames one after the other; `facts` are those of `footage`."""
    from ..engine.footage import open_footage
    from ..engine.imagefiles import read_still

    files = facts["files"]
    for frame in open_footage(files[0]).frames if facts["is_movie"] else map(read_still, files):
        yield _as_still(frame, facts["is_data"], facts["is_straight"])


def count(facts, progress):
    """How many frames there are; a movie is decoded for that, while `progress` is called and may raise."""
    from ..engine.footage import count_frames

    return count_frames(facts["files"][0], progress) if facts["is_movie"] else len(facts["files"])


def plane_tracks(clip):
    """All plane tracks of a movie clip."""
    return [track for part in clip.tracking.objects for track in part.plane_tracks]


def track_corners(image):
    """Where the chosen plane track has its corners in each frame.

    Returns
    -------
    list of (4, 2) float64 or None, or None
        Pixels of the image (x right, y down, counted at pixels' centers) for every frame from the first on
        to the last one that is tracked; None for a frame without the plane. None alone when no plane track
        is chosen.
    """
    settings = image.endless_loops
    if settings.plane_clip is None or not settings.plane_track:
        return None
    tracks = [track for track in plane_tracks(settings.plane_clip) if track.name == settings.plane_track]
    if not tracks:
        raise Refused(
            f"The clip {settings.plane_clip.name} has no plane track named {settings.plane_track}: "
            "choose another one"
        )
    markers = sorted((marker for marker in tracks[0].markers), key=lambda marker: marker.frame)
    seen = [marker for marker in markers if not marker.mute]
    if not seen or seen[0].frame > 1:
        raise Refused("The plane track must begin in the clip's first frame: track it back to there")
    moments = np.array([marker.frame for marker in seen], float)
    height, width = first_frame(image).shape[:2]
    corners = np.array([[tuple(corner) for corner in marker.corners] for marker in seen], float)
    pixels = corners * (width, -height) + (-0.5, height - 0.5)
    muted = {marker.frame for marker in markers if marker.mute}
    return [
        None if frame in muted else _between(frame, moments, pixels)
        for frame in range(1, int(moments[-1]) + 1)
    ]


def _between(frame, moments, pixels):
    """The corners between two markers, as Blender has them: on the straight line."""
    flat = pixels.reshape(len(moments), -1)
    return np.array([np.interp(frame, moments, column) for column in flat.T]).reshape(4, 2)


def _path(image):
    return Path(bpy.path.abspath(image.filepath))


def _is_data(image):
    return image.colorspace_settings.is_data


def _files(first):
    """The files of a sequence, from the one that is open on: their numbers follow each other."""
    match = re.fullmatch(r"(.*?)(\d+)(\D*)", first.name)
    if match is None:
        return [first]
    stem, digits, rest = match.groups()
    files, number = [first], int(digits) + 1
    while (path := first.with_name(f"{stem}{number:0{len(digits)}d}{rest}")).is_file():
        files.append(path)
        number += 1
    return files


def _as_still(frame, is_data, is_straight):
    """A frame as Blender holds such a still: bytes as they are, anything deeper as scene-linear floats."""
    if frame.shape[2] == 1:
        frame = np.repeat(frame, 3, axis=2)
    if frame.dtype != np.uint16:
        return frame
    encoded = frame.astype(np.float32) / 65535
    colors = encoded[..., :3]
    if not is_data:
        low = colors < 0.04045
        colors[:] = np.where(low, colors / 12.92, ((np.maximum(colors, 0.04045) + 0.055) / 1.055) ** 2.4)
        if is_straight and encoded.shape[2] == 4:
            colors *= encoded[..., 3:]
    return encoded
