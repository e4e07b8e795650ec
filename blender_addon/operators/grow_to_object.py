"""Grow to Object: a rough scribble becomes a mask of what it lies on."""

import bpy

from .. import freshness, suggestions
from ..bridge import images, masks
from .common import JobOperator, by_uid


class ENDLESSLOOPS_OT_grow_to_object(JobOperator, bpy.types.Operator):
    """Grow a few painted strokes over the object they lie on, or draw a rough mask to the object's edges"""

    bl_idname = "endless_loops.grow_to_object"
    bl_label = "Grow to Object"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def reason_against(cls, still):
        return super().reason_against(still) or masks.missing(still)

    def snapshot(self, context):
        still = self.still(context)
        return {"uid": still.session_uid, "still": images.read_still(still), "mask": masks.read_mask(still)}

    @classmethod
    def work(cls, request, progress):
        from .. import engine

        progress(0.1, "Growing")
        mask = engine.grow_mask(request["still"], request["mask"])
        progress(1.0, "Growing")
        return mask

    def deliver(self, context, request, result):
        suggestions.show_mask(by_uid(request["uid"]), result)
        freshness.note_change()
        self.report({"INFO"}, f"The mask covers {result.mean():.0%} of the still now")
