"""The shell command, run as a shell runs it."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine import Loop
from engine.__main__ import main
from engine.imagefiles import read_still

from .pictures import SIZE, box_mask, moved_pattern

ROOT = Path(__file__).parents[2]
STROKE = "40,60 110,60"


def command(*arguments, **options):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(
        [sys.executable, "-m", "engine", *arguments], cwd=ROOT, text=True, **(pipes | options)
    )


@pytest.fixture
def desk(tmp_path):
    """A folder with a still and its mask, of a name that a careless program trips over."""
    folder = tmp_path / "Ein Ordner 楼梯"
    folder.mkdir()
    cv2.imencode(".png", moved_pattern(0, np.uint8, 3))[1].tofile(folder / "still.png")
    cv2.imencode(".png", box_mask().astype(np.uint8) * 255)[1].tofile(folder / "mask.png")
    return folder


def animate(desk, *more, **changes):
    options = {
        "--mask": desk / "mask.png",
        "--stroke": STROKE,
        "--frames": 6,
        "--output": desk / "out",
    } | changes
    words = ["animate", desk / "still.png", *(word for pair in options.items() for word in pair), *more]
    return [str(word) for word in words]


def status_of(arguments):
    """Run the command in this process: argparse leaves by SystemExit."""
    try:
        return main(arguments)
    except SystemExit as leaving:
        return leaving.code


def test_one_command_makes_frames_a_video_and_a_loop_file(desk):
    process = command(*animate(desk, "--video", desk / "l.mp4", "--loop", desk / "l.loop"))
    said, complained = process.communicate(timeout=120)
    assert (process.returncode, complained) == (0, "")
    assert "6 frames" in said
    loop = Loop.load(desk / "l.loop")
    names = sorted(os.listdir(desk / "out"))
    assert len(names) == 6
    for index, name in enumerate(names):
        np.testing.assert_array_equal(read_still(desk / "out" / name), loop.frame(index / 6))
    assert cv2.VideoCapture(str(desk / "l.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) == 6


def test_a_movie_keeps_its_length_and_its_rate_and_a_cut_is_told(desk, capsys):
    frames = [moved_pattern(0, np.uint8, 3)] * 3 + [
        np.random.default_rng(2).integers(0, 256, (*SIZE, 3), np.uint8)
    ]
    movie = cv2.VideoWriter(str(desk / "film.avi"), cv2.VideoWriter.fourcc(*"FFV1"), 12, SIZE[::-1])
    for frame in frames:
        movie.write(frame)
    movie.release()
    words = animate(desk, "--video", desk / "l.mp4", "--loop", desk / "l.loop")
    words[1] = str(desk / "film.avi")
    assert main(words) == 0
    said, complained = capsys.readouterr()
    assert "4 frames" in said and "Frame 4:" in complained and complained.count("\n") == 1
    assert len(os.listdir(desk / "out")) == 4
    made = cv2.VideoCapture(str(desk / "l.mp4"))
    assert (made.get(cv2.CAP_PROP_FRAME_COUNT), made.get(cv2.CAP_PROP_FPS)) == (4, 12)
    assert Loop.load(desk / "l.loop").confidence > 0.5
    assert (read_still(desk / "out" / "frame_0002.png") != read_still(desk / "out" / "frame_0001.png")).any()


def test_strokes_carry_turns_the_edge_may_be_soft_and_idle_strokes_are_named(desk, capsys):
    words = animate(desk, "--turns", 2, "--stroke", "140,20 150,100", "--soft-edge", 9, "--loop", desk / "l")
    assert status_of(words) == 0
    loop = Loop.load(desk / "l")
    assert loop.speeds.turns == (2,) and loop.soft_edge == (9.0,)
    complained = capsys.readouterr().err
    assert complained.startswith("Stroke 2 lies outside") and complained.count("\n") == 1


def test_turns_before_any_stroke_are_refused(desk, capsys):
    words = animate(desk)
    words[2:2] = ["--turns", "2"]
    assert status_of(words) == 2
    assert "after the --stroke" in capsys.readouterr().err


def test_a_still_that_hardly_repeats_gives_a_loop_and_is_told(desk, capsys):
    noise = np.random.default_rng(4).integers(0, 256, (*SIZE, 3), np.uint8)
    cv2.imencode(".png", noise)[1].tofile(desk / "still.png")
    assert main(animate(desk)) == 0
    assert len(os.listdir(desk / "out")) == 6
    complained = capsys.readouterr().err
    assert "hardly repeats" in complained and complained.count("\n") == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"--frames": 1}, "doesn't move"),
        ({"--frames": "many"}, "invalid int"),
        ({"--stroke": "40,60"}, "Stroke 1"),
        ({"--stroke": "40,60,3 50,60,3"}, "isn't a stroke"),
        ({"--stroke": "left right"}, "isn't a stroke"),
        ({"--stroke": "nan,1 4,5"}, "Stroke 1"),
        ({"--output": ""}, "--output: the path is empty"),
        ({"--loop": ""}, "--loop: the path is empty"),
        ({"--video": ""}, "--video: the path is empty"),
        ({"--mask": ""}, "--mask: the path is empty"),
        ({"--loop": os.devnull}, "choose a file"),
        ({"--stroke": "-90,-90 -80,-90"}, "outside the picture"),
        ({"--mask": "nowhere.png"}, "nowhere.png"),
        ({"--mask": str(ROOT / "README.md")}, "isn't a picture"),
        ({"--video": "loop.avi"}, ".mp4"),
        ({"--wave": "1"}, "--wave"),
        ({"--output": "{desk}"}, "take the place of"),
        ({"--loop": "{desk}/mask.png"}, "take the place of"),
        ({"--video": "{desk}/out/loop.mp4"}, "lost to what else"),
        ({"--loop": "{desk}/out"}, "lost to what else"),
        ({"--output": str(ROOT / "tests"), "--video": "{desk}/loop.mp4"}, "holds other files"),
    ],
)
def test_bad_input_is_told_in_one_line_and_writes_nothing(desk, capsys, changes, says):
    before = sorted(os.listdir(desk))
    changes = {name: str(value).replace("{desk}", str(desk)) for name, value in changes.items()}
    assert status_of(animate(desk, **changes)) == 2
    said, complained = capsys.readouterr()
    assert said == "" and says in complained and complained.count("\n") == 1
    assert sorted(os.listdir(desk)) == before


def test_suggested_strokes_can_be_pasted_into_the_next_command(desk, capsys):
    words = ["suggest", str(desk / "still.png"), "--mask", str(desk / "mask.png")]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert 1 <= len(lines) <= 3
    for line in lines:
        pasted = shlex.split(line, comments=True)
        assert pasted[0] == "--stroke" and len(pasted) == 2
        assert main(animate(desk, **{"--stroke": pasted[1]})) == 0


def test_suggested_masks_are_written_and_can_be_used(desk, capsys):
    words = ["suggest", str(desk / "still.png"), "--output", str(desk / "masks")]
    for _ in range(2):  # the second run replaces the first
        assert main(words) == 0
    names = sorted(os.listdir(desk / "masks"))
    assert names[0] == "mask_01.png" and 1 <= len(names) <= 5
    assert f"{len(names)} masks" in capsys.readouterr().out
    assert read_still(desk / "masks" / "mask_01.png").shape[:2] == SIZE
    assert main(animate(desk, **{"--mask": desk / "masks" / "mask_01.png"})) == 0


def test_a_folder_of_other_things_is_no_place_for_masks(desk, capsys):
    words = ["suggest", str(desk / "still.png"), "--output", str(desk)]
    assert main(words) == 2
    assert sorted(os.listdir(desk)) == ["mask.png", "still.png"]
    assert capsys.readouterr().err.count("\n") == 1


def test_suggestions_refuse_bad_input_in_one_line(desk, capsys):
    cv2.imencode(".png", np.full((*SIZE, 3), 90, np.uint8))[1].tofile(desk / "still.png")
    assert main(["suggest", str(desk / "still.png"), "--mask", str(desk / "mask.png")]) == 2
    said, complained = capsys.readouterr()
    assert said == "" and "Nothing in the mask" in complained and complained.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [[], ["animate"], ["suggest"], ["dance"], ["suggest", ""], ["suggest", "still.png", "--output", ""]],
)
def test_half_a_command_is_told_in_one_line(capsys, arguments):
    assert status_of(arguments) == 2
    said, complained = capsys.readouterr()
    assert said == "" and complained.count("\n") == 1


def test_a_still_in_which_nothing_is_seen_to_move_is_told(desk, capsys):
    still = moved_pattern(0, np.uint8, 4)
    still[box_mask(), 3] = 0
    cv2.imencode(".png", still)[1].tofile(desk / "still.png")
    assert main(animate(desk)) == 0
    complained = capsys.readouterr().err
    assert "transparent" in complained and complained.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes and links")
def test_links_that_lead_in_a_circle_are_told(desk, capsys):
    (desk / "circle").symlink_to("circle")
    assert main(animate(desk, **{"--mask": desk / "circle"})) == 2
    assert "circle" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes and links")
@pytest.mark.parametrize(
    ("arguments", "unbuffered"),
    [
        (["suggest", "still.png", "--mask", "mask.png"], "1"),
        (["suggest", "still.png", "--mask", "mask.png"], ""),
        (["--help"], ""),
    ],
)
def test_when_nobody_reads_what_it_prints_it_ends_without_a_word(desk, arguments, unbuffered):
    reader, writer = os.pipe()
    os.close(reader)
    paths = [str(desk / word) if word.endswith(".png") else word for word in arguments]
    process = command(*paths, stdout=writer, env=os.environ | {"PYTHONUNBUFFERED": unbuffered})
    os.close(writer)
    assert process.communicate(timeout=60)[1] == "" and process.returncode == 141


def test_names_that_cannot_be_printed_are_no_hindrance(desk):
    process = command(*animate(desk), env=os.environ | {"PYTHONIOENCODING": "ascii"})
    said, complained = process.communicate(timeout=60)
    assert (process.returncode, complained) == (0, "") and "6 frames in" in said


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_what_is_to_outlive_its_terminal_does(desk):
    deaf = partial(signal.signal, signal.SIGHUP, signal.SIG_IGN)
    process = command(*animate(desk, **{"--frames": 300}), preexec_fn=deaf)
    while process.poll() is None and not any(entry.name.startswith(".out-") for entry in desk.iterdir()):
        time.sleep(0.01)
    process.send_signal(signal.SIGHUP)
    assert process.wait(timeout=60) == 0 and len(os.listdir(desk / "out")) == 300


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("sent", ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"])
def test_whenever_it_is_stopped_the_previous_frames_are_there_and_no_others(desk, sent):
    assert main(animate(desk)) == 0
    before = {entry.name: entry.read_bytes() for entry in (desk / "out").iterdir()}
    # What a shell runs in the background ignores interrupts, and so would the command.
    listening = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = command(*animate(desk, **{"--frames": 2000}), preexec_fn=listening)
    while process.poll() is None and not any(entry.name.startswith(".out-") for entry in desk.iterdir()):
        time.sleep(0.01)
    for _ in range(2 if sent == "SIGHUP" else 1):  # a closing terminal sends it, and so does its shell
        process.send_signal(getattr(signal, sent))
    _, complained = process.communicate(timeout=60)
    assert process.returncode != 0 and "Traceback" not in complained
    assert {entry.name: entry.read_bytes() for entry in (desk / "out").iterdir()} == before
    if sent != "SIGKILL":
        assert sorted(os.listdir(desk)) == ["mask.png", "out", "still.png"]
        assert "Interrupted" in complained
