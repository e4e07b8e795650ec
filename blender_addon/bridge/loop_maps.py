"""A solved loop as pictures that compositor nodes can play: arrays only, made in the worker thread."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class LoopMaps:
    """Maps of one canvas: the mask's box, and what the texture reaches beyond it.

    Parameters
    ----------
    texture : (h, w, 4) float32
        Color of the continued texture as the engine blends it; in the fourth channel its low-pass
        luminance.
    forward, inverse : (h, w, 3) float32
        Displacement of one turn in pixels as a Displace node takes it, in the first two channels: contents
        move by it, x right and y up. In the third `forward` has the cover, `inverse` the similarity.
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
    alpha: np.ndarray | None
    offset: tuple
    luminance: tuple

    def items(self):
        """Name and array of each map there is."""
        names = ("texture", "forward", "inverse", "alpha")
        return [(name, getattr(self, name)) for name in names if getattr(self, name) is not None]


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

    similarity = np.ones((height, width), np.float32)
    box = mask_box(loop.mask)
    similarity[box] = enlarge(loop.contrast.similarity, similarity[box].shape)
    # Sampling at p + field is moving contents by -field; rows count upwards in Blender.
    as_displace = np.array([-1, 1], np.float32)
    return LoopMaps(
        texture=np.ascontiguousarray(texture),
        forward=np.dstack([placed(loop.forward * as_displace), placed(loop.cover)]),
        inverse=np.dstack([placed(loop.inverse * as_displace), placed(similarity, beyond=1.0)]),
        alpha=np.ascontiguousarray(pixels[..., 3:]) if pixels.shape[2] == 4 else None,
        offset=((2 * left + columns - width) // 2, -((2 * top + rows - height) // 2)),
        luminance=tuple(float(w) for w in luminance(np.eye(3, dtype=np.float32)[None])[0]),
    )
