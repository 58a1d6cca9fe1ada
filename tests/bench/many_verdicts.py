"""The verdicts of one device today, out of 100 million: ``python -m tests.bench.many_verdicts``.

Fills a store, lets the product's own upkeep merge it, and asks. What is made here and what by the
product: the rows come from ``verdict_maker``; files of up to an hour (levels 0 to 4) are written
with the store's own function, sorted and in row groups as its writer and its merges do; what is
larger (levels 5 and 6, all but the last hours) is merged by the upkeep thread of a ``StoreWriter``.
What that leaves is one file short of the most that there can be: four of 17 hours, three of 4.3,
two of one, three each of 16, 4 and one minutes, eleven of five seconds. There are no other tables.

Takes ten minutes and 4 GB in the folder for temporary files; both go with ``--rows``.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import click
import duckdb
import numpy as np
import pyarrow as pa
from msgspec import Struct, to_builtins

from collector.cli.verdict_rows import Selection
from collector.store.compaction import choose_merge
from collector.store.manifest import (
    PAGE_FILES,
    Manifest,
    StoredFile,
    save_manifest,
    store_folder,
    write_page,
)
from collector.store.parquet import write_file
from collector.store.query import QuerySession, open_query
from collector.store.said import Said
from collector.store.writer import DELETE_DELAY, StoreWriter
from tests.bench.verdict_maker import MINUTE, NAMES, ROWS_A_MINUTE, verdict_table

END = 1_800_000_000 // 86_400 * 1_440 + 18 * 60
"""Minute since 1970 at which the last file of an hour ends: six in the evening."""
MIDNIGHT = (END - 18 * 60) * MINUTE
SEGMENT = 5_000_000_000
HOUR = 64
"""Minutes of a file of level 4."""
TAIL = (16, 16, 16, 4, 4, 4, 1, 1, 1)
"""Minutes of the files behind, levels 3 to 1."""
SEGMENTS = 11
DEVICE = NAMES[4321]
LISTED = (0, 100_000)
"""Files of ``updates`` in a manifest that a seal replaces."""
OCTETS_A_ROW = 40
"""Disk taken while files are merged, old and new together, with some to spare."""


class Answer(Struct, frozen=True):
    """What one question took; milliseconds, medians."""

    rows: int
    open_ms: float
    """The manifest and the empty views."""
    run_ms: float
    """From the statement to its rows in memory."""
    cpu_ms: float
    """All threads, of both."""
    cold_ms: float
    """Both, with nothing of the store in the page cache."""


class Found(Struct):
    """All that was measured."""

    rows: int
    octets: int
    files: Mapping[int, int]
    """Level -> files."""
    merge_us: float
    """CPU time of the upkeep for one row, over all levels."""
    answers: dict[str, Answer] = {}
    commands: dict[str, float] = {}
    """Command -> ms of the whole process, start of Python and imports included."""
    seals: dict[int, float] = {}
    """Files listed -> ms until a segment is sealed, stored and listed."""


@click.command()
@click.option("--rows", type=click.IntRange(1_000_000), default=100_000_000, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Keep the store here; if it is "
              "there already, only ask.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
def main(rows: int, folder: Path | None, as_json: bool) -> None:
    """Measure how long the verdicts of one device take in a large store."""
    place = folder or Path(tempfile.mkdtemp(prefix="many-verdicts-"))
    try:
        found = ask_all(place, fill(place, rows))
    finally:
        if folder is None:
            shutil.rmtree(place, ignore_errors=True)
    if as_json:
        print(json.dumps(to_builtins(found, str_keys=True), indent=1))
        return
    for line in lines(found):
        print(line)


# --------------------------------------------------------------------------- the store
def fill(folder: Path, rows: int) -> float:
    """A store of so many rows in this folder; CPU us a row of the merges, 0 if it was there."""
    if store_folder(folder).exists():
        return 0.0
    free = shutil.disk_usage(folder.parent).free
    if free < rows * OCTETS_A_ROW:
        raise click.UsageError(f"{rows * OCTETS_A_ROW >> 20} MiB are needed in {folder.parent}")
    store_folder(folder).mkdir(parents=True)
    begin(folder, rows // ROWS_A_MINUTE // HOUR)
    before = time.process_time()
    merge_all(folder)
    return (time.process_time() - before) / rows * 1e6


def begin(folder: Path, hours: int) -> None:
    """Files of one hour, the tail behind them, and a manifest that lists them."""
    made: list[StoredFile] = []

    def add(rows: pa.Table, level: int) -> None:
        offset = made[-1].next_offset if made else 0
        # a record is some 8 messages a verdict further on
        next_offset = offset + 8 * len(rows)
        made.append(write_file(store_folder(folder), "verdicts", rows, offset, next_offset, level))

    for hour in range(hours, 0, -1):
        add(verdict_table(END - hour * HOUR, HOUR), 4)
    first = END
    for minutes in TAIL:
        add(verdict_table(first, minutes), {16: 3, 4: 2, 1: 1}[minutes])
        first += minutes
    last = verdict_table(first, 1)
    segments = last.column("judged_at").cast(pa.int64()).to_numpy() // SEGMENT
    for segment in np.unique(segments)[:SEGMENTS]:
        add(last.filter(pa.array(segments == segment)), 0)
    offset = made[-1].next_offset
    save_manifest(store_folder(folder), Manifest().changed(added=tuple(made), stored_offset=offset))


def merge_all(folder: Path) -> None:
    """Let the store's own upkeep do what it would have done by now."""
    minutes = itertools.count(0, DELETE_DELAY)  # what was merged goes at the next turn
    store = StoreWriter(folder, wall_clock=lambda: next(minutes))
    while choose_merge(store.manifest):
        time.sleep(1)
    store.close()
    StoreWriter(folder, wall_clock=lambda: next(minutes)).close()
    for path in store_folder(folder).glob("*.parquet"):
        if path.name not in {file.name for file in store.manifest.files}:
            path.unlink()


