"""What the operators share: which still they work on, and why they can't."""

import contextlib
import os
from pathlib import Path

import bpy
from bpy.props import StringProperty

from .. import jobs, loops
from ..bridge import compositor, images
from ..errors import Refused

TAB = "Endless Loops"


def still_in(context):
    """The still that the editor under the mouse works on, or None."""
    return still_shown_in(context.space_data) if context.space_data else None


def still_shown_in(space):
    """The still that an editor works on, or None.

    In the Image Editor the shown image, or the still whose mask is being painted there; in the compositor the
    active Image node's.
    """
    if space.type == "IMAGE_EDITOR":
        shown = space.image
    elif in_compositor(space):
        shown = compositor.still_of(_active_node(space))
    else:
        return None
    painted = shown.endless_loops.painted_still if shown is not None else None
    return painted if painted is not None and painted.endless_loops.mask_image == shown else shown


def shows_stills(space):
    """Whether an editor is one in which stills are worked on."""
    return space is not None and (space.type == "IMAGE_EDITOR" or in_compositor(space))


def in_compositor(space):
    """Whether an editor is the compositor."""
    return space is not None and space.type == "NODE_EDITOR" and space.tree_type == "CompositorNodeTree"


def refusal_in(context):
    """Why the editor under the mouse has no still to work on, as a sentence; empty when it has one. Cheap."""
    if in_compositor(context.space_data) and still_in(context) is None:
        return compositor.refusal(_active_node(context.space_data))
    return images.refusal(still_in(context))


def _active_node(space):
    return space.edit_tree.nodes.active if space.edit_tree else None


def canvas(area):
    """The region of an editor that shows its content."""
    return next(region for region in area.regions if region.type == "WINDOW")


def show_tab(area):
    """Open the sidebar at the add-on's tab, where Done is.

    The tab can be chosen once the sidebar was drawn, which takes a while on a busy machine: until it shows.
    """
    area.spaces.active.show_region_ui = True
    place, looks = area.as_pointer(), iter(range(20))

    def choose():
        areas = [a for window in bpy.context.window_manager.windows for a in window.screen.areas]
        sidebars = [r for a in areas if a.as_pointer() == place for r in a.regions if r.type == "UI"]
        if not sidebars or sidebars[0].active_panel_category == TAB or next(looks, None) is None:
            return None
        with contextlib.suppress(TypeError):  # there are no tabs yet
            sidebars[0].active_panel_category = TAB
        return 0.1

    if not bpy.app.background:
        bpy.app.timers.register(choose, first_interval=0.1)


class StillOperator:
    """Mixin: an operator on one still, named by a script or shown in the editor."""

    image: StringProperty(
        name="Still",
        description="Name of the still; the editor's when empty",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context):
        # A script names its still, which poll can't see: in other editors there is nothing to refuse yet.
        reason = ""
        if shows_stills(context.space_data):
            reason = refusal_in(context) or cls.reason_against(still_in(context))
        if reason:
            cls.poll_message_set(reason)
        return not reason

    @classmethod
    def reason_against(cls, still):
        """Why the operator can't work on `still`, as a sentence; empty when it can. Cheap."""
        return images.refusal(still)

    def still(self, context):
        """The still to work on; raises `Refused` with the reason when there is none."""
        still = bpy.data.images.get(self.image) if self.image else still_in(context)
        if self.image and still is None:
            raise Refused(f"There is no image named {self.image}")
        images.checked(still)
        reason = self.reason_against(still)
        if reason:
            raise Refused(reason)
        return still

    def refuse(self, error):
        self.report({"ERROR"}, str(error))
        return {"CANCELLED"}


class JobOperator(jobs.BackgroundJob, StillOperator):
    """Mixin: a `StillOperator` with long work."""

    @classmethod
    def reason_against(cls, still):
        if jobs.running() is not None:
            return "Wait until the running job is finished, or cancel it with Esc"
        return images.refusal(still)


def by_uid(uid):
    """The image that had this session_uid when a job began; raises `Refused` when it is gone."""
    for image in bpy.data.images:
        if image.session_uid == uid:
            return image
    raise Refused("The still was deleted while its loop was being made: nothing was changed")


def reason_without_loop(still):
    """Why there is nothing to send on."""
    return "" if loops.is_solved(still) else "There is no loop yet: press Solve first"


def check_target(still, target):
    """Refuse a file that a loop is made from as the place of a result, and a folder that holds one."""
    settings = still.endless_loops
    for source in (still, settings.mask_image, settings.plane_clip):
        if source is None or not source.filepath:
            continue
        path = Path(os.path.realpath(bpy.path.abspath(source.filepath)))
        if Path(os.path.realpath(target)) in (path, *path.parents):
            raise Refused(f"{path} would be overwritten, and the loop is made from it: choose another place")


def output_path(still, *parts):
    """A path in the still's output folder, absolute; and whether it had to be a temporary one.

    Each .blend has a folder of its own there: others beside it may hold the same still.
    """
    asked = still.endless_loops.output_folder or "//"
    blend = bpy.data.filepath
    if asked.startswith("//") and not blend:
        return Path(bpy.app.tempdir, "endless_loops", *parts), True
    own = (Path(blend).stem,) if blend else ()
    return Path(bpy.path.abspath(asked), *own, *parts).resolve(), False
