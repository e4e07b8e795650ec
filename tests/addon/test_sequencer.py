"""The strip: where it goes, and that it stays."""

from pathlib import Path

import bpy
import numpy as np
import pytest

from .conftest import bytes_of, inset, new_image, windows
from .test_output import with_alpha


def strips():
    return bpy.context.scene.sequence_editor.strips


def test_a_strip_starts_at_the_playhead_on_the_lowest_free_channel(solved, addon):
    scene = bpy.context.scene
    editor = scene.sequence_editor_create()
    add_title(editor.strips, 1, 20, 20)
    scene.frame_current = 30
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    strip = next(s for s in strips() if s.type == "IMAGE")
    versions = addon("bridge.versions")
    assert (versions.strip_begin(strip), versions.strip_end(strip), strip.channel) == (30, 48, 2)


def test_rendering_again_keeps_the_strip_where_it_was_put(solved, saved, addon):
    versions = addon("bridge.versions")
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    strip = strips()[0]
    setattr(strip, "content_start" if bpy.app.version >= (5, 0) else "frame_start", 100)
    strip.channel, strip.blend_type, strip.name = 5, "ADD", "My Loop"
    solved.endless_loops.frame_count, solved.endless_loops.repeat = 4, 2
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    (strip,) = strips()
    assert (strip.name, strip.channel, strip.blend_type, versions.strip_begin(strip)) == (
        "My Loop",
        5,
        "ADD",
        100,
    )
    assert [e.filename for e in strip.elements] == [f"wall_{i:04d}.png" for i in (1, 2, 3, 4)] * 2
    assert versions.strip_end(strip) == 108
    assert len(list((saved / "endless_loops" / "scene" / "wall").iterdir())) == 4


def test_rendering_again_is_not_stopped_by_the_strip_s_proxies(solved, saved):
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    folder = saved / "endless_loops" / "scene" / "wall"
    (folder / "BL_proxy" / "images" / "25").mkdir(parents=True)
    (folder / "BL_proxy" / "images" / "25" / "wall_0001.png_proxy.jpg").write_bytes(b"old")
    solved.endless_loops.frame_count = 5
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    assert sorted(file.name for file in folder.iterdir()) == [f"wall_{i:04d}.png" for i in range(1, 6)]


def test_another_blend_beside_it_has_frames_of_its_own_and_keeps_the_strip(solved, saved):
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    firsts = saved / "endless_loops" / "scene" / "wall"
    before = {f.name: f.read_bytes() for f in firsts.iterdir()}
    strips()[0].channel = 7
    bpy.ops.wm.save_as_mainfile(filepath=str(saved / "second.blend"))
    solved.endless_loops.frame_count, solved.endless_loops.reverse = 4, True
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    assert {f.name: f.read_bytes() for f in firsts.iterdir()} == before
    (strip,) = strips()
    assert (strip.channel, len(strip.elements)) == (7, 4 * 3)
    folder = saved / "endless_loops" / "second" / "wall"
    assert Path(bpy.path.abspath(strip.directory)).resolve() == folder
    assert len(list(folder.iterdir())) == 4


@pytest.mark.parametrize("is_copy", [False, True])
def test_a_strip_is_kept_when_the_blend_is_saved_elsewhere(solved, saved, is_copy):
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    (saved / "versions").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(saved / "versions" / "second.blend"), copy=is_copy)
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    assert len(strips()) == 1
    bpy.ops.wm.open_mainfile(filepath=str(saved / "versions" / "second.blend"))
    bpy.ops.endless_loops.to_sequencer(image="wall.png")
    assert len(strips()) == 1


def rendered(folder, frame):
    """The edit at a frame, (H, W, 3) uint8."""
    scene = bpy.context.scene
    scene.render.filepath = str(folder / "rendered.png")
    scene.frame_set(frame)
    bpy.ops.render.render(write_still=True)
    return bytes_of(folder / "rendered.png")[..., :3]


SIZES = [((240, 160), 100), ((480, 400), 100), ((240, 160), 50)]


