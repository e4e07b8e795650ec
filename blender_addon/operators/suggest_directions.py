"""Suggest Directions: strokes along which the masked part repeats, one after the other."""

import bpy

from .. import freshness, loops, suggestions
from ..bridge import images, masks, strokes
from .common import JobOperator, by_uid

KIND = "direction"


class ENDLESSLOOPS_OT_suggest_directions(JobOperator, bpy.types.Operator):
    """Draw the direction along which the masked part repeats most clearly. Again: the next best"""

    bl_idname = "endless_loops.suggest_directions"
    bl_label = "Suggest Directions"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def reason_against(cls, still):
        return super().reason_against(still) or masks.missing(still)

    def snapshot(self, context):
        still = self.still(context)
        pixels, mask = images.read_still(still), masks.read_mask(still)
        made_from = loops.fingerprint(loops.digest_still(pixels), mask.tobytes(), [], [])
        return {
            "uid": still.session_uid,
            "still": pixels,
            "mask": mask,
            "made_from": made_from,
            "known": suggestions.known(KIND, still, made_from),
        }

    @classmethod
    def work(cls, request, progress):
        from .. import engine

        progress(0.1, "Looking for Repetitions")
        lines = request["known"]
        if lines is None:
            found = engine.suggest_directions(request["still"], request["mask"])
            lines = [direction.stroke + 0.5 for direction in found]  # from pixel centers to corners
        progress(1.0, "Looking for Repetitions")
        return lines

    def deliver(self, context, request, result):
        still = by_uid(request["uid"])
        # The one that was shown last, and after a .blend was opened again whichever it was.
        for line in (suggestions.shown(KIND, still), *result):
            if line is not None:
                strokes.remove_direction(still, line)
        suggestions.reveal(still)
        line, message = suggestions.show_next(KIND, still, request["made_from"], result)
        strokes.draw_direction(still, line, context.scene.frame_current)
        freshness.note_change()
        self.report({"INFO"}, message)
