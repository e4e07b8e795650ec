"""What is measured inside Blender: settings of its own there, and the add-on's zip just built."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

PACKAGE = "bl_ext.user_default.endless_loops"


def with_the_addon(measure: Callable[[Path], None]) -> None:
    """Build and install the zip with empty settings and measure in it.

    Parameters
    ----------
    measure : callable(folder)
        Gets a folder for what it makes, which is removed afterwards.
    """
    work = Path(tempfile.mkdtemp(prefix="endless_loops_"))
    try:
        # Blender reads this when it starts, which is when bpy is imported.
        os.environ["BLENDER_USER_RESOURCES"] = str(work / "settings")
        import bpy

        import build_addon

        series = f"{bpy.app.version[0]}.{bpy.app.version[1]}"
        path = build_addon.build(series, build_addon.this_platform(), work)
        bpy.ops.extensions.package_install_files(
            filepath=str(path), repo="user_default", enable_on_install=True
        )
        measure(work)
    finally:
        shutil.rmtree(work)
