"""The built-in CRF held to mean field written out in full, and to the reference solver."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import engine
from engine import assignment
from engine.assignment import ITERATIONS, solve_crf
from tests.benchmarks import synthetic

EXAMPLE = Path(__file__).parents[2] / "examples" / "facade"
AGREEING = 0.997
"""Share of places whose best label must be the reference's, whose lattice approximates the kernel."""


def mean_field(unary, angles, inside, theta, weight):
    """Iterate over every pair of labels and every pair of places, with nothing collapsed or separated."""
    rows, columns = np.nonzero(inside)
    count = unary.shape[0] * unary.shape[1]
    energy = unary[:, :, rows, columns].reshape(count, -1).astype(float)
    distance = (rows[:, None] - rows) ** 2 + (columns[:, None] - columns) ** 2
    kernel = np.exp(-distance / (2 * theta**2))
    norm = 1 / np.sqrt(kernel.sum(1))
    kernel *= norm[:, None] * norm
    of_label = np.repeat(angles, unary.shape[1])
    alike = np.sqrt(np.maximum(np.cos(of_label[:, None] - of_label), 0))
    support = np.zeros_like(energy)
    for _ in range(ITERATIONS + 1):
        belief = np.exp(support - energy - (support - energy).max(0))
        belief /= belief.sum(0)
        support = weight * alike @ belief @ kernel
    posterior = np.zeros(unary.shape)
    posterior[:, :, rows, columns] = belief.reshape(*unary.shape[:2], -1)
    return posterior


@pytest.mark.parametrize("parts", [1, 2])
def test_the_collapsed_solver_is_the_full_mean_field(parts):
    rng = np.random.default_rng(parts)
    unary = rng.uniform(0, 4, (5, 3, 14, 17)).astype(np.float32)
    angles = np.radians([-30, -15, 0, 15, 30]).astype(np.float32)
    inside = np.ones((14, 17), bool)
    inside[:3, :5] = False
    if parts == 2:
        inside[:, 9] = False
    found = solve_crf(unary, angles, inside, 2.5, 3.0, "builtin")
    np.testing.assert_allclose(found, mean_field(unary, angles, inside, 2.5, 3.0), atol=1e-4)


def example():
    """Read the still the project ships: a rendered street front."""
    still = cv2.cvtColor(cv2.imread(str(EXAMPLE / "still.png")), cv2.COLOR_BGR2RGB)
    mask = cv2.imread(str(EXAMPLE / "mask.png"), cv2.IMREAD_GRAYSCALE)
    return still, mask, [np.array(s) for s in json.loads((EXAMPLE / "strokes.json").read_text())]


def drawn(motif, condition):
    case = synthetic.still(9, motif, condition, "tune")
    return case.still, case.mask, [case.stroke]


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(example, id="facade"),
        pytest.param(lambda: drawn("tiles", "elastic"), id="tiles"),
        pytest.param(lambda: drawn("drawing", "perspective+cells"), id="drawing"),
        pytest.param(lambda: drawn("lattice", "elastic+cells"), id="lattice"),
    ],
)
def test_the_reference_solver_chooses_the_same_labels(picture, monkeypatch):
    pytest.importorskip("pydensecrf.densecrf", reason="the reference solver isn't installed")
    asked = []

    def recording(*question):
        asked.append(question[:-1])
        return solve_crf(*question)

    monkeypatch.setattr(assignment, "solve_crf", recording)
    still, mask, strokes = picture()
    reference_loop = engine.solve(still, mask, strokes, settings=engine.Settings(crf="pydensecrf"))
    for unary, angles, inside, theta, weight in asked:
        builtin, reference = (
            solve_crf(unary, angles, inside, theta, weight, solver) for solver in ("builtin", "pydensecrf")
        )
        best, expected = (q.reshape(-1, *inside.shape).argmax(0)[inside] for q in (builtin, reference))
        assert np.mean(best == expected) >= AGREEING
        assert np.abs(builtin - reference).max() < 0.01
    assert asked
    loop = engine.solve(still, mask, strokes)
    step = np.median(np.linalg.norm(loop.forward[mask > 0], axis=-1))
    np.testing.assert_allclose(loop.forward, reference_loop.forward, atol=0.02 * step)
