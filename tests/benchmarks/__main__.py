"""`python -m tests.benchmarks` prints the table of figures; with `sheet NAME...` it writes contact sheets."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2

from . import synthetic
from .cases import HELD_SEEDS, TUNING_SEEDS, Case, photographs
from .measure import SOLVERS, Cache, Row
from .sheet import contact_sheet
from .table import detail, table

STILLS = Path(__file__).resolve().parents[2].parent / "shared" / "stills"


def _arguments(command: str, words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks" + " sheet" * (command == "sheet"))
    parser.add_argument("--stills", type=Path, default=STILLS, help="folder of annotated photographs")
    parser.add_argument("--seeds", type=int, nargs="+", help="other synthetic seeds (counted as held)")
    parser.add_argument("--solver", choices=SOLVERS, action="append", help="measure this one only")
    if command == "sheet":
        parser.add_argument("names", nargs="+", help="stills: photograph.jpg, or seed/motif/condition")
        parser.add_argument("--output", type=Path, required=True, help="folder for the sheets")
    else:
        parser.add_argument("--split", choices=["tune", "held"], help="one half only")
        parser.add_argument("--only", action="append", metavar="TEXT", help="stills whose name contains TEXT")
        parser.add_argument("--verbose", action="store_true", help="a line for each still")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write every still's figures")
        parser.add_argument("--cache", type=Path, metavar="FOLDER", help="keep the recipe's figures there")
    return parser.parse_args(words)


def _cases(options: argparse.Namespace, names: list[str] | None, split: str | None) -> Iterator[Case]:
    """Give the wanted stills: synthetic ones, then photographs; a name need only be contained."""

    def wanted(name: str) -> bool:
        return names is None or any(text in name for text in names)

    seeds = {"tune": TUNING_SEEDS, "held": HELD_SEEDS}
    if options.seeds:
        seeds = {"held": options.seeds}
    for half, numbers in seeds.items():
        if split in (None, half):
            for seed in numbers:
                yield from synthetic.stills(seed, half, wanted)
    if not (options.stills / "annotations.json").is_file():
        print(f"photographs skipped: no annotations.json in {options.stills}", file=sys.stderr)
        return
    yield from (c for c in photographs(options.stills) if wanted(c.name) and split in (None, c.half))


def _report(options: argparse.Namespace) -> None:
    solvers = options.solver or list(SOLVERS)
    cache, no_cache = Cache(options.cache), Cache(None)
    warm = synthetic.still(0, "blobs", "noise", "tune")
    rows: dict[str, list[Row]] = {name: [] for name in solvers}
    for name in solvers:
        SOLVERS[name](warm.still, warm.mask, warm.stroke)
    for case in _cases(options, options.only, options.split):
        for name in solvers:
            row = (cache if name == "recipe" else no_cache).row(case, SOLVERS[name])
            rows[name].append(row)
            if options.verbose:
                print(detail(name, row), flush=True)
    columns = list(rows.items())
    columns += [
        (f"{name} {half}", [row for row in part if row["half"] == half])
        for name, part in rows.items()
        for half in ("tune", "held")
        if options.split is None
    ]
    print(table(columns))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


def _sheets(options: argparse.Namespace) -> None:
    options.output.mkdir(parents=True, exist_ok=True)
    for case in _cases(options, options.names, None):
        for name in options.solver or ["engine"]:
            loop = SOLVERS[name](case.still, case.mask, case.stroke)
            target = options.output / f"{case.name.replace('/', '_')}.{name}.png"
            cv2.imwrite(str(target), cv2.cvtColor(contact_sheet(loop, case), cv2.COLOR_RGB2BGR))
            print(target)


def main(words: list[str]) -> None:
    """Run the command."""
    if words[:1] == ["sheet"]:
        _sheets(_arguments("sheet", words[1:]))
    else:
        _report(_arguments("table", words))


if __name__ == "__main__":
    main(sys.argv[1:])
