"""What a caller hands over, checked once at the door, and the still as the eye sees it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import BadImage, BadMask, EmptyMask

SMALLEST_SIDE = 64
"""Pixels; below this there is no room for two repetitions and the window that compares them."""
MOST_PIXELS = 50_000_000
LARGEST = 1e18
"""Finite values of float stills go up to it: squares of much larger ones are none of float32's numbers."""
STILL_TYPES = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32))


def check_still(still: Any) -> NDArray[Any]:
    """Return the still as an array, or say why it can't be animated.

    Parameters
    ----------
    still : (H, W, C) array
        uint8, uint16 or float32 (scene-linear), C = 1, 3 or 4, first row on top.

    Returns
    -------
    (H, W, C) array
        The same pixels, in native byte order; never a copy unless it has to be.

    Raises
    ------
    BadImage
        For any other shape or type, a picture under 64 pixels a side or over 50 megapixels, one
        without a single finite value, or one with finite values beyond 1e18 either way.
    """
    pixels = _as_numbers(still, BadImage, "The still")
    if pixels.ndim == 2:
        raise BadImage(
            f"The still is a {pixels.shape[1]} x {pixels.shape[0]} array without channels: "
            "give a grey picture as (height, width, 1)."
        )
    if pixels.ndim != 3:
        raise BadImage(
            f"The still must be one picture (height, width, channels), not {pixels.ndim} dimensions."
        )
    height, width, channels = pixels.shape
    if channels not in (1, 3, 4):
        raise BadImage(
            f"The still has {channels} channels: use grey (1), RGB (3) or RGB with alpha (4), channels last."
        )
    native = pixels.dtype.newbyteorder("=")
    if native not in STILL_TYPES:
        raise BadImage(
            f"The still holds {pixels.dtype} values: convert it to 8 bit (uint8), 16 bit (uint16) or float32."
        )
    if min(height, width) < SMALLEST_SIDE:
        raise BadImage(
            f"The still is {width} x {height} pixels: use one with at least {SMALLEST_SIDE} a side."
        )
    if height * width > MOST_PIXELS:
        raise BadImage(
            f"The still has {height * width / 1e6:.0f} megapixels: "
            f"scale it down to {MOST_PIXELS // 1_000_000} or fewer."
        )
    if native.kind == "f":
        _check_range(pixels)
    return pixels.astype(native, copy=False)


def check_mask(mask: Any, still: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which pixels move, or say why the mask doesn't fit the still.

    Parameters
    ----------
    mask : (H, W) array
        bool, or numbers that are inside from half of their type's range on (128 for uint8, 0.5
        for floats). NaN is outside.
    still : (H, W, C) array
        A still that `check_still` let through.

    Returns
    -------
    (H, W) bool

    Raises
    ------
    BadMask
        For another size, several channels, or values that aren't numbers.
    EmptyMask
        When nothing is inside.
    BadImage
        When no pixel inside can be shown: every one is NaN or infinite.
    """
    values = _as_numbers(mask, BadMask, "The mask")
    if values.ndim != 2:
        raise BadMask(f"The mask must be one channel (height, width), not an array of shape {values.shape}.")
    if values.shape != still.shape[:2]:
        raise BadMask(
            f"The mask is {values.shape[1]} x {values.shape[0]} pixels and the still "
            f"{still.shape[1]} x {still.shape[0]}: paint the mask at the still's size."
        )
    if values.dtype.kind == "b":
        inside = values
    elif values.dtype.kind == "f":
        inside = values >= 0.5
    else:
        inside = values > np.iinfo(values.dtype).max // 2
    if not inside.any():
        raise EmptyMask(_why_empty(values))
    if still.dtype.kind == "f" and not np.isfinite(still[inside]).all(1).any():
        raise BadImage("The still has no usable pixel in the mask: every one is NaN or infinite.")
    return np.ascontiguousarray(inside)


def is_whole(number: Any) -> bool:
    """Say whether something is a whole number; True and False aren't numbers here."""
    return isinstance(number, int | np.integer) and not isinstance(number, bool)


