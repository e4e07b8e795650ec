"""The engine lives without Blender, and without its heavy libraries until they are needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(script):
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60
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