# --------------------------------------------------------------------------- questions
def ask_all(folder: Path, merge_us: float) -> Found:
    """Every question, and what else is in the report."""
    with open_query(folder) as session:
        files = session.manifest.files_of("verdicts")
    found = Found(
        rows=sum(file.rows for file in files),
        octets=sum(file.octets for file in files),
        files=dict(sorted(Counter(file.level for file in files).items(), reverse=True)),
        merge_us=merge_us,
    )
    today = f"WHERE device = '{DEVICE}' AND nominal_time >= to_timestamp({MIDNIGHT // 10**9})"
    text = datetime.fromtimestamp(MIDNIGHT // 10**9, UTC).isoformat()
    selection = Selection(devices=(DEVICE,), since=MIDNIGHT, limit=5000)
    sql = f"SELECT * FROM verdicts {today}"
    for name, ask in {
        "collector verdicts --device X --since 00:00": selection.ask,
        "collector query: SELECT * FROM verdicts WHERE device, time": _run(sql),
        "... --since 00:00": _run(sql, since=MIDNIGHT),
        "... FROM verdicts_last": _run(sql.replace("verdicts", "verdicts_last")),
        "... FROM verdicts_last --since 00:00": _run(
            sql.replace("verdicts", "verdicts_last"), since=MIDNIGHT
        ),
        "all days of the device": _run(f"SELECT * FROM verdicts WHERE device = '{DEVICE}'"),
        "who was incomplete in the last ten minutes": _run(
            "SELECT device FROM verdicts WHERE outcome = 'INCOMPLETE' "
            f"AND nominal_time >= to_timestamp({(END + sum(TAIL) - 10) * 60})"
        ),
        "outcomes of all rows, as now known": _run(
            "SELECT outcome, count(*) FROM verdicts_last GROUP BY outcome"
        ),
    }.items():
        found.answers[name] = measured(folder, ask)
    where = ["--store", str(folder), "--json"]
    verdicts = ["verdicts", "--device", DEVICE, "--since", text, "--limit", "5000"]
    for command in (["--version"], [*verdicts, *where], ["query", sql, *where]):
        found.commands[f"collector {command[0]}"] = process_ms(command)
    for listed in LISTED:
        found.seals[listed] = seal_ms(listed)
    return found


def _run(sql: str, **times: int) -> Callable[[QuerySession], pa.Table]:
    return lambda session: session.run(sql, **times)


def measured(folder: Path, ask: Callable[[QuerySession], pa.Table], times: int = 5) -> Answer:
    """One question in fresh sessions, first cold, then warm."""
    cold = []
    for _ in range(3):
        forget(store_folder(folder))
        opened, run, _, _ = once(folder, ask)
        cold.append(opened + run)
    warm = [once(folder, ask) for _ in range(times)]
    opened, run, cpu = (statistics.median(column) for column in list(zip(*warm, strict=True))[:3])
    return Answer(warm[0][3], opened, run, cpu, statistics.median(cold))


def once(folder: Path, ask: Callable[[QuerySession], pa.Table]) -> tuple[float, float, float, int]:
    """Milliseconds to open and to run, CPU of both, and the number of rows."""
    cpu, begun = time.process_time(), time.perf_counter()
    with open_query(folder) as session:
        opened = time.perf_counter()
        rows = ask(session).num_rows
        done = time.perf_counter()
    spent = time.process_time() - cpu
    return (opened - begun) * 1e3, (done - opened) * 1e3, spent * 1e3, rows


def forget(folder: Path) -> None:
    """Take the files of a folder out of the page cache, as far as the kernel does us the favour."""
    for path in folder.iterdir():
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fdatasync(fd)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(fd)


def process_ms(arguments: list[str], times: int = 5) -> float:
    """The whole command as a person waits for it."""
    spent = []
    for _ in range(times):
        begun = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "collector", *arguments], check=True, stdout=subprocess.DEVNULL
        )
        spent.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(spent)


