"""Print what the installed add-on adds to Blender's start; run by `nox -s to-sequencer`, inside Blender."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

from .in_blender import PACKAGE, with_the_addon

RUNS = 5
START = f"""
import bpy
import sys, time, addon_utils
start = time.perf_counter()
addon_utils.enable({PACKAGE!r})
enabled = time.perf_counter()
module = sys.modules[{PACKAGE!r}]
module.unregister()
again = time.perf_counter()
module.register()
print(enabled - start, time.perf_counter() - again)
"""
"""Loads and registers in a Blender where the add-on is installed, then registers once more."""


def measure(_work: Path) -> None:
    """Start Blender anew some times and print medians."""
    import bpy

    command = [sys.executable, "-c", START]
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    starts = [
        subprocess.run(command, check=True, capture_output=True, text=True, env=ours).stdout
        for _ in range(RUNS + 1)
    ][1:]  # the first one compiles; Blender keeps what it compiled
    loaded, registered = zip(*(map(float, start.splitlines()[-1].split()) for start in starts), strict=True)
    print(
        f"the add-on in Blender {bpy.app.version_string}: loading and registering "
        f"{1000 * statistics.median(loaded):.0f} ms, registering alone "
        f"{1000 * statistics.median(registered):.1f} ms (goal 50)"
    )


if __name__ == "__main__":
    with_the_addon(measure)
