"""Soft edges, held spots, speeds and curved paths: what moves, what fades, and that every loop closes."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

import engine
from engine import BadSettings, Loop, Stroke
from engine.carrying import carried_frame
from engine.edges import Edges, fade
from engine.motion import Path, Speeds, mixed_speeds, repeated

from .pictures import SIZE, STEP, as_type, box_mask, moved_pattern, moving, plane_texture, sideways

ROWS, COLUMNS = 120, 150


def constant(x, y=0.0):
    return np.broadcast_to(np.array([x, y], np.float32), (ROWS, COLUMNS, 2)).copy()


def edge(width):
    """Fade a step of 30 pixels to the right at the left edge of a picture."""
    away = np.broadcast_to(np.arange(COLUMNS, dtype=np.float32), (ROWS, COLUMNS)).copy()
    part = np.zeros((ROWS, COLUMNS), np.int32)
    edges = Edges(away, part, part == 0, np.array([float(width)]))
    return fade((Path(constant(-30)), Path(constant(30))), edges)


def least_stretch(field):
    return (1 + np.gradient(field[..., 0], axis=1)).min()


@pytest.mark.parametrize("width", [23, 40, 80])
def test_motion_fades_to_nothing_and_pixels_never_pass_each_other(width):
    faded = edge(width)
    back, ahead = (path.move for path in faded.paths)
    assert np.abs(back[:, 0]).max() < 0.5 and np.abs(ahead[:, 0]).max() < 0.5
    assert (np.diff(ahead[60, :, 0]) >= -1e-3).all()
    far = width + 38
    np.testing.assert_array_equal(ahead[:, far:], constant(30)[:, far:])
    np.testing.assert_array_equal(back[:, far:], constant(-30)[:, far:])
    assert least_stretch(ahead) > 0 and least_stretch(back) > 0
    np.testing.assert_array_equal(faded.cover[:, 1:], 1)


def test_the_faded_way_back_is_the_inverse_of_the_faded_way_there():
    back, ahead = (path.move for path in edge(60).paths)
    grid = np.stack(np.meshgrid(np.arange(COLUMNS), np.arange(ROWS)), -1).astype(np.float32)
    there = cv2.remap(ahead, grid + back, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    assert np.abs(back + there).max() < 1.5


def test_in_an_edge_far_narrower_than_a_step_the_picture_dissolves_instead_of_smearing():
    faded = edge(6)
    stretch = 1 + np.gradient(faded.paths[1].move[..., 0], axis=1)
    assert stretch.min() > 0.3 and stretch.max() < 2.5
    assert faded.cover[60, 0] == 0 and faded.cover[60, 7] == 1
    assert (np.diff(faded.cover[60]) >= 0).all()


@pytest.fixture(scope="module")
def loop():
    return moving(moved_pattern(0, np.uint8, 3), box_mask())


@pytest.mark.parametrize("width", [10, 30])
def test_a_soft_edge_leaves_no_visible_edge_and_the_middle_as_it_was(loop, width):
    soft = loop.with_soft_edge(width)
    assert soft.soft_edge == (width,) and loop.soft_edge == (0.0,)
    mask = loop.mask.astype(np.uint8)
    rim = loop.mask & (cv2.erode(mask, np.ones((5, 5))) == 0)
    core = cv2.erode(mask, np.ones((2 * int(width) + 2 * STEP + 3,) * 2)) > 0
    still = loop.still.astype(int)
    for phase in (0.2, 0.5, 0.9):
        frame = soft.frame(phase)
        assert (
            np.abs(frame.astype(int) - still)[rim].mean()
            < 0.35 * np.abs(loop.frame(phase).astype(int) - still)[rim].mean()
        )
        np.testing.assert_array_equal(frame[~loop.mask], loop.still[~loop.mask])
        if core.any():
            np.testing.assert_array_equal(frame[core], loop.frame(phase)[core])
    assert soft.frame(0).tobytes() == loop.still.tobytes()


@pytest.mark.parametrize("width", [8, 15])
def test_along_a_slanting_edge_narrower_than_a_step_pixels_move_alike(width):
    rows, columns = np.indices(SIZE)
    mask = (rows > 15 + columns / 9) & (rows < 90 + columns / 9) & (columns > 10) & (columns < 150)
    field = np.zeros((*SIZE, 2), np.float32)
    field[..., 1] = 40
    still = as_type(np.random.default_rng(1).random(SIZE), np.uint8, 3)
    soft = Loop.from_fields(still, mask, field, -field, 1.0).with_soft_edge(width)
    for moved in (soft.forward, soft.inverse):
        lengths = np.hypot(moved[..., 0], moved[..., 1])
        for inwards in range(4, 70, 6):  # lines beside the edge, a row further each
            line = np.array([lengths[15 + int(x / 9) + inwards, x] for x in range(50, 110)])
            assert np.abs(np.diff(line)).max() < 0.7


def test_where_the_mask_ends_with_the_picture_nothing_fades():
    mask = np.zeros(SIZE, bool)
    mask[:, :100] = True
    soft = moving(moved_pattern(0, np.uint8, 3), mask).with_soft_edge(30)
    np.testing.assert_array_equal(soft.forward[:, :2, 0], STEP)
    assert soft.forward[60, 98, 0] < 0.2 * STEP


def test_a_soft_edge_wider_than_the_mask_leaves_a_middle_that_moves_fully(loop):
    lengths = np.hypot(*loop.with_soft_edge(500).forward[loop.mask].T)
    assert lengths.max() == pytest.approx(STEP, rel=0.01)
    assert np.median(lengths) < 0.9 * STEP


def test_parts_have_the_soft_edge_of_the_stroke_they_follow():
    mask = box_mask(10, 110, 10, 65) | box_mask(10, 110, 85, 140)
    followed = ((10, 10, 1), (85, 10, 0))
    loop = Loop.from_fields(
        moved_pattern(0, np.uint8, 3), mask, sideways(STEP), -sideways(STEP), 1.0, followed=followed
    )
    soft = loop.with_soft_edge([0, 20])
    left, right = soft.forward[60, 12, 0], soft.forward[60, 87, 0]
    assert left < 0.2 * STEP and right == STEP
    with pytest.raises(BadSettings, match="1 soft edges for 2 strokes"):
        loop.with_soft_edge([3])


def test_parts_far_apart_dissolve_in_a_narrow_edge_as_one_alone_does():
    """What lies between them doesn't move, and says nothing about how long their steps are."""
    parts = [box_mask(10, 40, 5, 55), box_mask(80, 110, 105, 155)]
    still = moved_pattern(0, np.uint8, 3)
    field = np.where((parts[0] | parts[1])[..., None], sideways(30), 0).astype(np.float32)
    both = Loop.from_fields(
        still, parts[0] | parts[1], field, -field, 1.0, followed=((5, 10, 0), (105, 80, 0)), soft_edge=8
    )
    alone = Loop.from_fields(still, parts[0], sideways(30), -sideways(30), 1.0, soft_edge=8)
    np.testing.assert_allclose(both.cover[parts[0]], alone.cover[parts[0]], atol=1e-3)


