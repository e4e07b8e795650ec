"""Play: the loop live over its still."""

import bpy

from ..errors import Refused
from ..preview import player
from .common import StillOperator, reason_without_loop


class ENDLESSLOOPS_OT_play(StillOperator, bpy.types.Operator):
    """Play the loop over the still, or stop it"""

    bl_idname = "endless_loops.play"
    bl_label = "Play"

    @classmethod
    def poll(cls, context):
        if bpy.app.background:
            cls.poll_message_set("Playing needs a window")
            return False
        return super().poll(context)

    @classmethod
    def reason_against(cls, still):
        return super().reason_against(still) or reason_without_loop(still)

    def execute(self, context):
        try:
            still = self.still(context)
            if player.is_playing(still):
                player.stop()
            else:
                player.play(still)
        except Refused as error:
            return self.refuse(error)
        return {"FINISHED"}
