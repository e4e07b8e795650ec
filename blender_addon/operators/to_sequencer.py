"""To Sequencer: the loop becomes an image sequence and a strip that repeats it."""

from contextlib import ExitStack

import bpy
import numpy as np

from .. import loops
from ..bridge import footage, images, sequencer
from ..bridge.frame_files import FrameWriter
from ..bridge.output import output_format
from ..bridge.versions import edited_scene
from ..errors import Refused
from .common import by_uid, check_target, output_path
from .render import RenderOperator, is_frame_of


class ENDLESSLOOPS_OT_to_sequencer(RenderOperator, bpy.types.Operator):
    """Write the loop as an image sequence and play it in a strip at the playhead"""

    bl_idname = "endless_loops.to_sequencer"
    bl_label = "To Sequencer"
    bl_options = {"REGISTER", "UNDO"}

    def snapshot(self, context):
        from ..engine.storage import replaced_folder

        still, scene = self.still(context), edited_scene(context)
        if scene.library is not None:
            raise Refused(
                f"The scene {scene.name} belongs to another file: make it local, or use another scene"
            )
        output = output_format(still, scene)
        name = loops.name_of(still)
        wants_part = still.endless_loops.moving_part_only and not footage.is_footage(still)
        self.lacks_part = wants_part and loops.get(still).still.shape[2] == 4
        is_part = wants_part and not self.lacks_part
        self.target, self.is_temporary = output_path(still, f"{name}_part" if is_part else name)
        check_target(still, self.target)
        stack = ExitStack()
        request = self.request(still, output, stack, _moving_part if is_part else None)
        if is_part:
            request["below"] = _even(request["loop"].still)
            request["below_writer"] = FrameWriter(output, request["below"])
        request["folder"] = stack.enter_context(replaced_folder(self.target, is_frame_of(name)))
        return request

    @classmethod
    def work(cls, request, progress):
        written = super().work(request, progress)
        if "below" in request:
            path = request["folder"] / _still_name(request)
            request["below_writer"].write([request["below"]], [path], lambda *_: progress(1, "Writing"))
        return written

    def deliver(self, context, request, result):
        still, output = by_uid(request["uid"]), request["output"]
        request["stack"].close()
        names, warnings = result
        keep_bytes = output.writes_bytes_as_they_are(not images.is_float(still))
        sequence = sequencer.Sequence(
            still=still,
            files=[self.target / name for name in names],
            repeat=request["repeat"],
            name=request["name"],
            color_space=still.colorspace_settings.name if keep_bytes else "",
            below=self.target / _still_name(request) if "below" in request else None,
            below_size=request["below"].shape[1::-1] if "below" in request else None,
            area=request["area"],
        )
        strip, is_new = sequencer.place(context, sequence)
        where = f"strip added on channel {strip.channel}" if is_new else f"strip {strip.name} kept"
        if self.is_temporary:
            warnings.append("the .blend is not saved yet, so they are temporary: save it and do this again")
        if request["loop"].still.shape[2] == 4 and not output.holds_alpha:
            warnings.append(f"{output.file_format} has no alpha: choose PNG or OpenEXR to keep it")
        if self.lacks_part:
            warnings.append("the still has alpha, so whole frames were written")
        self.tell(f"{len(names)} frames in {self.target}, {where}", warnings)


def _still_name(request):
    """The name of the picture that a moving part plays over."""
    return f"{request['name']}_still{request['output'].extension}"


def _even(still):
    """The still with even sides, its last row and column twice where they have to be."""
    height, width = still.shape[:2]
    return np.pad(still, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _moving_part(loop):
    """The mask's box with even sides: Blender centers a strip with an odd one half a pixel off the others."""
    sides = []
    for side, length in zip(loop.box, loop.mask.shape, strict=True):
        odd = (side.stop - side.start) % 2
        start, stop = side.start, side.stop + odd
        if stop > length:
            start, stop = max(start - 1, 0), stop - 1 - (start == 0)
        sides.append(slice(start, stop))
    return tuple(sides)
