"""Runs scenarios in a real window: Debian's Blender 5.2 in a folder of its own, under Xvfb."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import zipfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BLENDER = Path(os.environ.get("BLENDER_WINDOW_ROOT", Path.home() / ".cache" / "blender-gui"))
SCREENSHOTS = ROOT / "out" / "window"
SECONDS = 600  # for one scenario, on a busy machine


@pytest.fixture(scope="session")
def blender():
    """The folder with Blender in it, provisioned when it is empty; the tests are skipped where that fails."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("a Blender with a window is put up by root on Linux only")
    if not (BLENDER / "opt" / "site" / "cv2").is_dir() or not os.path.ismount(BLENDER / "proc"):
        BLENDER.mkdir(parents=True, exist_ok=True)
        made = subprocess.run(["bash", HERE / "provision.sh", BLENDER], capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"Blender with a window can't be provisioned: {made.stderr.strip()[-300:]}")
    return BLENDER


@pytest.fixture(scope="session")
def addon_zip(tmp_path_factory):
    """The add-on's zip without its wheels, which are for Blender's own Python and not for Debian's."""
    import build_addon

    whole = build_addon.build("5.2", "linux-x64", tmp_path_factory.mktemp("zip"))
    bare = whole.with_name("bare.zip")
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(bare, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename == "blender_manifest.toml":
                data = re.sub(rb"(?m)^wheels = .*\n", b"", data)
            if not entry.filename.startswith("wheels/"):
                target.writestr(entry.filename, data)
    return bare


@pytest.fixture
def play(blender, addon_zip, tmp_path):
    """Run a scenario file in the window; returns what it found out. Its screenshots land in out/window."""
    job = Path(tempfile.mkdtemp(prefix="endless_loops_", dir=blender / "tmp"))
    for source in [*HERE.glob("*.py"), *(ROOT / "examples" / "facade").iterdir(), addon_zip]:
        shutil.copy(source, job)
    inside = f"/{job.relative_to(blender)}"
    screen, display = _put_up_screen()
    environment = {
        **os.environ,
        "DISPLAY": display,
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "BLENDER_USER_RESOURCES": f"{inside}/settings",
        "PYTHONPATH": "/opt/site:/usr/lib/python3/dist-packages",
    }
    command = ["chroot", str(blender), "blender", "--python-use-system-env"]
    install = [
        "--command",
        "extension",
        "install-file",
        "-r",
        "user_default",
        "-e",
        f"{inside}/{addon_zip.name}",
    ]
    subprocess.run([*command, *install], env=environment, check=True, capture_output=True)

    def run(scenario):
        window = ["--gpu-backend", "opengl", "--enable-event-simulate", "-p", "0", "0", "1600", "900"]
        with open(tmp_path / "blender.log", "w") as log:
            process = subprocess.Popen(
                [*command, *window, "--python", f"{inside}/{scenario}.py"],
                env=environment,
                stdout=log,
                stderr=log,
            )
            _take_screenshots(process, job, SCREENSHOTS / scenario, environment)
        assert process.returncode == 0, (tmp_path / "blender.log").read_text()[-3000:]
        return json.loads((job / "found.json").read_text())

    yield run
    screen.terminate()
    screen.wait()
    shutil.rmtree(job, ignore_errors=True)


def _put_up_screen():
    """Start an Xvfb on whichever display is free; returns it and the display's name."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1600x900x24", "-nolisten", "tcp"]
    screen = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return screen, f":{screen.stdout.readline().strip()}"


def _take_screenshots(process, job, folder, environment):
    """Answer a scenario's wishes for screenshots until its Blender ends."""
    folder.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + SECONDS
    while process.poll() is None:
        if time.monotonic() > end:
            process.kill()
            process.wait()
            return
        wish = job / "GRAB"
        if wish.exists():
            target = folder / wish.read_text()
            subprocess.run(["import", "-window", "root", str(target)], env=environment, check=True)
            wish.unlink()
        time.sleep(0.1)


def pytest_terminal_summary(terminalreporter):
    if SCREENSHOTS.is_dir():
        terminalreporter.write_line(f"Screenshots: {SCREENSHOTS}")
