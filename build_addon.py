"""Build the add-on's installable zips, one for each platform and Blender series: `python build_addon.py`.

Each zip holds blender_addon/, engine/ and models/ as one package, and the wheels it needs, unmodified from
the package index (blender_addon/wheels.txt pins them by hash). Blender's own `extension build` and
`extension validate` make and check it: of the `bpy` module when that is installed beside this Python, else
of the `blender` on the path.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent
MEGABYTES_AT_MOST = 130

# Blender's series -> the first version that a zip is for, the first that it isn't for, and Python's tag.
SERIES = {
    "4.5": ("4.5.0", "5.0.0", "311"),
    "5.2": ("5.2.0", "6.0.0", "313"),
}
# Blender's platform -> pip's tags for it.
PLATFORMS = {
    "linux-x64": ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux2014_x86_64"),
    "windows-x64": ("win_amd64",),
    "macos-arm64": tuple(f"macosx_{major}_0_arm64" for major in (14, 13, 12, 11)),
}


def main(arguments: list[str] | None = None) -> int:
    """Build what the command line asks for; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--platform", action="append", choices=[*PLATFORMS, "this"], help="only this one (repeatable)"
    )
    parser.add_argument("--series", action="append", choices=SERIES, help="only this Blender (repeatable)")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="folder of the zips")
    asked = parser.parse_args(arguments)
    platforms = [this_platform() if name == "this" else name for name in asked.platform or PLATFORMS]
    asked.output.mkdir(parents=True, exist_ok=True)
    for series in asked.series or SERIES:
        for name in platforms:
            path = build(series, name, asked.output)
            print(f"{path}  {path.stat().st_size / 1e6:.0f} MB")
    return 0


def this_platform() -> str:
    """Name the platform this runs on as Blender does."""
    system = {"Linux": "linux", "Windows": "windows", "Darwin": "macos"}[platform.system()]
    machine = platform.machine().lower()
    return f"{system}-{'x64' if machine in {'x86_64', 'amd64'} else 'arm64'}"


def build(series: str, target: str, output: Path) -> Path:
    """Build one zip; returns its path."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    path = output / f"endless_loops-{version}-blender{series}-{target}.zip"
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "endless_loops"
        stage(package)
        download_wheels(package / "wheels", series, target)
        write_manifest(package, version, series, target)
        part = Path(folder) / path.name
        extension("build", "--source-dir", str(package), "--output-filepath", str(part))
        extension("validate", str(part))
        if part.stat().st_size > MEGABYTES_AT_MOST * 1e6:
            raise SystemExit(f"{path.name} is larger than {MEGABYTES_AT_MOST} MB")
        shutil.move(part, path)
    return path


def stage(package: Path) -> None:
    """Lay out the add-on's package: in it the engine and the models stand beside the add-on's own modules."""
    unneeded = shutil.ignore_patterns("__pycache__", "wheels.txt", "make_*.py")
    shutil.copytree(ROOT / "blender_addon", package, ignore=unneeded)
    for part in ("engine", "models"):
        shutil.copytree(ROOT / part, package / part, ignore=unneeded)
    shutil.copy(ROOT / "LICENSE", package)


def download_wheels(folder: Path, series: str, target: str) -> None:
    """Fetch the pinned wheels of one platform and Python; pip refuses a file whose hash isn't pinned."""
    python = SERIES[series][2]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--require-hashes", "--requirement", str(ROOT / "blender_addon" / "wheels.txt")]
    command += ["--dest", str(folder), "--python-version", python, "--implementation", "cp"]
    command += ["--abi", f"cp{python}", "--abi", "abi3"]
    for tag in PLATFORMS[target]:
        command += ["--platform", tag]
    subprocess.run(command, check=True)


def write_manifest(package: Path, version: str, series: str, target: str) -> None:
    """Complete the manifest: whatever differs from zip to zip, or is said elsewhere in the project."""
    first, last, _python = SERIES[series]
    lines = [
        f'version = "{version}"',
        f'blender_version_min = "{first}"',
        f'blender_version_max = "{last}"',
        f'platforms = ["{target}"]',
        "wheels = "
        + json.dumps(sorted(f"./wheels/{wheel.name}" for wheel in (package / "wheels").iterdir())),
    ]
    manifest = package / "blender_manifest.toml"
    text = manifest.read_text("utf-8")
    # Top-level keys have to stand before the first table.
    manifest.write_text(text.replace("[permissions]", "\n".join(lines) + "\n\n[permissions]"), "utf-8")


def extension(*arguments: str) -> None:
    """Run one of Blender's own extension commands; stops the build where Blender finds fault."""
    result = subprocess.run([*_extension_command(), *arguments], capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(result.stdout + result.stderr)


def _extension_command() -> list[str]:
    bpy = importlib.util.find_spec("bpy")
    if bpy is not None and bpy.origin is not None:
        script = next(Path(bpy.origin).parent.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py"))
        return [sys.executable, str(script)]
    blender = shutil.which("blender")
    if blender is None:
        raise SystemExit("Blender is needed to build its extension: put it on the path, or `pip install bpy`")
    return [blender, "--command", "extension"]


if __name__ == "__main__":
    sys.exit(main())
