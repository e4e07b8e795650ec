"""The engine lives without Blender, and without its heavy libraries until they are needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(script, **environment):
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_every_module_of_the_engine_imports_where_there_is_no_blender():
    modules = [f"engine.{path.stem}" for path in sorted((ROOT / "engine").glob("*.py"))]
    assert "engine.solver" in modules
    blocked = "import sys, importlib; sys.modules.update({'bpy': None, 'mathutils': None, 'gpu': None})\n"
    done = run(blocked + f"for name in {modules!r}: importlib.import_module(name)")
    assert done.returncode == 0, done.stderr


def test_importing_the_engine_does_not_wait_for_what_only_solving_needs():
    heavy = ("cv2", "scipy", "onnxruntime", "pydensecrf", "bpy")
    done = run(f"import sys, engine; print([name for name in {heavy!r} if name in sys.modules])")
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_every_public_name_is_there_when_it_is_asked_for():
    import engine

    for name in engine.__all__:
        assert getattr(engine, name).__name__ == name
    assert set(engine.__all__) <= set(dir(engine))
    assert not hasattr(engine, "sovle")


def test_the_network_reports_to_nobody_and_leaves_nothing_in_the_home_folder(tmp_path):
    # onnxruntime keeps quiet where these are set, as on a build server.
    quiet = ("CI", "TF_BUILD", "GITHUB_ACTIONS", "ORT_RUNNING_UNIT_TESTS", "ORT_DISABLE_TELEMETRY")
    script = (
        f"import os\nfor name in {quiet!r}: os.environ.pop(name, None)\n"
        "import numpy as np, engine.descriptors as descriptors\n"
        "descriptors.describe(np.ones((64, 64, 3), np.float32))\n"
        "print([name for name in os.environ if name.startswith('ORT')])"
    )
    home = str(tmp_path)
    done = run(script, HOME=home, XDG_CACHE_HOME=home, LOCALAPPDATA=home)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
    assert not list(tmp_path.rglob("*"))
