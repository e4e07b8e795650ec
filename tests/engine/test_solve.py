"""From a still to a loop: known motions found, bad input refused in words, nothing left to chance."""

from __future__ import annotations

import itertools
import os

import cv2
import numpy as np
import pytest

import engine
from engine import EndlessLoopsError, Stroke
from engine.__main__ import main
from tests.benchmarks import metrics, synthetic

from .pictures import SIZE, STEP, as_type, box_mask, moved_pattern, plane_texture, texture

pytestmark = pytest.mark.filterwarnings("error")

LINE = [[45, 60], [105, 60]]
KINDS = list(itertools.product((np.uint8, np.uint16, np.float32), (1, 3, 4)))


def textured(step=STEP, angle=0.0, dtype=np.uint8, size=SIZE):
    return as_type(plane_texture(size, step, np.radians(angle))[..., 0].astype(float), dtype, 3)


def direction(angle):
    return np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])


def off(loop, expected, where=None):
    """Distances from the expected displacement, in steps."""
    where = loop.mask if where is None else where
    return np.hypot(*(loop.forward[where] - expected).T) / np.hypot(*expected)


@pytest.fixture(scope="module")
def loop():
    return engine.solve(textured(), box_mask(), [LINE])


@pytest.mark.parametrize("angle", [0, 33, 90, 200, -45])
def test_a_pattern_moves_by_one_step_along_the_stroke(angle):
    middle = np.array([75.0, 60])
    drawn = [middle - 25 * direction(angle + 6), middle + 25 * direction(angle + 6)]
    solved = engine.solve(textured(angle=angle), box_mask(), [drawn])
    errors = off(solved, STEP * direction(angle))
    assert np.median(errors) < 0.02
    assert np.percentile(errors, 90) < 0.06
    back = solved.inverse[solved.mask] + STEP * direction(angle)
    assert np.median(np.hypot(*back.T)) < 0.02 * STEP
    assert solved.confidence > 0.5
    assert not solved.forward[~box_mask()].any() and not solved.inverse[~box_mask()].any()


def test_stripes_move_across_themselves():
    solved = engine.solve(moved_pattern(0, np.uint8, 3), box_mask(), [LINE])
    assert np.median(off(solved, [STEP, 0])) < 0.02


def test_frames_between_show_the_pattern_on_its_way(loop):
    still = textured().astype(float)
    core = box_mask(35, 85, 55, 95)
    for phase in (0.25, 0.5, 0.8):
        columns = np.arange(SIZE[1])[None] - phase * STEP + np.zeros((SIZE[0], 1))
        rows = np.arange(SIZE[0])[:, None] - (SIZE[0] - 1) / 2 + np.zeros((1, SIZE[1]))
        expected = 255 * texture(columns - (SIZE[1] - 1) / 2, rows, STEP)[..., 0]
        frame = loop.frame(phase)[..., 0].astype(float)
        assert np.abs(frame - expected)[core].mean() < 4
        assert np.abs(still[..., 0] - expected)[core].mean() > 15


@pytest.mark.parametrize(("dtype", "channels"), KINDS)
def test_every_kind_of_still_moves_alike(loop, dtype, channels):
    values = plane_texture(SIZE, STEP, 0.0)[..., 0].astype(float)
    still = as_type(values, dtype, channels)
    solved = engine.solve(still, box_mask(), [LINE])
    assert np.percentile(np.hypot(*(solved.forward - loop.forward)[loop.mask].T), 95) < 0.05 * STEP
    assert solved.frame(0).tobytes() == still.tobytes()
    frame = solved.frame(0.4)
    assert frame.dtype == dtype and frame.shape == still.shape


def test_broken_pixels_do_not_spread_into_the_field_or_the_frames(loop):
    still = 4 * plane_texture(SIZE, STEP, 0.0)
    broken = np.random.default_rng(3).random(SIZE) < 0.01
    still[broken] = np.nan
    still[50, 70] = np.inf
    solved = engine.solve(still, box_mask(), [LINE])
    assert np.percentile(np.hypot(*(solved.forward - loop.forward)[loop.mask].T), 95) < 0.1 * STEP
    frame = solved.frame(0.5)
    assert np.isfinite(frame[loop.mask]).all()
    assert frame[loop.mask].max() > 2


def test_very_large_values_move_as_small_ones_do():
    still = as_type(plane_texture(SIZE, STEP, 0.0)[..., 0].astype(float), np.float32, 3)
    expected, shown = (
        engine.solve(still * gain, box_mask(), [LINE]).frame(0.5) / gain for gain in (1, 2.0**50)
    )
    np.testing.assert_allclose(shown, expected, atol=0.01)


