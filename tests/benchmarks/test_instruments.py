"""The instruments themselves: what they report for loops whose quality is known."""

import dataclasses

import cv2
import numpy as np
import pytest

from . import metrics, stages, suggested, synthetic
from .cases import Anchor, Case
from .measure import Refused
from .motifs import MOTIFS
from .special import specials


@dataclasses.dataclass
class Shifting:
    """A loop whose field is given, and whose frames a test chooses."""

    forward: np.ndarray
    inverse: np.ndarray
    frames: dict[float, np.ndarray] = dataclasses.field(default_factory=dict)
    still: np.ndarray | None = None

    def frame(self, phase):
        return self.frames.get(phase, self.still)


@pytest.fixture(scope="module")
def striped():
    """A still whose columns repeat every 20 px, moving inside a box."""
    brightness = np.zeros((120, 200), np.uint8)
    rng = np.random.default_rng(4)
    brightness[:] = np.tile(
        cv2.GaussianBlur(rng.integers(0, 255, (120, 20)).astype(np.uint8), (0, 0), 1), (1, 10)
    )
    mask = np.zeros(brightness.shape, bool)
    mask[20:100, 30:170] = True
    anchors = (Anchor(np.array([90.0, 60.0]), np.array([20.0, 0.0]), 0.0),)
    return Case(
        "striped", "tune", np.dstack([brightness] * 3), mask, np.array([[60.0, 60], [120, 60]]), anchors
    )


def shift(case, dx, dy=0.0):
    forward = np.where(case.mask[..., None], np.array([dx, dy], np.float32), 0).astype(np.float32)
    return Shifting(forward, -forward, still=case.still)


@pytest.mark.parametrize("condition", ["noise", "elastic", "perspective"])
@pytest.mark.parametrize("motif", MOTIFS)
def test_the_known_field_leads_each_pixel_to_its_like(motif, condition):
    case = synthetic.still(7, motif, condition, "tune")
    brightness = cv2.GaussianBlur(metrics.grey(case.still), (0, 0), 1.5)
    y, x = np.mgrid[0 : case.mask.shape[0], 0 : case.mask.shape[1]].astype(np.float32)

    def likeness(share):
        there = np.dstack([x, y]) + np.nan_to_num(case.truth) * share
        inside = cv2.remap(metrics.eroded(case.mask).astype(np.float32), there, None, cv2.INTER_NEAREST) > 0
        both = inside & metrics.eroded(case.mask)
        moved = cv2.remap(brightness, there, None, cv2.INTER_LINEAR)
        return np.corrcoef(brightness[both], moved[both])[0, 1]

    assert likeness(1.0) > max(0.85, likeness(0.9), likeness(1.1), likeness(0.5))


def test_a_seed_always_gives_the_same_stills():
    first, second = (synthetic.still(3, "tiles", "elastic+cells", "tune") for _ in range(2))
    other = synthetic.still(4, "tiles", "elastic+cells", "tune")
    np.testing.assert_array_equal(first.still, second.still)
    np.testing.assert_array_equal(first.truth, second.truth)
    assert first.still.shape != other.still.shape or (first.still != other.still).any()


def test_endpoint_errors_are_in_steps():
    case = synthetic.still(5, "blobs", "perspective", "tune")
    true = np.nan_to_num(case.truth)
    for factor, error in ((1.0, 0.0), (2.0, 1.0), (0.9, 0.1)):
        found = metrics.endpoint_errors(Shifting(true * factor, -true * factor), case)
        assert all(value == pytest.approx(error, abs=1e-5) for value in found.values())


def test_an_anchor_holds_within_an_eighth_of_its_step(striped):
    for dx, held in ((20, True), (22, True), (23, False), (40, False)):
        result = metrics.anchors(shift(striped, dx), striped)[0]
        assert result.held is held
        assert result.factor == pytest.approx(dx / 20)
    assert not metrics.anchors(shift(striped, 20, 6), striped)[0].held
    assert metrics.anchors(shift(striped, 20, 6), dataclasses.replace(striped, stripes=True))[0].held