def test_a_hard_edge_stays_hard_beside_a_soft_one():
    mask = box_mask(10, 110, 10, 70) | box_mask(10, 110, 74, 140)
    loop = Loop.from_fields(
        moved_pattern(0, np.uint8, 3),
        mask,
        sideways(),
        -sideways(),
        1.0,
        followed=((10, 10, 0), (74, 10, 1)),
        soft_edge=[0, 30],
    )
    np.testing.assert_array_equal(loop.forward[10:110, 10:70, 0], STEP)
    np.testing.assert_array_equal(loop.inverse[10:110, 10:70, 0], -STEP)


def test_a_stray_pixel_changes_no_soft_edge():
    mask = box_mask()
    still = moved_pattern(0, np.uint8, 3)
    field = sideways()[::4, ::4]
    edged = Loop.from_fields(still, mask, field, -field, 1.0, soft_edge=36)
    mask = mask.copy()
    mask[5, 150] = True
    seeds = ((30, 20, 0), (150, 5, 0))
    with_speck = Loop.from_fields(still, mask, field, -field, 1.0, followed=seeds, soft_edge=36)
    assert with_speck.paths[0].cell == edged.paths[0].cell > 1
    np.testing.assert_allclose(with_speck.forward[box_mask()], edged.forward[box_mask()], atol=0.3)


