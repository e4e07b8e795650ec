"""Save Movie: the loop becomes a movie file."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import bpy

from .. import loops
from ..bridge import images, processes, sequencer
from ..bridge.output import output_format
from ..bridge.versions import edited_scene
from ..errors import Refused
from .common import check_target, output_path
from .render import RenderOperator


class ENDLESSLOOPS_OT_save_movie(RenderOperator, bpy.types.Operator):
    """Save the repeated loop as a movie, with the scene's encoder settings or as H.264"""

    bl_idname = "endless_loops.save_movie"
    bl_label = "Save Movie"
    bl_options = {"REGISTER"}

    def snapshot(self, context):
        still, scene = self.still(context), edited_scene(context)
        self.path, self.is_temporary = _movie_path(still, scene)
        check_target(still, self.path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refused(
                f"{self.path.parent} can't be made ({error.strerror}): choose another folder"
            ) from error
        depth = "16" if images.is_float(still) else "8"
        output = replace(output_format(still, scene), file_format="PNG", color_depth=depth, codecs=())
        stack = ExitStack()
        request = self.request(still, output, stack, _even_part)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="endless_loops_")))
        part = self.path.with_name(f".{self.path.stem}.part{self.path.suffix}")
        stack.callback(part.unlink, missing_ok=True)
        # In the place that was asked for, Blender would take # and braces of its path for more than letters.
        movie = folder / f"movie{self.path.suffix}"
        request.update(folder=folder, movie=movie, part=part)
        size = [side.stop for side in request["area"][::-1]]
        request["settings"] = sequencer.movie_settings(scene, movie, size)
        request["command"] = processes.command("encode_movie.py", str(folder / "movie.json"))
        return request

    @classmethod
    def work(cls, request, progress):
        names, warnings = super().work(request, lambda fraction, stage: progress(0.5 * fraction, stage))
        movie = {key: request[key] for key in ("repeat", "settings")} | {"names": names}
        movie["folder"] = str(request["folder"])
        (request["folder"] / "movie.json").write_text(json.dumps(movie), "utf-8")
        count = len(names) * request["repeat"]
        _encode(request, count, progress)
        try:
            shutil.move(request["movie"], request["part"])
        except OSError as error:
            raise Refused(
                f"The movie can't be written to {request['part'].parent} ({error.strerror}): "
                "choose another folder or free some space"
            ) from error
        return count, warnings

    def deliver(self, context, request, result):
        try:
            os.replace(request["part"], self.path)
        except OSError as error:
            raise Refused(f"The movie can't be saved as {self.path} ({error.strerror})") from error
        request["stack"].close()
        count, warnings = result
        if self.is_temporary:
            warnings.append("the .blend is not saved yet, so it is temporary")
        self.tell(f"{count} frames in {self.path}", warnings)


def _even_part(loop):
    """What a movie shows of a loop: encoders want even sizes."""
    return tuple(slice(0, length // 2 * 2) for length in loop.mask.shape)


def _encode(request, count, progress):
    """Render the movie in another Blender, which prints a line for each frame."""
    movie = request["movie"]
    log = request["folder"] / "log.txt"
    with open(log, "wb") as out:
        process = subprocess.Popen(
            request["command"],
            stdout=out,
            stderr=subprocess.STDOUT,
            env=processes.environment(request["folder"]),
        )
    try:
        while process.poll() is None:
            done = log.read_bytes().count(b"Append frame")
            progress(0.5 + 0.5 * min(done / count, 1), "Encoding")
            time.sleep(0.1)
    finally:
        process.kill()
        process.wait()
    errors = [line for line in log.read_text("utf-8", "replace").splitlines() if line.startswith("Error")]
    if errors or process.returncode or not movie.is_file() or movie.stat().st_size == 0:
        reason = errors[0] if errors else "the encoder stopped"
        raise Refused(
            f"The movie can't be written ({reason}): choose another folder or encoder, or free some space"
        )


def _movie_path(still, scene):
    suffix = sequencer.movie_suffix(scene)
    name = loops.name_of(still) + suffix
    asked = still.endless_loops.movie_path
    if not asked:
        return output_path(still, name)
    if asked.startswith("//") and not bpy.data.filepath:
        raise Refused("Save the .blend first: the movie's path is relative to it")
    path = Path(bpy.path.abspath(asked)).resolve()
    if asked.endswith(("/", "\\")) or path.is_dir():
        return path / name, False
    return (path if path.suffix else path.with_suffix(suffix)), False
