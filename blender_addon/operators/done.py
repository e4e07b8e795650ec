"""Done: back from painting or drawing to the still."""

import bpy

from ..bridge import masks, versions
from .common import still_in


class ENDLESSLOOPS_OT_done(bpy.types.Operator):
    """Go back to the still and keep what was painted or drawn"""

    bl_idname = "endless_loops.done"
    bl_label = "Done"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        space = context.space_data
        if space is None or space.type != "IMAGE_EDITOR" or space.image is None:
            cls.poll_message_set("Nothing is being painted or drawn in this editor")
            return False
        return True

    def execute(self, context):
        space, still = context.space_data, still_in(context)
        if space.image != still:
            masks.keep(space.image)
            space.image = still
        space.ui_mode = "VIEW"
        if versions.space_annotation(space) == still.endless_loops.annotation:
            versions.set_space_annotation(space, None)
        bpy.ops.wm.tool_set_by_id(name="builtin.sample", space_type="IMAGE_EDITOR")
        return {"FINISHED"}
