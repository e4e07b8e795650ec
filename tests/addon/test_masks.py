"""Masks: painted, splines, alpha."""

import bpy
import numpy as np
import pytest

from .conftest import inset, new_image, windows


def square(corners, width, height):
    """A mask datablock with one straight-sided spline through `corners`, in pixels of the still."""
    mask = bpy.data.masks.new("Square")
    layer = mask.layers.new()
    spline = layer.splines.new()
    spline.use_cyclic = True
    spline.points.add(len(corners) - 1)
    for point, (x, y) in zip(spline.points, corners, strict=True):
        u, v = x / width, 1 - y / height
        if width > height:
            v = (v - 0.5) * height / width + 0.5
        else:
            u = (u - 0.5) * width / height + 0.5
        point.co = (u, v)
        point.handle_type = "VECTOR"
    return mask


def agreement(a, b):
    return (a & b).sum() / (a | b).sum()


def test_splines_become_the_mask_on_wide_and_high_stills(addon):
    for height, width in ((160, 240), (240, 160)):
        image = new_image(windows(height, width))
        image.endless_loops.mask_source = "MASK"
        image.endless_loops.mask = square([(40, 30), (120, 30), (120, 130), (40, 130)], width, height)
        expected = np.zeros((height, width), bool)
        expected[30:130, 40:120] = True
        assert (
            agreement(addon("bridge.masks").read_mask(image), expected) > 0.95
        )  # Blender softens edges by half a pixel


def test_feather_moves_the_edge_outwards(addon):
    image = new_image(windows())
    image.endless_loops.mask_source = "MASK"
    mask = image.endless_loops.mask = square([(80, 60), (160, 60), (160, 100), (80, 100)], 240, 160)
    hard = addon("bridge.masks").read_mask(image).sum()
    for point in mask.layers[0].splines[0].points:
        point.weight = 0.1
    assert addon("bridge.masks").read_mask(image).sum() > hard * 1.2


def test_moved_splines_put_the_loop_out_of_date(saved):
    image = new_image(windows())
    image.endless_loops.mask_source = "MASK"
    mask = image.endless_loops.mask = square([(30, 20), (200, 20), (200, 140), (30, 140)], 240, 160)
    image.endless_loops.add_direction([(120, 140), (120, 20)])
    bpy.ops.endless_loops.solve(image=image.name)
    assert not image.endless_loops.is_out_of_date()
    mask.layers[0].splines[0].points[0].co[0] -= 0.05
    assert image.endless_loops.is_out_of_date()


def test_alpha_is_a_mask(addon):
    alpha = np.where(inset(), 255, 0).astype(np.uint8)
    image = new_image(np.dstack([windows(), alpha]))
    image.endless_loops.mask_source = "ALPHA"
    np.testing.assert_array_equal(addon("bridge.masks").read_mask(image), inset())


def test_set_mask_replaces_a_mask_of_another_size(addon, still):
    small = still.endless_loops.mask_image = bpy.data.images.new("small", 100, 50)
    still.endless_loops.set_mask(inset(border=30))
    np.testing.assert_array_equal(addon("bridge.masks").read_mask(still), inset(border=30))
    assert tuple(small.size) == (100, 50)


def test_a_mask_of_another_file_is_left_alone(saved, addon):
    new_image(np.dstack([inset() * np.uint8(255)] * 3), "linked.png").use_fake_user = True
    bpy.ops.wm.save_as_mainfile(filepath=str(saved / "library.blend"))
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    with bpy.data.libraries.load(str(saved / "library.blend"), link=True) as (_source, ours):
        ours.images = ["linked.png"]
    still, linked = new_image(windows()), bpy.data.images["linked.png"]
    still.endless_loops.mask_image = linked
    still.endless_loops.add_direction([(120, 140), (120, 20)])
    with pytest.raises(RuntimeError, match=r"make it local.*the mask, linked\.png"):
        bpy.ops.endless_loops.solve(image=still.name)
    screen = bpy.data.screens["Rendering"]
    area = next(area for area in screen.areas if area.type == "IMAGE_EDITOR")
    area.spaces.active.image = still
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0], screen=screen, area=area):
        with pytest.raises(RuntimeError, match="wouldn't keep what is painted"):
            bpy.ops.endless_loops.paint_mask()
    still.endless_loops.set_mask(~inset())
    assert still.endless_loops.mask_image != linked and not linked.is_dirty


def test_set_mask_takes_what_the_engine_takes(addon):
    image = new_image(windows())
    for array in (inset(), inset() * np.uint8(200), inset() * np.uint16(40000), inset() * 0.7):
        image.endless_loops.set_mask(array)
        np.testing.assert_array_equal(addon("bridge.masks").read_mask(image), inset())