def test_agreement_is_full_for_the_right_step_only(striped):
    assert metrics.agreement(shift(striped, 20), striped) > 0.99
    assert metrics.agreement(shift(striped, 15), striped) < 0.5


def test_a_blurred_middle_loses_sharpness(striped):
    assert metrics.sharpness(striped.still, striped) == {"energy": 1.0, "amplitude": 1.0}
    assert metrics.sharpness(cv2.GaussianBlur(striped.still, (0, 0), 2), striped)["energy"] < 0.6


def test_a_jump_is_uneven(striped):
    darker = striped.still // 2
    assert metrics.change(striped.still, striped.still, striped) == 0
    assert metrics.change(striped.still, darker, striped) > 0
    assert metrics.evenness([2.0, 2.0, 2.0, 5.0]) == 2.5


def test_a_seam_or_a_moving_outside_is_told(striped):
    loop = shift(striped, 20)
    assert metrics.seams(loop, striped) == []
    outside = striped.still.copy()
    outside[0, 0] ^= 1
    assert metrics.seams(dataclasses.replace(loop, frames={0.0: outside, 0.5: outside}), striped) == [
        "frame(0) is not the still",
        "frame(0.5) changes the outside",
    ]


def test_bleeding_shows_at_the_rim_only():
    case = synthetic.still(6, "tiles", "noise", "tune")
    bled = case.middle.copy()
    ring = case.mask & ~metrics.eroded(case.mask)
    bled[ring] = 255 - bled[ring]
    clean, dirty = metrics.middle_errors(case.middle, case), metrics.middle_errors(bled, case)
    assert clean == {"rim": 0, "interior": 0}
    assert dirty["rim"] > 0
    assert dirty["interior"] == 0


def test_a_refusal_counts_as_lost():
    case = synthetic.still(5, "blobs", "perspective", "tune")
    assert metrics.endpoint_errors(Refused(case.still), case)["median"] == pytest.approx(1)


def test_a_special_still_is_its_own_next_repetition_and_knows_its_middle():
    for case in specials()[:5]:
        ys, xs = np.nonzero(metrics.eroded(case.mask))
        step = case.truth[ys, xs]
        x, y = (np.round(xs + step[:, 0]).astype(int), np.round(ys + step[:, 1]).astype(int))
        within = (x >= 0) & (x < 360) & (y >= 0) & (y < 360)
        within[within] = metrics.eroded(case.mask)[y[within], x[within]]
        bright = metrics.grey(case.still)
        here, there = bright[ys[within], xs[within]], bright[y[within], x[within]]
        assert np.median(np.abs(here - there)) < 0.1 * case.still[case.mask].std()
        assert np.abs(metrics.grey(case.middle) - bright)[case.mask].mean() > 5


def test_what_folds_is_seen():
    ramp = np.zeros((60, 80, 2), np.float32)
    ramp[..., 0] = 30 - 0.5 * np.arange(80)
    assert metrics.folded(Shifting(ramp, ramp)) == 0
    assert metrics.folded(Shifting(3 * ramp, ramp)) > 0.9


def test_suggested_angles_are_ranked_by_the_annotated_step():
    step = Anchor(np.array([5.0, 5.0]), np.array([10.0, 10.0]), 0.0)
    case = dataclasses.replace(synthetic.still(0, "blobs", "noise", "tune"), anchors=(step,))
    assert suggested.rank([170.0, -130.0, 45.0], case) == 1  # an opposite direction is the same one
    assert suggested.rank([170.0], case) == suggested.rank([], case) == 99
    assert suggested.apart(179.0, 1.0) == 2


def test_stages_are_told_apart_and_add_up(monkeypatch):
    monkeypatch.setattr(stages, "RUNS", 1)
    spent = stages._stages(synthetic.still(3, "facade", "elastic", "tune"))
    parts = {name: seconds for name, seconds in spent.items() if name != "all"}
    assert sum(parts.values()) == pytest.approx(spent["all"])
    met = [name for name in stages.STAGES if parts.get(name, 0) > 0]
    assert len(met) >= len(stages.STAGES) - 2  # a small still isn't reduced
