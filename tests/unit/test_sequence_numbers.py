"""Where a transport has no Message IDs, numbers in the messages take their place; without any
numbers nobody can tell a lost message from one never sent."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from collector.config import read_config_table
from collector.model import (
    FLAG_IDS,
    SECOND,
    Cause,
    MediaType,
    NotificationKind,
    ReceivedBatch,
    RecordKind,
    Transport,
    Verdict,
)
from collector.pipeline import Pipeline
from collector.pipeline.settings import encode_config
from collector.wire.values.timestamps import format_date_and_time
from tests.helpers import Wire, changed, established, update

START = 1_800_000_000 * SECOND
PERIOD = 10
Kind = NotificationKind
CARDS = ("101", "102")


def message(card: str, at: int, number: int | None) -> bytes:
    """A push-update in the envelope, as JSON."""
    envelope: dict[str, Any] = {"event-time": format_date_and_time(at)}
    if number is not None:
        envelope |= {"hostname": "r1", "sequence-number": number}
    envelope["contents"] = {
        "ietf-yang-push:push-update": {
            "id": 7,
            "ietf-distributed-notif:message-publisher-id": int(card),
            "datastore-contents": {},
        }
    }
    return msgspec.json.encode({"ietf-yp-notification:envelope": envelope})


def judged(*, counted: bool, flags: int = 0) -> list[Verdict]:
    """Twelve periods of two cards over HTTPS; card 101 says nothing in period 6, because its
    message got lost; card 102 in period 9, and it made none."""
    pipeline, batch = Pipeline(), ReceivedBatch()
    config = read_config_table(
        {
            "device": [{"name": "r1", "sources": ["192.0.2.1"]}],
            "known_subscription": [{"id": 7, "period_seconds": PERIOD, "expect": list(CARDS)}],
        }
    )
    batch.append(START, RecordKind.CONFIG, encode_config(config))
    numbers = dict.fromkeys(CARDS, 0xFFFFFFFD)
    for period in range(12):
        at = START + (period * PERIOD + 1) * SECOND
        for card in CARDS:
            if (card, period) == ("102", 9):
                continue
            number = numbers[card]
            numbers[card] = (number + 1) & 0xFFFFFFFF
            if (card, period) == ("101", 6):
                continue
            batch.append(
                at, RecordKind.DATA, message(card, at, number if counted else None),
                transport=Transport.HTTPS_NOTIF, peer="192.0.2.1", port=4000, flags=flags,
                publisher_id=int(card) if flags else 0,
                message_id=number if flags else 0, media_type=MediaType.YANG_DATA_JSON,
            )  # fmt: skip
        batch.append(at + 9 * SECOND, RecordKind.TICK, b"")
    rows: dict[int, Verdict] = {}
    for row in pipeline.receive(0, batch, None).verdicts:
        rows[row.period_index] = row
    return [rows[index] for index in sorted(rows)]


def missing(rows: list[Verdict]) -> list[tuple[str, Cause]]:
    return [(one.generator, one.cause) for row in rows for one in row.missing]


@pytest.mark.usefixtures("either_fold")
def test_a_missing_sequence_number_is_a_loss() -> None:
    assert missing(judged(counted=True)) == [("101", Cause.LOST), ("102", Cause.SILENT)]


def test_without_numbers_everything_missing_is_silent() -> None:
    assert missing(judged(counted=False)) == [("101", Cause.SILENT), ("102", Cause.SILENT)]


def test_where_a_header_counts_the_messages_numbers_are_only_stored() -> None:
    rows = judged(counted=False, flags=FLAG_IDS)
    assert missing(rows) == [("101", Cause.LOST), ("102", Cause.SILENT)]


# --------------------------------------------------------------------------- state changes
def counted(at: float, card: str, number: int | None) -> Any:
    """An update without a header, numbered by its publisher."""
    said = update(at, card, number)
    return msgspec.structs.replace(said, publisher_id=None)


def run_with(*extra: Any, first: int = 100, skipped: tuple[int, ...] = ()) -> list[str]:
    """Causes and events of card 1, which counts from ``first``, and card 2, which counts from 5000;
    the numbers ``skipped`` are taken by something else."""
    wire = Wire().send(established())
    records, number = [], first
    for period in range(12):
        while number in skipped:
            number += 1
        records.append(counted(10 * period + 1, "1", number))
        records.append(counted(10 * period + 1, "2", 5000 + period))
        number += 1
    wire.send(*sorted([*records, *extra], key=lambda one: one.arrival)).until(114)
    causes = [str(one.cause) for row in wire.lasts() for one in (*row.missing, *row.degraded)]
    return causes + [kind for kind in wire.kinds() if kind != "decomposed_anew"]


def modified(at: float, number: int | None) -> Any:
    return changed(at, Kind.SUBSCRIPTION_MODIFIED, generators=("1", "2"), message_id=number)


def test_a_state_change_takes_part_in_the_count_of_who_sent_it() -> None:
    assert run_with() == []
    assert run_with(modified(45, 105), skipped=(105,)) == []


def test_also_when_it_was_overtaken() -> None:
    assert run_with(modified(52, 105), skipped=(105,)) == []


def test_who_counts_in_step_is_told_apart_by_who_misses_it() -> None:
    # card 2 has 5005 next as well: whose number it was shows when card 1 goes on behind it
    assert run_with(modified(45, 5005), first=5000, skipped=(5005,)) == []
    assert "loss" in run_with(modified(45, 5005), first=5000, skipped=(5005, 5006))
    assert "loss" in run_with(modified(45, 5005), first=5000, skipped=(5007,))


def test_numbers_of_state_changes_alone() -> None:
    wire = Wire().send(established())
    wire.send(*(modified(10 * number, number) for number in (1, 2, 4)))
    wire.send(modified(50, None), modified(60, 3), modified(60, 3))
    assert "restart" not in wire.kinds()
    assert wire.engine.duplicates() == 1


def test_what_nobody_misses_is_forgotten() -> None:
    strange = [modified(45 + number / 10, 70_000 + 7 * number) for number in range(40)]
    assert run_with(*strange) == []


def test_a_number_that_nobody_took_is_a_loss() -> None:
    assert "loss" in run_with(skipped=(105,))