def softened(picture):
    """Blur as a lens does: where strips are scaled, hard edges show how Blender rounds their places."""
    soft = picture.astype(int)
    for axis in (0, 1):
        before, after = (np.roll(soft, shift, axis) for shift in (1, -1))
        soft = before + 2 * soft + after
    return ((soft + 8) // 16).astype(np.uint8)


def send_part(height, width, border, size, percentage):
    """Solve a still of a size and let an edit of another size play its moving part."""
    image = new_image(softened(windows(height, width)))
    mask = np.zeros((height, width), bool)
    mask[border:120, 20:-border] = True
    image.endless_loops.set_mask(mask)
    image.endless_loops.add_direction([(120, 110), (120, 30)])
    bpy.ops.endless_loops.solve(image=image.name)
    image.endless_loops.frame_count, image.endless_loops.repeat = 4, 2
    scene = bpy.context.scene
    scene.view_settings.view_transform = "Standard"
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.resolution_percentage = percentage
    image.endless_loops.moving_part_only = True
    bpy.ops.endless_loops.to_sequencer(image=image.name)
    return image


@pytest.mark.parametrize(("size", "percentage"), SIZES)
def test_the_moving_part_plays_over_the_still_as_whole_frames_do(saved, size, percentage):
    image = send_part(160, 240, 24, size, percentage)
    (meta,) = strips()
    assert meta.type == "META"
    parts = [rendered(saved, frame).astype(int) for frame in (1, 2, 7, 8)]
    strips().remove(meta)
    bpy.context.scene.frame_set(1)
    image.endless_loops.moving_part_only = False
    bpy.ops.endless_loops.to_sequencer(image=image.name)
    for frame, part in zip((1, 2, 7, 8), parts, strict=True):
        error = abs(rendered(saved, frame) - part).max(axis=2)
        assert np.mean(error > 1) <= (0.03 if size[0] == 480 else 0), f"frame {frame}"  # the box has a border
    folder = saved / "endless_loops" / "scene"
    small = sum(f.stat().st_size for f in (folder / "wall_part").iterdir() if "still" not in f.name)
    assert small < 0.8 * sum(f.stat().st_size for f in (folder / "wall").iterdir())


@pytest.mark.parametrize(("height", "width", "border"), [(160, 240, 25), (161, 241, 24), (161, 241, 25)])
@pytest.mark.parametrize(("size", "percentage"), SIZES)
def test_the_moving_part_begins_as_what_lies_below_it(saved, height, width, border, size, percentage):
    send_part(height, width, border, size, percentage)
    first = rendered(saved, 1).astype(int)
    strips()[0].strips[1].mute = True
    assert abs(rendered(saved, 1) - first).max() <= 1


def test_a_moving_part_follows_what_is_made_anew(solved, saved, addon):
    settings, versions = solved.endless_loops, addon("bridge.versions")
    settings.moving_part_only = True
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    strips()[0].channel = 5
    settings.frame_count = 4
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    (meta,) = strips()
    assert (meta.channel, versions.strip_end(meta) - versions.strip_begin(meta)) == (5, 4 * 3)
    assert len(list((saved / "endless_loops" / "scene" / "wall_part").iterdir())) == 4 + 1


def test_a_meta_strip_that_was_worked_on_still_follows(solved, saved):
    settings = solved.endless_loops
    settings.moving_part_only = True
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    (meta,) = strips()
    below, part = sorted(meta.strips, key=lambda strip: strip.channel)
    below.channel = 3
    (saved / "title.png").write_bytes((saved / "endless_loops/scene/wall_part/wall_still.png").read_bytes())
    title = meta.strips.new_image(name="T", filepath=str(saved / "title.png"), channel=1, frame_start=1)
    settings.frame_count = 4
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    assert [len(strip.elements) for strip in (title, below, part)] == [1, 1, 4 * 3]
    assert title.elements[0].filename == "title.png"
    meta.strips.remove(below)
    settings.frame_count = 5
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    assert len(part.elements) == 5 * 3 and len(strips()) == 1


def add_title(where, channel, start, length):
    kind = {"length": length} if bpy.app.version >= (5, 0) else {"frame_end": start + length}
    return where.new_effect(name="Title", type="COLOR", channel=channel, frame_start=start, **kind)


def spans(*some, versions):
    """Where strips begin and end, in order."""
    return [(versions.strip_begin(strip), versions.strip_end(strip)) for strip in some]


def send_again(still, frame_count, repeat=3):
    still.endless_loops.frame_count, still.endless_loops.repeat = frame_count, repeat
    assert bpy.ops.endless_loops.to_sequencer(image=still.name) == {"FINISHED"}


@pytest.mark.parametrize("part_only", [False, True])
def test_a_strip_that_was_cut_in_two_stays_cut(solved, addon, part_only):
    solved.endless_loops.moving_part_only = part_only
    send_again(solved, 6)
    (first,) = strips()
    second = first.split(frame=8, split_method="SOFT")
    for frame_count, repeat, expected in [
        (6, 3, [(1, 8), (8, 19)]),
        (8, 3, [(1, 8), (8, 25)]),
        (3, 1, [(1, 4), (8, 9)]),  # what begins after the loop's end keeps a frame
        (6, 3, [(1, 8), (8, 19)]),
    ]:
        send_again(solved, frame_count, repeat)
        assert spans(first, second, versions=addon("bridge.versions")) == expected
        assert (first.channel, second.channel, len(strips())) == (1, 1, 2)


def test_a_strip_that_was_trimmed_or_held_on_keeps_its_end(solved, addon):
    versions = addon("bridge.versions")
    send_again(solved, 6)
    (strip,) = strips()
    versions.set_strip_end(strip, 15)
    send_again(solved, 8)
    assert spans(strip, versions=versions) == [(1, 15)]
    versions.set_strip_end(strip, 60)
    send_again(solved, 6)
    assert spans(strip, versions=versions) == [(1, 60)]


def test_a_longer_loop_ends_where_the_next_strip_begins(solved, addon):
    send_again(solved, 6)
    title = add_title(strips(), 1, 19, 30)
    send_again(solved, 8)
    assert spans(strips()[0], title, versions=addon("bridge.versions")) == [(1, 19), (19, 49)]
    assert strips()[0].channel == title.channel == 1


def test_a_meta_strip_keeps_the_title_that_is_longer_than_the_loop(solved, addon):
    versions = addon("bridge.versions")
    solved.endless_loops.moving_part_only = True
    send_again(solved, 6)
    (meta,) = strips()
    add_title(meta.strips, 5, 1, 400)
    send_again(solved, 8)
    assert spans(meta, versions=versions) == [(1, 25)]  # it was as long as the loop
    versions.set_strip_end(meta, 401)
    send_again(solved, 6)
    assert spans(meta, versions=versions) == [(1, 401)]


def test_strips_of_other_scenes_follow_what_is_made_anew(solved):
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    (first,) = strips()
    other = bpy.data.scenes.new("Other")
    bpy.context.window.scene = other
    if bpy.app.version >= (5, 0):
        bpy.context.workspace.sequencer_scene = other
    solved.endless_loops.frame_count = 4
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    assert len(other.sequence_editor.strips) == 1
    assert [element.filename for element in first.elements[:5]] == [
        *(f"wall_{index:04d}.png" for index in (1, 2, 3, 4)),
        "wall_0001.png",
    ]


def test_a_still_with_alpha_is_written_whole(saved, still, capfd):
    clear = new_image(with_alpha(windows()), "clear.png")
    clear.endless_loops.set_mask(inset())
    clear.endless_loops.add_direction([(120, 140), (120, 20)])
    bpy.ops.endless_loops.solve(image=clear.name)
    clear.endless_loops.moving_part_only, clear.endless_loops.frame_count = True, 2
    bpy.ops.endless_loops.to_sequencer(image=clear.name)
    assert "has alpha, so whole frames were written" in capfd.readouterr().out
    assert strips()[0].type == "IMAGE"


def test_a_strip_goes_into_the_meta_strip_that_is_open(solved):
    editor = bpy.context.scene.sequence_editor_create()
    meta = editor.strips.new_meta(name="Meta", channel=1, frame_start=1)
    editor.display_stack(meta)
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    assert [s.type for s in meta.strips] == ["IMAGE"]


@pytest.mark.skipif(bpy.app.version < (5, 0), reason="a workspace's own edit came with Blender 5.0")
def test_the_edit_that_the_workspace_shows_is_the_one_in_use(solved):
    other = bpy.data.scenes.new("Edit")
    bpy.context.workspace.sequencer_scene = other
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    assert len(other.sequence_editor.strips) == 1
    assert not strips()


def test_the_strip_plays_the_frames(solved, saved):
    scene = bpy.context.scene
    scene.view_settings.view_transform = "Standard"
    scene.render.resolution_x, scene.render.resolution_y = solved.size
    scene.render.resolution_percentage = 100
    scene.render.filepath = str(saved / "rendered.png")
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    scene.frame_set(1 + 6 + 2)
    bpy.ops.render.render(write_still=True)
    shown = bytes_of(saved / "rendered.png")[..., :3].astype(int)
    frame = bytes_of(saved / "endless_loops" / "scene" / "wall" / "wall_0003.png")[..., :3]
    assert abs(shown - frame).max() <= 1
