"""Blenders of the add-on's own, in the background: whatever takes long there, the window stays free."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import bpy

from ..errors import Refused

_REPLY = "endless_loops: "  # begins the lines that answer; Blender prints messages of its own as well


def command(script, argument):
    """The command that runs a script of this folder in a new Blender with an argument; main thread only.

    Returns
    -------
    list of str
    """
    path = str(Path(__file__).with_name(script))
    if not bpy.app.binary_path:
        return [sys.executable, path, argument]
    blender = [bpy.app.binary_path, "--background", "--factory-startup", "--python-exit-code", "1"]
    if not sys.flags.ignore_environment:
        blender.append("--python-use-system-env")
    return [*blender, "--python", path, "--", argument]


def environment(folder):
    """What lets a new Blender keep temporary files in a folder: one that is stopped leaves them behind."""
    return {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))}


class FrameProcess:
    """A Blender that writes one frame after the other; see write_frames.py, which it runs."""

    def __init__(self, command):
        self._command = command

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="endless_loops_", ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(self._folder.name),
        )
        return self

    def __exit__(self, *_error):
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def write(self, path, frame):
        """Write one frame and wait until its file is there; raises `Refused` with the reason if it isn't."""
        head = {"path": str(path), "shape": frame.shape, "type": frame.dtype.name}
        try:
            self._process.stdin.write(json.dumps(head).encode() + b"\n" + frame.tobytes())
            self._process.stdin.flush()
        except OSError as error:
            raise self._stopped(path) from error
        for line in self._process.stdout:
            text = line.decode("utf-8", "replace")
            if text.startswith(_REPLY):
                refusal = json.loads(text.removeprefix(_REPLY))
                if refusal:
                    raise Refused(refusal)
                return
        raise self._stopped(path)

    def _stopped(self, path):
        return Refused(f"The frame can't be written to {path}: Blender stopped. Choose another format")
