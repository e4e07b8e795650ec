"""Draw Directions in the compositor: its annotations move with the nodes, so the strokes are drawn here."""

import bpy

from .. import freshness
from ..bridge import images, strokes
from ..errors import Refused
from ..jobs import clear_status_bars
from ..preview import backdrop
from .common import StillOperator, by_uid, canvas, in_compositor

_NEXT = 2.0  # pixels of the screen between two points of a stroke
_SHORTEST = 8.0  # pixels of the screen; a shorter stroke is a slip of the pen


class ENDLESSLOOPS_OT_draw_on_backdrop(StillOperator, bpy.types.Operator):
    """Draw strokes on the backdrop in the direction in which things shall move, one or many"""

    bl_idname = "endless_loops.draw_on_backdrop"
    bl_label = "Draw Directions"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context):
        if not in_compositor(context.space_data):
            cls.poll_message_set("Drawing on the backdrop needs the compositor")
            return False
        return super().poll(context)

    def invoke(self, context, event):
        try:
            self._uid = self.still(context).session_uid
        except Refused as error:
            return self.refuse(error)
        context.space_data.show_backdrop = True
        self._drawing, self._is_down = backdrop.begin(context.area), False
        context.workspace.status_text_set(_draw_status)
        context.window_manager.modal_handler_add(self)
        context.area.tag_redraw()
        return {"RUNNING_MODAL"}

    def modal(self, context, event):
        if not backdrop.is_drawing(self._drawing) or not self._is_here(context):
            return self._finish(context)
        context.area.tag_redraw()
        try:
            if self._is_down:
                return self._draw(context, event)
            return self._wait(context, event)
        except Refused as error:
            self._finish(context)
            return self.refuse(error)

    def cancel(self, context):
        self._finish(context)

    def _wait(self, context, event):
        if event.value == "PRESS":
            if event.type == "LEFTMOUSE" and _is_over_editor(context.area, event):
                self._is_down, self._screen = True, []
                self._add_point(context, event)
                return {"RUNNING_MODAL"}
            if event.type in {"ESC", "RET", "NUMPAD_ENTER"}:
                return self._finish(context)
            is_undo = event.type == "Z" and (event.ctrl or event.oskey) and not event.shift
            if is_undo and self._drawing.count:
                strokes.remove_last_direction(by_uid(self._uid))
                self._drawing.count -= 1
                return self._changed("Undo Direction")
        return {"PASS_THROUGH"}

    def _draw(self, context, event):
        if event.type == "ESC":
            self._is_down, self._drawing.points = False, []
        elif event.type == "MOUSEMOVE":
            self._add_point(context, event)
        elif event.type == "LEFTMOUSE" and event.value == "RELEASE":
            self._add_point(context, event)
            points, self._drawing.points, self._is_down = self._drawing.points, [], False
            if _length(self._screen) >= _SHORTEST:
                strokes.add_direction(by_uid(self._uid), points)
                self._drawing.count += 1
                return self._changed("Draw Direction")
        return {"RUNNING_MODAL"}

    def _add_point(self, context, event):
        region = canvas(context.area)
        place = event.mouse_x - region.x, event.mouse_y - region.y
        if self._screen and _length([self._screen[-1], place]) < _NEXT:
            return
        self._screen.append(place)
        still = by_uid(self._uid)
        point = backdrop.to_still(context.area.spaces.active, region, images.size(still), *place)
        self._drawing.points.append(tuple(point))

    def _changed(self, message):
        bpy.ops.ed.undo_push(message=message)
        freshness.note_change()
        return {"RUNNING_MODAL"}

    def _is_here(self, context):
        return context.area is not None and context.area.type == "NODE_EDITOR"

    def _finish(self, context):
        if backdrop.is_drawing(self._drawing):
            backdrop.end()
        clear_status_bars()
        if context.area is not None:
            context.area.tag_redraw()
        return {"FINISHED"}


def _draw_status(header, _context):
    row = header.layout.row()
    row.label(text="Draw", icon="MOUSE_LMB_DRAG")
    row.label(text="Done", icon="EVENT_RETURN")


def _is_over_editor(area, event):
    """Whether the pointer is on the editor, and on none of the bars and sidebars that overlap it."""

    def is_over(region):
        x, y = event.mouse_x - region.x, event.mouse_y - region.y
        return 0 <= x < region.width and 0 <= y < region.height

    return is_over(canvas(area)) and not any(
        is_over(region) for region in area.regions if region.type != "WINDOW" and region.width > 1
    )


def _length(screen):
    """Length of a stroke in pixels of the screen."""
    return sum(
        ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        for (x0, y0), (x1, y1) in zip(screen, screen[1:], strict=False)
    )
