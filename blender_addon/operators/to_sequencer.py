"""To Sequencer: the loop becomes an image sequence and a strip that repeats it."""

import bpy

from .. import loops, sequences
from ..bridge import images, sequencer
from ..bridge.output import output_format, write_frame
from ..bridge.versions import edited_scene
from .common import JobOperator, by_uid, output_path, reason_without_loop


def phases(settings):
    """The phases of a sequence's frames, in order: whole turns, so that the first follows the last."""
    count, turns = settings.frame_count, settings.turns
    sign = -1 if settings.reverse else 1
    return [(sign * turns * k % count) / count for k in range(count)]


class RenderOperator(JobOperator):
    """Mixin: an operator that renders the frames of a solved loop into a folder."""

    @classmethod
    def reason_against(cls, still):
        return super().reason_against(still) or reason_without_loop(still)

    def frames_of(self, still, output, target):
        """What the worker needs to render a still's frames into a folder that becomes `target`."""
        self.is_stale = loops.is_out_of_date(still)
        return {
            "uid": still.session_uid,
            "loop": loops.get(still),
            "phases": phases(still.endless_loops),
            "output": output,
            "name": images.file_stem(still.name),
            "target": target,
            "part": sequences.begin(target),
        }

    def work(self, request, progress, emit):
        for index, phase in enumerate(request["phases"]):
            progress(index / len(request["phases"]), "Rendering")
            emit((index, request["loop"].frame(phase)))

    def take(self, context, request, piece):
        index, frame = piece
        output = request["output"]
        path = sequences.frame_path(request["part"], request["name"], index, output.extension)
        write_frame(frame, path, output)

    def abandon(self, request):
        sequences.discard(request["part"])

    def tell(self, message, warnings):
        """Report what was made, or what may disappoint about it."""
        if self.is_stale:
            warnings.append(
                "the mask, the directions or the still have changed since: Solve again to use them"
            )
        if warnings:
            self.report({"WARNING"}, f"{message}; {'; '.join(warnings)}")
        else:
            self.report({"INFO"}, message)


class ENDLESSLOOPS_OT_to_sequencer(RenderOperator, bpy.types.Operator):
    """Write the loop as an image sequence and play it in a strip at the playhead"""

    bl_idname = "endless_loops.to_sequencer"
    bl_label = "To Sequencer"
    bl_options = {"REGISTER", "UNDO"}

    def snapshot(self, context):
        still = self.still(context)
        name = images.file_stem(still.name)
        target, self.is_temporary = output_path(still, name)
        sequences.check_replaceable(target)
        return self.frames_of(still, output_format(still, edited_scene(context)), target)

    def deliver(self, context, request, result):
        still, output, target = by_uid(request["uid"]), request["output"], request["target"]
        files = sequences.commit(request["part"], target)
        keep_bytes = output.writes_bytes_as_they_are(not still.is_float)
        repeat = still.endless_loops.repeat
        strip, is_new = sequencer.place(context, still, files, repeat, request["name"], keep_bytes)
        where = f"strip added on channel {strip.channel}" if is_new else f"strip {strip.name} kept"
        warnings = []
        if self.is_temporary:
            warnings.append("the .blend is not saved yet, so they are temporary: save it and do this again")
        if request["loop"].still.shape[2] == 4 and not output.holds_alpha:
            warnings.append(f"{output.file_format} has no alpha: choose PNG or OpenEXR to keep it")
        self.tell(f"{len(files)} frames in {target}, {where}", warnings)
        return {"FINISHED"}
