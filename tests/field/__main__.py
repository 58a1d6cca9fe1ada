"""The field test: real captures and random devices, under faults, against the truth.

    python -m tests.field                 everything (some minutes)
    python -m tests.field --captures      the captures only
    python -m tests.field --devices 25    that many random devices only
    python -m tests.field --case ipf --fault drop1 --seed 3     one case, every error of it

Prints the table of the columns, by fault and in all, and the first case that went wrong in each
column. Exit status 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from tests.field.cases import Result, run
from tests.field.devices import device_case
from tests.field.faults import BESIDE, EVERY, FAULTS, HARDER
from tests.field.score import COLUMNS, Score
from tests.field.sets import CAPTURES, Case, capture_cases

SEEDS = 5
DEVICES = 100
MAIN = (*FAULTS, *BESIDE)

Job = tuple[str, str, int]
"""Case, fault, seed."""

BARS = {
    "captures": ((0, 14, 0, 0, 0, 2), 73_400, 616),
    "devices": ((1, 672, 0, 0, 6, 4), 111_632, 2_439),
}
"""The columns of the issue's bar, what was judged for them, and how many had a loss."""


@lru_cache(maxsize=1)
def captures() -> dict[str, Case]:
    """The sets made from captures, by name."""
    return {case.name: case for case in capture_cases()}


@lru_cache(maxsize=2)
def device(number: int) -> Case:
    """A random device; jobs come device by device, so that two are enough to keep."""
    return device_case(number)


def find(name: str) -> Case:
    """A case by its name."""
    if name.startswith("device "):
        return device(int(name.split()[1]))
    return captures()[name]


def work(job: Job) -> Result:
    """One job, in a process of the pool."""
    name, fault, seed = job
    return run(find(name), fault, seed)


def jobs(arguments: argparse.Namespace) -> dict[str, list[Job]]:
    """What is to be run, by group."""
    faults = [arguments.fault] if arguments.fault else list(EVERY)
    seeds = [arguments.seed] if arguments.seed is not None else list(range(1, SEEDS + 1))
    found: dict[str, list[Job]] = {}
    if arguments.devices is None and CAPTURES.is_dir():
        found["captures"] = [(n, f, s) for n in captures() for f in faults for s in seeds]
    if not arguments.captures:
        count = DEVICES if arguments.devices is None else arguments.devices
        names = [f"device {number}" for number in range(count)]
        # a seed of its own for each device, or all would be hit at the same moment
        one = arguments.seed
        found["devices"] = [
            (n, f, place if one is None else one) for place, n in enumerate(names) for f in faults
        ]
    if arguments.case:
        every = [job for group in found.values() for job in group if job[0] == arguments.case]
        found = {"devices" if arguments.case.startswith("device ") else "captures": every}
    return found


def table(results: Sequence[Result]) -> Iterator[str]:
    """Lines of the table by fault, and the sum of the main faults."""
    head = "".join(f"{column:>18}" for column in COLUMNS)
    yield f"{'fault':<14}{head}{'judged':>10}{'not':>8}{'missing':>9}{'loss':>7}"
    by_fault: dict[str, Score] = defaultdict(Score)
    for result in results:
        by_fault[result.fault].add(result.score)
    total, harder = Score(), Score()
    for fault in EVERY:
        if fault in by_fault:
            yield line(fault, by_fault[fault])
            (harder if fault in HARDER else total).add(by_fault[fault])
    yield line("sum", total)
    if harder.judged:
        yield line("harder", harder)


def line(name: str, score: Score) -> str:
    """One line of the table."""
    cells = "".join(f"{score.counts[column]:>18,}" for column in COLUMNS)
    rest = f"{score.judged:>10,}{score.not_judged:>8,}{score.missing:>9,}{score.loss:>7,}"
    return f"{name:<14}{cells}{rest}"


def first_wrong(results: Iterable[Result]) -> Iterator[str]:
    """The first case that went wrong, column by column."""
    seen = set()
    for result in results:
        for wrong in result.score.wrong:
            if wrong.column not in seen:
                seen.add(wrong.column)
                yield (
                    f"first {wrong.column}: --case '{result.case}' --fault {result.fault}"
                    f" --seed {result.seed} (subscription {wrong.subscription_id},"
                    f" {wrong.generator}, its period {wrong.period}, index {wrong.index})"
                )


def missed(group: str, results: Sequence[Result]) -> list[str]:
    """Columns worse than the bar, as a share of what was judged, or of the periods with a loss."""
    total = Score()
    for result in results:
        if result.fault in MAIN:
            total.add(result.score)
    bars, judged, losses = BARS[group]
    found = []
    for column, bar in zip(COLUMNS, bars, strict=True):
        of, there = (losses, total.loss) if column == "loss not seen" else (judged, total.judged)
        if total.counts[column] * of > bar * max(there, of):
            found.append(column)
    return found


def main() -> int:
    """Run, print, say how it went."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.field",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--captures", action="store_true")
    parser.add_argument("--devices", type=int)
    parser.add_argument("--case")
    parser.add_argument("--fault", choices=list(EVERY))
    parser.add_argument("--seed", type=int)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    if not CAPTURES.is_dir():
        print(f"no captures in {CAPTURES} (YANG_PUSH_CAPTURES): random devices only")
    status = 0
    with multiprocessing.Pool(arguments.processes) as pool:
        for group, wanted in jobs(arguments).items():
            started = time.monotonic()
            results = []
            for result in pool.imap(work, wanted, chunksize=len(EVERY)):
                results.append(result)
                if sys.stderr.isatty():
                    print(f"\r{group} {len(results)}/{len(wanted)}", end="", file=sys.stderr)
            if sys.stderr.isatty():
                print("\r", end="", file=sys.stderr)
            took = time.monotonic() - started
            print(f"{group}: {len(results)} cases in {took:.0f} s")
            print("\n".join([*table(results), *first_wrong(results)]))
            if arguments.case:
                for result in results:
                    for wrong in result.score.wrong:
                        print(result.fault, result.seed, wrong)
            worse = missed(group, results)
            print(f"worse than the bar: {', '.join(worse) or 'nothing'}\n")
            status = status or int(bool(worse))
    return status


if __name__ == "__main__":
    sys.exit(main())