def display_at(pixels: NDArray[Any], size: tuple[int, int]) -> NDArray[np.float32]:
    """Show a still, or a piece of one, on a screen at another size.

    Parameters
    ----------
    pixels : (H, W, C) array
        As `check_still` let it through.
    size : (rows, columns)

    Returns
    -------
    (rows, columns, 3) float32, 0 to 1
        See `display_rgb`.
    """
    import cv2

    if pixels.dtype.kind == "f":
        pixels = to_unit(pixels)
    height, width = pixels.shape[:2]
    if size != (height, width):
        way = cv2.INTER_AREA if size[0] < height else cv2.INTER_CUBIC
        pixels = cv2.resize(pixels, size[::-1], interpolation=way).reshape(*size, pixels.shape[2])
    return display_rgb(pixels)


def mask_at(inside: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return a (H, W) mask at another size, (rows, columns): inside is what is so by more than half."""
    import cv2

    if size == inside.shape:
        return inside
    return np.asarray(cv2.resize(inside.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA) > 0.5)


def display_rgb(still: NDArray[Any]) -> NDArray[np.float32]:
    """Show the still as the eye would see it on a screen, which is where repetitions are compared.

    Parameters
    ----------
    still : (H, W, C) array
        uint8, uint16 or float32, C = 1, 3 or 4. Integer pictures carry straight alpha, scene-linear
        ones premultiplied alpha, as their files do.

    Returns
    -------
    (H, W, 3) float32, 0 to 1
        Display-encoded colors; scene-linear ones are exposed (their 95th percentile lands at 0.8),
        encoded like sRGB and rolled off towards 1. What is transparent is mid-grey.
    """
    encoded = to_unit(still[..., :3])
    if still.dtype.kind == "f":
        encoded = _encode(encoded)
    if encoded.shape[2] == 1:
        encoded = np.repeat(encoded, 3, axis=2)
    if still.shape[2] == 4:
        opacity = to_unit(still[..., 3:])
        if opacity.min() < 1:
            encoded = 0.5 + (encoded - 0.5) * np.clip(opacity, 0, 1)
    return np.ascontiguousarray(encoded, np.float32)


def to_unit(values: NDArray[Any]) -> NDArray[np.float32]:
    """Scale integers to 0..1 as float32 and leave floats as they are, with NaN and Inf made 0."""
    if values.dtype.kind == "f":
        return np.where(np.isfinite(values), values, np.float32(0))
    return values.astype(np.float32) * np.float32(1 / np.iinfo(values.dtype).max)


def _encode(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    bright = float(np.percentile(linear[::4, ::4], 95))
    exposed = np.clip(linear, 0, None) * np.float32(0.6 / bright if bright > 0 else 1.0)
    encoded = np.where(exposed < 0.0031308, 12.92 * exposed, 1.055 * exposed ** (1 / 2.4) - 0.055)
    shoulder = 0.8  # above it the curve bends so that highlights keep some of their detail
    rolled = 1 - (1 - shoulder) * np.exp(-(encoded - shoulder) / (1 - shoulder))
    return np.where(encoded < shoulder, encoded, rolled).astype(np.float32)


def _check_range(pixels: NDArray[np.float32]) -> None:
    """Refuse floats that are all NaN or infinite, or too large to compute with."""
    least, most = np.fmin.reduce(pixels, axis=None), np.fmax.reduce(pixels, axis=None)
    if -LARGEST <= least and most <= LARGEST:  # false for NaN
        return
    finite = np.isfinite(pixels)
    if not finite.any():
        raise BadImage("The still has no usable pixel: every value is NaN or infinite.")
    largest = max(pixels.max(where=finite, initial=0), -pixels.min(where=finite, initial=0))
    if largest > LARGEST:
        raise BadImage(
            f"The still holds values up to {largest:.1e}, too large to compute with: "
            f"lower its exposure, or clamp it to {LARGEST:.0e}."
        )


def _why_empty(mask: NDArray[Any]) -> str:
    white = np.iinfo(mask.dtype).max if mask.dtype.kind in "iu" else 1
    brightest = np.fmax.reduce(mask, axis=None, initial=0)
    if not brightest > 0:
        return "The mask is empty: paint where the picture should move."
    return (
        f"The mask is too dark: its brightest value is {brightest!s}, and white is {white} in {mask.dtype}. "
        "Paint white where the picture should move, or save it in 8 bits."
    )


def _as_numbers(values: Any, error: type[BadImage] | type[BadMask], name: str) -> NDArray[Any]:
    try:
        array = np.asarray(values)
    except ValueError as reason:
        raise error(f"{name} isn't an array of numbers.") from reason
    if array.dtype.kind not in "buif":
        raise error(f"{name} isn't an array of numbers.")
    return array
