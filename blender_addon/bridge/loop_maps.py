"""A solved loop as pictures that compositor nodes can play: arrays only, made in the worker thread."""

import re
from dataclasses import dataclass

import numpy as np

NAMES = ("texture", "forward", "inverse", "forward_bend", "inverse_bend", "alpha")


@dataclass(frozen=True, kw_only=True)
class LoopMaps:
    """Maps of one canvas: the mask's box, and what the texture reaches beyond it.

    Parameters
    ----------
    texture : (h, w, 4) float32
        Color of the continued texture as the engine blends it; in the fourth channel its low-pass
        luminance.
    forward, inverse : (h, w, 3) float32
        Displacement of one repetition in pixels as a Displace node takes it, in the first two channels:
        contents move by it, x right and y up. In the third `forward` has the cover, `inverse` the similarity.
    forward_bend, inverse_bend : (h, w, 3) float32 or None
        How their paths are curved, in the same way.
    shares : tuple of (h, w, 1) float32
        How much of each pixel moves at each speed; empty where all move alike.
    turns : tuple of int
        Repetitions that each speed passes in one turn of the loop.
    alpha : (h, w, 1) float32 or None
        Alpha of the texture, where the moving part isn't opaque.
    offset : (x, y)
        Whole pixels, y up, from the still's center to the canvas's.
    luminance : (red, green, blue)
        Weights of the colors in the luminance.
    """

    texture: np.ndarray
    forward: np.ndarray
    inverse: np.ndarray
    forward_bend: np.ndarray | None
    inverse_bend: np.ndarray | None
    shares: tuple
    turns: tuple
    alpha: np.ndarray | None
    offset: tuple
    luminance: tuple

    def items(self):
        """Name and array of each map there is."""
        maps = [(name, getattr(self, name)) for name in NAMES if getattr(self, name) is not None]
        return maps + [(f"share_{index}", share) for index, share in enumerate(self.shares)]


def is_name(name):
    """Whether a map may have this name."""
    return name in NAMES or bool(re.fullmatch(r"share_\d+", name))


def loop_maps(loop, exact):
    """Lay out a loop's maps.

    Parameters
    ----------
    loop : engine.Loop
    exact : bool
        Write the texture as coefficients of the cubic spline that Displace evaluates; otherwise as pixels,
        for a Displace that filters in its own way.
    """
    from ..engine.contrast import luminance
    from ..engine.inputs import to_unit
    from ..engine.resample import enlarge
    from ..engine.spline import spline_coefficients
    from ..engine.texture import mask_box

    height, width = loop.mask.shape
    left, top = loop.texture.origin
    pixels = to_unit(loop.texture.pixels)
    lowpass = enlarge(loop.contrast.lowpass, pixels.shape)[..., None] / loop.texture.full
    if exact:
        pixels = spline_coefficients(pixels, scene_linear=loop.still.dtype.kind == "f")
    # The compositor aligns pictures by their centers: only sides of the same parity meet pixel on pixel.
    rows, columns = (n + (n - side) % 2 for n, side in zip(pixels.shape[:2], (height, width), strict=True))
    pad = ((0, rows - pixels.shape[0]), (0, columns - pixels.shape[1]), (0, 0))
    pixels = np.pad(pixels, pad, mode="edge")
    lowpass = np.pad(lowpass, pad, mode="edge")
    gray = pixels.shape[2] < 3
    texture = np.dstack([np.repeat(pixels[..., :1], 3, axis=2) if gray else pixels[..., :3], lowpass])

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

    def as_displace(field):
        """Sampling at p + field is moving contents by -field; rows count upwards in Blender."""
        return boxed(np.where(loop.mask[box][..., None], field * np.float32([-1, 1]), 0))

    similarity = enlarge(loop.contrast.similarity, loop.mask[box].shape)
    inverse, forward = loop.paths
    bends = [None, None]
    if forward.bend is not None:
        bends = [np.pad(as_displace(p.bend), ((0, 0), (0, 0), (0, 1))) for p in (forward, inverse)]
    shares = () if loop.speeds.shares is None else loop.speeds.shares
    return LoopMaps(
        texture=np.ascontiguousarray(texture),
        forward=np.dstack([as_displace(forward.move), placed(loop.cover)]),
        inverse=np.dstack([as_displace(inverse.move), boxed(similarity, beyond=1.0)]),
        forward_bend=bends[0],
        inverse_bend=bends[1],
        shares=tuple(boxed(share)[..., None] for share in shares),
        turns=loop.speeds.turns,
        alpha=np.ascontiguousarray(pixels[..., 3:]) if pixels.shape[2] == 4 else None,
        offset=((2 * left + columns - width) // 2, -((2 * top + rows - height) // 2)),
        luminance=tuple(float(w) for w in luminance(np.eye(3, dtype=np.float32)[None])[0]),
    )
