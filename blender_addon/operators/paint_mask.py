"""Paint Mask: Blender's own brush on the mask, while the still shows through."""

import bpy

from ..bridge import images, masks, versions
from ..errors import Refused
from .common import StillOperator, canvas, show_tab, shows_stills

came_from = {}  # address of an area -> the editor it was when painting began


class ENDLESSLOOPS_OT_paint_mask(StillOperator, bpy.types.Operator):
    """Paint where the still moves: white with the brush, black with Ctrl held down"""

    bl_idname = "endless_loops.paint_mask"
    bl_label = "Paint Mask"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        if not shows_stills(context.space_data):
            cls.poll_message_set("Painting needs an Image Editor or the compositor")
            return False
        return super().poll(context)

    def execute(self, context):
        try:
            still = self.still(context)
            settings = still.endless_loops
            mask = settings.mask_image
            if mask is not None and tuple(mask.size) != images.size(still):
                raise Refused("The mask image has another size than the still: clear it to paint a new one")
            if mask is not None and mask.library is not None:
                raise Refused(
                    "The mask image belongs to another file, which wouldn't keep what is painted: "
                    "make it local (the link icon beside its name), or clear it to paint a new one"
                )
            mask = mask or masks.new_mask_image(still)
        except Refused as error:
            return self.refuse(error)
        settings.mask_source = "PAINT"
        mask.endless_loops.painted_still = still
        came_from[context.area.as_pointer()] = context.area.ui_type
        context.area.ui_type = "IMAGE_EDITOR"
        space = context.area.spaces.active
        space.image = mask
        space.ui_mode = "PAINT"
        with context.temp_override(area=context.area, region=canvas(context.area)):
            bpy.ops.wm.tool_set_by_id(name="builtin.brush", space_type="IMAGE_EDITOR")
        show_tab(context.area)
        paint = versions.unified_paint_settings(context.tool_settings)
        brush = context.tool_settings.image_paint.brush
        holder = paint if paint.use_unified_color or brush is None else brush
        holder.color, holder.secondary_color = (1, 1, 1), (0, 0, 0)
        return {"FINISHED"}
