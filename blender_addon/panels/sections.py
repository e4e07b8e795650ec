"""The sections of the tab, drawn for a still in whichever editor shows it. Nothing here reads pixels."""

import bpy

from .. import freshness, jobs, loops
from ..bridge import compositor, footage, images, versions
from ..preview import player


class ENDLESSLOOPS_UL_directions(bpy.types.UIList):
    """Each direction with its speed and its X; the numbers are those that stand at the arrows."""

    def draw_item(self, _context, layout, _data, item, _icon, _active_data, _active_property, index):
        row = layout.row()
        row.label(text=f"Stroke {index + 1}", icon="PINNED" if item.turns == 0 else "FORWARD")
        row.prop(item, "turns", text="Speed")
        row.operator("endless_loops.remove_direction", text="", icon="X", emboss=False).index = index


def columns(layout):
    """A layout in Blender's own style for settings."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    return layout


def draw_start(layout, still):
    """Say what to do while there is no still to work on."""
    column = layout.column()
    if still is None:
        column.label(text="Open a still to begin", icon="INFO")
        column.operator("image.open", text="Open Still", icon="FILE_FOLDER")
        return
    draw_reason(column, images.refusal(still), icon="ERROR")


def draw_reason(column, text, icon):
    """A sentence over as many lines as it needs."""
    for index, line in enumerate(_wrapped(text)):
        column.label(text=line, icon=icon if index == 0 else "BLANK1")


def draw_mask(layout, still, is_painting):
    """Where the still moves."""
    settings = still.endless_loops
    layout.row().prop(settings, "mask_source", expand=True)
    if settings.mask_source == "PAINT" or is_painting:
        if is_painting:
            layout.label(text="Paint where it moves, Ctrl erases", icon="BRUSH_DATA")
            layout.operator("endless_loops.done", icon="CHECKMARK")
        else:
            text = "Paint Mask" if settings.mask_image is None else "Edit Mask"
            layout.operator("endless_loops.paint_mask", text=text, icon="BRUSH_DATA")
            layout.template_ID(settings, "mask_image", open="image.open")
        row = layout.row(align=True)
        row.operator("endless_loops.suggest_masks", icon="LIGHT")
        row.operator("endless_loops.grow_to_object", icon="MOD_THICKNESS")
    elif settings.mask_source == "MASK":
        layout.template_ID(settings, "mask", new="mask.new")
    else:
        layout.label(text="Moves wherever the still is opaque")
    coverage = freshness.coverage(still)
    if coverage is not None:
        empty = coverage == 0
        text = "The mask is empty" if empty else f"{coverage:.1%} of the still moves"
        layout.label(text=text, icon="ERROR" if empty else "CHECKMARK")


def draw_directions(layout, still, is_drawing, draw_operator):
    """Which way it moves; `draw_operator` is what draws strokes in this editor."""
    count = freshness.stroke_count(still)
    if is_drawing:
        layout.label(text="Draw along the motion", icon="GREASEPENCIL")
        layout.operator("endless_loops.done", icon="CHECKMARK")
    else:
        layout.operator(draw_operator, icon="GREASEPENCIL")
        layout.operator("endless_loops.suggest_directions", icon="LIGHT")
    settings = still.endless_loops
    entries = settings.direction_settings
    has_own = any(entry.turns != 1 or entry.use_soft_edge for entry in entries)
    if count == len(entries) and (count > 1 or has_own):
        layout.template_list(
            "ENDLESSLOOPS_UL_directions",
            "",
            settings,
            "direction_settings",
            settings,
            "active_direction",
            rows=2,
        )
        active = entries[min(settings.active_direction, count - 1)]
        row = columns(layout.column()).row(heading="Own Soft Edge")
        row.prop(active, "use_soft_edge", text="")
        edge = row.row()
        edge.active = active.use_soft_edge
        edge.prop(active, "soft_edge", text="")
    row = layout.row()
    if count:
        row.label(text=f"{count} direction" + ("s" if count > 1 else ""), icon="CHECKMARK")
        row.operator("endless_loops.clear_directions", text="Clear", icon="TRASH")
    else:
        row.label(text="No direction yet", icon="INFO")
    columns(layout.column()).prop(still.endless_loops, "show_overlay")


def draw_loop(layout, still):
    """Solve, progress, and what became of it."""
    settings = still.endless_loops
    job = jobs.running()
    column = layout.column()
    if job is not None:
        stage = job.stage or "Starting"
        column.progress(factor=job.fraction, text=f"{job.title}: {stage} {100 * job.fraction:.0f} %")
        column.operator("endless_loops.cancel", icon="X")
    else:
        column.scale_y = 1.4
        column.operator("endless_loops.solve", icon="FILE_REFRESH" if loops.is_solved(still) else "MOD_WAVE")
    if loops.is_solved(still):
        if freshness.is_out_of_date(still):
            layout.label(text="Out of date: Solve again", icon="ERROR")
        else:
            is_weak = settings.hardly_repeats
            text = "Solved, but hardly repeats" if is_weak else "Solved"
            layout.label(text=text, icon="ERROR" if is_weak else "CHECKMARK")
            for warning in filter(None, settings.warnings.split("\n")):
                draw_reason(layout.column(), warning, icon="INFO")
        if reason := loops.reason_unsaved(still):
            draw_reason(layout.column(), reason, icon="ERROR")
        playing = player.is_playing(still)
        text, icon = ("Stop", "PAUSE") if playing else ("Play", "PLAY")
        layout.operator("endless_loops.play", text=text, icon=icon)
    column = columns(layout.column())
    column.prop(settings, "frame_count")
    column.prop(settings, "turns")
    column.prop(settings, "soft_edge")
    column.prop(settings, "reverse")


def draw_output(layout, still):
    """Where the loop goes."""
    settings = still.endless_loops
    column = columns(layout.column())
    column.prop(settings, "output_folder")
    if footage.is_footage(still):
        draw_plane(column, settings)
    else:
        column.prop(settings, "repeat")
        column.prop(settings, "moving_part_only")
    layout.operator("endless_loops.to_sequencer", icon="SEQUENCE")
    column = columns(layout.column())
    column.prop(settings, "movie_path", placeholder="Automatic")
    layout.operator("endless_loops.save_movie", icon="FILE_MOVIE")
    draw_compositor(layout.column(), still)


def draw_plane(column, settings):
    """What the loop of a movie is carried along by."""
    column.prop(settings, "plane_clip")
    clip = settings.plane_clip
    if clip is not None:
        column.prop_search(settings, "plane_track", clip.tracking.objects.active, "plane_tracks")


def draw_compositor(column, still):
    """The loop as nodes."""
    column.operator("endless_loops.to_compositor", icon="NODE_COMPOSITING")
    if not versions.HAS_EXACT_LOOK_UPS and not footage.is_footage(still):
        column.operator("endless_loops.to_compositor", text="As Draft Nodes", icon="NODETREE").draft = True
    if not compositor.players(still):
        return
    if compositor.missing_files(still):
        draw_reason(column, "Files of the loop in the compositor are missing: Solve again", icon="ERROR")
    row = column.row()
    row.label(text="Inserted", icon="CHECKMARK")
    row.operator("endless_loops.remove_from_compositor", text="Remove", icon="TRASH")


def _wrapped(text, width=38):
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
