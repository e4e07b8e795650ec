"""Movies and image sequences as stills, with and without a plane track."""

import bpy
import numpy as np
import pytest

from .conftest import bytes_of, inset, new_image, windows

FRAMES, STEP = 7, 3  # the camera pans by so many pixels a frame
SIZE = (160, 240)


def filmed():
    """A wall past which a camera pans, as (160, 240, 3) uint8 frames."""
    wall = windows(SIZE[0], SIZE[1] + FRAMES * STEP)
    return [np.ascontiguousarray(wall[:, k * STEP : k * STEP + SIZE[1]]) for k in range(FRAMES)]


def moved_mask(index):
    """Where the first frame's mask is in a frame."""
    mask = np.zeros(SIZE, bool)
    mask[:, : SIZE[1] - index * STEP] = inset()[:, index * STEP :]
    return mask


def ready(image):
    """Give a movie or a sequence what its loop takes."""
    image.endless_loops.set_mask(inset())
    image.endless_loops.add_direction([(120, 140), (120, 20)])
    image.endless_loops.frame_count = 4
    return image


def write_movie(path):
    import cv2  # comes with the add-on

    movie = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 24, SIZE[::-1])
    for frame in filmed():
        movie.write(frame[..., ::-1])
    movie.release()


@pytest.fixture
def movie(saved):
    write_movie(saved / "film.mp4")
    image = bpy.data.images.load(str(saved / "film.mp4"))
    assert image.source == "MOVIE"
    return ready(image)


@pytest.fixture
def sequence(saved):
    import cv2

    for index, frame in enumerate(filmed()):
        cv2.imwrite(str(saved / f"shot_{index + 11:03d}.png"), frame[..., ::-1])
    image = bpy.data.images.load(str(saved / "shot_011.png"))
    image.source = "SEQUENCE"
    return ready(image)


def send(image):
    """Solve and write the frames; returns their files in order."""
    assert bpy.ops.endless_loops.solve(image=image.name) == {"FINISHED"}
    assert bpy.ops.endless_loops.to_sequencer(image=image.name) == {"FINISHED"}
    strip = bpy.context.scene.sequence_editor.strips[0]
    return [bpy.path.abspath(strip.directory) + element.filename for element in strip.elements]


def test_a_sequence_goes_to_the_sequencer_whole_and_once(sequence):
    files = send(sequence)
    assert len(files) == FRAMES
    for index, (file, frame) in enumerate(zip(files, filmed(), strict=True)):
        made, near = bytes_of(file)[..., :3], np.zeros(SIZE, bool)
        for shift in (-1, 0, 1):
            near |= np.roll(moved_mask(index), shift, 1)
        np.testing.assert_array_equal(made[~near], frame[~near])
        moves = (made != frame).any(2)[moved_mask(index)].mean()
        assert moves == 0 if index % 4 == 0 else moves > 0.2


def test_a_movie_keeps_its_length(movie, saved):
    files = send(movie)
    assert len(files) == FRAMES
    first = np.rint(np.abs(bytes_of(files[0])[..., :3].astype(float) - filmed()[0]).mean())
    assert first < 8  # what the codec made of it
    assert bpy.ops.endless_loops.save_movie(image=movie.name) == {"FINISHED"}
    (path,) = (saved / "endless_loops").rglob("film.mp4")
    assert bpy.data.movieclips.load(str(path)).frame_duration == FRAMES


def test_no_result_takes_the_place_of_the_movie(movie, saved):
    bpy.ops.endless_loops.solve(image=movie.name)
    before = (saved / "film.mp4").read_bytes()
    movie.endless_loops.movie_path = "//film.mp4"
    with pytest.raises(RuntimeError, match=r"film\.mp4 would be overwritten.*choose another place"):
        bpy.ops.endless_loops.save_movie(image=movie.name)
    assert (saved / "film.mp4").read_bytes() == before


def test_the_first_frame_is_solved_whatever_frame_is_shown(movie, addon):
    first = addon("bridge.images").read_still(movie)
    bpy.context.scene.frame_set(5)
    np.testing.assert_array_equal(addon("bridge.images").read_still(movie), first)
    assert addon("bridge.images").size(movie) == SIZE[::-1]
    bpy.ops.endless_loops.solve(image=movie.name)
    np.testing.assert_array_equal(movie.endless_loops.loop().still, first)
    assert not movie.endless_loops.is_out_of_date()


def plane_track(clip, step):
    """A plane track made as an artist makes it, of four points that move by `step` pixels a frame."""
    screen, area = next((s, a) for s in bpy.data.screens for a in s.areas if a.type == "CLIP_EDITOR")
    for number, (x, y) in enumerate([(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)]):
        track = clip.tracking.tracks.new(name=f"Point {number}", frame=1)
        for frame in range(1, FRAMES + 1):
            track.markers.insert_frame(frame, co=(x - step * (frame - 1) / SIZE[1], y))
        track.select = True
    area.spaces.active.clip, area.spaces.active.mode = clip, "TRACKING"
    area.spaces.active.clip_user.frame_current = 1  # without a window, the editor doesn't follow the scene
    region = next(region for region in area.regions if region.type == "WINDOW")
    window = bpy.context.window_manager.windows[0]
    with bpy.context.temp_override(window=window, screen=screen, area=area, region=region):
        assert bpy.ops.clip.create_plane_track() == {"FINISHED"}
    return clip.tracking.plane_tracks[0]


