"""Print what the installed add-on adds to Blender's start; run by `nox -s to-sequencer`, inside Blender."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGE = "bl_ext.user_default.endless_loops"
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


def main() -> None:
    """Install the add-on's zip with empty settings, start Blender anew some times and print medians."""
    work = Path(tempfile.mkdtemp(prefix="endless_loops_"))
    try:
        os.environ["BLENDER_USER_RESOURCES"] = str(work / "settings")
        measure(work)
    finally:
        shutil.rmtree(work)


def measure(work: Path) -> None:
    """Measure; `work` is a folder for what that needs and makes."""
    import bpy

    import build_addon

    series = f"{bpy.app.version[0]}.{bpy.app.version[1]}"
    path = build_addon.build(series, build_addon.this_platform(), work)
    bpy.ops.extensions.package_install_files(filepath=str(path), repo="user_default", enable_on_install=True)
    starts = [
        subprocess.run([sys.executable, "-c", START], check=True, capture_output=True, text=True).stdout
        for _ in range(RUNS + 1)
    ][1:]  # the first one compiles
    loaded, registered = zip(*(map(float, start.splitlines()[-1].split()) for start in starts), strict=True)
    print(
        f"the add-on in Blender {bpy.app.version_string}: loading and registering "
        f"{1000 * statistics.median(loaded):.0f} ms, registering alone "
        f"{1000 * statistics.median(registered):.1f} ms (goal 50)"
    )


if __name__ == "__main__":
    main()
