"""What an artist or a script can ask for, one operator a file."""

from .clear_directions import ENDLESSLOOPS_OT_clear_directions
from .done import ENDLESSLOOPS_OT_done
from .draw_directions import ENDLESSLOOPS_OT_draw_directions
from .draw_on_backdrop import ENDLESSLOOPS_OT_draw_on_backdrop
from .grow_to_object import ENDLESSLOOPS_OT_grow_to_object
from .paint_mask import ENDLESSLOOPS_OT_paint_mask
from .play import ENDLESSLOOPS_OT_play
from .remove_direction import ENDLESSLOOPS_OT_remove_direction
from .remove_from_compositor import ENDLESSLOOPS_OT_remove_from_compositor
from .save_movie import ENDLESSLOOPS_OT_save_movie
from .solve import ENDLESSLOOPS_OT_solve
from .suggest_directions import ENDLESSLOOPS_OT_suggest_directions
from .suggest_masks import ENDLESSLOOPS_OT_suggest_masks
from .to_compositor import ENDLESSLOOPS_OT_to_compositor
from .to_sequencer import ENDLESSLOOPS_OT_to_sequencer

CLASSES = (
    ENDLESSLOOPS_OT_paint_mask,
    ENDLESSLOOPS_OT_suggest_masks,
    ENDLESSLOOPS_OT_grow_to_object,
    ENDLESSLOOPS_OT_draw_directions,
    ENDLESSLOOPS_OT_draw_on_backdrop,
    ENDLESSLOOPS_OT_suggest_directions,
    ENDLESSLOOPS_OT_remove_direction,
    ENDLESSLOOPS_OT_clear_directions,
    ENDLESSLOOPS_OT_done,
    ENDLESSLOOPS_OT_solve,
    ENDLESSLOOPS_OT_play,
    ENDLESSLOOPS_OT_to_sequencer,
    ENDLESSLOOPS_OT_save_movie,
    ENDLESSLOOPS_OT_to_compositor,
    ENDLESSLOOPS_OT_remove_from_compositor,
)
