"""The shell command: a still, a mask and strokes in, frames, a video and a loop file out; or suggestions."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from .errors import BadFile, EndlessLoopsError
from .footage import is_footage, write_footage
from .imagefiles import (
    check_frames_folder,
    check_video_name,
    read_mask,
    read_still,
    write_frames,
    write_masks,
    write_video,
)
from .loop import Loop, check_frame_count
from .propose import suggest_masks
from .settings import Settings
from .solver import solve
from .storage import check_replaceable_file
from .strokes import Stroke
from .suggest import suggest_directions
from .video import solve_video

BAR = 30
STOPPING = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that ask a process to end; Windows has no SIGHUP."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        The command line without the program's name; the process's own by default.

    Returns
    -------
    int
        0; 2 for bad input, with one line on standard error; 130 when interrupted; 141 when what it
        prints is read no further.
    """
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # what is wrong is said in one line, ours
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files may be anything
    try:
        try:
            with _stoppable():
                return _run(arguments)
        finally:
            print(end="", flush=True)
    except BrokenPipeError:
        _stop_printing()
        return 141


def _run(arguments: Sequence[str] | None) -> int:
    try:
        wanted = _parser().parse_args(arguments)
        wanted.run(wanted)
    except EndlessLoopsError as reason:
        _say(str(reason))
        return 2
    except KeyboardInterrupt:
        _say("Interrupted: nothing half-made was left.")
        return 130
    return 0


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let every signal that asks the process to end interrupt it as Ctrl-C does, so that it tidies up."""

    def stop(*_signal: Any) -> NoReturn:
        for other in previous:
            signal.signal(other, signal.SIG_IGN)  # a closing terminal sends several; one is enough
        raise KeyboardInterrupt

    kinds = [getattr(signal, name) for name in STOPPING if hasattr(signal, name)]
    # What is ignored stays so: nohup asks for that, and shells that run it in the background.
    previous = {kind: signal.getsignal(kind) for kind in kinds if signal.getsignal(kind) != signal.SIG_IGN}
    try:
        for kind in previous:
            signal.signal(kind, stop)
        yield
    finally:
        for kind, handler in previous.items():
            signal.signal(kind, handler)


def _stop_printing() -> None:
    """Drop what is still to be printed: Python would complain at its end that nobody reads it."""
    with open(os.devnull, "w") as nowhere:
        for stream in (1, 2):
            os.dup2(nowhere.fileno(), stream)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        _say(f"{message} (--help tells how)")
        sys.exit(2)


class _Turns(argparse.Action):
    """Gives the stroke before it its turns."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, *_rest: Any
    ) -> None:
        if not namespace.stroke:
            parser.error("--turns belongs after the --stroke that it is for")
        last = namespace.stroke[-1]
        points = last.points if isinstance(last, Stroke) else last
        namespace.stroke = [*namespace.stroke[:-1], Stroke(points, values)]


class _Bar:
    """A progress bar on a terminal, nothing elsewhere; its stages share 0 to 1 in equal parts."""

    def __init__(self, parts: int) -> None:
        self.parts = parts
        self.done = 0
        self.shown = ""

    def __call__(self, fraction: float, stage: str) -> None:
        total = (self.done + min(max(fraction, 0.0), 1.0)) / self.parts
        line = f"\r[{'#' * round(total * BAR):<{BAR}}] {total:4.0%} {stage:<24.24}"
        if sys.stderr.isatty() and line != self.shown:
            self.shown = line
            sys.stderr.write(line)
            sys.stderr.flush()

    def next_part(self) -> None:
        self.done += 1

    def clear(self) -> None:
        if self.shown:
            sys.stderr.write("\r" + " " * (BAR + 33) + "\r")
            self.shown = ""


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="endless-loops",
        description="Turn a still, a mask and strokes into a seamless loop.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    _add_animate(commands)
    _add_suggest(commands)
    return parser


def _add_animate(commands: Any) -> None:
    animate = commands.add_parser("animate", help="make the loop of a still or a movie", allow_abbrev=False)
    animate.add_argument(
        "still",
        type=_path,
        metavar="STILL",
        help="the picture: PNG, JPEG, TIFF, WEBP or BMP; or a movie, or a folder of frames, in which the "
        "loop follows the plane that the mask covers in the first one",
    )
    animate.add_argument(
        "--mask", required=True, type=_path, help="a picture of the still's size, white where it moves"
    )
    animate.add_argument(
        "--stroke",
        required=True,
        action="append",
        type=_points,
        metavar='"x,y x,y ..."',
        help="where it goes: two or more points in pixels from the top left corner; may be repeated",
    )
    animate.add_argument(
        "--turns",
        action=_Turns,
        type=int,
        metavar="N",
        help="after a stroke: how many repetitions move along it in one turn; 0 holds it still",
    )
    animate.add_argument(
        "--soft-edge",
        type=float,
        default=0.0,
        metavar="PIXELS",
        help="over how many pixels inside the mask's edge the motion fades; for water, smoke and clouds",
    )
    _add_results(animate)
    animate.set_defaults(run=_animate)


