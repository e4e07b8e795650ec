"""`python -m tests.benchmarks` prints every figure: first how good loops are, then how long they take.

`speed`, `suggestions` and `video` print a part of them, `stages` where a solve's time goes; `sheet NAME...`
writes contact sheets.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2

from . import speed, stages, suggested, synthetic, video
from .cases import HELD_SEEDS, TUNING_SEEDS, Case, photographs
from .measure import SOLVERS, Cache, Row, measure
from .sheet import contact_sheet
from .special import specials
from .table import detail, table

WORKERS = 2
REPEATS = 5
STILLS = Path(__file__).resolve().parents[2].parent / "shared" / "stills"


def _arguments(command: str, words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m tests.benchmarks {command}".removesuffix(" table"))
    parser.add_argument("--stills", type=Path, default=STILLS, help="folder of annotated photographs")
    if command in ("speed", "suggestions"):
        if command == "speed":
            parser.add_argument(
                "--only", action="append", metavar="TEXT", help=f"some of {', '.join(speed.GROUPS)}"
            )
        parser.add_argument(
            "--repeats", type=int, default=REPEATS, metavar="N", help="medians of so many runs"
        )
        return parser.parse_args(words)
    parser.add_argument("--seeds", type=int, nargs="+", help="other synthetic seeds (counted as held)")
    parser.add_argument("--solver", choices=SOLVERS, action="append", help="measure this one only")
    if command == "sheet":
        parser.add_argument("names", nargs="+", help="photograph.jpg, seed/motif/condition or special/kind")
        parser.add_argument("--output", type=Path, required=True, help="folder for the sheets")
    else:
        parser.add_argument("--split", choices=["tune", "held"], help="one half only")
        parser.add_argument("--only", action="append", metavar="TEXT", help="stills whose name contains TEXT")
        parser.add_argument("--verbose", action="store_true", help="a line for each still")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write every still's figures")
        parser.add_argument("--cache", type=Path, metavar="FOLDER", help="keep the recipe's figures there")
    return parser.parse_args(words)


Rows = dict[str, Row]
"""One still's row for each solver."""


@dataclass(frozen=True)
class Wanted:
    """Which stills take part.

    Parameters
    ----------
    texts : list of str or None
        A still's name must contain one of them; None admits every still.
    half : {"tune", "held"} or None
        None admits both.
    seeds : list of int or None
        Synthetic seeds instead of the usual ones; they count as held.
    folder : Path
        Where the photographs are.
    """

    texts: list[str] | None
    half: str | None
    seeds: list[int] | None
    folder: Path

    def synthetic(self) -> list[tuple[int, str, str, str]]:
        """List the arguments of `synthetic.still`."""
        halves = {"held": self.seeds} if self.seeds else {"tune": TUNING_SEEDS, "held": HELD_SEEDS}
        listed = [
            (*name, half)
            for half, seeds in halves.items()
            for seed in seeds
            for name in synthetic.names(seed)
        ]
        return [a for a in listed if self._admits("/".join(map(str, a[:3])), a[3])]

    def specials(self) -> list[Case]:
        """Make the stills that are kinds of their own."""
        return [case for case in specials() if self._admits(case.name, case.half)]

    def photographs(self) -> Iterator[Case]:
        """Read the photographs, or say on stderr that there are none."""
        if (self.folder / "annotations.json").is_file():
            yield from (case for case in photographs(self.folder) if self._admits(case.name, case.half))
        else:
            print(f"photographs skipped: no annotations.json in {self.folder}", file=sys.stderr)

    def _admits(self, name: str, half: str) -> bool:
        return self.half in (None, half) and (self.texts is None or any(text in name for text in self.texts))


def _rows(case: Case, solvers: list[str], cache: Cache) -> Rows:
    return {
        name: cache.row(case, SOLVERS[name]) if name == "recipe" else measure(case, SOLVERS[name])
        for name in solvers
    }


def _synthetic_rows(arguments: tuple[int, str, str, str], solvers: list[str], cache: Cache) -> Rows:
    return _rows(synthetic.still(*arguments), solvers, cache)


def _measured(wanted: Wanted, solvers: list[str], cache: Cache) -> Iterator[Rows]:
    """Measure synthetic stills two at a time, then photographs, which are timed, one by one."""
    with ProcessPoolExecutor(WORKERS) as pool:
        yield from pool.map(partial(_synthetic_rows, solvers=solvers, cache=cache), wanted.synthetic())
        yield from pool.map(partial(_rows, solvers=solvers, cache=cache), wanted.specials())
    warm = synthetic.still(0, "blobs", "noise", "tune")
    for name in solvers:
        SOLVERS[name](warm.still, warm.mask, [warm.stroke])
    for case in wanted.photographs():
        yield _rows(case, solvers, cache)


def _report(options: argparse.Namespace) -> None:
    load = os.getloadavg()[0]
    solvers = options.solver or list(SOLVERS)
    wanted = Wanted(options.only, options.split, options.seeds, options.stills)
    rows: dict[str, list[Row]] = {name: [] for name in solvers}
    for measured in _measured(wanted, solvers, Cache(options.cache)):
        for name, row in measured.items():
            rows[name].append(row)
            if options.verbose:
                print(detail(name, row), flush=True)
    print(table(rows))
    if not (options.only or options.split or options.seeds or options.solver):
        print(speed.table(list(suggested.lines(options.stills, REPEATS)), "suggestions"))
        print(speed.table(list(video.lines()), "video"))
        print(speed.table(list(speed.measured(options.stills, REPEATS, None))))
    print(f"{os.cpu_count()} cores, load {load:.1f} at the start of the run: above 1, times are too long")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


def _speeds(options: argparse.Namespace) -> None:
    load = os.getloadavg()[0]
    print(speed.table(list(speed.measured(options.stills, options.repeats, options.only))))
    print(f"{os.cpu_count()} cores, load {load:.1f} at the start of the run: above 1, times are too long")


def _suggestions(options: argparse.Namespace) -> None:
    load = os.getloadavg()[0]
    print(speed.table(list(suggested.lines(options.stills, options.repeats)), "suggestions"))
    print(f"{os.cpu_count()} cores, load {load:.1f} at the start of the run: above 1, times are too long")


def _sheets(options: argparse.Namespace) -> None:
    options.output.mkdir(parents=True, exist_ok=True)
    wanted = Wanted(options.names, None, options.seeds, options.stills)
    made = (synthetic.still(*arguments) for arguments in wanted.synthetic())
    for case in itertools.chain(made, wanted.specials(), wanted.photographs()):
        for name in options.solver or ["engine"]:
            loop = SOLVERS[name](case.still, case.mask, case.all_strokes)
            target = options.output / f"{case.name.replace('/', '_')}.{name}.png"
            cv2.imwrite(str(target), cv2.cvtColor(contact_sheet(loop, case), cv2.COLOR_RGB2BGR))
            print(target)


def main(words: list[str]) -> None:
    """Run the command."""
    if words[:1] == ["sheet"]:
        _sheets(_arguments("sheet", words[1:]))
    elif words[:1] == ["speed"]:
        _speeds(_arguments("speed", words[1:]))
    elif words[:1] == ["suggestions"]:
        _suggestions(_arguments("suggestions", words[1:]))
    elif words[:1] == ["stages"]:
        print(stages.table())
    elif words[:1] == ["video"]:
        print(speed.table(list(video.lines()), "video"))
    else:
        _report(_arguments("table", words))


if __name__ == "__main__":
    main(sys.argv[1:])
