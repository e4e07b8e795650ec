"""How long things take, as ratios of what runs beside them: `python -m tests.benchmarks speed`."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import engine
from engine.area import mask_box
from engine.assignment import solve_crf
from engine.imagefiles import encode_png, write_frames

from .cases import Case, photographs

ROOT = Path(__file__).resolve().parents[2]
FRAMES = 80
FULL_HD = (1920, 1080)
SIZES = {1: (1333, 750), 12: (4619, 2598), 50: (9427, 5303)}
"""Megapixels, and (width, height) of a picture of so many."""
PEAK_FRAMES = 16
"""Frames written while memory is watched: after the first few it stays as it is."""
CRF_SHAPES = ((7, 11), (12, 50))
"""Angles and lengths: 77 and 600 labels."""
CRF_PLACES = (96, 64)
"""Rows and columns of the CRF that both solve."""

Job = Callable[[], Any]


@dataclass(frozen=True)
class Line:
    """A figure.

    Parameters
    ----------
    what : str
    goal : str
    value : str
    note : str
        What it's made of, in seconds and the like.
    """

    what: str
    goal: str
    value: str
    note: str = ""


def scene(size: tuple[int, int]) -> Case:
    """Show the shipped facade at another size (width, height)."""
    folder = ROOT / "examples" / "facade"
    still = cv2.cvtColor(cv2.imread(str(folder / "still.png")), cv2.COLOR_BGR2RGB)
    mask = cv2.imread(str(folder / "mask.png"), cv2.IMREAD_GRAYSCALE)
    stroke = np.array(json.loads((folder / "strokes.json").read_text())[0], float)
    stroke *= np.array(size) / still.shape[1::-1]
    still = cv2.resize(still, size, interpolation=cv2.INTER_CUBIC)
    inside = cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR) > 127
    return Case(f"facade {size[0]} x {size[1]}", "tune", still, inside, stroke)


def solve(case: Case) -> engine.Loop:
    """Solve with the default settings."""
    return engine.solve(case.still, case.mask, [case.stroke])


def taking_turns(repeats: int, **jobs: Job) -> dict[str, list[float]]:
    """Run each job once a round; seconds by name. Whatever else the machine does then hits all alike."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            begin = time.perf_counter()
            job()
            times[name].append(time.perf_counter() - begin)
    return times


