"""Frames become files, in the worker thread: encoded right here, or by Blenders started for it.

An 8-bit still's frames have the very bytes that Blender would put into a PNG, so they are encoded here. For
any other format or still, Blender's own color management and writers are what makes a file right; they would
hold up the window, so they run in processes of their own.
"""

import json
import queue
import struct
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import numpy as np

from . import processes
from .output import refused_by_disk, write_frame

_PROCESSES = 2
_HEADER = 8 + 25  # bytes of a PNG's signature and of its first chunk


class FrameWriter:
    """Writes the frames of one loop in one format; made in the main thread, used in the worker.

    Parameters
    ----------
    output : OutputFormat
    still : (H, W, C) array
        The loop's still: its frames have C channels, and its type.
    moving_rows : slice, optional
        Frames are the still above and below these rows, which saves encoding that again and again.
    """

    def __init__(self, output, still, moving_rows=None):
        self._output, self._still, self._moving_rows = output, still, moving_rows
        is_color = output.mode(still.shape[2]) != "BW"
        self._is_encoded_here = output.file_format == "PNG" and still.dtype == np.uint8 and is_color
        if self._is_encoded_here:
            self._chunks = _sample_chunks(output, still.shape[2])
        else:
            self._command = processes.command("write_frames.py", json.dumps(asdict(output)))

    def write(self, frames, paths, progress):
        """Write frames to paths; raises `Refused` when the disk won't take them.

        Parameters
        ----------
        frames : iterable of arrays
            As many as paths.
        paths : list of Path
        progress : callable(fraction, stage)
            May raise to stop: nothing is written any more when that gets out.
        """
        from ..engine.imagefiles import write_pictures

        if self._is_encoded_here:
            self._encode_png = self._png_encoder()
            return write_pictures(frames, paths, self._write_png, progress)
        with ExitStack() as stack:
            idle = queue.SimpleQueue()
            for _ in range(min(_PROCESSES, len(paths))):
                idle.put(stack.enter_context(processes.FrameProcess(self._command)))

            def write(path, frame):
                process = idle.get()
                try:
                    process.write(path, frame)
                finally:
                    idle.put(process)

            write_pictures(frames, paths, write, progress)

    def _write_png(self, path, frame):
        encoded = self._encode_png(frame)
        try:
            path.write_bytes(encoded[:_HEADER] + self._chunks + encoded[_HEADER:])
        except OSError as error:
            raise refused_by_disk(path) from error

    def _png_encoder(self):
        """What makes a file of a frame: the engine's fastest way, or the level that was asked for."""
        from ..engine.imagefiles import encode_png
        from ..engine.png import PngEncoder

        depth = np.uint16(257) if self._output.color_depth == "16" else np.uint8(1)
        level = self._output.png_level
        if level is not None:
            return lambda frame: encode_png(frame * depth, level)
        encoder = PngEncoder(self._still * depth, self._moving_rows)
        return lambda frame: encoder.encode(frame * depth)


def _sample_chunks(output, channels):
    """What Blender writes between header and pixels of such a PNG: its color space and resolution."""
    with tempfile.TemporaryDirectory(prefix="endless_loops_") as folder:
        path = Path(folder) / "sample.png"
        write_frame(np.zeros((8, 8, channels), np.uint8), path, output)
        sample = path.read_bytes()
    end = _HEADER
    while sample[end + 4 : end + 8] != b"IDAT":
        end += struct.unpack(">I", sample[end : end + 4])[0] + 12
    return sample[_HEADER:end]
