"""Clear Directions: start the directions anew."""

import bpy

from ..bridge import strokes
from ..errors import Refused
from .common import StillOperator


class ENDLESSLOOPS_OT_clear_directions(StillOperator, bpy.types.Operator):
    """Remove all directions of this still"""

    bl_idname = "endless_loops.clear_directions"
    bl_label = "Clear Directions"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context):
        try:
            still = self.still(context)
        except Refused as error:
            return self.refuse(error)
        strokes.clear(still)
        return {"FINISHED"}
