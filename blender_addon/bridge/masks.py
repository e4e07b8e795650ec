"""Where the still moves, as one bool array: a painted image, the splines of a mask, or the still's alpha."""

import tempfile
from pathlib import Path

import bpy
import numpy as np

from ..errors import Refused
from . import footage, versions
from .images import checked, hold, in_bands, read_pixels, size, write_pixels


def read_mask(still):
    """The mask of a still's loop.

    Returns
    -------
    (H, W) bool
        True where the still moves; of the still's size.

    Raises
    ------
    Refused
        There is no mask yet, or it belongs to a picture of another size.
    """
    settings = still.endless_loops
    width, height = size(checked(still))
    reason = missing(still)
    if reason:
        raise Refused(reason)
    if settings.mask_source == "ALPHA":
        return _opaque(still)
    if settings.mask_source == "MASK":
        return rasterize(settings.mask, width, height)
    image = settings.mask_image
    try:
        checked(image)
    except Refused as error:
        raise Refused(f"{error}. That is the mask, {image.name}") from error
    if tuple(image.size) != (width, height):
        raise Refused(
            f"The mask is {image.size[0]} × {image.size[1]} pixels and the still {width} × {height}: "
            "paint a mask on this still, or scale the mask image to the still's size"
        )
    pixels = read_pixels(image)
    mask = np.empty(pixels.shape[:2], bool)

    def take(rows):
        part = pixels[rows]
        light = part[..., 0] + part[..., 1]
        light += part[..., 2]
        light *= part[..., 3]
        np.greater_equal(light, 1.5, out=mask[rows])

    in_bands(take, len(mask))
    return mask


def _opaque(still):
    pixels = footage.first_frame(still) if footage.is_footage(still) else read_pixels(still)
    if pixels.shape[2] < 4:
        return np.ones(pixels.shape[:2], bool)
    return pixels[..., 3] >= (128 if pixels.dtype == np.uint8 else 0.5)


def missing(still):
    """Why there is no mask to read, as a sentence; empty when there is one. Cheap enough for poll."""
    settings = still.endless_loops
    if settings.mask_source == "PAINT" and settings.mask_image is None:
        return "There is no mask yet: press Paint Mask and paint where the still shall move"
    if settings.mask_source == "MASK" and settings.mask is None:
        return "Choose a mask datablock, or paint the mask"
    return ""


def trace(still, mask=None):
    """Bytes that change when the mask does; unlike `read_mask` it never renders, so that a timer may ask.

    A caller that has read the mask spares it the reading.
    """
    settings = still.endless_loops
    if settings.mask_source == "MASK" and settings.mask is not None:
        return trace_splines(settings.mask)
    return np.packbits(read_mask(still) if mask is None else mask).tobytes()


def trace_splines(mask):
    """Bytes that change when what the splines of a mask datablock draw does."""
    facts = []
    for layer in mask.layers:
        facts.append((layer.alpha, layer.blend, layer.falloff, layer.invert, layer.hide_render))
        facts.append((layer.use_fill_holes, layer.use_fill_overlap))
        for spline in layer.splines:
            facts.append(
                (spline.use_cyclic, spline.use_fill, spline.offset_mode, spline.weight_interpolation)
            )
            for point in spline.points:
                ends = *point.co, *point.handle_left, *point.handle_right
                facts.append((*ends, point.weight, [(f.u, f.weight) for f in point.feather_points]))
    animated = mask.animation_data is not None
    return repr((facts, bpy.context.scene.frame_current if animated else None)).encode()


def new_mask_image(still):
    """A black mask of the still's size, kept inside the .blend."""
    hold(still)
    image = bpy.data.images.new(f"{still.name} Mask", *size(checked(still)), alpha=False, is_data=True)
    image.endless_loops.painted_still = still
    still.endless_loops.mask_image = image
    image.pack()
    return image


def keep(image):
    """Keep what was painted in the .blend: Blender drops unsaved pixels when the file is closed."""
    if image.is_dirty and image.library is None:
        image.pack()


def write_mask(still, mask):
    """Make `mask`, an (H, W) array, the painted mask of `still`: what a script does instead of painting."""
    array = np.asarray(mask)
    width, height = size(checked(still))
    if array.shape != (height, width):
        raise Refused(f"The mask must be an array of {height} rows and {width} columns, like the still")
    limit = 0.5 if array.dtype.kind in "fb" else np.iinfo(array.dtype).max / 2
    image = still.endless_loops.mask_image
    if image is None or image.library is not None or tuple(image.size) != (width, height):
        image = new_mask_image(still)
    write_pixels(image, (array >= limit)[..., None])
    image.pack()
    still.endless_loops.mask_source = "PAINT"


def replace_mask(still, mask):
    """Make `mask` the painted mask in an image of its own: undo brings the one before it back.

    Editors that show the one before show the new one.
    """
    before = still.endless_loops.mask_image
    still.endless_loops.mask_image = None
    write_mask(still, mask)
    areas = [area for screen in bpy.data.screens for area in screen.areas if area.type == "IMAGE_EDITOR"]
    for space in (area.spaces.active for area in areas):
        if before is not None and space.image == before:
            space.image = still.endless_loops.mask_image


def rasterize(mask, width, height):
    """A mask datablock's splines at the scene's current frame, drawn by Blender's own rasterizer.

    There is no API for it, so a scene made for the purpose renders a Mask node: feather, falloff, layers and
    their blending come out as everywhere else in Blender.
    """
    current = bpy.context.scene
    scene = bpy.data.scenes.new("Endless Loops Mask")
    tree, output = versions.compositor_tree(scene)
    try:
        node = tree.nodes.new("CompositorNodeMask")
        node.mask = mask
        tree.links.new(node.outputs[0], output)
        _render_plainly(scene, width, height, current.frame_current)
        with tempfile.TemporaryDirectory(prefix="endless_loops_") as folder:
            path = Path(folder) / "mask.exr"
            scene.render.filepath = str(path)
            bpy.ops.render.render(write_still=True, scene=scene.name)
            image = bpy.data.images.load(str(path))
            try:
                return read_pixels(image)[..., 0] >= 0.5
            finally:
                bpy.data.images.remove(image)
    finally:
        versions.remove_with_compositor(scene)


def _render_plainly(scene, width, height, frame):
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
    render.use_file_extension = False
    render.compositor_device = "CPU"
    versions.set_still_format(render.image_settings, "OPEN_EXR")
    render.image_settings.color_depth = "32"
    scene.frame_set(frame)
