"""Stores of earlier versions: what the table ``subscriptions`` lacked then is null now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from msgspec.structs import replace

from collector.errors import SinkError
from collector.model import CollectorTime, DeviceTime
from collector.sinks.rows import fact_to_row, row_to_fact
from collector.store import tables
from collector.store.manifest import load_manifest, store_folder
from collector.store.merging import merge
from collector.store.open_rows import OpenRows, decode_open_rows, encode_open_rows
from collector.store.parquet import read_file, read_slowly
from collector.store.query import open_query
from collector.store.said import Said, subscription_rows
from collector.store.writer import StoreWriter
from tests.unit.store_rows import START, subscription

FIRST_COLUMNS = 17
"""Of the first version: time to to_time."""
COLUMNS = "time, stream, trigger, filter_kind, dampening_cs, sync_on_start, stop_time, dscp"


@contextmanager
def earlier_version() -> Iterator[None]:
    """What is written meanwhile has the columns of the first version."""
    old = pa.schema(list(tables.SUBSCRIPTIONS)[:FIRST_COLUMNS])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("collector.store.said.SUBSCRIPTIONS", old)
        patch.setitem(tables.TABLES, "subscriptions", old)
        yield


def write(writer: StoreWriter, *numbers: int) -> None:
    """One segment for each number, with a row of that number; from 10 on all columns are filled."""
    for number in numbers:
        row = subscription(number)
        if number >= 10:
            row = replace(
                row, stream="NETCONF", trigger="on-change", filter_kind="subtree", dampening_cs=50,
                sync_on_start=False, stop_time=DeviceTime(START + 9), dscp=10,
            )  # fmt: skip
        writer.add(Said(5 * number, 5 * number + 5, subscriptions=(row,)))
        writer.seal(5 * number, 5 * number + 5)
        assert writer.flush(30)


def asked(folder: Path, *, open_rows: tuple[OpenRows, ...] = ()) -> list[tuple[object, ...]]:
    """``COLUMNS`` of all rows in their order, times as ns."""
    sql = f"SELECT {COLUMNS} FROM exact.subscriptions ORDER BY time"
    with open_query(folder, open_rows) as session:
        found = session.run(sql)
    rows = [list(column.cast(pa.int64()).to_pylist() if pa.types.is_timestamp(column.type) else
                 column.to_pylist()) for column in found.columns]  # fmt: skip
    return list(zip(*rows, strict=True))


OLD = (None,) * 7
NEW = ("NETCONF", "on-change", "subtree", 50, False, START + 9, 10)


def test_a_folder_of_an_earlier_version_alone_and_mixed_is_read(tmp_path: Path) -> None:
    with earlier_version():
        writer = StoreWriter(tmp_path)
        write(writer, 0, 1)
        writer.close()
    assert asked(tmp_path) == [(START, *OLD), (START + 1, *OLD)]
    writer = StoreWriter(tmp_path)
    write(writer, 10)
    writer.close()
    assert asked(tmp_path) == [(START, *OLD), (START + 1, *OLD), (START + 10, *NEW)]
    with open_query(tmp_path) as session:  # in the view for people a time is TIMESTAMPTZ
        (row,) = session.run("SELECT name FROM subscriptions WHERE stop_time < now()").to_pylist()
    assert row == {"name": "counters"}


def test_old_and_new_files_become_one_without_losing_a_row(tmp_path: Path) -> None:
    with earlier_version():
        writer = StoreWriter(tmp_path)
        write(writer, 0, 1)
        writer.close()
    writer = StoreWriter(tmp_path)
    write(writer, 10)
    writer.close()
    folder = store_folder(tmp_path)
    files = load_manifest(folder).files_of("subscriptions")
    assert len(files) == 3
    made = merge(folder, files)
    assert (made.rows, made.level) == (3, 1)
    whole = read_file(folder, made)
    assert whole.schema.equals(tables.SUBSCRIPTIONS)
    assert whole.column("stream").to_pylist() == [None, None, "NETCONF"]
    (slowly,) = read_slowly(folder, files[0])
    assert slowly.schema.equals(tables.SUBSCRIPTIONS)


def test_open_rows_of_a_collector_of_an_earlier_version_are_taken(tmp_path: Path) -> None:
    with earlier_version():
        old = OpenRows(7, {"subscriptions": subscription_rows([subscription(3)])})
        said = encode_open_rows([old])
    (taken,) = decode_open_rows(said)
    assert taken.tables["subscriptions"].schema.equals(tables.SUBSCRIPTIONS)
    assert asked(tmp_path, open_rows=(taken,)) == [(START + 3, *OLD)]


def test_rows_of_another_table_are_refused() -> None:
    other = OpenRows(7, {"subscriptions": tables.EVENTS.empty_table()})
    with pytest.raises(SinkError, match="subscriptions has other columns"):
        decode_open_rows(encode_open_rows([other]))


def test_lines_of_an_earlier_version_are_read_and_new_ones_go_both_ways() -> None:
    new = replace(
        subscription(0), datastore="operational", trigger="periodic",
        replay_start_time=DeviceTime(START), stop_time=DeviceTime(START + 1),
    )  # fmt: skip
    line = fact_to_row(new)
    assert line["replay_start_time"] == "2023-11-14T22:13:20Z"
    assert row_to_fact(line) == new
    early = {name: line[name] for name in list(line)[: FIRST_COLUMNS + 1]}
    assert row_to_fact(early) == replace(
        new, datastore=None, trigger=None, replay_start_time=None, stop_time=None
    )
    assert new.time == CollectorTime(START)
