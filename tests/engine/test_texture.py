"""The still continued beyond the mask: pattern and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from engine import BadImage, Loop
from engine.area import mask_box as bounding_box
from engine.resample import extrapolate
from engine.texture import continue_texture

from .pictures import SIZE, STEP, as_type, box_mask, moved_pattern, sideways


def continued(still, mask, forward, inverse):
    return continue_texture(still, mask, bounding_box(mask), forward, inverse)[0]


def on_still(texture):
    """Cut the texture's part that lies over the still out, as (rows, columns) and pixels."""
    x, y = texture.origin
    height, width = texture.pixels.shape[:2]
    rows = slice(max(y, 0), min(y + height, SIZE[0]))
    columns = slice(max(x, 0), min(x + width, SIZE[1]))
    part = texture.pixels[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x]
    return (rows, columns), part / texture.full


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_inside_the_mask_it_is_the_still(dtype):
    still, mask = moved_pattern(0, dtype, 3), box_mask()
    place, pixels = on_still(continued(still, mask, sideways(), -sideways()))
    full = 1 if dtype == np.float32 else np.iinfo(dtype).max
    np.testing.assert_allclose(pixels[mask[place]], still[place][mask[place]] / full, rtol=1e-6)


def test_the_pattern_goes_on_outside_and_nothing_static_shows():
    still, mask = moved_pattern(0, np.uint8, 3), box_mask()
    walled = np.where(mask[..., None], still, np.uint8(255) * (np.indices(SIZE).sum(0) % 2 == 0)[..., None])
    place, pixels = on_still(continued(walled.astype(np.uint8), mask, sideways(), -sideways()))
    truth = still[place] / 255
    rows = slice(20 - place[0].start, 100 - place[0].start)
    np.testing.assert_allclose(pixels[rows, 4:-4], truth[rows, 4:-4], atol=0.02)


def test_it_goes_on_past_the_border_of_the_picture():
    still, mask = moved_pattern(0, np.uint8, 3), box_mask(0, SIZE[0], 0, SIZE[1])
    texture = continued(still, mask, sideways(), -sideways())
    x, y = texture.origin
    assert x <= -STEP and x + texture.pixels.shape[1] >= SIZE[1] + STEP
    beyond = texture.pixels[-y : -y + SIZE[0], -x - STEP : -x] / texture.full
    np.testing.assert_allclose(beyond, still[:, :STEP] / 255, atol=0.02)


def test_a_drift_of_brightness_does_not_make_a_step_at_the_border_of_the_mask():
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float64)
    values = 0.2 + 0.1 * np.sin(2 * np.pi * columns / STEP) + 0.004 * columns
    place, pixels = on_still(continued(as_type(values, np.uint16, 1), box_mask(), sideways(), -sideways()))
    truth = values[place]
    near = slice(30 - place[1].start - 3, 30 - place[1].start)
    middle = slice(30 - place[0].start, 90 - place[0].start)
    assert np.abs(pixels[middle, near, 0] - truth[middle, near]).max() < 0.03  # a step would be 0.08


def test_not_a_number_is_filled_from_around_it():
    still, mask = moved_pattern(0, np.float32, 3), box_mask()
    still[60, 70] = np.nan
    still[0, 0] = np.inf
    _, pixels = on_still(continued(still, mask, sideways(), -sideways()))
    assert np.isfinite(pixels).all()
    assert pixels.max() < 3.2


def test_what_is_too_long_to_be_rendered_is_refused():
    still = np.zeros((64, 16_400, 1), np.uint8)
    field = np.full((*still.shape[:2], 2), 4, np.float32)
    with pytest.raises(BadImage, match="scale the still down"):
        Loop.from_fields(still, np.ones(still.shape[:2], bool), field, -field, 1.0)
    short = np.zeros(still.shape[:2], bool)
    short[:, 100:16_300] = True
    assert not Loop.from_fields(still, short, field, -field, 1.0).frame(0.5).any()


def test_extrapolation_keeps_a_flat_color_and_its_range():
    known = np.zeros((37, 53), np.float32)
    known[10:20, 15:40] = 1
    flat = np.where(known[..., None] > 0, np.float32([0.2, 0.7]), np.float32(99))
    filled = extrapolate(flat * known[..., None], known)
    np.testing.assert_allclose(filled, np.broadcast_to(np.float32([0.2, 0.7]), filled.shape), atol=1e-4)


