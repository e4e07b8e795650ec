"""Suggest Masks: parts of the still that repeat, one after the other."""

import bpy

from .. import freshness, loops, suggestions
from ..bridge import images
from .common import JobOperator, by_uid

KIND = "mask"


class ENDLESSLOOPS_OT_suggest_masks(JobOperator, bpy.types.Operator):
    """Mask the part of the still that repeats most. Again: another part"""

    bl_idname = "endless_loops.suggest_masks"
    bl_label = "Suggest Masks"
    bl_options = {"REGISTER", "UNDO"}

    def snapshot(self, context):
        still = self.still(context)
        pixels = images.read_still(still)
        made_from = loops.digest_still(pixels)
        known = suggestions.known(KIND, still, made_from)
        return {"uid": still.session_uid, "still": pixels, "made_from": made_from, "known": known}

    @classmethod
    def work(cls, request, progress):
        from .. import engine

        progress(0.1, "Looking for Repetitions")
        found = request["known"]
        if found is None:
            found = engine.suggest_masks(request["still"])
        progress(1.0, "Looking for Repetitions")
        return found

    def deliver(self, context, request, result):
        still = by_uid(request["uid"])
        mask, message = suggestions.show_next(KIND, still, request["made_from"], result)
        suggestions.show_mask(still, mask)
        freshness.note_change()
        self.report({"INFO"}, message)
