"""A frame becomes a file in the scene's own output format, through Blender's own writer. Main thread only."""

import os
from dataclasses import dataclass

import bpy
import numpy as np

from ..errors import Refused
from . import versions
from .images import is_float, write_pixels

# What a format is called on disk, and whether it can hold alpha.
_FORMATS = {
    "PNG": (".png", True),
    "OPEN_EXR": (".exr", True),
    "TIFF": (".tif", True),
    "JPEG": (".jpg", False),
    "WEBP": (".webp", True),
}
_BLENDERS_COMPRESSION = 15  # percent, of a scene that nobody changed


@dataclass(frozen=True, kw_only=True)
class OutputFormat:
    """How the frames of one still are written: plain values, so that an undo meanwhile does no harm.

    8-bit stills keep their bytes, EXR is scene-linear, and no view transform is added.
    """

    file_format: str
    color_depth: str
    color_mode: str
    codecs: tuple  # (setting, value) pairs: compression, quality and codec of the format
    color_space: str  # of the pixels, as the still has it
    view_transform: str

    @property
    def extension(self):
        return _FORMATS[self.file_format][0]

    @property
    def holds_alpha(self):
        return _FORMATS[self.file_format][1]

    @property
    def png_level(self):
        """The scene's compression as zlib's level, or None where nobody asked for another than Blender's."""
        compression = dict(self.codecs).get("compression", _BLENDERS_COMPRESSION)
        return None if compression == _BLENDERS_COMPRESSION else round(compression * 9 / 100)

    def writes_bytes_as_they_are(self, is_byte):
        """Whether the file has the still's own bytes, whatever color space they are in."""
        return is_byte and self.file_format != "OPEN_EXR"

    def mode(self, channels):
        """The color mode of frames with 3 or 4 channels."""
        if channels == 4 and self.holds_alpha:
            return "RGBA"
        return "BW" if self.color_mode == "BW" else "RGB"


def output_format(still, scene):
    """The scene's output settings, for frames of `still`.

    Where the scene renders a movie or a format that holds no single picture, it is PNG: 8-bit for an 8-bit
    still and 16-bit for any other.
    """
    asked = scene.render.image_settings
    space = still.colorspace_settings
    color = {
        "color_space": space.name,
        "view_transform": "Raw" if space.is_data and is_float(still) else "Standard",
    }
    if asked.file_format not in _FORMATS:
        depth = "16" if is_float(still) else "8"
        return OutputFormat(file_format="PNG", color_depth=depth, color_mode="RGBA", codecs=(), **color)
    codecs = tuple((n, getattr(asked, n)) for n in ("compression", "quality", "exr_codec", "tiff_codec"))
    return OutputFormat(
        file_format=asked.file_format,
        color_depth=asked.color_depth,
        color_mode=asked.color_mode,
        codecs=codecs,
        **color,
    )


def lossless_format(still):
    """A format that holds frames of `still` as they are: its bytes, or scene-linear floats."""
    space = still.colorspace_settings
    return OutputFormat(
        file_format="OPEN_EXR" if is_float(still) else "PNG",
        color_depth="32" if is_float(still) else "8",
        color_mode="RGBA",
        codecs=(("exr_codec", "ZIP"),) if is_float(still) else (),
        color_space=space.name,
        view_transform="Raw" if space.is_data and is_float(still) else "Standard",
    )


def write_frame(frame, path, output):
    """Write one (H, W, C) uint8 or float32 frame; raises `Refused` when the disk won't take it.

    A scene made for the purpose carries the settings, so that the artist's own scene is never touched.
    """
    height, width, channels = frame.shape
    is_byte = frame.dtype == np.uint8
    image = bpy.data.images.new(
        "Endless Loops Frame", width, height, alpha=channels == 4, float_buffer=not is_byte
    )
    scene = bpy.data.scenes.new("Endless Loops Output")
    try:
        if not output.writes_bytes_as_they_are(is_byte):
            image.colorspace_settings.name = output.color_space
        write_pixels(image, frame)
        _apply(output, scene, channels)
        image.save_render(str(path), scene=scene)
    except RuntimeError as error:
        reason = str(error).removeprefix("Error: ").strip().rstrip(".")
        raise Refused(
            f"The frame can't be written: {reason}. Choose another folder or free some space"
        ) from error
    finally:
        bpy.data.images.remove(image)
        bpy.data.scenes.remove(scene)
    if not _is_whole(path, output.file_format):
        raise refused_by_disk(path)


def refused_by_disk(path):
    """The error of a frame that can't be written or isn't whole."""
    return Refused(f"The frame can't be written to {path}. Choose another folder or free some space")


def _is_whole(path, file_format):
    """Whether a file is all there: Blender doesn't tell when the disk is full under a PNG or WebP."""
    with open(path, "rb") as file:
        head = file.read(8)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 8, 0))
        tail = file.read(8)
    if file_format == "PNG":
        return tail.startswith(b"IEND")
    if file_format == "WEBP":
        return int.from_bytes(head[4:8], "little") + 8 == size
    return size > 0


def _apply(output, scene, channels):
    settings = scene.render.image_settings
    versions.set_still_format(settings, output.file_format)
    settings.color_mode = output.mode(channels)
    settings.color_depth = output.color_depth
    for name, value in output.codecs:
        setattr(settings, name, value)
    scene.view_settings.view_transform = output.view_transform
    scene.view_settings.look = "None"
