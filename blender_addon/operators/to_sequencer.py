"""To Sequencer: the loop becomes an image sequence and a strip that repeats it."""

from contextlib import ExitStack

import bpy

from .. import loops
from ..bridge import images, sequencer
from ..bridge.output import output_format
from ..bridge.versions import edited_scene
from .common import by_uid, output_path
from .render import RenderOperator, is_frame_of


class ENDLESSLOOPS_OT_to_sequencer(RenderOperator, bpy.types.Operator):
    """Write the loop as an image sequence and play it in a strip at the playhead"""

    bl_idname = "endless_loops.to_sequencer"
    bl_label = "To Sequencer"
    bl_options = {"REGISTER", "UNDO"}

    def snapshot(self, context):
        from ..engine.storage import replaced_folder

        still = self.still(context)
        output = output_format(still, edited_scene(context))
        name = loops.name_of(still)
        self.target, self.is_temporary = output_path(still, name)
        stack = ExitStack()
        request = self.request(still, output, stack, folder=None)
        request["folder"] = stack.enter_context(replaced_folder(self.target, is_frame_of(name)))
        return request

    def deliver(self, context, request, result):
        still, output = by_uid(request["uid"]), request["output"]
        request["stack"].close()
        names, warnings = result
        files = [self.target / name for name in names]
        keep_bytes = output.writes_bytes_as_they_are(not images.is_float(still))
        strip, is_new = sequencer.place(context, still, files, request["repeat"], request["name"], keep_bytes)
        where = f"strip added on channel {strip.channel}" if is_new else f"strip {strip.name} kept"
        if self.is_temporary:
            warnings.append("the .blend is not saved yet, so they are temporary: save it and do this again")
        if request["loop"].still.shape[2] == 4 and not output.holds_alpha:
            warnings.append(f"{output.file_format} has no alpha: choose PNG or OpenEXR to keep it")
        self.tell(f"{len(files)} frames in {self.target}, {where}", warnings)