def ratio(over: list[float], under: list[float]) -> float:
    """Find the median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


def of_solving(stills: Path, repeats: int) -> Iterator[Line]:
    """Solve the photographs, beside the recipe."""
    from . import recipe

    gains, ours = {}, {}
    for case in photographs(stills):
        times = taking_turns(
            repeats,
            engine=lambda case=case: solve(case),
            recipe=lambda case=case: recipe.solve(case.still, case.mask, case.stroke),
        )
        gains[case.name] = ratio(times["recipe"], times["engine"])
        ours[case.name] = statistics.median(times["engine"])
        print(f"  {case.name}: {ours[case.name]:.2f} s, {gains[case.name]:.1f}", file=sys.stderr, flush=True)
    slowest = max(ours, key=lambda name: ours[name])
    mean = float(np.exp(np.mean(np.log(list(gains.values())))))
    yield Line("solve: the recipe's time over ours, geometric mean", ">= 12", f"{mean:.1f}", "photographs")
    yield Line("solve: the slowest photograph, s", "<= 0.5", f"{ours[slowest]:.2f}", slowest)


def of_crf(repeats: int) -> Iterator[Line]:
    """Solve the same CRF built in and with pydensecrf2."""
    generator = np.random.default_rng(0)
    inside = np.ones(CRF_PLACES, bool)
    for (angles, lengths), goal in zip(CRF_SHAPES, (20, 150), strict=True):
        unary = generator.random((angles, lengths, *CRF_PLACES), np.float32) * 6
        spread = np.radians(np.linspace(-30, 30, angles)).astype(np.float32)
        times = taking_turns(
            repeats,
            engine=lambda u=unary, s=spread: solve_crf(u, s, inside, 2.5, 4.0, "builtin"),
            reference=lambda u=unary, s=spread: solve_crf(u, s, inside, 2.5, 4.0, "pydensecrf"),
        )
        yield Line(
            f"CRF of {angles * lengths} labels: pydensecrf2's time over ours",
            f">= {goal}",
            f"{ratio(times['reference'], times['engine']):.0f}",
            f"{1000 * statistics.median(times['engine']):.1f} ms",
        )


def of_sizes(repeats: int) -> Iterator[Line]:
    """Solve one scene at several sizes."""
    cases = {f"{size} MP": scene(shape) for size, shape in SIZES.items()}
    solve(cases["1 MP"])
    times = taking_turns(repeats, **{name: (lambda case=case: solve(case)) for name, case in cases.items()})
    note = ", ".join(f"{name} {statistics.median(seconds):.2f} s" for name, seconds in times.items())
    yield Line("solve: 12 MP over 1 MP", "", f"{ratio(times['12 MP'], times['1 MP']):.2f}", note)
    yield Line("solve: 50 MP over 1 MP", "<= 3", f"{ratio(times['50 MP'], times['1 MP']):.2f}")


def bare_frame(case: Case, loop: engine.Loop) -> Job:
    """Make what any frame costs at least: two look-ups and a blend of the mask's bounding box, by OpenCV."""
    box = mask_box(case.mask)
    rows, columns = (np.arange(side.start, side.stop, dtype=np.float32) for side in box)
    here = np.stack(np.meshgrid(columns, rows), -1)
    ways = [here + np.float32(0.37) * field[box] for field in (loop.inverse, loop.forward)]

    def frame() -> NDArray[np.uint8]:
        first, second = (
            cv2.remap(case.still, way, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for way in ways
        )
        return cv2.addWeighted(first, 0.63, second, 0.37, 0)

    return frame


def of_frames(repeats: int) -> Iterator[Line]:
    """Render frames in memory, over the bare look-ups."""
    for name, size, count in (("1080p", FULL_HD, FRAMES), ("12 MP", SIZES[12], FRAMES)):
        case = scene(size)
        loop = solve(case)
        bare = bare_frame(case, loop)
        loop.frame(0.5)
        times = taking_turns(
            repeats,
            engine=lambda loop=loop, count=count: [None for _ in loop.frames(count)],
            bare=lambda bare=bare, count=count: [None for _ in range(count) if bare() is None],
        )
        box = mask_box(case.mask)
        pixels = (box[0].stop - box[0].start) * (box[1].stop - box[1].start)
        yield Line(
            f"{count} frames {name} in memory, over bare look-ups and a blend",
            "<= 1.9",
            f"{ratio(times['engine'], times['bare']):.2f}",
            f"{1000 * statistics.median(times['engine']) / count:.1f} ms a frame, box {pixels / 1e6:.1f} MP",
        )


def of_first_frames(repeats: int) -> Iterator[Line]:
    """Render the first frame of a loop, which draws all that frames look at, over a later one."""
    for size in (12, 50):
        case = scene(SIZES[size])
        first: list[float] = []
        later: list[float] = []
        for _ in range(repeats):
            loop = solve(case)
            times = taking_turns(
                1, first=lambda loop=loop: loop.frame(0.5), later=lambda loop=loop: loop.frame(0.4)
            )
            first += times["first"]
            later += times["later"]
        note = f"{statistics.median(first):.2f} s, later ones {statistics.median(later):.2f} s"
        yield Line(f"the first frame of {size} MP, over a later one", "", f"{ratio(first, later):.1f}", note)


def of_files(repeats: int) -> Iterator[Line]:
    """Write PNG files, over encoding frames that are ready."""
    case = scene(FULL_HD)
    loop = solve(case)
    ready = list(loop.frames(FRAMES))
    work = Path(tempfile.mkdtemp(prefix="endless_loops_"))

    def on_all_cores(encode: Callable[[NDArray[Any]], Any]) -> Job:
        def job() -> list[Any]:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                return list(pool.map(encode, ready))

        return job

    box = mask_box(case.mask)
    alpha = np.where(case.mask[box], np.uint8(255), np.uint8(0))

    def cutout(frame: NDArray[np.uint8]) -> bytes:
        return encode_png(np.dstack([frame[box] & alpha[..., None], alpha]))

    try:
        times = taking_turns(
            repeats,
            engine=lambda: write_frames(loop, FRAMES, work / "frames"),
            ready=on_all_cores(lambda frame: cv2.imencode(".png", frame)),
            overlay=on_all_cores(cutout),
        )
        size = sum(path.stat().st_size for path in (work / "frames").iterdir()) / FRAMES
    finally:
        shutil.rmtree(work)
    plain = len(cv2.imencode(".png", ready[1])[1])
    yield Line(
        f"{FRAMES} frames 1080p to PNG, over encoding ready ones on all cores",
        "<= 1.2",
        f"{ratio(times['engine'], times['ready']):.2f}",
        f"{statistics.median(times['engine']):.2f} s; files {size / plain:.2f} of OpenCV's",
    )
    yield Line(
        "the mask's box alone, with alpha, as an overlay: encoding over whole frames'",
        "",
        f"{ratio(times['overlay'], times['ready']):.2f}",
        f"files {len(cutout(ready[1])) / size:.2f} of whole frames'",
    )


def of_saving(repeats: int) -> Iterator[Line]:
    """Save a solved loop and read it again, over the still alone as OpenCV's PNG."""
    case = scene(SIZES[12])
    loop = solve(case)
    work = Path(tempfile.mkdtemp(prefix="endless_loops_"))
    try:
        times = taking_turns(
            repeats,
            save=lambda: loop.save(work / "loop"),
            load=lambda: engine.Loop.load(work / "loop"),
            png=lambda: cv2.imwrite(str(work / "still.png"), case.still),
        )
        sizes = [(work / name).stat().st_size for name in ("loop", "still.png")]
    finally:
        shutil.rmtree(work)
    for name, what in (("save", "saving"), ("load", "reading")):
        yield Line(
            f"{what} a loop of 12 MP, over writing its still alone as OpenCV's PNG",
            "",
            f"{ratio(times[name], times['png']):.2f}",
            f"{statistics.median(times[name]):.2f} s; its file {sizes[0] / sizes[1]:.2f} of the PNG's",
        )


def of_whole_job(repeats: int) -> Iterator[Line]:
    """Solve and render from nothing to 80 frames in memory."""
    case = scene(FULL_HD)
    solve(case)
    times = taking_turns(repeats, job=lambda: list(solve(case).frames(FRAMES)))
    seconds = statistics.median(times["job"])
    yield Line(f"whole job: 1080p, {FRAMES} frames in memory, s", "<= 1", f"{seconds:.2f}")


def of_memory() -> Iterator[Line]:
    """Watch a process of its own that solves 50 megapixels and writes frames."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        peak = pool.submit(_peak_of_large_job).result()
    pixels = SIZES[50][0] * SIZES[50][1]
    yield Line(
        f"peak memory of a 50 MP solve and {PEAK_FRAMES} frames written, bytes a pixel",
        "<= 96",
        f"{peak / pixels:.0f}",
        f"{peak / 1e9:.2f} GB, the process as a whole",
    )


def _peak_of_large_job() -> int:
    work = Path(tempfile.mkdtemp(prefix="endless_loops_"))
    try:
        write_frames(solve(scene(SIZES[50])), PEAK_FRAMES, work / "frames")
    finally:
        shutil.rmtree(work)
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def of_import(repeats: int) -> Iterator[Line]:
    """Import the engine in a new process that has NumPy, as Blender has."""
    script = "import numpy, time; t = time.perf_counter(); import engine; print(time.perf_counter() - t)"
    command = [sys.executable, "-c", script]
    times = [
        float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
        for _ in range(repeats)
    ]
    yield Line("import engine, with NumPy there, ms", "<= 60", f"{1000 * statistics.median(times):.0f}")


GROUPS: dict[str, Callable[[Path, int], Iterator[Line]]] = {
    "solve": of_solving,
    "crf": lambda _, repeats: of_crf(repeats),
    "sizes": lambda _, repeats: of_sizes(repeats),
    "frames": lambda _, repeats: of_frames(repeats),
    "first": lambda _, repeats: of_first_frames(repeats),
    "files": lambda _, repeats: of_files(repeats),
    "saving": lambda _, repeats: of_saving(repeats),
    "job": lambda _, repeats: of_whole_job(repeats),
    "memory": lambda _stills, _repeats: of_memory(),
    "import": lambda _, repeats: of_import(repeats),
}


def measured(stills: Path, repeats: int, only: list[str] | None) -> Iterator[Line]:
    """Measure every group of figures, or those whose name contains one of some texts."""
    for name, group in GROUPS.items():
        if only is None or any(text in name for text in only):
            yield from group(stills, repeats)


def table(lines: list[Line], title: str = "speed") -> str:
    """Write the table: what, the goal, the figure, and what it's made of."""
    cells = [(title, "goal", "measured", "")] + [(n.what, n.goal, n.value, n.note) for n in lines]
    widths = [max(len(row[k]) for row in cells) for k in range(3)]
    text = [
        f"{what:<{widths[0]}}  {goal:>{widths[1]}}  {value:>{widths[2]}}  {note}".rstrip()
        for what, goal, value, note in cells
    ]
    return "\n".join([text[0], "-" * max(map(len, text)), *text[1:]])