def _add_results(animate: argparse.ArgumentParser) -> None:
    animate.add_argument("--frames", required=True, type=int, metavar="N", help="frames in one turn")
    animate.add_argument(
        "--output", required=True, type=_path, metavar="FOLDER", help="where the numbered frames go"
    )
    animate.add_argument(
        "--video",
        type=_path,
        metavar="FILE.mp4",
        help="also write one turn, or all of a movie, as a video, black where it's transparent",
    )
    animate.add_argument("--loop", type=_path, metavar="FILE", help="also keep the solved loop")


def _add_suggest(commands: Any) -> None:
    suggest = commands.add_parser(
        "suggest", help="tell which way a masked still repeats, or what could be masked", allow_abbrev=False
    )
    suggest.add_argument(
        "still", type=_path, metavar="STILL", help="the picture: PNG, JPEG, TIFF, WEBP or BMP"
    )
    given = suggest.add_mutually_exclusive_group(required=True)
    given.add_argument(
        "--mask",
        type=_path,
        help="a picture of the still's size, white where it moves: print strokes for it",
    )
    given.add_argument(
        "--output", type=_path, metavar="FOLDER", help="write masks to choose from there, best first"
    )
    suggest.set_defaults(run=_suggest)


def _suggest(wanted: argparse.Namespace) -> None:
    still = read_still(wanted.still)
    if wanted.output:
        masks = suggest_masks(still)
        write_masks(masks, wanted.output)
        print(f"{len(masks)} masks in {wanted.output}")
        return
    for direction in suggest_directions(still, read_mask(wanted.mask)):
        stroke = " ".join(f"{x:.0f},{y:.0f}" for x, y in direction.stroke)
        x, y = direction.vector
        print(f'--stroke "{stroke}"  # direction {x:+.3f},{y:+.3f}, votes {direction.votes:.2f}')


def _animate(wanted: argparse.Namespace) -> None:
    count = check_frame_count(wanted.frames)
    if wanted.video:
        check_video_name(wanted.video)
    _check_places(wanted)
    if is_footage(wanted.still):
        _animate_footage(wanted, count)
    else:
        _animate_still(wanted, count)


def _check_places(wanted: argparse.Namespace) -> None:
    """Refuse to write over what the loop is made from, and to lose one result to another."""
    folder = Path(os.path.realpath(wanted.output))
    files = [file for file in (wanted.video, wanted.loop) if file]
    places = [Path(os.path.realpath(file)) for file in files]
    for source in (wanted.still, wanted.mask):
        place = Path(os.path.realpath(source))
        if place in places or place.is_relative_to(folder):
            raise BadFile(f"What is made would take the place of {source}: choose another place for it.")
    for file, place in zip(files, places, strict=True):
        if place.is_relative_to(folder) or places.count(place) > 1:
            raise BadFile(f"{file} would be lost to what else is written there: choose another place for it.")
        check_replaceable_file(file)
    check_frames_folder(wanted.output)


def _animate_footage(wanted: argparse.Namespace, count: int) -> None:
    bar = _Bar(1)
    try:
        mask = read_mask(wanted.mask)
        settings = Settings(soft_edge=wanted.soft_edge)
        moving = solve_video(
            wanted.still, mask, wanted.stroke, frames_per_turn=count, settings=settings, progress=bar
        )
        if wanted.loop:
            moving.loop.save(wanted.loop)
        made = write_footage(moving, wanted.output, wanted.video, moving.rate)
    finally:
        bar.clear()
    for warning in moving.warnings:
        _say(warning)
    _tell_confidence(moving.loop)
    print(f"{made} frames in {wanted.output}")


def _animate_still(wanted: argparse.Namespace, count: int) -> None:
    bar = _Bar(3 if wanted.video else 2)
    try:
        settings = Settings(soft_edge=wanted.soft_edge)
        still, mask = read_still(wanted.still), read_mask(wanted.mask)
        loop = solve(still, mask, wanted.stroke, settings, bar)
        bar.next_part()
        if wanted.loop:
            loop.save(wanted.loop)
        if wanted.video:
            write_video(loop, count, wanted.video, bar)
            bar.next_part()
        write_frames(loop, count, wanted.output, bar)
    finally:
        bar.clear()
    for warning in loop.warnings:
        _say(warning)
    _tell_confidence(loop)
    print(f"{count} frames in {wanted.output}")


def _tell_confidence(loop: Loop) -> None:
    if loop.hardly_repeats:
        _say(
            f"The still hardly repeats along the stroke (confidence {loop.confidence:.2f}): "
            "the loop drifts and dissolves. Try a stroke from one repetition to the next."
        )
    elif loop.confidence == 0:
        _say("Nothing in the mask is seen to move: it is transparent or of one color. Mask what repeats.")


def _path(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("the path is empty: name a file or a folder")
    return text


def _points(text: str) -> NDArray[np.float64]:
    try:
        points = [[float(value) for value in pair.split(",")] for pair in text.split()]
    except ValueError:
        points = []
    if not points or any(len(pair) != 2 for pair in points):
        raise argparse.ArgumentTypeError(f'{text!r} isn\'t a stroke: write it as "x,y x,y ..." in pixels')
    return np.array(points)


def _say(sentence: str) -> None:
    print(" ".join(sentence.split()), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