@pytest.mark.parametrize("bent", [0.0, 160.0, -160.0])
def test_frames_find_pattern_wherever_their_paths_lead(bent):
    rows, columns = np.indices((1000, 1000))
    still = np.full((1000, 1000, 3), 200, np.uint8)  # what no frame reaches stays black
    mask = np.minimum(*(np.hypot(rows - at, columns - at) for at in (200, 800))) < 70
    field, bend = np.zeros((2, 1000, 1000, 2), np.float32)
    field[..., 0], bend[..., 1] = 45, bent
    loop = Loop.from_fields(still, mask, field, -field, 1.0, bends=(bend, bend))
    for phase in (0.1, 0.3, 0.5, 0.7, 0.9):
        assert np.abs(loop.frame(phase).astype(int) - 200).max() <= 1
    assert bent or (loop.texture.pixels == 0).any()


@pytest.mark.parametrize("size", [90, 400, 1000])
@pytest.mark.parametrize("kind", ["turning", "growing", "both"])
def test_frames_find_pattern_where_their_paths_turn_and_part(kind, size):
    rows, columns = np.indices((size, size)).astype(np.float32)
    x, y = columns - size / 2, rows - size / 2
    angle, scale = np.radians(0 if kind == "growing" else 40), 1.0 if kind == "turning" else 1.5
    turned = scale * np.stack(
        [np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y], 2
    )
    back = np.stack([np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x], 2) / scale
    here = np.stack([x, y], 2)
    mask = (np.abs(x) < size / 4) & (np.abs(y) < size / 4) & (np.hypot(x, y) > size / 20)
    still = np.full((size, size, 3), 200, np.uint8)
    forward, inverse = ((there - here).astype(np.float32) for there in (turned, back))
    loop = Loop.from_fields(still, mask, forward, inverse, 1.0)
    for phase in np.linspace(0.05, 0.95, 10):
        assert np.abs(loop.frame(phase).astype(int) - 200).max() <= 3


def test_single_pixels_that_the_mask_lacks_are_continued_as_well():
    size = 3400  # cells are so large that a pixel doesn't show in their mean
    still = np.full((size, size, 3), 200, np.uint8)
    mask = np.zeros((size, size), bool)
    mask[200:-200, 200:-200] = True
    holes = np.random.default_rng(2).integers(250, size - 250, (60, 2))
    mask[tuple(holes.T)] = False
    field = np.zeros((size // 4, size // 4, 2), np.float32)
    field[..., 0] = 150
    texture = continued(still, mask, field, -field)
    x, y = texture.origin
    assert np.abs(texture.pixels[tuple((holes - [y, x]).T)].astype(int) - 200).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_light_may_differ_by_nearly_all_there_is(dtype):
    columns = np.indices((90, 700))[1]
    still = np.linspace(10, 245, 700)[columns][..., None] / 255
    full = 1 if dtype == np.float32 else np.iinfo(dtype).max
    still = (still * full).astype(dtype)
    mask = np.zeros(still.shape[:2], bool)
    mask[20:70, 10:690] = True
    field = np.zeros((*mask.shape, 2), np.float32)
    field[..., 0] = 500
    texture = continued(still, mask, field, -field)
    x, y = texture.origin
    row = texture.pixels[45 - y, :, 0].astype(float) / full
    edges = [row[10 - x - 1] - row[10 - x], row[690 - x] - row[690 - x - 1]]
    assert np.abs(edges).max() < 0.01


def test_what_no_frame_reaches_is_not_dark_to_what_lies_beside_it():
    rows, columns = np.indices((900, 900))
    still = np.full((900, 900, 3), 200, np.uint8)
    mask = np.minimum(*(np.hypot(rows - at, columns - at) for at in (200, 700))) < 90
    field = np.zeros((900, 900, 2), np.float32)
    field[..., 0] = 160
    loop = Loop.from_fields(still, mask, field, -field, 1.0)
    lit = loop.texture.pixels[..., 0] > 0
    assert not lit.all()
    assert loop.sheets[0][..., 3][::2, ::2][lit].min() >= 198  # the low-pass
