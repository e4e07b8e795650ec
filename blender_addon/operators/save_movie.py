"""Save Movie: the loop becomes a movie file."""

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import bpy

from .. import loops
from ..bridge import sequencer
from ..bridge.output import output_format
from ..bridge.versions import edited_scene
from ..errors import Refused
from .common import by_uid, output_path
from .render import RenderOperator, frame_names


class ENDLESSLOOPS_OT_save_movie(RenderOperator, bpy.types.Operator):
    """Save the repeated loop as a movie, with the scene's encoder settings or as H.264"""

    bl_idname = "endless_loops.save_movie"
    bl_label = "Save Movie"
    bl_options = {"REGISTER"}

    def snapshot(self, context):
        still, scene = self.still(context), edited_scene(context)
        self.path, self.is_temporary = _movie_path(still, scene)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refused(
                f"{self.path.parent} can't be made ({error.strerror}): choose another folder"
            ) from error
        depth = "16" if still.is_float else "8"
        output = replace(output_format(still, scene), file_format="PNG", color_depth=depth, codecs=())
        stack = ExitStack()
        request = self.request(still, output, stack, folder=None)
        request["folder"] = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="endless_loops_")))
        return request

    def take(self, context, request, piece):
        index, frame = piece
        height, width = frame.shape[0] // 2 * 2, frame.shape[1] // 2 * 2
        super().take(context, request, (index, frame[:height, :width]))  # encoders want even sizes

    def deliver(self, context, request, result):
        still = by_uid(request["uid"])
        files = [request["folder"] / name for name in frame_names(request)]
        repeat = still.endless_loops.repeat
        sequencer.write_movie(files, repeat, self.path, edited_scene(context))
        request["stack"].close()
        warnings = ["the .blend is not saved yet, so it is temporary"] if self.is_temporary else []
        self.tell(f"{len(files) * repeat} frames in {self.path}", warnings)


def _movie_path(still, scene):
    suffix = sequencer.movie_suffix(scene)
    asked = still.endless_loops.movie_path
    if not asked:
        return output_path(still, loops.name_of(still) + suffix)
    if asked.startswith("//") and not bpy.data.filepath:
        raise Refused("Save the .blend first: the movie's path is relative to it")
    path = Path(bpy.path.abspath(asked)).resolve()
    return (path if path.suffix else path.with_suffix(suffix)), False
