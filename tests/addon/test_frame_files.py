"""Files written off the main thread are those that Blender's own writer makes."""

import re
import struct
import tempfile
import threading

import bpy
import numpy as np
import pytest

from .conftest import new_image, pixels_of, windows
from .test_output import ask_for, linear, solve, with_alpha

STILLS = {
    "opaque": windows,
    "alpha": lambda: with_alpha(windows()),
    "float": lambda: linear(windows()) / 2,
    "float alpha": lambda: np.dstack([linear(windows()), np.full((160, 240, 1), 0.25, np.float32)]),
}
FORMATS = [
    ("PNG", "8", "RGB"),
    ("PNG", "16", "RGB"),
    ("PNG", "8", "BW"),
    ("JPEG", "8", "RGB"),
    ("TIFF", "16", "RGB"),
    ("WEBP", "8", "RGB"),
    ("OPEN_EXR", "16", "RGB"),
    ("OPEN_EXR", "32", "RGB"),
]


def chunks_of(path):
    """Name and content of a PNG's chunks but for the pixels, which may be packed in other ways."""
    data, place, chunks = path.read_bytes(), 8, []
    while place < len(data):
        length, name = struct.unpack(">I4s", data[place : place + 8])
        if name != b"IDAT":
            chunks.append((name, data[place + 8 : place + 8 + length]))
        place += length + 12
    return chunks


def undated(path):
    """A file's bytes without the time at which a TIFF says it was written."""
    return re.sub(rb"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d", b"", path.read_bytes())


@pytest.mark.parametrize("kind", STILLS)
@pytest.mark.parametrize(("file_format", "depth", "mode"), FORMATS)
def test_a_file_is_what_blender_itself_writes(saved, addon, kind, file_format, depth, mode):
    ask_for(file_format, depth, mode)
    image = solve(new_image(STILLS[kind]()))
    output = addon("bridge.output")
    expected = saved / "expected"
    form = output.output_format(image, bpy.context.scene)
    output.write_frame(image.endless_loops.loop().frame(1 / 3), expected, form)
    bpy.ops.endless_loops.to_sequencer(image=image.name)
    written = sorted((saved / "endless_loops" / "scene" / "wall").iterdir())[1]
    np.testing.assert_array_equal(pixels_of(written), pixels_of(expected))
    if file_format == "PNG":
        assert chunks_of(written) == chunks_of(expected)
    else:
        assert undated(written) == undated(expected)


def test_the_blenders_that_write_leave_nothing_behind(solved, tmp_path, monkeypatch):
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(place))
    ask_for("TIFF")
    assert bpy.ops.endless_loops.to_sequencer(image=solved.name) == {"FINISHED"}
    assert bpy.ops.endless_loops.save_movie(image=solved.name) == {"FINISHED"}
    assert not list(place.iterdir())


def test_a_smaller_png_is_written_when_asked_for(saved, still):
    sizes = []
    bpy.ops.endless_loops.solve(image=still.name)
    still.endless_loops.frame_count = 2
    ask_for("PNG")
    for compression in (0, 100):
        bpy.context.scene.render.image_settings.compression = compression
        bpy.ops.endless_loops.to_sequencer(image=still.name)
        sizes.append(sum(f.stat().st_size for f in (saved / "endless_loops" / "scene" / "wall").iterdir()))
    assert sizes[1] < 0.8 * sizes[0]


@pytest.mark.parametrize("is_busy", [True, False])
def test_what_was_half_made_is_removed_once_when_nobody_adds_to_it_any_more(addon, is_busy):
    events, go_on = [], threading.Event()

    def work(progress):
        go_on.wait(5)
        events.append("made")
        progress(0.5, "")

    job = addon("jobs").Job(work, lambda: events.append("removed"), KeyboardInterrupt)
    job.start()
    if not is_busy:
        go_on.set()
        job.wait(5)
    job.give_up()
    go_on.set()
    job.wait(5)
    assert events == ["made", "removed"]
    assert job.is_finished
