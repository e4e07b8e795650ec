"""Pictures as textures on the graphics card."""

import gpu
import numpy as np

from ..bridge import footage

_first = {}  # session_uid of a movie or sequence -> (its first frame, the texture of it)


def still_texture(still):
    """The texture of a still; of a movie or a sequence it is the first frame, whatever frame is shown."""
    if not footage.is_footage(still):
        return gpu.texture.from_image(still)
    frame = footage.first_frame(still)
    known = _first.get(still.session_uid)
    if known is None or known[0] is not frame:
        known = _first[still.session_uid] = (frame, upload(screen_pixels(frame)))
    return known[1]


def screen_pixels(frame):
    """A frame as the screen shows it: (h, w, 4) uint8, sRGB-encoded, last row on top."""
    colors = frame[::-1]
    if frame.dtype != np.uint8:
        colors = np.clip(np.nan_to_num(colors), 0, 1)
        light = colors[..., :3]
        light[:] = np.where(light < 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        colors = np.rint(255 * colors)
    pixels = np.full((*frame.shape[:2], 4), 255, np.uint8)
    pixels[..., : max(frame.shape[2], 3)] = colors
    return pixels


def upload(pixels):
    """Put (h, w, 4) uint8 pixels on the graphics card."""
    height, width = pixels.shape[:2]
    data = gpu.types.Buffer("FLOAT", pixels.size, pixels.ravel() / np.float32(255))
    return gpu.types.GPUTexture((width, height), format="RGBA8", data=data)
