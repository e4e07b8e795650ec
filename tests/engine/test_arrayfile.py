"""Files of arrays and of loops: what was saved is what is read, with any number of cores, old files too."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest

from engine import BadFile, Loop
from engine.arrayfile import load_arrays, save_arrays
from engine.motion import Speeds
from engine.threads import limited_threads

from .pictures import SIZE, as_type, box_mask, moved_pattern, moving, sideways

generator = np.random.default_rng(5)
ANY_BITS = generator.integers(0, 2**32, (700, 900, 1), np.uint32)
ARRAYS = {
    "bytes": generator.integers(0, 256, (2000, 1500, 3), np.uint8),
    "words": generator.integers(0, 2**16, (3, 5), np.uint16),
    "floats": ANY_BITS.view(np.float32),  # NaN of every kind among them
    "doubles": np.float64(-1 / 3),
    "whole": np.array([-5, 0, 2**62]),
    "one": np.array(-7),
    "row": np.linspace(0, 1, 300_000, dtype=np.float32),
    "turned": np.asfortranarray(np.arange(12, dtype=np.float32).reshape(3, 4)),
    "strided": np.arange(60, dtype=np.uint8).reshape(6, 10)[::2, ::3],
    "words of text": np.array(["", "Häuser 楼"]),
    "text": np.array("endless"),
    "none": np.zeros((0, 3), np.int64),
    "no text": np.array([], np.str_),
    "no width": np.zeros((4, 0, 3), np.uint8),
}


def test_arrays_of_every_kind_are_read_as_they_were(tmp_path):
    save_arrays(tmp_path / "file", ARRAYS)
    again = load_arrays(tmp_path / "file")
    assert [*again] == [*ARRAYS]
    for name, array in ARRAYS.items():
        found, array = again[name], np.asarray(array)
        assert (found.dtype, found.shape) == (array.dtype, array.shape), name
        assert found.tobytes() == array.tobytes(), name
        assert found.flags.writeable


def test_one_core_writes_the_bytes_of_many(tmp_path):
    for threads in (1, 3):
        with limited_threads(threads):
            save_arrays(tmp_path / f"{threads}", {"bytes": ARRAYS["bytes"]})
    assert (tmp_path / "1").stat().st_size == (tmp_path / "3").stat().st_size
    contents = [zipfile.ZipFile(tmp_path / f"{threads}").read("bytes.rows") for threads in (1, 3)]
    assert contents[0] == contents[1]


def test_a_photograph_is_saved_smaller_than_it_is(tmp_path):
    smooth = np.cumsum(generator.integers(-3, 4, (500, 500, 3)), 0).astype(np.uint8)
    save_arrays(tmp_path / "file", {"still": smooth})
    assert (tmp_path / "file").stat().st_size < 0.5 * smooth.nbytes


@pytest.mark.parametrize("claim", [(2**40,), (2**31, 2**31), (10**9, 3)], ids=str)
def test_an_array_that_claims_more_than_its_file_can_hold_is_given_no_memory(tmp_path, claim):
    save_arrays(tmp_path / "file", {"few": np.arange(5.0)})
    content = zipfile.ZipFile(tmp_path / "file").read("few.rows")
    with zipfile.ZipFile(tmp_path / "file", "w") as archive:
        archive.writestr("few.rows", content.replace(b"(5,), }".ljust(40), f"{claim}, }}".encode().ljust(40)))
    with pytest.raises(BadFile, match="damaged"):
        load_arrays(tmp_path / "file")


def test_a_band_that_unpacks_to_more_than_its_rows_is_refused_before_it_fills_memory(tmp_path):
    save_arrays(tmp_path / "file", {"few": np.arange(5.0)})
    content = zipfile.ZipFile(tmp_path / "file").read("few.rows")
    bomb = zlib.compress(bytes(200_000_000), 9)
    head = content[: content.index(b"\n") + 1]
    with zipfile.ZipFile(tmp_path / "file", "w") as archive:
        archive.writestr("few.rows", head + len(bomb).to_bytes(4, "little") + bomb)
    tracemalloc.start()
    with pytest.raises(BadFile, match="damaged"):
        load_arrays(tmp_path / "file")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_an_array_that_is_packed_twice_is_refused(tmp_path):
    save_arrays(tmp_path / "file", {"many": np.zeros(100_000)})
    content = zipfile.ZipFile(tmp_path / "file").read("many.rows")
    with zipfile.ZipFile(tmp_path / "file", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("many.rows", content)
    with pytest.raises(BadFile, match="damaged"):
        load_arrays(tmp_path / "file")


@pytest.mark.parametrize("kind", [np.complex64, np.bool_, "V8", np.longdouble], ids=str)
def test_arrays_of_kinds_that_no_loop_has_are_refused(tmp_path, kind):
    head = io.BytesIO()
    found = {"descr": np.lib.format.dtype_to_descr(np.dtype(kind)), "fortran_order": False, "shape": (5,)}
    np.lib.format.write_array_header_1_0(head, found)
    band = zlib.compress(bytes(5 * np.dtype(kind).itemsize))
    with zipfile.ZipFile(tmp_path / "file", "w") as archive:
        archive.writestr("few.rows", head.getvalue() + len(band).to_bytes(4, "little") + band)
    with pytest.raises(BadFile, match="damaged"):
        load_arrays(tmp_path / "file")


def as_before(path, arrays):
    """Write arrays as versions before this one did."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            array, kind = np.ascontiguousarray(array).reshape(array.shape), "npy"
            if array.dtype == np.float32:
                array, kind = np.moveaxis(array[..., None].view(np.uint8), -1, 0), "bytes"
            with archive.open(f"{name}.{kind}", "w") as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)