def test_the_smallest_still_moves_and_a_mask_may_fill_it():
    solved = engine.solve(textured(step=16, size=(64, 64)), np.ones((64, 64), bool), [[[8, 32], [56, 32]]])
    assert np.median(off(solved, [16, 0])) < 0.03


def test_strokes_in_one_mask_move_their_own_ways():
    right, up = Stroke([[40, 40], [70, 40]]), Stroke([[110, 90], [110, 40]])
    solved = engine.solve(moved_pattern(0, np.uint8, 3), box_mask(), [right, up])
    assert np.median(off(solved, [STEP, 0], box_mask(35, 85, 32, 60))) < 0.05
    assert np.median(off(solved, [0, -15], box_mask(35, 85, 105, 118))) < 0.1


def test_a_cell_too_small_for_two_steps_borrows_from_a_larger_one():
    strokes = [[[40, 60], [90, 60]], [[106, 26], [116, 26]]]
    solved = engine.solve(textured(step=30), box_mask(), strokes)
    assert np.median(off(solved, [30, 0], box_mask(20, 40, 100, 120))) < 0.05
    up = engine.solve(textured(step=30), box_mask(), [strokes[0], [[112, 30], [112, 22]]])
    corner = box_mask(21, 27, 113, 119)
    assert np.median(up.forward[corner][:, 1]) < -10


@pytest.mark.parametrize("turns", [2, 3, -1])
def test_turns_are_steps_in_one_loop(turns):
    solved = engine.solve(textured(), box_mask(), [Stroke(LINE, turns=turns)])
    assert np.median(off(solved, [turns * STEP, 0])) < 0.02


def test_a_stroke_without_turns_holds_its_surroundings_still():
    strokes = [Stroke([[45, 40], [105, 40]]), Stroke([[45, 85], [105, 85]], turns=0)]
    solved = engine.solve(textured(), box_mask(), strokes)
    assert np.median(off(solved, [STEP, 0], box_mask(25, 55))) < 0.05
    below = box_mask(65, 100)
    assert not solved.forward[below].any()
    np.testing.assert_array_equal(solved.frame(0.5)[below], solved.still[below])


def test_parts_apart_from_each_other_both_move_and_a_splash_stays_still():
    mask = box_mask(10, 55, 20, 140) | box_mask(65, 112, 20, 140)
    mask[2:6, 2:6] = True
    solved = engine.solve(textured(), mask, [[[40, 30], [110, 30]], [[110, 90], [40, 90]]])
    assert np.median(off(solved, [STEP, 0], box_mask(10, 55, 20, 140))) < 0.02
    assert np.median(off(solved, [-STEP, 0], box_mask(65, 112, 20, 140))) < 0.02
    np.testing.assert_array_equal(solved.frame(0.3)[:8, :8], solved.still[:8, :8])


def test_a_part_too_small_for_two_steps_stays_still_while_another_moves():
    mask = box_mask(20, 100, 20, 90) | box_mask(40, 80, 110, 136)
    solved = engine.solve(textured(), mask, [LINE])
    assert np.median(off(solved, [STEP, 0], box_mask(20, 100, 20, 90))) < 0.03
    np.testing.assert_array_equal(solved.mask, box_mask(20, 100, 20, 90))


@pytest.mark.parametrize(
    "still",
    [
        pytest.param(np.random.default_rng(4).integers(0, 256, (*SIZE, 3), np.uint8), id="noise"),
        pytest.param(
            np.repeat(np.linspace(20, 230, SIZE[1])[None, :, None], SIZE[0], 0).astype(np.uint8),
            id="gradient",
        ),
        pytest.param(np.full((*SIZE, 3), 90, np.uint8), id="one color"),
        pytest.param(np.zeros((*SIZE, 4), np.uint8), id="transparent"),
        pytest.param(np.full((*SIZE, 3), 0.37, np.float32), id="one scene-linear color"),
        pytest.param(np.zeros((*SIZE, 1), np.float32), id="black"),
    ],
)
def test_where_nothing_repeats_there_is_a_loop_and_little_confidence(still):
    solved = engine.solve(still, box_mask(), [LINE])
    assert 0 <= solved.confidence < 0.3
    # Blender's properties take no number or truth of NumPy.
    assert type(solved.confidence) is float and type(solved.hardly_repeats) is bool
    if np.ptp(still[..., :3]) == 0:
        assert solved.confidence == 0
    assert np.isfinite(solved.forward).all() and np.abs(solved.forward).max() < SIZE[1]
    assert solved.frame(0).tobytes() == still.tobytes()
    frame = solved.frame(0.5).astype(float)
    assert np.isfinite(frame).all()
    np.testing.assert_allclose(
        frame[..., :3].mean(), still[..., :3].mean(), atol=0.05 * float(still.max()) + 1e-6
    )


