"""Print what *To Sequencer* takes over the engine's own writing of the same frames, inside Blender.

Run by `nox -s to-sequencer`: 80 frames of the shipped still at 1080p, as PNG; both ways take turns.
"""

from __future__ import annotations

import importlib
import json
import statistics
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from .in_blender import PACKAGE, with_the_addon

ROOT = Path(__file__).resolve().parents[2]
FRAMES, WIDTH, HEIGHT, RUNS = 80, 1920, 1080, 5


def measure(work: Path) -> None:
    """Solve once, write in turns, print medians and their ratio."""
    import bpy

    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(work / "speed.blend"))
    still = solved_still(bpy)
    write_frames = importlib.import_module(f"{PACKAGE}.engine.imagefiles").write_frames
    loop = still.endless_loops.loop()
    seconds: dict[str, list[float]] = {"engine": [], "To Sequencer": [], "moving part only": []}
    for run in range(RUNS):
        start = time.perf_counter()
        write_frames(loop, FRAMES, work / "frames")
        middle = time.perf_counter()
        send(bpy, still, moving_part_only=False)
        end = time.perf_counter()
        send(bpy, still, moving_part_only=True)
        for name, value in zip(
            seconds, (middle - start, end - middle, time.perf_counter() - end), strict=True
        ):
            seconds[name].append(value)
        print(
            f"run {run + 1}: " + ", ".join(f"{name} {values[-1]:.2f} s" for name, values in seconds.items())
        )
    print(f"{FRAMES} frames {WIDTH} x {HEIGHT} as PNG in Blender {bpy.app.version_string}, medians:")
    folders = (
        work / "frames",
        *(work / "endless_loops" / "speed" / name for name in ("still", "still_part")),
    )
    for (name, values), folder in zip(seconds.items(), folders, strict=True):
        ratio = statistics.median(v / e for v, e in zip(values, seconds["engine"], strict=True))
        size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
        print(f"  {name}: {statistics.median(values):.2f} s, ratio {ratio:.2f}, {size:.0f} MB")


def send(bpy: ModuleType, still: Any, moving_part_only: bool) -> None:
    """Write the frames and place the strip."""
    still.endless_loops.moving_part_only = moving_part_only
    bpy.ops.endless_loops.to_sequencer(image=still.name)


def solved_still(bpy: ModuleType) -> Any:
    """Load and solve the shipped still, scaled to 1080p."""
    folder = ROOT / "examples" / "facade"
    still = bpy.data.images.load(str(folder / "still.png"))
    mask = bpy.data.images.load(str(folder / "mask.png"))
    width, height = still.size
    for image in (still, mask):
        image.scale(WIDTH, HEIGHT)
    loop = still.endless_loops
    loop.mask_image, loop.frame_count = mask, FRAMES
    for points in json.loads((folder / "strokes.json").read_text()):
        loop.add_direction([(x * WIDTH / width, y * HEIGHT / height) for x, y in points])
    bpy.ops.endless_loops.solve(image=still.name)
    return still


if __name__ == "__main__":
    with_the_addon(measure)
