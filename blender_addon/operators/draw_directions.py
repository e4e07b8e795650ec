"""Draw Directions: Blender's annotation tool on a layer of the still's own."""

import bpy

from ..bridge import images, strokes, versions
from ..errors import Refused
from .common import StillOperator, still_shown_in

_notes = {}  # address of an area -> name of the annotation that it showed before directions were drawn


class ENDLESSLOOPS_OT_draw_directions(StillOperator, bpy.types.Operator):
    """Draw strokes in the direction in which things shall move, one or many"""

    bl_idname = "endless_loops.draw_directions"
    bl_label = "Draw Directions"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        if context.space_data is None or context.space_data.type != "IMAGE_EDITOR":
            cls.poll_message_set("Drawing with the annotation tool needs an Image Editor")
            return False
        return super().poll(context)

    def execute(self, context):
        try:
            still = self.still(context)
        except Refused as error:
            return self.refuse(error)
        space = context.space_data
        if space.image != still:
            space.image = still
        space.ui_mode = "VIEW"
        _put_aside(context.area)
        versions.set_space_annotation(space, strokes.annotation_of(still))
        space.show_annotation = True
        bpy.ops.wm.tool_set_by_id(name="builtin.annotate", space_type="IMAGE_EDITOR")
        return {"FINISHED"}


def _put_aside(area):
    """Remember the artist's own notes, and keep them in the .blend while no editor shows them."""
    notes = versions.space_annotation(area.spaces.active)
    if notes is not None and not strokes.is_directions(notes):
        notes.use_fake_user = True
        _notes[area.as_pointer()] = notes.name


def stop_drawing(area):
    """Let an editor that draws directions show the notes again that it showed before."""
    space = area.spaces.active
    if strokes.is_directions(versions.space_annotation(space)):
        name = _notes.pop(area.as_pointer(), "")
        versions.set_space_annotation(space, versions.annotations().get(name))


def follow_shown_still(space, still):
    """See to it that an editor that draws directions draws those of the still it shows now.

    An editor keeps its annotation when it shows another image. Drawing handlers call this; they may not
    change anything themselves, so that a timer does.
    """
    drawn_on = versions.space_annotation(space)
    if drawn_on == still.endless_loops.annotation or not strokes.is_directions(drawn_on):
        return
    if not bpy.app.timers.is_registered(_attach):
        bpy.app.timers.register(_attach)


def _attach():
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            space = area.spaces.active
            still = still_shown_in(space) if space.type == "IMAGE_EDITOR" else None
            if not images.refusal(still) and strokes.is_directions(versions.space_annotation(space)):
                with bpy.context.temp_override(window=window, area=area):
                    versions.set_space_annotation(space, strokes.annotation_of(still))
                area.tag_redraw()