def tracked(folder, step):
    """A movie in a saved .blend, with a plane track whose points move by `step` pixels a frame."""
    bpy.ops.wm.read_homefile(app_template="VFX", use_factory_startup=True)  # has a Clip Editor
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "scene.blend"))
    write_movie(folder / "film.mp4")
    image = ready(bpy.data.images.load(str(folder / "film.mp4")))
    clip = bpy.data.movieclips.load(str(folder / "film.mp4"))
    image.endless_loops.plane_clip = clip
    image.endless_loops.plane_track = plane_track(clip, step).name
    return image


@pytest.mark.parametrize("step", [STEP, 0])
def test_a_plane_track_says_where_the_plane_is(step, tmp_path):
    """Also where it is wrong: then the mask stays where the track leaves it."""
    image = tracked(tmp_path, step)
    import cv2

    source = cv2.VideoCapture(str(tmp_path / "film.mp4"))
    for index, file in enumerate(send(image)):
        frame, made = source.read()[1][..., ::-1], bytes_of(file)[..., :3]
        inside = moved_mask(index) if step else inset()
        np.testing.assert_array_equal(made[~inside], frame[~inside])
        assert index % 4 == 0 or (made != frame).any(2)[inside].mean() > 0.2


def test_in_the_compositor_it_is_a_sequence(sequence):
    bpy.ops.endless_loops.solve(image=sequence.name)
    assert bpy.ops.endless_loops.to_compositor(image=sequence.name) == {"FINISHED"}
    trees = [tree for tree in bpy.data.node_groups if tree.bl_idname == "CompositorNodeTree"]
    nodes = [node for tree in trees or [bpy.context.scene.node_tree] for node in tree.nodes]
    played = [n for n in nodes if n.bl_idname == "CompositorNodeImage" and n.image and n.image != sequence]
    assert [node.frame_duration for node in played] == [FRAMES]


def compositor_folder(image, addon):
    """Send a loop to the compositor and return the folder that it is played from."""
    assert bpy.ops.endless_loops.to_compositor(image=image.name) == {"FINISHED"}
    return addon("pictures").frames_folder(image)


def held_in(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_the_saved_blend_keeps_its_frames_when_the_plane_is_tracked_anew(addon, tmp_path):
    image = tracked(tmp_path, STEP)
    bpy.ops.endless_loops.solve(image=image.name)
    before = compositor_folder(image, addon)
    assert compositor_folder(image, addon) == before
    bpy.ops.wm.save_mainfile()
    frames = held_in(before)
    image.endless_loops.plane_clip.tracking.plane_tracks[0].markers[3].corners[0][0] -= 0.05
    after = compositor_folder(image, addon)
    assert after != before and held_in(before) == frames != held_in(after)


def test_the_saved_blend_keeps_its_frames_when_the_footage_changes(sequence, saved, addon):
    import cv2

    bpy.ops.endless_loops.solve(image=sequence.name)
    before = compositor_folder(sequence, addon)
    bpy.ops.wm.save_mainfile()
    frames = held_in(before)
    cv2.imwrite(str(saved / "shot_015.png"), filmed()[3])
    after = compositor_folder(sequence, addon)
    assert after != before and held_in(before) == frames != held_in(after)


def test_what_cannot_be_read_or_followed_is_told(sequence, saved):
    loop = sequence.endless_loops
    bpy.ops.endless_loops.solve(image=sequence.name)
    loop.plane_clip = bpy.data.movieclips.load(str(saved / "shot_011.png"))
    loop.plane_track = "Gone"
    with pytest.raises(RuntimeError, match="no plane track named Gone"):
        bpy.ops.endless_loops.to_sequencer(image=sequence.name)
    sequence.filepath = str(saved / "shot_099.png")
    with pytest.raises(RuntimeError, match="can't be read"):
        bpy.ops.endless_loops.solve(image=sequence.name)
    sequence.filepath = str(saved / "shot_011.exr")
    with pytest.raises(RuntimeError, match="PNG, TIFF or JPEG"):
        bpy.ops.endless_loops.solve(image=sequence.name)


@pytest.mark.parametrize("alpha_mode", ["STRAIGHT", "CHANNEL_PACKED"])
def test_a_deep_sequence_with_alpha_is_what_blender_makes_of_such_a_still(saved, addon, alpha_mode):
    import cv2

    pixels = np.random.default_rng(0).integers(0, 65536, (64, 64, 4), np.uint16)
    cv2.imwrite(str(saved / "deep_001.png"), pixels)
    still, sequence = (
        bpy.data.images.load(str(saved / "deep_001.png"), check_existing=False) for _ in range(2)
    )
    sequence.source = "SEQUENCE"
    still.alpha_mode = sequence.alpha_mode = alpha_mode
    held, read = (addon("bridge.images").read_still(image) for image in (still, sequence))
    np.testing.assert_allclose(read, held, atol=1e-3)


def test_a_movie_without_a_file_is_not_read_from_the_working_directory(saved, addon, monkeypatch):
    (saved / "here").mkdir()
    shot = new_image(windows(), "shot.png")
    shot.filepath_raw, shot.file_format = str(saved / "here" / "shot.png"), "PNG"
    shot.save()
    monkeypatch.chdir(saved / "here")
    movie = new_image(windows(), "film.mp4")
    movie.source = "MOVIE"
    assert movie.filepath == ""
    with pytest.raises(addon("errors").Refused, match="can't be read"):
        addon("bridge.footage").first_frame(movie)
