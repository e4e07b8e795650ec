"""Test the add-on as users get it: its zip is built and installed into a bpy with empty settings."""

import atexit
import contextlib
import importlib
import os
import resource
import shutil
import signal
import tempfile
from pathlib import Path

import numpy as np
import pytest

SANDBOX = tempfile.mkdtemp(prefix="endless_loops_test_")
# What is registered first runs last: Blender, imported below, has ended by then.
atexit.register(shutil.rmtree, SANDBOX, ignore_errors=True)
# Blender reads this when it starts, which is when bpy is imported.
os.environ["BLENDER_USER_RESOURCES"] = SANDBOX

bpy = pytest.importorskip("bpy", reason="these tests run in Blender: install bpy")

import build_addon  # noqa: E402  (after the sandbox is set up)

PACKAGE = "bl_ext.user_default.endless_loops"


@pytest.fixture(scope="session", autouse=True)
def installed(tmp_path_factory):
    series = f"{bpy.app.version[0]}.{bpy.app.version[1]}"
    path = build_addon.build(series, build_addon.this_platform(), tmp_path_factory.mktemp("zip"))
    bpy.ops.extensions.package_install_files(
        filepath=str(path), repo="user_default", enable_on_install=True, overwrite=True
    )
    return path


@pytest.fixture(autouse=True)
def empty_file(installed):
    bpy.ops.wm.read_homefile(use_empty=True)


@pytest.fixture
def addon():
    """Import a module of the installed add-on: `addon("loops")`."""
    return lambda name="": importlib.import_module(f"{PACKAGE}.{name}" if name else PACKAGE)


def windows(height=160, width=240, step=40):
    """A wall of windows, (H, W, 3) uint8: one every `step` pixels, each with a shade of its own."""
    rng = np.random.default_rng(7)
    picture = np.full((height, width, 3), (150, 130, 110), np.uint8)
    for top in range(8, height - step // 2, step):
        for left in range(8, width - step // 2, step):
            picture[top : top + step // 2, left : left + step // 2] = (40, 60, 90 + rng.integers(0, 20))
            picture[top + step // 4, left : left + step // 2] = 220
    return np.clip(picture + rng.integers(-6, 7, picture.shape), 0, 255).astype(np.uint8)


def new_image(array, name="wall.png", **kinds):
    """A Blender image that holds `array`, (H, W, C) uint8 or float32, first row on top."""
    height, width, channels = array.shape
    image = bpy.data.images.new(
        name, width, height, alpha=channels == 4, float_buffer=array.dtype != np.uint8, **kinds
    )
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :channels] = array
    if array.dtype == np.uint8:
        pixels[..., :channels] /= 255
    image.pixels.foreach_set(pixels[::-1].ravel())
    image.update()
    image.pack()
    return image


def pixels_of(path):
    """What a picture file holds, (H, W, 4) float32, first row on top, as Blender reads it."""
    image = bpy.data.images.load(str(path))
    flat = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(flat)
    array = flat.reshape(image.size[1], image.size[0], 4)[::-1]
    bpy.data.images.remove(image)
    return array


def bytes_of(path):
    """What an 8-bit picture file holds, (H, W, 4) uint8, first row on top."""
    return np.rint(pixels_of(path) * 255).astype(np.uint8)


def inset(height=160, width=240, border=24):
    """A mask, (H, W) bool: everything but the border."""
    mask = np.zeros((height, width), bool)
    mask[border:-border, border:-border] = True
    return mask


@pytest.fixture
def saved(tmp_path):
    """The folder of a saved .blend."""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    return Path(tmp_path)


@pytest.fixture
def still():
    """A still with a mask and a direction, ready to be solved."""
    image = new_image(windows())
    image.endless_loops.set_mask(inset())
    image.endless_loops.add_direction([(120, 140), (120, 20)])
    return image


@pytest.fixture
def solved(saved, still):
    """A still whose loop is solved, in a saved .blend."""
    assert bpy.ops.endless_loops.solve(image=still.name) == {"FINISHED"}
    still.endless_loops.frame_count = 6
    still.endless_loops.repeat = 3
    return still


@contextlib.contextmanager
def full_disk():
    """A disk that takes files of 4 kB and no more, until the block ends: pytest reports to a file, too."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
