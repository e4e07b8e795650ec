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
    texture : (h, w, 4) uint8 or float32
        The continued texture at rest, as the engine blends it, with alpha.
    sheet : (2 h, 2 w, 4) uint8 or float32
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

    def files(self):
        """File name and array of each map there is, by the map's name: bytes are PNG, floats are EXR."""
        maps = {name: getattr(self, name) for name in NAMES if getattr(self, name) is not None}
        maps |= {f"share_{index}": share for index, share in enumerate(self.shares)}
        return {
            name: (name + (".png" if array.dtype == np.uint8 else ".exr"), array)
            for name, array in maps.items()
        }


def is_map(file_name):
    """Whether a file may be a map that an earlier run wrote."""
    name, _, extension = file_name.rpartition(".")
    return extension in {"exr", "png"} and (name in NAMES or bool(re.fullmatch(r"share_\d+", name)))


def loop_maps(loop):
    """Lay out a loop's maps.

    Parameters
    ----------
    loop : engine.Loop
    """
    from ..engine.contrast import luminance
    from ..engine.resample import enlarge

    canvas = _Canvas(loop)
    pixels, sheets = _bytes_or_units(loop)
    color = np.repeat(pixels[..., :1], 3, axis=2) if pixels.shape[2] < 3 else pixels[..., :3]
    white = 255 if pixels.dtype == np.uint8 else 1
    alpha = pixels[..., 3:] if pixels.shape[2] == 4 else np.full_like(pixels[..., :1], white)
    sheets = [canvas.filled(sheet, 2) for sheet in sheets]
    shape = canvas.mask.shape
    similarity = enlarge(loop.contrast.similarity, shape)
    inverse, forward = (path.dense(shape) for path in loop.paths)
    bends = [None, None]
    if forward.bend is not None:
        bends = [np.pad(canvas.measured(p.bend), ((0, 0), (0, 0), (0, 1))) for p in (forward, inverse)]
    shares = () if loop.speeds.shares is None else loop.speeds.shares
    return LoopMaps(
        texture=canvas.filled(np.dstack([color, alpha])),
        sheet=sheets[0],
        sheet_alpha=sheets[1] if len(sheets) > 1 else None,
        forward=np.dstack([canvas.measured(forward.move), canvas.cut(loop.cover)]),
        inverse=np.dstack([canvas.measured(inverse.move), canvas.boxed(similarity, beyond=1.0)]),
        forward_bend=bends[0],
        inverse_bend=bends[1],
        shares=tuple(canvas.boxed(share)[..., None] for share in shares),
        turns=loop.speeds.turns,
        here=(-0.25 / canvas.columns, 0.25 / canvas.rows),  # a pixel's place is its first quarter's middle
        offset=canvas.offset,
        luminance=tuple(float(w) for w in luminance(np.eye(3, dtype=np.float32)[None])[0]),
    )


def _bytes_or_units(loop):
    """The texture's pixels, and the sheets: bytes as they are, all else as floats from 0 to 1."""
    if loop.texture.pixels.dtype == np.uint8:
        return loop.texture.pixels, loop.sheets
    from ..engine.inputs import to_unit
    from ..engine.sheets import unit_sheets

    return to_unit(loop.texture.pixels), unit_sheets(loop.sheets)


class _Canvas:
    """The rows and columns that all maps of a loop have, and how what the loop has is laid out on them."""

    def __init__(self, loop):
        self.height, self.width = loop.mask.shape
        self.left, self.top = loop.texture.origin
        # The compositor aligns pictures by their centers: only sides of the same parity meet pixel on pixel.
        self.rows, self.columns = (
            n + (n - side) % 2 for n, side in zip(loop.texture.pixels.shape[:2], loop.mask.shape, strict=True)
        )
        self.box = loop.box
        self.mask = loop.mask[self.box]

    @property
    def offset(self):
        """Whole pixels, y up, from the still's center to the canvas's."""
        right, down = 2 * self.left + self.columns - self.width, 2 * self.top + self.rows - self.height
        return right // 2, -(down // 2)

    def filled(self, array, scale=1):
        """Go on with the border of an array of the texture's size, times `scale`, up to the canvas's."""
        (h, w), (rows, columns) = array.shape[:2], (scale * self.rows, scale * self.columns)
        if (h, w) == (rows, columns):
            return array
        return np.pad(array, ((0, rows - h), (0, columns - w), (0, 0)), mode="edge")

    def cut(self, array, beyond=0.0):
        """Cut the canvas out of an array of the still's size."""
        canvas = np.full((self.rows, self.columns, *array.shape[2:]), beyond, np.float32)
        y = slice(max(self.top, 0), self.top + self.rows)
        x = slice(max(self.left, 0), self.left + self.columns)
        part = array[y, x]
        canvas[y.start - self.top :, x.start - self.left :][: part.shape[0], : part.shape[1]] = part
        return canvas

    def boxed(self, array, beyond=0.0):
        """Lay an array of the size of the mask's box out on the canvas."""
        full = np.full((self.height, self.width, *array.shape[2:]), beyond, np.float32)
        full[self.box] = array
        return self.cut(full, beyond)

    def measured(self, field):
        """Measure a field of the mask's box in widths and heights of the canvas; rows count upwards there."""
        sides = np.float32([self.columns, -self.rows])
        return self.boxed(np.where(self.mask[..., None], field / sides, 0))
