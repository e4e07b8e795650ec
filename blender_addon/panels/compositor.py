"""The tab in the compositor's sidebar: the sections of the Image Editor, for the active node's still."""

import bpy

from ..operators.common import TAB, in_compositor, refusal_in, still_in
from ..preview import backdrop
from . import sections


class _Panel:
    bl_space_type = "NODE_EDITOR"
    bl_region_type = "UI"
    bl_category = TAB

    @classmethod
    def poll(cls, context):
        return in_compositor(context.space_data) and not refusal_in(context)


class ENDLESSLOOPS_PT_compositor_start(_Panel, bpy.types.Panel):
    bl_label = "Endless Loops"

    @classmethod
    def poll(cls, context):
        return in_compositor(context.space_data) and bool(refusal_in(context))

    def draw(self, context):
        sections.draw_reason(self.layout.column(), refusal_in(context), icon="INFO")


class ENDLESSLOOPS_PT_compositor_mask(_Panel, bpy.types.Panel):
    bl_label = "Mask"

    def draw(self, context):
        sections.draw_mask(self.layout, still_in(context), is_painting=False)


class ENDLESSLOOPS_PT_compositor_directions(_Panel, bpy.types.Panel):
    bl_label = "Directions"

    def draw(self, context):
        still = still_in(context)
        is_drawing = backdrop.is_drawn_on(context.area)
        sections.draw_directions(self.layout, still, is_drawing, "endless_loops.draw_on_backdrop")


class ENDLESSLOOPS_PT_compositor_loop(_Panel, bpy.types.Panel):
    bl_label = "Loop"

    def draw(self, context):
        sections.draw_loop(self.layout, still_in(context))


class ENDLESSLOOPS_PT_compositor_output(_Panel, bpy.types.Panel):
    bl_label = "Output"

    def draw(self, context):
        sections.draw_output(self.layout, still_in(context))


CLASSES = (
    ENDLESSLOOPS_PT_compositor_start,
    ENDLESSLOOPS_PT_compositor_mask,
    ENDLESSLOOPS_PT_compositor_directions,
    ENDLESSLOOPS_PT_compositor_loop,
    ENDLESSLOOPS_PT_compositor_output,
)
