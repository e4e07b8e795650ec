"""To Compositor: the loop becomes a node group after the Image node, or a sequence node in its place."""

from contextlib import ExitStack

import bpy
import numpy as np
from bpy.props import BoolProperty

from .. import pictures
from ..bridge import compositor, footage, versions
from ..bridge.loop_maps import is_map, loop_maps
from ..bridge.output import lossless_format
from ..errors import Refused
from ..preview import player
from .common import by_uid, in_compositor
from .render import RenderOperator, is_frame_of, softened


class ENDLESSLOOPS_OT_to_compositor(RenderOperator, bpy.types.Operator):
    """Make the loop of nodes, after the Image node of the still: it follows the scene's frame"""

    bl_idname = "endless_loops.to_compositor"
    bl_label = "To Compositor"
    bl_options = {"REGISTER", "UNDO"}

    draft: BoolProperty(
        name="Draft Nodes",
        description=(
            "Use nodes also in Blender 4.5, where they are softer and less exact than the frames, "
            "because its Map UV node filters by itself"
        ),
        options={"SKIP_SAVE"},
    )
    renew: BoolProperty(
        name="Renew Only",
        description="Bring up to date what is in the compositor already, and insert nothing",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    def snapshot(self, context):
        still = self.still(context)
        if not self.renew:
            compositor.tree_in(context)  # refuses another file's before anything is made
        stack = ExitStack()
        request = self.request(still, lossless_format(still), stack)
        request["as_group"] = self._as_group(still)
        self.is_temporary = not bpy.data.filepath
        request["target"], request["folder"] = self._folders(still, request, stack)
        return request

    @classmethod
    def work(cls, request, progress):
        if not request["as_group"]:
            return super().work(request, progress)
        return cls._write_maps(request, progress)

    @classmethod
    def _write_maps(cls, request, progress):
        from ..engine.exr import write_exr
        from ..engine.png import write_png

        progress(0, "Laying out maps")
        maps = loop_maps(softened(request))
        files = maps.files().values()
        try:
            for index, (name, array) in enumerate(files):
                done = index / len(files)
                write = write_png if array.dtype == np.uint8 else write_exr
                write(
                    request["folder"] / name,
                    array,
                    progress=lambda part, done=done: progress(done + part / len(files), "Writing maps"),
                )
        except OSError as error:
            raise Refused(
                f"The loop's maps can't be written to {request['target'].parent} ({error.strerror}): "
                "free some space or save the .blend elsewhere"
            ) from error
        return maps

    def deliver(self, context, request, result):
        still, target = by_uid(request["uid"]), request["target"]
        is_new = not target.exists()
        request["stack"].close()
        try:
            what, warnings = self._play(context, still, request, result)
        finally:  # also if another compositor is shown by now, and refuses: nothing else would remove them
            if is_new:
                pictures.note_new(target)
        self.tell(f"{what}, its files are in {target}", warnings + self._warnings())

    def _play(self, context, still, request, result):
        """Let nodes play the files; returns what they are, and what may disappoint about them."""
        target, as_group, warnings = request["target"], request["as_group"], []
        if as_group:
            paths = {name: target / file for name, (file, _array) in result.files().items()}
            insert, renew, sources = compositor.insert_group, compositor.renew_group, (result, paths)
        else:
            insert, renew = compositor.insert_sequence, compositor.renew_sequence
            names, warnings = result
            sources = ([target / name for name in names],)
        if self.renew:
            renew(still, *sources)
            return "The loop in the compositor is up to date", warnings
        if any(compositor.as_group(node) != as_group for _tree, node in compositor.players(still)):
            compositor.remove(still)
        tree, node = insert(context, still, *sources)
        if in_compositor(context.space_data):
            player.stop()  # it would hide the nodes' own picture
        what = f"{node.label} in {tree.name}"
        if not as_group and request["footage"] is None:
            what += " is a sequence because 4.5's Map UV node can't play a loop exactly"
        return what, warnings

    def _as_group(self, still):
        if footage.is_footage(still):  # every frame has a loop of its own
            return False
        if self.renew:
            return any(compositor.as_group(node) for _tree, node in compositor.players(still))
        return versions.HAS_EXACT_LOOK_UPS or self.draft

    def _folders(self, still, request, stack):
        """Return the folder wanted, and one beside it that takes its place once all files are written."""
        from ..engine.storage import replaced_folder

        if request["as_group"]:
            target = pictures.maps_folder(still)
            return target, stack.enter_context(replaced_folder(target, is_map))
        target = pictures.frames_folder(still)
        ours = is_frame_of(request["name"])
        return target, stack.enter_context(replaced_folder(target, ours))

    def _warnings(self):
        if self.is_temporary:
            return ["the .blend is not saved yet, so they are temporary: save it and do this again"]
        return []
