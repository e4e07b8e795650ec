"""What an image remembers about its loop: one group on every image, so that a .blend can hold many loops."""

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)
from bpy.types import PropertyGroup

from . import loops
from .bridge import masks, strokes
from .bridge.versions import AnnotationType


def _soft_edge(description):
    return FloatProperty(
        name="Soft Edge",
        description=description,
        min=0,
        soft_max=300,
        precision=0,
        step=100,
        subtype="PIXEL",
        default=0,
    )


class EndlessLoopsPoint(PropertyGroup):
    """One point of an added direction, in widths and heights of the still: x right, y down, 0 to 1."""

    co: FloatVectorProperty(size=2)


class EndlessLoopsDirection(PropertyGroup):
    """A direction that a script or another editor added, in the order of the motion."""

    points: CollectionProperty(type=EndlessLoopsPoint)


class EndlessLoopsDirectionSettings(PropertyGroup):
    """What one direction does, drawn or added: `bpy.types.Image.endless_loops.direction_settings`."""

    key: StringProperty(options={"HIDDEN"})
    turns: IntProperty(
        name="Speed",
        description=(
            "How many repetitions things move on along this direction in one turn of the loop: 0 keeps what "
            "lies around it at rest, a negative number moves it against the direction"
        ),
        min=-16,
        max=16,
        soft_min=0,
        soft_max=4,
        default=1,
    )
    use_soft_edge: BoolProperty(
        name="Own Soft Edge",
        description="Give the parts of the mask that follow this direction a soft edge of their own",
        default=False,
    )
    soft_edge: _soft_edge("Pixels over which the motion fades at the edge of what follows this direction")


class EndlessLoopsSettings(PropertyGroup):
    """The loop of one still: `bpy.types.Image.endless_loops`.

    Scripts use the properties, the methods below and the operators, which take the still's name:
    ``bpy.ops.endless_loops.solve(image="still.png")``.
    """

    mask_source: EnumProperty(
        name="Mask Source",
        description="What says where the still moves",
        items=(
            (
                "PAINT",
                "Painted",
                "White where the still moves, painted with Blender's own brush",
                "BRUSH_DATA",
                0,
            ),
            ("MASK", "Splines", "The splines of a mask datablock, with their feather", "MOD_MASK", 1),
            ("ALPHA", "Alpha", "The still moves wherever it is opaque", "IMAGE_ALPHA", 2),
        ),
        default="PAINT",
    )
    mask_image: PointerProperty(
        name="Mask Image",
        description="Image of the still's size, white where the still moves",
        type=bpy.types.Image,
        poll=lambda settings, image: image != settings.id_data and image.source in {"FILE", "GENERATED"},
    )
    mask: PointerProperty(
        name="Mask", description="Mask datablock whose splines say where the still moves", type=bpy.types.Mask
    )
    painted_still: PointerProperty(type=bpy.types.Image, options={"HIDDEN"})
    played_still: PointerProperty(type=bpy.types.Image, options={"HIDDEN"})
    annotation: PointerProperty(
        name="Directions",
        description="Annotation whose strokes are the directions of the motion",
        type=AnnotationType,
    )
    directions: CollectionProperty(type=EndlessLoopsDirection)
    direction_settings: CollectionProperty(type=EndlessLoopsDirectionSettings)
    active_direction: IntProperty(options={"HIDDEN"})
    show_overlay: BoolProperty(
        name="Overlay",
        description="Tint the still where it moves and draw arrows where the directions are",
        default=True,
    )

    frame_count: IntProperty(
        name="Frames",
        description="Frames of the sequence, after which it begins again",
        min=2,
        max=10000,
        soft_max=240,
        default=48,
    )
    turns: IntProperty(
        name="Speed",
        description="How many repetitions the motion passes during the frames of one sequence",
        min=1,
        soft_max=8,
        max=100,
        default=1,
    )
    soft_edge: _soft_edge(
        "Pixels inside the mask's edge over which the motion fades to nothing: 0 for what has an edge of "
        "its own, more for water, smoke and clouds"
    )
    reverse: BoolProperty(name="Reverse", description="Move against the directions", default=False)
    repeat: IntProperty(
        name="Repeat",
        description="How often the strip plays the sequence, one after the other",
        min=1,
        soft_max=50,
        max=1000,
        default=4,
    )
    moving_part_only: BoolProperty(
        name="Moving Part Only",
        description=(
            "Write only the box around what moves, and play it over the still in a meta strip: "
            "faster and smaller the less of the still moves"
        ),
        default=False,
    )
    output_folder: StringProperty(
        name="Folder",
        description=(
            "Where the sequence is written, in a folder named after the .blend and the still; "
            "// is the folder of the .blend"
        ),
        subtype="DIR_PATH",
        options={"PATH_SUPPORTS_BLEND_RELATIVE"},
        default="//endless_loops/",
    )
    movie_path: StringProperty(
        name="Movie",
        description="File of the movie; // is the folder of the .blend",
        subtype="FILE_PATH",
        options={"PATH_SUPPORTS_BLEND_RELATIVE"},
        default="",
    )

    plane_clip: PointerProperty(
        name="Clip",
        description="Movie clip of this movie, whose plane track says where the loop lies in each frame. "
        "Without one it is followed by its looks",
        type=bpy.types.MovieClip,
    )
    plane_track: StringProperty(
        name="Plane Track", description="Plane track, made in the Movie Clip Editor, that the loop lies on"
    )

    sequences_folder: StringProperty(options={"HIDDEN"})
    loop_file: StringProperty(options={"HIDDEN"})
    fingerprint: StringProperty(options={"HIDDEN"})
    confidence: FloatProperty(
        name="Confidence",
        description="How well the still repeats along the directions: 0 not at all, 1 perfectly",
        min=0,
        max=1,
        subtype="FACTOR",
        options={"HIDDEN"},
    )
    hardly_repeats: BoolProperty(options={"HIDDEN"})
    warnings: StringProperty(options={"HIDDEN"})
    coverage: FloatProperty(
        name="Coverage", description="Part of the still that moves", subtype="FACTOR", options={"HIDDEN"}
    )

    def add_direction(self, points, turns=1):
        """Add a stroke, (N, 2) pixels of the still (x right, y down), in the order of the motion.

        `turns` is how many repetitions things move on along it in one turn of the loop; 0 keeps what lies
        around it at rest, a negative number moves it against the direction.
        A dot has no direction and is left out; `errors.Refused` is raised for what are no points.
        """
        strokes.add_direction(self.id_data, points, turns)

    def clear_directions(self):
        """Remove every direction, drawn or added."""
        strokes.clear(self.id_data)

    def set_mask(self, array):
        """Paint the mask from an (H, W) array, first row on top: at least half of its range is inside."""
        masks.write_mask(self.id_data, array)

    def is_out_of_date(self):
        """Whether mask, directions or still have changed since the loop was solved; reads them all."""
        return loops.is_out_of_date(self.id_data)

    def loop(self):
        """The solved `engine.Loop` with its soft edge; raises `errors.Refused` when there is none."""
        return loops.softened(self.id_data)


CLASSES = (EndlessLoopsPoint, EndlessLoopsDirection, EndlessLoopsDirectionSettings, EndlessLoopsSettings)


def register():
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Image.endless_loops = PointerProperty(type=EndlessLoopsSettings)


def unregister():
    del bpy.types.Image.endless_loops
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
