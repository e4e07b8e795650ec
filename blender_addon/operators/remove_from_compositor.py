"""Remove from Compositor: the tree becomes what it was before the loop."""

import bpy

from ..bridge import compositor, images
from ..errors import Refused
from .common import StillOperator


class ENDLESSLOOPS_OT_remove_from_compositor(StillOperator, bpy.types.Operator):
    """Take the loop's nodes out of the compositor and link the still as before"""

    bl_idname = "endless_loops.remove_from_compositor"
    bl_label = "Remove from Compositor"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def reason_against(cls, still):
        reason = images.refusal(still)
        if not reason and not compositor.players(still):
            reason = "The loop of this still is not in the compositor"
        return reason

    def execute(self, context):
        try:
            still = self.still(context)
        except Refused as error:
            return self.refuse(error)
        compositor.remove(still)
        return {"FINISHED"}
