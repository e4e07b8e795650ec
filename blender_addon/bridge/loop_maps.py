"""A solved loop as pictures that compositor nodes can play: arrays only, made in the worker thread."""

import re
from dataclasses import dataclass

import numpy as np

NAMES = ("texture", "sheet", "sheet_alpha", "forward", "inverse", "forward_bend", "inverse_bend")


@dataclass(frozen=True, kw_only=True)
class LoopMaps:
    """Maps of one canvas: the mask's box, and what the texture reaches beyond it.

    Parameters
    ----------
    texture : (h, w, 4) float32
        The continued texture at rest, as the engine blends it, with alpha.
    sheet : (2 h, 2 w, 4) float32
        What frames are looked up in, at twice the size: in the fourth channel the low-pass luminance.
    sheet_alpha : (2 h, 2 w, 1) float32 or None
        Alpha to look up, where the moving part isn't opaque.
    forward, inverse : (h, w, 3) float32
        Displacement of one repetition as a Map UV node adds it up: in widths and heights of the canvas, y up,
        in the first two channels. In the third `forward` has the cover, `inverse` the similarity.
    forward_bend, inverse_bend : (h, w, 3) float32 or None
        How their paths are curved, in the same way.
    shares : tuple of (h, w, 1) float32
        How much of each pixel moves at each speed; empty where all move alike.
    turns : tuple of int
        Repetitions that each speed passes in one turn of the loop.
    here : (u, v)
        What the middle of a pixel, as a share of the canvas, lacks to be its place on the sheet.
    offset : (x, y)
        Whole pixels, y up, from the still's center to the canvas's.
    luminance : (red, green, blue)
        Weights of the colors in the luminance.
    """

    texture: np.ndarray
    sheet: np.ndarray
    sheet_alpha: np.ndarray | None
    forward: np.ndarray
    inverse: np.ndarray
    forward_bend: np.ndarray | None
    inverse_bend: np.ndarray | None
    shares: tuple
    turns: tuple
    here: tuple
    offset: tuple
    luminance: tuple

    def items(self):
        """Name and array of each map there is."""
        maps = [(name, getattr(self, name)) for name in NAMES if getattr(self, name) is not None]
        return maps + [(f"share_{index}", share) for index, share in enumerate(self.shares)]


def is_name(name):
    """Whether a map may have this name."""
    return name in NAMES or bool(re.fullmatch(r"share_\d+", name))


def loop_maps(loop):
    """Lay out a loop's maps.

    Parameters
    ----------
    loop : engine.Loop
    """
    from ..engine.area import mask_box
    from ..engine.contrast import luminance
    from ..engine.inputs import to_unit
    from ..engine.resample import enlarge
    from ..engine.sheets import unit_sheets

    height, width = loop.mask.shape
    left, top = loop.texture.origin
    pixels = to_unit(loop.texture.pixels)
    # The compositor aligns pictures by their centers: only sides of the same parity meet pixel on pixel.
    rows, columns = (n + (n - side) % 2 for n, side in zip(pixels.shape[:2], (height, width), strict=True))

    def whole(array, scale=1):
        """Go on with an array's border up to the canvas's."""
        (h, w), (y, x) = array.shape[:2], (scale * rows, scale * columns)
        return np.pad(array, ((0, y - h), (0, x - w), (0, 0)), mode="edge")

    color = np.repeat(pixels[..., :1], 3, axis=2) if pixels.shape[2] < 3 else pixels[..., :3]
    alpha = pixels[..., 3:] if pixels.shape[2] == 4 else np.ones_like(pixels[..., :1])
    sheets = [whole(sheet, 2) for sheet in unit_sheets(loop.sheets)]

    def placed(array, beyond=0.0):
        """Cut the canvas out of an array of the still's size."""
        canvas = np.full((rows, columns, *array.shape[2:]), beyond, np.float32)
        y, x = slice(max(top, 0), top + rows), slice(max(left, 0), left + columns)
        part = array[y, x]
        canvas[y.start - top :, x.start - left :][: part.shape[0], : part.shape[1]] = part
        return canvas

    box = mask_box(loop.mask)

    def boxed(array, beyond=0.0):
        """Lay an array of the size of the mask's box out on the canvas."""
        full = np.full((height, width, *array.shape[2:]), beyond, np.float32)
        full[box] = array
        return placed(full, beyond)

    def as_shares(field):
        """Measure a field in widths and heights; rows count upwards in Blender."""
        return boxed(np.where(loop.mask[box][..., None], field / np.float32([columns, -rows]), 0))

    similarity = enlarge(loop.contrast.similarity, loop.mask[box].shape)
    inverse, forward = (path.dense(loop.mask[box].shape) for path in loop.paths)
    bends = [None, None]
    if forward.bend is not None:
        bends = [np.pad(as_shares(p.bend), ((0, 0), (0, 0), (0, 1))) for p in (forward, inverse)]
    shares = () if loop.speeds.shares is None else loop.speeds.shares
    return LoopMaps(
        texture=whole(np.dstack([color, alpha])),
        sheet=sheets[0],
        sheet_alpha=sheets[1] if len(sheets) > 1 else None,
        forward=np.dstack([as_shares(forward.move), placed(loop.cover)]),
        inverse=np.dstack([as_shares(inverse.move), boxed(similarity, beyond=1.0)]),
        forward_bend=bends[0],
        inverse_bend=bends[1],
        shares=tuple(boxed(share)[..., None] for share in shares),
        turns=loop.speeds.turns,
        here=(-0.25 / columns, 0.25 / rows),  # a pixel's place is its first quarter's middle
        offset=((2 * left + columns - width) // 2, -((2 * top + rows - height) // 2)),
        luminance=tuple(float(w) for w in luminance(np.eye(3, dtype=np.float32)[None])[0]),
    )