def test_the_same_still_gives_the_same_bytes(loop):
    again = engine.solve(textured(), box_mask(), [LINE])
    assert again.forward.tobytes() == loop.forward.tobytes()
    assert again.inverse.tobytes() == loop.inverse.tobytes()
    assert again.frame(0.37).tobytes() == loop.frame(0.37).tobytes()
    assert again.confidence == loop.confidence


def test_parts_solved_at_a_time_give_the_same_bytes():
    strokes = [[[40, 30], [110, 30]], Stroke([[110, 90], [40, 90]], turns=2)]
    one, two = (
        engine.solve(textured(), TWO_PARTS, strokes, settings=engine.Settings(threads=threads))
        for threads in (1, 2)
    )
    assert one.forward.tobytes() == two.forward.tobytes()
    assert one.frame(0.3).tobytes() == two.frame(0.3).tobytes()
    assert one.confidence == two.confidence


def test_nothing_that_was_handed_over_is_changed():
    still, mask, line = textured(), box_mask(), np.array(LINE, float)
    before = still.copy(), mask.copy(), line.copy()
    engine.solve(still, mask, [line])
    for now, then in zip((still, mask, line), before, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize("worthwhile", [1, 10**9])
def test_what_is_changed_after_solving_leaves_the_loop_alone(monkeypatch, worthwhile):
    monkeypatch.setattr("engine.threads.WORTHWHILE", worthwhile)
    still, mask = textured(), box_mask()
    loop = engine.solve(still, mask, [LINE], settings=engine.Settings(threads=2))
    before = loop.frame(0), loop.frame(0.5)
    still[:], mask[:] = 0, False
    for phase, frame in zip((0, 0.5), before, strict=True):
        np.testing.assert_array_equal(loop.frame(phase), frame)


NOISE = np.random.default_rng(4).integers(0, 256, (*SIZE, 3), np.uint8)
TWO_PARTS = box_mask(10, 55) | box_mask(65, 112)


@pytest.mark.parametrize("still", [textured(), NOISE], ids=["pattern", "noise"])
def test_progress_goes_from_nothing_to_all_and_never_back(still):
    said = []
    engine.solve(still, TWO_PARTS, [LINE], progress=lambda fraction, stage: said.append((fraction, stage)))
    fractions = [fraction for fraction, _ in said]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0 and fractions[-1] == 1
    assert len({stage for _, stage in said}) > 4 and all(stage.strip() for _, stage in said)


@pytest.mark.parametrize("last", [0, 0.1, 0.5, 0.79, 1])
def test_a_cancel_from_progress_comes_through_as_it_is(last):
    reason = engine.Cancelled("Esc")

    def progress(fraction, stage):
        if fraction >= last:
            raise reason

    with pytest.raises(engine.Cancelled) as raised:
        engine.solve(textured(), box_mask(), [LINE], progress=progress)
    assert raised.value is reason


def small(width):
    return box_mask(20, 100, 60, 60 + width)


BAD = {
    "empty mask": (np.zeros(SIZE, bool), LINE, engine.EmptyMask, "paint"),
    "mask of another size": (np.ones((100, 160), bool), LINE, engine.BadMask, "160 x 100"),
    "mask of a few pixels": (box_mask(50, 60, 60, 70), LINE, engine.BadMask, "paint a larger area"),
    "mask of one step": (small(26), LINE, engine.BadMask, "26 pixels long along the stroke"),
    "mask of a step and a half": (small(32), LINE, engine.BadMask, "32 pixels long along the stroke"),
    "stroke of one point": (box_mask(), LINE[:1], engine.BadStroke, "not a dot"),
    "stroke of no length": (box_mask(), [LINE[0], LINE[0]], engine.BadStroke, "no length"),
    "stroke outside": (box_mask(), [[-40, 500], [-20, 600]], engine.BadStroke, "outside the picture"),
    "stroke of NaN": (box_mask(), [[40, 60], [np.nan, 60]], engine.BadStroke, "isn't a number"),
}


def is_a_sentence(text):
    return text[0].isupper() and text[-1] == "." and "\n" not in text and len(text) < 220


@pytest.mark.parametrize("bad", BAD)
def test_bad_input_is_refused_in_a_sentence(bad):
    mask, stroke, error, says = BAD[bad]
    assert issubclass(error, EndlessLoopsError)
    with pytest.raises(error, match=says) as raised:
        engine.solve(textured(), mask, [stroke])
    assert is_a_sentence(str(raised.value))


@pytest.mark.parametrize("bad", BAD)
def test_the_shell_says_the_same_sentence_and_leaves_nothing(bad, tmp_path, capsys):
    mask, stroke, _, says = BAD[bad]
    cv2.imwrite(str(tmp_path / "still.png"), textured())
    cv2.imwrite(str(tmp_path / "mask.png"), mask.astype(np.uint8) * 255)
    points = " ".join(f"{x},{y}" for x, y in stroke)
    words = ["animate", "still.png", "--mask", "mask.png", f"--stroke={points}", "--frames=4", "--output=out"]
    words[1], words[3] = str(tmp_path / words[1]), str(tmp_path / words[3])
    words[-1] = f"--output={tmp_path / 'out'}"
    assert main(words) == 2
    said, complained = capsys.readouterr()
    assert said == "" and says in complained and complained.count("\n") == 1
    assert sorted(os.listdir(tmp_path)) == ["mask.png", "still.png"]


@pytest.mark.parametrize(
    ("still", "error"),
    [
        (textured()[:63], engine.BadImage),
        (textured().astype(np.float64), engine.BadImage),
        (np.full((*SIZE, 3), np.nan, np.float32), engine.BadImage),
        ("still.png", engine.BadImage),
    ],
)
def test_a_still_that_cannot_move_is_refused_in_a_sentence(still, error):
    with pytest.raises(error) as raised:
        engine.solve(still, box_mask(), [LINE])
    assert is_a_sentence(str(raised.value))


def test_a_solver_that_does_not_exist_is_refused():
    with pytest.raises(engine.BadSettings, match="no CRF solver"):
        engine.solve(textured(), box_mask(), [LINE], settings=engine.Settings(crf="magic"))
    with pytest.raises(engine.BadSettings, match=r"engine\.Settings"):
        engine.solve(textured(), box_mask(), [LINE], settings={"crf": "magic"})


@pytest.mark.parametrize("width", [-3, "wide", [1.0, np.nan], []])
def test_a_soft_edge_that_is_no_width_is_refused_before_anything_is_solved(width):
    said = []
    with pytest.raises(engine.BadSettings, match="soft edge"):
        engine.solve(
            textured(),
            box_mask(),
            [LINE],
            settings=engine.Settings(soft_edge=width),
            progress=lambda fraction, stage: said.append(stage),
        )
    assert said == ["Checking"]


def test_a_soft_edge_asked_for_is_the_one_set_afterwards(loop):
    soft = engine.solve(textured(), box_mask(), [LINE], settings=engine.Settings(soft_edge=18))
    assert soft.frame(0.4).tobytes() == loop.with_soft_edge(18).frame(0.4).tobytes()


def test_the_reference_solver_moves_it_alike(loop):
    pytest.importorskip("pydensecrf.densecrf", reason="the reference solver isn't installed")
    reference = engine.solve(textured(), box_mask(), [LINE], settings=engine.Settings(crf="pydensecrf"))
    assert np.abs(reference.forward - loop.forward).max() < 0.02 * STEP


def test_what_repeats_in_other_colors_is_found_by_its_structure():
    rng = np.random.default_rng(7)
    step, size = 40, (120, 200)
    blobs = cv2.GaussianBlur(rng.random((size[0], step)).astype(np.float32), (0, 0), 2.5)
    motif = np.tile(blobs > np.median(blobs), (1, size[1] // step))[..., None]
    paints = [(230, 210, 30), (50, 60, 140), (220, 60, 30), (60, 150, 60), (200, 60, 140)]
    paint = np.repeat(paints, step, 0)
    still = np.where(motif, paint, 0.6 * paint).astype(np.uint8)
    mask = np.zeros(size, bool)
    mask[10:110, 5:195] = True
    solved = engine.solve(still, mask, [[[20, 60], [180, 60]]])
    mask[:, 150:] = False  # from there on the next one isn't in the picture
    assert np.median(off(solved, [step, 0], mask)) < 0.05


@pytest.mark.parametrize(("motif", "condition"), [("facade", "elastic+cells"), ("drawing", "elastic")])
def test_a_step_is_meant_and_not_its_double_where_that_repeats_a_bit_better(motif, condition):
    case = synthetic.still(101, motif, condition, "held")
    solved = engine.solve(case.still, case.mask, [case.stroke])
    assert metrics.endpoint_errors(solved, case)["median"] < 0.1
