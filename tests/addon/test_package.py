"""What is installed: light to register, allowed by Blender's rules, and gone when it is removed."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import addon_utils
import bpy

from .conftest import PACKAGE

ROOT = Path(__file__).parents[2]
HEAVY = {"cv2", "scipy", "onnxruntime", "engine"}


def run(code):
    """Run code in a fresh Blender with the same settings and extensions."""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_registering_imports_nothing_heavy(installed):
    loaded = run(
        "import sys, bpy, addon_utils\n"
        f"addon_utils.enable('{PACKAGE}')\n"
        f"print('LOADED', sorted(n for n in sys.modules if n.split('.')[0] in {HEAVY}))\n"
        f"print([n for n in sys.modules if n.startswith('{PACKAGE}.engine')])"
    )
    assert "LOADED []\n[]" in loaded


def test_these_tests_leave_nothing_on_disk(tmp_path):
    places = {name: str(tmp_path) for name in ("TMPDIR", "TEMP", "TMP")}
    code = "import tests.addon.conftest, os; assert os.listdir(os.environ['TMPDIR'])"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, env={**os.environ, **places})
    assert not list(tmp_path.iterdir())


def test_blender_reports_no_policy_violation():
    assert (
        addon_utils.extensions_warnings_get() == {}
        if hasattr(addon_utils, "extensions_warnings_get")
        else True
    )
    assert addon_utils._extensions_warnings_get() == {}


def test_the_zip_holds_everything_once(installed):
    names = zipfile.ZipFile(installed).namelist()
    assert {"engine/__init__.py", "models/vgg16_narrow.onnx", "LICENSE", "blender_manifest.toml"} <= set(
        names
    )
    assert len([n for n in names if n.startswith("wheels/")]) == 3
    assert not [n for n in names if "__pycache__" in n or "numpy-" in n]


def test_disabling_and_enabling_again():
    addon_utils.disable(PACKAGE)
    assert not hasattr(bpy.types.Image, "endless_loops")
    assert not hasattr(bpy.types, "ENDLESSLOOPS_PT_mask")
    addon_utils.enable(PACKAGE)
    assert hasattr(bpy.types.Image, "endless_loops")


def test_the_descriptors_run_in_onnxruntime_from_the_wheel():
    import onnxruntime

    assert ".local" in onnxruntime.__file__


def test_killing_blender_while_it_writes_leaves_the_previous_sequence(solved, saved):
    bpy.ops.endless_loops.to_sequencer(image=solved.name)
    bpy.ops.wm.save_mainfile()
    folder = saved / "endless_loops" / "scene" / "wall"
    before = {f.name: f.read_bytes() for f in folder.iterdir()}
    code = (
        "import importlib, os, bpy, addon_utils\n"
        f"addon_utils.enable('{PACKAGE}')\n"
        f"bpy.ops.wm.open_mainfile(filepath={str(saved / 'scene.blend')!r})\n"
        f"writer = importlib.import_module('{PACKAGE}.bridge.frame_files').FrameWriter\n"
        "write = writer._write_png\n"
        "def die_at_the_third(self, path, frame):\n"
        "    if '0003' in str(path): os._exit(9)\n"
        "    write(self, path, frame)\n"
        "writer._write_png = die_at_the_third\n"
        "bpy.ops.endless_loops.to_sequencer(image='wall.png')\n"
    )
    environment = {**os.environ, "TMPDIR": str(saved)}  # a Blender that dies leaves its folder there
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment).returncode == 9
    assert {f.name: f.read_bytes() for f in folder.iterdir()} == before


def test_the_readme_shows_the_script_that_the_demo_runs():
    script = (ROOT / "examples" / "facade_in_blender.py").read_text("utf-8")
    shown = script.split("# [README\n")[1].split("# README]")[0]
    assert shown in (ROOT / "README.md").read_text("utf-8")
    assert len(shown.strip().splitlines()) <= 25
