"""Stills become arrays, and arrays become pixels of an image."""

import re
from pathlib import Path

import bpy
import numpy as np

from ..errors import Refused
from . import footage

_EXTENSIONS = r"\.(png|jpe?g|tiff?|exr|webp|bmp|tga|hdr|mp4|m4v|mov|mkv|webm|avi|mpe?g|ogv|mts|wmv)(\.\d+)?$"

_BAND = 16  # rows of a picture that are worked on at once


def refusal(image):
    """Why `image` can't be the still of a loop, as a sentence; empty when it can. Cheap enough for poll."""
    if image is None:
        return "Open a still image first"
    if image.source == "TILED":
        return "A UDIM image has many tiles: use a single picture"
    if image.source == "VIEWER" or image.type in {"RENDER_RESULT", "COMPOSITING"}:
        return "A render or viewer result changes by itself: save it as an image and open that"
    if image.type == "MULTILAYER":
        return "A multilayer EXR has no single picture: save the layer you want as an image and open that"
    if image.library is not None:
        return "This image belongs to another file: make it local first (the link icon beside its name)"
    return footage.refusal(image)


def checked(image):
    """`image` itself; raises `Refused` when it can't be the still of a loop or has no pixels."""
    # Blender reads the file when it is asked for the size, and only then knows its layers and colors.
    is_empty = image is not None and 0 in tuple(image.size)
    reason = refusal(image)
    if reason:
        raise Refused(reason)
    if is_empty and not footage.is_footage(image):
        path = bpy.path.abspath(image.filepath) or image.name
        raise Refused(f"The image file can't be read: {path}. Open it again or find it (Image menu, Replace)")
    if footage.is_footage(image):
        footage.first_frame(image)
    return image


def size(image):
    """Width and height of a still, in pixels; 0 where it can't be read."""
    if not footage.is_footage(image):
        return tuple(image.size)
    try:
        return footage.first_frame(image).shape[1::-1]
    except Refused:
        return 0, 0


def is_float(image):
    """Whether a still holds scene-linear floats rather than bytes."""
    return footage.first_frame(image).dtype != np.uint8 if footage.is_footage(image) else image.is_float


def read_pixels(image):
    """The pixels as Blender holds them: (H, W, 4) float32 RGBA, first row on top."""
    width, height = image.size
    flat = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(flat)
    return flat.reshape(height, width, 4)[::-1]


def read_still(image):
    """The still for the engine.

    Returns
    -------
    (H, W, 3 or 4) uint8 or float32
        uint8, as stored in the file, for an 8-bit image; scene-linear float32 for any other. Four channels
        only where something is transparent. Of a movie or a sequence it is the first frame.
    """
    checked(image)
    if footage.is_footage(image):
        return footage.first_frame(image)
    import cv2

    pixels = read_pixels(image)
    opaque = np.all(pixels[..., 3] == 1 if image.is_float else pixels[..., 3] >= 254.5 / 255)
    still = np.empty((*pixels.shape[:2], 3 if opaque else 4), np.float32 if image.is_float else np.uint8)

    def take(rows):
        part = pixels[rows].copy()
        if not image.is_float:
            part = cv2.convertScaleAbs(part, alpha=255)
        still[rows] = cv2.cvtColor(part, cv2.COLOR_RGBA2RGB) if opaque else part

    in_bands(take, len(still))
    return still


def in_bands(work, height):
    """Do the same for some rows of a picture after the others, on all cores; bands stay in their caches."""
    from ..engine.threads import in_threads

    in_threads(work, [slice(first, first + _BAND) for first in range(0, height, _BAND)])


def hold(still):
    """Keep a still that has a loop in the .blend, also while no editor and no node shows it."""
    still.use_fake_user = True


def write_pixels(image, array):
    """Put an (H, W, 1, 3 or 4) bool, uint8 or float32 array, first row on top, into an image of that size."""
    height, width, channels = array.shape
    flat = np.empty(width * height * 4, np.float32)
    pixels = flat.reshape(height, width, 4)[::-1]

    def put(rows):
        part = pixels[rows]
        part[..., : max(channels, 3)] = array[rows]
        if array.dtype == np.uint8:
            part[..., : max(channels, 3)] /= 255
        if channels < 4:
            part[..., 3] = 1

    in_bands(put, height)
    image.pixels.foreach_set(flat)
    image.update()


def file_stem(name):
    """A name for files: the image's own without its extension and without what a file system can't hold."""
    stem = re.sub(_EXTENSIONS, r"\2", name, flags=re.IGNORECASE)
    return re.sub(r'[\\/:*?"<>|\x00-\x1f]', "_", stem).strip(" .") or "still"


def portable(path, blend=""):
    """A path relative to a .blend, this one if no other is given, where both lie on one drive."""
    blend = Path(blend or bpy.data.filepath)
    if not blend.name or path.drive != blend.drive:
        return str(path)
    return bpy.path.relpath(str(path), start=str(blend.parent))
