"""The thread count changes how long things take, and nothing else."""

from __future__ import annotations

import threading
import time

import cv2
import numpy as np
import pytest

import engine
from engine.imagefiles import write_frames
from engine.threads import _blas, in_threads, limited_threads, results_in_order, thread_count

from .pictures import as_type, plane_texture

SIZE = (220, 300)


def still(dtype=np.uint8):
    values = plane_texture(SIZE, 24, 0.2, (0.0005, 0.001))[..., 0].astype(float)
    return as_type(values, dtype, 3)


def solved(picture, threads):
    mask = np.zeros(SIZE, bool)
    mask[20:200, 20:140] = mask[20:200, 150:280] = True
    strokes = [np.array([[40, 110], [110, 124]], float), np.array([[170, 110], [240, 124]], float)]
    return engine.solve(picture, mask, strokes, engine.Settings(threads=threads, soft_edge=4))


def everything(loop):
    """All that a loop says and shows, in bytes."""
    shown = [loop.forward, loop.inverse, loop.cover, loop.texture.pixels, *loop.frames(5)]
    return [array.tobytes() for array in shown] + [loop.confidence]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_one_thread_gives_the_bytes_of_many_and_every_run_the_same(dtype):
    picture = still(dtype)
    expected = everything(solved(picture, None))
    for threads in (None, 1, 2, 5):
        assert everything(solved(picture, threads)) == expected


def test_files_are_the_same_too(tmp_path):
    folders = [write_frames(solved(still(), threads), 6, tmp_path / str(threads)) for threads in (1, 3)]
    first, second = ([path.read_bytes() for path in sorted(folder.iterdir())] for folder in folders)
    assert first == second


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2"])
def test_a_thread_count_that_is_none_is_refused(threads):
    with pytest.raises(engine.BadSettings, match="threads"):
        solved(still(), threads)


def test_a_limit_holds_while_it_lasts_and_no_longer():
    before = thread_count(), cv2.getNumThreads()
    with limited_threads(1):
        assert (thread_count(), cv2.getNumThreads()) == (1, 1)
        workers = []
        in_threads(lambda _: workers.append(threading.get_ident()), range(20))
        assert set(workers) == {threading.get_ident()}
        with limited_threads(None):
            assert (thread_count(), cv2.getNumThreads()) == (1, 1)
    assert (thread_count(), cv2.getNumThreads()) == before


def test_blas_works_on_one_thread_meanwhile_and_on_as_many_as_before_after_the_last():
    counts = [get for get, _ in _blas._controls]
    if not counts:
        pytest.skip("NumPy and SciPy came without an OpenBLAS of their own")
    before = [get() for get in counts]
    with limited_threads(None):
        with limited_threads(3):
            assert [get() for get in counts] == [1] * len(counts)
        assert [get() for get in counts] == [1] * len(counts)
    assert [get() for get in counts] == before


def test_what_fails_in_a_thread_is_raised():
    def fail(number):
        if number == 7:
            raise ValueError("seven")

    with pytest.raises(ValueError, match="seven"):
        in_threads(fail, range(20), 3)


def test_what_fails_in_a_thread_stops_the_others():
    begun = []

    def fail(number):
        begun.append(number)
        time.sleep(0.001)
        raise ValueError(number)

    with pytest.raises(ValueError):
        in_threads(fail, range(1000), 3)
    assert len(begun) <= 3


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order_and_little_is_made_ahead(threads):
    begun = []

    def work(number):
        begun.append(number)
        time.sleep(0.01 if number % 2 else 0)
        return number

    found = []
    for result in results_in_order(work, range(20), threads):
        found.append(result)
        assert len(begun) - len(found) <= threads
    assert found == list(range(20))


def test_who_stops_asking_for_results_stops_the_work():
    begun = []
    results = results_in_order(begun.append, range(1000), 3)
    next(results)
    results.close()
    assert len(begun) < 10


def test_frames_at_phases_are_those_asked_for_one_by_one():
    loop = solved(still(), 2)
    phases = [0.0, 0.7, -0.3, 0.25]
    for phase, frame in zip(phases, loop.frames_at(phases), strict=True):
        np.testing.assert_array_equal(frame, loop.frame(phase))
    with pytest.raises(engine.BadSettings, match="phase"):
        loop.frames_at([0.5, float("nan")])
