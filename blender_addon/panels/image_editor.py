"""The tab in the Image Editor's sidebar."""

import bpy

from ..bridge import images, versions
from ..operators.common import TAB, still_in
from . import sections


class _Panel:
    bl_space_type = "IMAGE_EDITOR"
    bl_region_type = "UI"
    bl_category = TAB

    @classmethod
    def poll(cls, context):
        return not images.refusal(still_in(context))


class ENDLESSLOOPS_PT_start(_Panel, bpy.types.Panel):
    bl_label = "Endless Loops"

    @classmethod
    def poll(cls, context):
        return not super().poll(context)

    def draw(self, context):
        sections.draw_start(self.layout, still_in(context))


class ENDLESSLOOPS_PT_mask(_Panel, bpy.types.Panel):
    bl_label = "Mask"

    def draw(self, context):
        still = still_in(context)
        sections.draw_mask(self.layout, still, is_painting=context.space_data.image != still)


class ENDLESSLOOPS_PT_directions(_Panel, bpy.types.Panel):
    bl_label = "Directions"

    def draw(self, context):
        still = still_in(context)
        drawn_on = versions.space_annotation(context.space_data)
        is_drawing = drawn_on is not None and drawn_on == still.endless_loops.annotation
        sections.draw_directions(self.layout, still, is_drawing, "endless_loops.draw_directions")


class ENDLESSLOOPS_PT_loop(_Panel, bpy.types.Panel):
    bl_label = "Loop"

    def draw(self, context):
        sections.draw_loop(self.layout, still_in(context))


class ENDLESSLOOPS_PT_output(_Panel, bpy.types.Panel):
    bl_label = "Output"

    def draw(self, context):
        sections.draw_output(self.layout, still_in(context))


CLASSES = (
    sections.ENDLESSLOOPS_UL_directions,
    ENDLESSLOOPS_PT_start,
    ENDLESSLOOPS_PT_mask,
    ENDLESSLOOPS_PT_directions,
    ENDLESSLOOPS_PT_loop,
    ENDLESSLOOPS_PT_output,
)
