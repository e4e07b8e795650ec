"""What the panels know of a still after it, its mask or its directions have changed."""

import time

import bpy
import numpy as np
import pytest

from .conftest import inset, new_image, windows


@pytest.fixture
def facts(addon):
    """Read what the panels show, as the timer does after a change."""
    return addon("freshness")._read


def solve(image):
    image.endless_loops.set_mask(inset())
    image.endless_loops.add_direction([(120, 140), (120, 20)])
    assert bpy.ops.endless_loops.solve(image=image.name) == {"FINISHED"}
    return image


def count_readings(addon, monkeypatch):
    """A list that gets the name of every image whose pixels are read from now on."""
    read = []
    read_pixels = addon("bridge.images").read_pixels
    for module in ("bridge.images", "bridge.masks"):
        monkeypatch.setattr(
            addon(module), "read_pixels", lambda image: read.append(image.name) or read_pixels(image)
        )
    return read


def test_the_mask_is_read_once_after_a_brush_stroke(solved, addon, facts, monkeypatch):
    facts(solved)
    read = count_readings(addon, monkeypatch)
    assert facts(solved).coverage > 0.4
    assert read == [solved.endless_loops.mask_image.name]


def test_a_still_is_not_read_again_after_it_was_solved(solved, addon, facts, monkeypatch):
    read = count_readings(addon, monkeypatch)
    assert not facts(solved).out_of_date
    assert read == [solved.endless_loops.mask_image.name]


def test_a_file_that_was_edited_before_solving_counts_once_it_is_reloaded(saved, facts):
    write(saved / "wall.png", windows())
    image = solve(bpy.data.images.load(str(saved / "wall.png")))
    write(saved / "wall.png", 255 - windows())
    solve(image)  # Blender still has the pixels of before
    assert not facts(image).out_of_date
    image.reload()
    assert facts(image).out_of_date


def write(path, picture):
    import cv2  # comes with the add-on

    time.sleep(0.02)  # a file system's clock is coarse
    cv2.imwrite(str(path), picture[..., ::-1])


def test_a_file_that_was_edited_counts_once_it_is_reloaded(saved, addon, facts, monkeypatch):
    write(saved / "wall.png", windows())
    image = solve(bpy.data.images.load(str(saved / "wall.png")))
    assert not facts(image).out_of_date
    write(saved / "wall.png", 255 - windows())
    assert not facts(image).out_of_date
    image.reload()
    assert facts(image).out_of_date
    solve(image)
    read = count_readings(addon, monkeypatch)
    assert not facts(image).out_of_date and image.name not in read


def test_a_still_that_is_painted_on_and_saved_is_read_no_more(saved, addon, facts, monkeypatch):
    write(saved / "wall.png", windows())
    image = solve(bpy.data.images.load(str(saved / "wall.png")))
    facts(image)
    pixels = np.empty(160 * 240 * 4, np.float32)
    image.pixels.foreach_get(pixels)
    image.pixels.foreach_set(1 - pixels)
    assert image.is_dirty and facts(image).out_of_date
    image.save()
    assert facts(image).out_of_date
    read = count_readings(addon, monkeypatch)
    assert facts(image).out_of_date and image.name not in read


def test_other_pixels_of_the_same_image_count(saved, facts):
    image = solve(new_image(np.dstack([windows(), np.where(inset(), 255, 100).astype(np.uint8)])))
    assert not facts(image).out_of_date
    image.alpha_mode = "NONE"
    assert facts(image).out_of_date
    pattern = bpy.data.images.new("pattern", 240, 160)
    pattern.generated_type = "UV_GRID"
    assert not facts(solve(pattern)).out_of_date
    pattern.generated_type = "COLOR_GRID"
    assert facts(pattern).out_of_date