@pytest.mark.parametrize("form", ["endless-loop-2", "endless-loop-3"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_loop_of_an_earlier_version_is_read(tmp_path, dtype, form):
    loop = moving(moved_pattern(0, dtype, 3), box_mask())
    loop.save(tmp_path / "new")
    arrays = load_arrays(tmp_path / "new")
    if form == "endless-loop-2":
        assert arrays.pop("cells").tolist() == [1, 0, 0]
    whole = {
        "format": np.array(form),
        "mask": np.packbits(loop.mask),
        "texture": loop.texture.pixels,
    }
    as_before(tmp_path / "old", arrays | whole)
    assert Loop.load(tmp_path / "old").frame(0.4).tobytes() == loop.frame(0.4).tobytes()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_texture_filled_where_the_still_is_broken_is_saved(tmp_path, channels):
    still = as_type(generator.random(SIZE), np.float32, channels)
    still[60:64, 70:90, 0] = np.nan
    loop = moving(still, box_mask())
    loop.save(tmp_path / "loop")
    again = Loop.load(tmp_path / "loop")
    assert np.isfinite(again.texture.pixels).all()
    assert again.texture.pixels.tobytes() == loop.texture.pixels.tobytes()
    assert again.frame(0.4).tobytes() == loop.frame(0.4).tobytes()


@pytest.mark.parametrize("channels", [3, 4])
def test_what_the_still_holds_is_saved_once(tmp_path, channels):
    still = generator.integers(0, 256, (*SIZE, channels), np.uint8)
    if channels == 4:
        still[box_mask(), 3] = 255  # opaque where it moves
    loop = moving(still, box_mask())
    loop.save(tmp_path / "loop")
    texture = load_arrays(tmp_path / "loop")["texture"]
    inside = loop.mask[loop.box]
    rows, columns = (
        slice(side.start - first, side.stop - first)
        for side, first in zip(loop.box, loop.texture.origin[::-1], strict=True)
    )
    assert not texture[rows, columns][inside].any() and texture.any()


def test_shares_of_speeds_are_saved_as_small_as_they_are_smooth(tmp_path):
    shares = np.zeros((2, 80, 90), np.float32)
    shares[0] = np.rint(np.linspace(0, 256, 90)) / 256
    shares[1] = 1 - shares[0]
    still, field = moved_pattern(0, np.uint8, 3), sideways()
    speeds = Speeds((1, -2), shares)
    loop = Loop.from_fields(still, box_mask(), field, -field, 1.0, speeds=speeds)
    loop.save(tmp_path / "loop")
    again = Loop.load(tmp_path / "loop")
    assert again.speeds.turns == (1, -2) and again.speeds.shares.tobytes() == shares.tobytes()
    packed = zipfile.ZipFile(tmp_path / "loop").getinfo("share_1.rows").file_size
    assert packed < 0.1 * shares[1].nbytes
