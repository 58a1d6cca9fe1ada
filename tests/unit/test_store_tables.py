"""Values -> Arrow: every column, what is unknown, and which records become rows."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from collector.interfaces import Said as SaidContract
from collector.journal import to_arrow
from collector.model import (
    Cause,
    Event,
    GeneratorCause,
    NotificationKind,
    NotJudgedReason,
    Outcome,
    SubscriptionRow,
    Verdict,
)
from collector.store import tables
from collector.store.rows import plain_rows
from collector.store.said import (
    Said,
    event_rows,
    subscription_rows,
    tables_of,
    update_rows,
    verdict_rows,
)
from tests.columns import update_row_columns
from tests.unit.journal_batches import batch_of
from tests.unit.store_rows import START, event, said, subscription, updates, verdict


def test_every_field_of_the_values_is_a_column_and_none_is_missing() -> None:
    assert tables.VERDICTS.names == list(Verdict.__struct_fields__)
    assert tables.SUBSCRIPTIONS.names == list(SubscriptionRow.__struct_fields__)
    assert tables.EVENTS.names == list(Event.__struct_fields__)


def test_verdict_row_reads_as_the_verdict_says() -> None:
    row = verdict(
        3,
        reason=NotJudgedReason.STARTING,
        outcome=Outcome.NOT_JUDGED,
        degraded=(GeneratorCause("1", Cause.LOSS), GeneratorCause("2", Cause.POSSIBLE_LOSS)),
        missing=(),
        unexpected=("9",),
        provenance=None,
    )
    plain, second = plain_rows(verdict_rows([row, verdict(4)]))
    assert plain["outcome"] == "NOT_JUDGED"
    assert plain["reason"] == "starting"
    assert plain["provenance"] is None
    assert plain["missing"] == []
    assert plain["degraded"] == [
        {"generator": "1", "cause": "loss"},
        {"generator": "2", "cause": "possible_loss"},
    ]
    assert (plain["required"], plain["unexpected"]) == (["1", "2", "3"], ["9"])
    assert plain["nominal_time"] == "2023-11-14T22:13:23.000000001Z"
    assert plain["judged_at"] == "2023-11-14T22:13:23.000000600Z"
    assert second["missing"] == [{"generator": "3", "cause": "silent"}]


def test_subscription_and_event_rows() -> None:
    (row,) = plain_rows(subscription_rows([subscription(0)]))
    assert row["generators"] == ["1", "2", "3"]
    assert (row["anchor"], row["to_time"], row["period_cs"]) == (None, None, 100)
    assert row["from_time"] == "2023-11-14T22:13:20.000000000Z"
    assert plain_rows(event_rows([event(1)])) == [
        {
            "time": "2023-11-14T22:13:20.000000001Z",
            "device": "core7",
            "subject": "3",
            "kind": "clock_step",
            "text": "Step 1.",
        }
    ]


def test_no_rows_give_empty_tables_with_all_columns() -> None:
    for name, table in tables_of([Said(0, 5)]).items():
        assert table.num_rows == 0
        assert table.schema.equals(tables.TABLES[name])


def test_said_meets_the_contract_of_the_sinks() -> None:
    one: SaidContract = said(0)
    assert (one.first_offset, one.next_offset, len(one.verdicts)) == (0, 5, 1)


def test_all_records_become_rows_without_copying_a_payload() -> None:
    records = to_arrow(batch_of(4, first=100))
    rows = update_rows(
        records,
        100,
        rows=None,
        **update_row_columns(
            device=["a", "b", "c", "d"],
            generator=["1", None, "1", "1"],
            subscription_id=[1, None, 3, 2**32 - 1],
            revision=[-1, 0, 7, 8],
            period_index=[None, 5, 6, 7],
            kind=[NotificationKind.PUSH_UPDATE, NotificationKind.PUSH_CHANGE_UPDATE, "x", "y"],
            event_time=[START, None, START, START],
            observation_time=[None, None, START, None],
        ),
    )
    assert rows.schema.equals(tables.UPDATES)
    held, given = rows.column("payload").buffers()[2], records.column("payload").buffers()[2]
    assert held.address == given.address
    assert rows.column("journal_offset").to_pylist() == [100, 101, 102, 103]
    assert rows.column("received_at").cast(pa.int64()).to_pylist() == [
        START + n for n in range(100, 104)
    ]
    assert rows.column("revision").to_pylist() == [None, 0, 7, 8]
    assert rows.column("subscription_id").to_pylist() == [1, None, 3, 2**32 - 1]
    assert rows.column("generator").to_pylist() == ["1", None, "1", "1"]
    assert rows.column("kind").to_pylist() == ["push-update", "push-change-update", "x", "y"]
    assert rows.column("publisher_id").to_pylist() == [100 % 3, 101 % 3, 102 % 3, 103 % 3]
    assert rows.column("message_id").to_pylist() == [100, 101, 102, 103]


@pytest.mark.parametrize("taken", [[], [0], [1, 2], [0, 2], [0, 1, 3], [3]])
def test_only_the_chosen_records_become_rows(taken: list[int]) -> None:
    rows = updates(4, 50, taken)
    assert rows.column("journal_offset").to_pylist() == [50 + position for position in taken]
    assert rows.column("message_id").to_pylist() == [50 + position for position in taken]
    payloads = [batch_of(4, first=50).payload[position] for position in taken]
    assert rows.column("payload").to_pylist() == payloads


def test_ids_of_a_transport_without_ids_are_unknown_not_zero() -> None:
    batch = batch_of(3)
    batch.flags[1] = 0
    batch.publisher_id[1] = batch.message_id[1] = 0
    columns: dict[str, Any] = {
        "device": ["d"] * 3, "generator": ["1"] * 3, "subscription_id": [1] * 3,
        "revision": [0] * 3, "period_index": [0] * 3, "kind": ["push-update"] * 3,
        "event_time": [None] * 3, "observation_time": [None] * 3,
    }  # fmt: skip
    rows = update_rows(to_arrow(batch), 0, rows=None, **update_row_columns(**columns))
    assert rows.column("publisher_id").to_pylist() == [0, None, 2]
    assert rows.column("message_id").to_pylist() == [0, None, 2]


def test_plain_rows_carry_only_what_json_can() -> None:
    table = pa.table(
        {
            "text": pa.array([b'{"a":1}', b"\xa1\x01\x02", None]),
            "number": pa.array([1.5, None, 2.0]),
            "day": pa.array([0, 1, None], pa.date32()),
            "nested": pa.array([[{"at": 0}], [], None], pa.list_(pa.struct([("at", pa.date32())]))),
        }
    )
    assert plain_rows(table) == [
        {"text": '{"a":1}', "number": 1.5, "day": "1970-01-01", "nested": [{"at": "1970-01-01"}]},
        {"text": "oQEC", "number": None, "day": "1970-01-02", "nested": []},
        {"text": None, "number": 2.0, "day": None, "nested": None},
    ]
