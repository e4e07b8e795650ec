"""Done: back from painting or drawing to the still."""

import bpy

from ..bridge import masks
from ..preview import backdrop
from .common import in_compositor, still_in
from .draw_directions import stop_drawing
from .paint_mask import came_from


class ENDLESSLOOPS_OT_done(bpy.types.Operator):
    """Go back to the still and keep what was painted or drawn"""

    bl_idname = "endless_loops.done"
    bl_label = "Done"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        space = context.space_data
        if in_compositor(space) and backdrop.is_drawn_on(context.area):
            return True
        if space is None or space.type != "IMAGE_EDITOR" or space.image is None:
            cls.poll_message_set("Nothing is being painted or drawn in this editor")
            return False
        return True

    def execute(self, context):
        if in_compositor(context.space_data):
            backdrop.end()
            return {"FINISHED"}
        space, still = context.space_data, still_in(context)
        if space.image != still:
            masks.keep(space.image)
            space.image = still
        space.ui_mode = "VIEW"
        stop_drawing(context.area)
        bpy.ops.wm.tool_set_by_id(name="builtin.sample", space_type="IMAGE_EDITOR")
        context.area.ui_type = came_from.pop(context.area.as_pointer(), "IMAGE_EDITOR")
        return {"FINISHED"}