def seal_ms(listed: int) -> float:
    """A segment with one verdict into a store that lists so many files of ``updates``."""
    with tempfile.TemporaryDirectory(prefix="many-files-") as name:
        folder = Path(name)
        store_folder(folder).mkdir()
        files = [
            StoredFile("updates", f"updates-{n:020d}.parquet", n, n + 1, 65_000, 6 << 20, 0, n, n)
            for n in range(listed)
        ]
        pages = tuple(
            write_page(store_folder(folder), tuple(files[first : first + PAGE_FILES]))
            for first in range(0, listed, PAGE_FILES)
        )
        save_manifest(store_folder(folder), Manifest().changed(pages=pages, stored_offset=listed))
        store = StoreWriter(folder)
        spent = []
        for first in range(listed, listed + 9):
            begun = time.perf_counter()
            store.add(Said(first, first + 1))
            store.seal(first, first + 1)
            store.flush()
            spent.append((time.perf_counter() - begun) * 1e3)
        store.close()
    return statistics.median(spent)


# --------------------------------------------------------------------------- words
def lines(found: Found) -> list[str]:
    """The report."""
    levels = ", ".join(f"{count} of level {level}" for level, count in found.files.items())
    told = [
        f"DuckDB {duckdb.__version__}, {os.cpu_count()} cores",
        f"{found.rows:,} verdicts, {found.octets / found.rows:.1f} octets each, files: {levels}",
        f"merging: {found.merge_us:.1f} us of CPU a row, over all levels",
        f"{'ms':<60}{'rows':>6}{'open':>7}{'run':>7}{'CPU':>7}{'cold':>7}",
    ]
    told += [
        f"{name:<60}{one.rows:>6}{one.open_ms:>7.0f}{one.run_ms:>7.0f}{one.cpu_ms:>7.0f}"
        f"{one.cold_ms:>7.0f}"
        for name, one in found.answers.items()
    ]
    told += [f"{name:<60}{ms:>27.0f} whole process" for name, ms in found.commands.items()]
    told += [f"a seal, {listed:,} files listed: {ms:.1f} ms" for listed, ms in found.seals.items()]
    return told


if __name__ == "__main__":
    main()
