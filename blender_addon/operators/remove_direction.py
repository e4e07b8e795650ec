"""Remove Direction: take one stroke away and leave the others as they are."""

import bpy
from bpy.props import IntProperty

from .. import freshness
from ..bridge import strokes
from ..errors import Refused
from ..preview import backdrop
from .common import StillOperator


class ENDLESSLOOPS_OT_remove_direction(StillOperator, bpy.types.Operator):
    """Remove this direction, with its speed and its soft edge"""

    bl_idname = "endless_loops.remove_direction"
    bl_label = "Remove Direction"
    bl_options = {"REGISTER", "UNDO"}

    index: IntProperty(
        name="Index",
        description="Which direction, counted from 0 in the order of the list",
        default=-1,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def reason_against(cls, still):
        return super().reason_against(still) or strokes.refusal(still)

    def execute(self, context):
        try:
            still = self.still(context)
            strokes.remove_at(still, self.index)
        except Refused as error:
            return self.refuse(error)
        backdrop.leave_undo_to_blender()
        freshness.note_change()
        return {"FINISHED"}
