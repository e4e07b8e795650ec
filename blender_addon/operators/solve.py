"""Solve: still, mask and directions become a loop."""

import shutil
import uuid

import bpy

from .. import freshness, loops
from ..bridge import compositor, images, masks, strokes
from ..errors import Refused
from ..preview import player
from .common import JobOperator, by_uid


class ENDLESSLOOPS_OT_solve(JobOperator, bpy.types.Operator):
    """Find the repetitions of the still along the directions and make a seamless loop of them"""

    bl_idname = "endless_loops.solve"
    bl_label = "Solve"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def reason_against(cls, still):
        reason = super().reason_against(still) or masks.missing(still)
        if not reason and not strokes.read_strokes(still):
            reason = "There is no direction yet: press Draw Directions and draw where the motion goes"
        return reason

    def snapshot(self, context):
        still = self.still(context)
        mask = masks.read_mask(still)
        strokes.sync_settings(still)
        directions, turns = strokes.read_strokes(still), strokes.read_turns(still)
        name = loops.name_for(still)
        return {
            "uid": still.session_uid,
            "still": images.read_still(still),
            "state": freshness.still_state(still),
            "mask": mask,
            "trace": masks.trace(still, mask),
            "strokes": directions,
            "turns": turns,
            "name": name,
            # The file has its own name once the job is known not to be cancelled.
            "part": loops.folder() / f".{name}.{uuid.uuid4().hex[:8]}.loop",
        }

    @classmethod
    def work(cls, request, progress):
        from .. import engine

        still, mask, part = (request[k] for k in ("still", "mask", "part"))
        directions, turns = request["strokes"], request["turns"]
        drawn = [engine.Stroke(*stroke) for stroke in zip(directions, turns, strict=True)]
        loop = engine.solve(still, mask, drawn, progress=lambda f, s: progress(0.9 * f, s))
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            loop.save(part)
            progress(1.0, "Saving")
        except OSError as error:
            raise Refused(f"The loop can't be saved in {part.parent} ({error.strerror})") from error
        digest = loops.digest_still(still)
        return loop, digest, loops.fingerprint(digest, request["trace"], directions, turns)

    def deliver(self, context, request, result):
        loop, digest, fingerprint = result
        still, name = by_uid(request["uid"]), loops.file_name(request["name"], fingerprint)
        folder = loops.folder()  # the .blend may have been saved elsewhere meanwhile
        try:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.move(request["part"], folder / name)
        except OSError as error:
            raise Refused(f"The loop can't be saved in {folder} ({error.strerror})") from error
        loops.adopt(still, loop, name, fingerprint)
        freshness.know_still(still, request["state"], digest)
        freshness.note_change()
        if not bpy.app.background:
            player.play(still)
        if still.endless_loops.hardly_repeats:
            self.report(
                {"WARNING"},
                "The still hardly repeats along the directions: the loop may look soft. "
                "Try a direction along which things repeat",
            )
        elif loop.warnings:
            self.report({"WARNING"}, " ".join(loop.warnings))
        else:
            self.report({"INFO"}, f"Solved: {loop.mask.mean():.0%} of {still.name} moves")
        self._renew_compositor(context, still)

    def _renew_compositor(self, context, still):
        """Let the nodes that play the loop follow it, whatever editor is shown by now."""
        if compositor.players(still):
            call = "INVOKE_DEFAULT" if self.is_modal else "EXEC_DEFAULT"
            with context.temp_override(area=None, region=None):
                bpy.ops.endless_loops.to_compositor(call, image=still.name, renew=True)

    @classmethod
    def abandon(cls, request):
        request["part"].unlink(missing_ok=True)
