"""The live player's worker: it renders a loop once, at the size at which it's shown, in its place."""

import time

import bpy
import numpy as np
import pytest

from .conftest import new_image, windows


@pytest.fixture
def player(addon):
    return addon("preview.player")


def all_frames(playing):
    """Wait until a player has rendered every frame."""
    for _ in range(600):
        if len(playing._frames) == playing.count:
            return [playing._frames[index] for index in range(playing.count)]
        time.sleep(0.05)
    raise AssertionError("the player doesn't come to an end")


def test_a_loop_is_played_as_it_is_exported(solved, player):
    loop = solved.endless_loops.loop()
    frames = all_frames(player._Player(solved, loop))
    for index, frame in enumerate(frames):
        whole = loop.frame(index / 6)[loop.box][::-1]
        np.testing.assert_array_equal(frame[..., :3], whole)


def test_a_loop_that_is_too_large_is_played_smaller_in_its_place(solved, player, monkeypatch):
    loop = solved.endless_loops.loop()
    monkeypatch.setattr(player, "_PIXELS_AT_MOST", loop.mask[loop.box].size * 6 / 3)
    playing = player._Player(solved, loop)
    frames = all_frames(playing)
    height, width = frames[0].shape[:2]
    assert width * height * 6 <= 1.2 * player._PIXELS_AT_MOST
    rows, columns = loop.box
    box = columns.start / 240, 1 - rows.stop / 160, columns.stop / 240, 1 - rows.start / 160
    np.testing.assert_allclose(playing.corners, box, atol=2 / 160)


def test_a_soft_edge_that_is_dragged_reduces_the_loop_once(solved, player, addon, monkeypatch):
    monkeypatch.setattr(player, "_PIXELS_AT_MOST", 1000)
    smaller, made = addon("engine.smaller"), []
    reduce = smaller.smaller_loop

    def counted(*asked):
        made.append(asked)
        return reduce(*asked)

    monkeypatch.setattr(smaller, "smaller_loop", counted)
    loop, playing = solved.endless_loops.loop(), None
    for edge in range(10):
        solved.endless_loops.soft_edge = edge
        before, playing = playing, player._Player(solved, loop, playing)
        if before:
            before.stop()
    all_frames(playing)
    assert len(made) == 1 and playing.edges == (9,)


@pytest.mark.parametrize("place", [np.s_[-1:], np.s_[:, -3:]], ids=["last row", "last columns"])
def test_a_mask_at_the_very_border_of_a_picture_of_any_size_is_played(player, addon, monkeypatch, place):
    still, mask = new_image(windows(161, 243)), np.zeros((161, 243), bool)
    mask[place] = True
    monkeypatch.setattr(player, "_PIXELS_AT_MOST", 100)
    field = np.zeros((*mask.shape, 2), np.float32)
    field[..., 0] = 30
    loop = addon("engine").Loop.from_fields(windows(161, 243), mask, field, -field, 1.0)
    assert len(all_frames(player._Player(still, loop))) == still.endless_loops.frame_count


def test_values_that_are_no_numbers_are_shown_black(addon):
    frame = np.full((4, 4, 3), 0.5, np.float32)
    frame[0, 0] = np.nan
    shown = addon("preview.textures").screen_pixels(frame)
    assert shown[-1, 0].tolist() == [0, 0, 0, 255] and 180 < shown[0, 0, 0] < 195


def test_maps_of_the_first_version_stay_where_another_blend_plays_them(solved, saved, addon):
    pictures = addon("pictures")
    old = pictures._folder(solved, "nodes")
    old.mkdir(parents=True)
    (old / "sheet.exr").write_bytes(b"an older map")
    bpy.ops.endless_loops.to_compositor(image=solved.name, draft=True)
    assert (old / "sheet.exr").read_bytes() == b"an older map"
    assert pictures.maps_folder(solved).is_dir()