def test_paths_of_a_box_smaller_than_its_cells_are_every_pixels_own():
    still, mask = moved_pattern(0, np.uint8, 3), np.zeros(SIZE, bool)
    mask[61:64, 70:73] = True
    columns = np.indices((SIZE[0] // 8, SIZE[1] // 8))[1].astype(np.float32)
    field = np.zeros((*columns.shape, 2), np.float32)
    field[..., 0] = 10 + columns
    loop = Loop.from_fields(still, mask, field, -field, 1.0)
    expected = 10 + (np.arange(70, 73) - 3.5) / 8
    np.testing.assert_allclose(loop.forward[62, 70:73, 0], expected, atol=0.05)


def test_a_soft_edge_of_a_stroke_that_no_part_follows_changes_nothing():
    mask = box_mask()
    loop = Loop.from_fields(
        moved_pattern(0, np.uint8, 3), mask, sideways(STEP), -sideways(STEP), 1.0, followed=((40, 50, 1),)
    )
    np.testing.assert_array_equal(loop.with_soft_edge([20, 0]).frame(0.3), loop.frame(0.3))


@pytest.mark.parametrize("width", [-1, np.nan, np.inf, "wide", None])
def test_a_soft_edge_that_is_no_width_is_refused(loop, width):
    with pytest.raises(BadSettings, match="soft edge"):
        loop.with_soft_edge(width)


def test_a_saved_loop_keeps_its_soft_edge_and_can_change_it(loop, tmp_path):
    loop.with_soft_edge(25).save(tmp_path / "soft.loop")
    again = Loop.load(tmp_path / "soft.loop")
    assert again.soft_edge == (25.0,)
    assert again.frame(0.4).tobytes() == loop.with_soft_edge(25).frame(0.4).tobytes()
    assert again.with_soft_edge(0).frame(0.4).tobytes() == loop.frame(0.4).tobytes()


def test_many_turns_are_the_loop_of_one_played_as_often():
    still, mask = moved_pattern(0, np.uint8, 3), box_mask()
    once = moving(still, mask)
    often = Loop.from_fields(still, mask, sideways(STEP), -sideways(STEP), 1.0, speeds=Speeds((-3,)))
    for phase in (0.1, 0.4, 0.9):
        np.testing.assert_array_equal(often.frame(phase), once.frame(-3 * phase))
    assert often.frame(1 / 3).tobytes() == still.tobytes()
    np.testing.assert_allclose(often.forward[mask], [[-3 * STEP, 0]] * mask.sum(), atol=1e-3)
    np.testing.assert_allclose(often.inverse[mask], [[3 * STEP, 0]] * mask.sum(), atol=1e-3)


def test_speeds_pass_into_each_other_and_add_up_to_one_picture():
    turns = np.ones((ROWS, COLUMNS), np.int8)
    turns[60:] = 2
    inside = np.zeros((ROWS, COLUMNS), bool)
    inside[10:110, 10:140] = True
    speeds = mixed_speeds(turns, inside, 5.0)
    assert speeds.turns == (1, 2)
    np.testing.assert_array_equal(speeds.shares.sum(0)[inside], 1)
    np.testing.assert_array_equal(speeds.shares[0][10:40, 10:140], 1)
    np.testing.assert_array_equal(speeds.shares[1][80:110, 10:140], 1)
    assert np.abs(np.diff(speeds.shares[0][10:110, 75])).max() < 0.12


def textured():
    return as_type(plane_texture(SIZE, STEP, 0.0)[..., 0].astype(float), np.uint8, 3)


def test_strokes_of_different_speed_share_a_loop_that_closes():
    strokes = [Stroke([[45, 40], [105, 40]]), Stroke([[45, 85], [105, 85]], turns=2)]
    solved = engine.solve(textured(), box_mask(), strokes)
    above, below = box_mask(25, 50), box_mask(75, 95)
    assert np.median(np.hypot(*(solved.forward[above] - [STEP, 0]).T)) < 0.03 * STEP
    assert np.median(np.hypot(*(solved.forward[below] - [2 * STEP, 0]).T)) < 0.05 * STEP
    half = solved.frame(0.5)
    assert np.abs(half[below].astype(int) - solved.still[below]).mean() < 2
    assert np.abs(half[above].astype(int) - solved.still[above]).mean() > 20
    frames = [*solved.frames(12)]
    jumps = [cv2.norm(a, b, cv2.NORM_L1) for a, b in itertools.pairwise([*frames, frames[0]])]
    assert max(jumps) < 1.4 * np.median(jumps)


def test_motion_fades_towards_what_a_stroke_holds():
    strokes = [Stroke([[45, 40], [105, 40]]), Stroke([[45, 85], [105, 85]], turns=0)]
    solved = engine.solve(textured(), box_mask(), strokes)
    frame, still = solved.frame(0.5).astype(int), solved.still.astype(int)
    border = int(np.flatnonzero(solved.mask.any(1)).max())
    change = np.abs(frame - still).mean(axis=(1, 2))
    assert change[border] < 0.1 * change[border - STEP : border - 10].mean()
    assert solved.forward[border, 75, 0] < 0.6 * STEP
    np.testing.assert_array_equal(frame[border + 1 :], still[border + 1 :])


def wheel(count, size=200):
    """A ring of `count` equal sectors, its mask and a stroke around it."""
    columns, rows = np.meshgrid(np.arange(size) - (size - 1) / 2, np.arange(size) - (size - 1) / 2)
    angle, radius = np.arctan2(rows, columns), np.hypot(columns, rows)
    unit = (angle / (2 * np.pi) * count) % 1
    bright = (
        0.5
        + 0.3 * np.sin(2 * np.pi * unit) * np.cos(radius / 9)
        + 0.2 * np.cos(4 * np.pi * unit + radius / 14)
    )
    still = np.repeat(np.rint(255 * np.clip(bright, 0, 1)).astype(np.uint8)[..., None], 3, 2)
    around = np.linspace(0.2, 2 * np.pi, 50)
    stroke = (size - 1) / 2 + 62 * np.stack([np.cos(around), np.sin(around)], 1)
    return still, (radius > 35) & (radius < 90), stroke


@pytest.mark.parametrize("count", [9, 16])
def test_a_stroke_around_a_wheel_turns_it_without_breathing(count):
    still, mask, stroke = wheel(count)
    solved = engine.solve(still, mask, [stroke])
    angle = 2 * np.pi / count
    rows, columns = np.nonzero(mask)
    away = np.stack([columns, rows], 1) - 99.5
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    step = away @ matrix.T - away
    errors = np.hypot(*(solved.forward[mask] - step).T) / np.hypot(*step.T)
    assert np.percentile(errors, 90) < 0.05
    assert solved.confidence > 0.5
    # Halfway it's the still turned by half a step: nothing shrinks towards the center.
    turned = cv2.warpAffine(
        still, cv2.getRotationMatrix2D((99.5, 99.5), -np.degrees(angle) / 2, 1), still.shape[1::-1]
    )
    core = cv2.erode(mask.astype(np.uint8), np.ones((9, 9))) > 0
    assert np.abs(solved.frame(0.5)[core].astype(int) - turned[core]).mean() < 4


def test_a_wheel_is_found_by_a_rough_stroke_about_another_point():
    still, mask, stroke = wheel(12)
    mask[:, :40] = mask[:35] = False  # nor does the mask tell the middle
    solved = engine.solve(still, mask, [stroke + [6, -5]])
    angle = 2 * np.pi / 12
    rows, columns = np.nonzero(mask)
    away = np.stack([columns, rows], 1) - 99.5
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    step = away @ matrix.T - away
    errors = np.hypot(*(solved.forward[mask] - step).T) / np.hypot(*step.T)
    assert np.median(errors) < 0.03


def test_following_a_path_again_starts_where_it_ended():
    field = constant(0)
    field[..., 0] = 10 + 0.1 * np.arange(COLUMNS)
    moved = repeated(Path(field), 2)
    np.testing.assert_allclose(moved[:, :100, 0], 2.1 * field[:, :100, 0], atol=5e-3)


def in_cells(cell, kind="plain", size=(126, 165)):
    """Make a loop of fields that grow evenly, known in cells of so many pixels, up to the still's corner."""
    rows, columns = (np.arange(side // cell, dtype=np.float32) * cell + (cell - 1) / 2 for side in size)
    x, y = np.meshgrid(columns, rows)
    forward = np.stack([15 + x / 32, y / 16 - 4], -1)
    inverse = np.stack([-14 - x / 32, 3 - y / 32], -1)
    bend = np.stack([y / 32, 6 - x / 64], -1)
    mask = np.zeros(size, bool)
    mask[13:, 22:] = True
    shares = np.zeros((2, size[0] - 13, size[1] - 22), np.float32)
    shares[0, :, :70], shares[1, :, 70:] = 1, 1
    return Loop.from_fields(
        as_type(np.random.default_rng(4).random(size), np.uint8, 3),
        mask,
        forward,
        inverse,
        1.0,
        bends=(bend, -bend) if kind == "curved" else None,
        speeds=Speeds((1, -2), shares) if kind == "two speeds" else None,
        soft_edge={"soft": 25, "hardly soft": 8}.get(kind, 0),
    )


@pytest.mark.parametrize("cell", [2, 8])
@pytest.mark.parametrize("kind", ["plain", "curved", "two speeds", "soft", "hardly soft"])
def test_paths_known_in_cells_are_every_pixels_own(cell, kind, tmp_path):
    loop, dense = in_cells(cell, kind), in_cells(1, kind)
    assert loop.full_paths[0].cell == cell and loop.full_paths[0].move.size < 2 * loop.mask.size / cell
    atol = {"soft": 0.35, "hardly soft": 0.2}.get(kind, 0.05)  # of steps of 20 pixels
    np.testing.assert_allclose(loop.forward, dense.forward, atol=atol)
    np.testing.assert_allclose(loop.inverse, dense.inverse, atol=atol)
    core = (slice(40, 96), slice(50, 130))  # what is pulled from beyond the mask is found in cells as well
    for phase in (0.3, 0.5, 0.8):
        difference = loop.frame(phase)[core].astype(float) - dense.frame(phase)[core]
        assert np.abs(difference).max() <= 4 and np.abs(difference).mean() < 1  # of noise
    loop.save(tmp_path / "loop")
    again = Loop.load(tmp_path / "loop")
    assert again.frame(0.3).tobytes() == loop.frame(0.3).tobytes()
    assert again.forward.tobytes() == loop.forward.tobytes()
    carried = carried_frame(loop, loop.still, np.eye(3), 0.3)
    assert np.abs(carried[core].astype(float) - loop.frame(0.3)[core]).mean() < 0.6
