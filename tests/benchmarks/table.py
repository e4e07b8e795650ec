"""From rows to the table: each figure with its goal, the recipe and the engine side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .measure import Row
from .special import specials

Value = float | tuple[int, int]


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Parameters
    ----------
    what : str
    goal : str
        The figure to reach, as text; empty where none was set.
    over : str
        The key a row must have to take part.
    summary : callable
        The rows that take part -> the value.
    form : str
        How the value is written.
    """

    what: str
    goal: str
    over: str
    summary: Callable[[list[Row]], Value]
    form: str = "{:.3f}"


def _of(key: str, summary: Callable[[list[float]], float]) -> Callable[[list[Row]], Value]:
    return lambda rows: float(summary([row[key] for row in rows]))


def _anchors(rows: list[Row]) -> Value:
    held = [anchor["held"] for row in rows for anchor in row["anchors"]]
    return sum(held), len(held)


def _stills_held(rows: list[Row]) -> Value:
    whole = [all(anchor["held"] for anchor in row["anchors"]) for row in rows if row["anchors"]]
    return sum(whole), len(whole)


def _seams(rows: list[Row]) -> Value:
    return sum(not row["seams"] for row in rows), len(rows)


def _lost(rows: list[Row]) -> Value:
    return sum(row["median"] > 0.3 for row in rows), len(rows)


FIGURES = (
    Figure("photographs: anchors held", "63 of 70", "anchors", _anchors, "{} of {}"),
    Figure("photographs: stills with every anchor held", "", "anchors", _stills_held, "{} of {}"),
    Figure("synthetic: mean of median end-point errors, steps", "<= 0.05", "median", _of("median", np.mean)),
    Figure("synthetic: mean of 90th percentiles, steps", "<= 0.15", "p90", _of("p90", np.mean)),
    Figure(
        "synthetic: the medians, next repetition hidden or not", "", "median_all", _of("median_all", np.mean)
    ),
    Figure("synthetic: the percentiles, the same", "", "p90_all", _of("p90_all", np.mean)),
    Figure("synthetic: stills lost (median over 0.3 of a step)", "", "median", _lost, "{} of {}"),
    Figure("synthetic: mid-loop error at the rim, contrasts", "", "rim", _of("rim", np.median)),
    Figure(
        "synthetic: mid-loop error in the interior, contrasts", "", "interior", _of("interior", np.median)
    ),
    Figure("photographs: mid-loop gradient energy, median", ">= 0.85", "energy", _of("energy", np.median)),
    Figure("photographs: the same, highest", "<= 1.15", "energy", _of("energy", np.max)),
    Figure("photographs: mid-loop gradient amplitude, median", "", "amplitude", _of("amplitude", np.median)),
    Figure("photographs: agreement at mid-loop, median", ">= 0.70", "agreement", _of("agreement", np.median)),
    Figure("photographs: evenness of 40 frames, median", "", "evenness", _of("evenness", np.median)),
    Figure("photographs: the same, highest", "<= 1.3", "evenness", _of("evenness", np.max)),
    Figure("photographs: seamless and still outside", "all", "seams", _seams, "{} of {}"),
    Figure("photographs: solve, median, s", "<= 0.6", "anchors", _of("solve", np.median), "{:.2f}"),
    Figure("photographs: solve, highest, s", "", "anchors", _of("solve", np.max), "{:.2f}"),
    Figure("photographs: frame, median, s", "", "frame", _of("frame", np.median)),
    *(
        Figure(f"special: {case.kind}, median error, steps", "", case.kind, _of(case.kind, np.mean))
        for case in specials()[:8]
    ),
    Figure("special: mean of the 90th percentiles", "", "special p90", _of("special p90", np.mean)),
    Figure("special: mid-loop error, contrasts", "", "special middle", _of("special middle", np.mean)),
    Figure("special: folded, highest share", "", "folded", _of("folded", np.max)),
    Figure("refused to solve", "0", "refused", len, "{}"),
)


def _cell(figure: Figure, rows: list[Row]) -> str:
    part = [row for row in rows if figure.over in row]
    if not part:
        return "0" if figure.over == "refused" and rows else "-"
    value = figure.summary(part)
    return figure.form.format(*value) if isinstance(value, tuple) else figure.form.format(value)


def _ratio(figure: Figure, tune: list[Row], held: list[Row]) -> str:
    """Write the held half's figure over the tuning half's: 1 where tuning has not flattered it."""
    values = []
    for rows in (held, tune):
        part = [row for row in rows if figure.over in row]
        if not part or figure.over == "refused":
            return ""
        value = figure.summary(part)
        values.append(value[0] / max(value[1], 1) if isinstance(value, tuple) else value)
    return f"{values[0] / values[1]:.2f}" if values[1] else ""


def table(solvers: dict[str, list[Row]]) -> str:
    """Write the table: a line for each figure; for each solver all rows, each half, and the halves' ratio."""
    lines = [["", "goal", *solvers]] + [
        [f.what, f.goal, *(_cell(f, rows) for rows in solvers.values())] for f in FIGURES
    ]
    for name, rows in solvers.items():
        tune, held = ([row for row in rows if row["half"] == half] for half in ("tune", "held"))
        lines[0] += [f"{name}: tune", "held", "held/tune"]
        for line, f in zip(lines[1:], FIGURES, strict=True):
            line += [_cell(f, tune), _cell(f, held), _ratio(f, tune, held)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    text = [
        "  ".join(
            c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    return "\n".join([text[0], "-" * len(text[0]), *text[1:]])


def detail(solver: str, row: Row) -> str:
    """Write one still's line: every figure it has, and its anchors as error, held or not, and factor."""
    keys = (
        ("median", "median"),
        ("p90", "p90"),
        ("rim", "rim"),
        ("interior", "interior"),
        ("agreement", "agree"),
        ("energy", "energy"),
        ("evenness", "even"),
        ("special", "median"),
        ("special p90", "p90"),
        ("special middle", "middle"),
        ("folded", "folded"),
        ("solve", "solve"),
    )
    parts = [f"{label} {row[key]:.3f}" for key, label in keys if key in row]
    parts += [
        f"{a['error']:.2f}{'+' if a['held'] else '-'}(x{a['factor']:.2f})" for a in row.get("anchors", [])
    ]
    parts += row.get("seams", [])
    parts += [row["refused"]] if "refused" in row else []
    return f"{solver:7s} {row['half']} {row['name']:28s} {'  '.join(parts)}"
