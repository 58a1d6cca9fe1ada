"""Telemetry of gRPC dial-out through the pipeline: collections fall into one period as they are.

No rule of the engine knows ``collection_id`` or ``collection_end_time``. That a collection belongs
to one period follows from the arcs, for messages with the collection's start as well as for those
that only say when they were made; that a period is complete at its last message follows from the
usual count. Here it is shown what that is worth.
"""

from __future__ import annotations

import pytest

from collector.config import read_config_table
from collector.errors import ConfigError
from collector.model import (
    SECOND,
    Cause,
    DeviceTime,
    MediaType,
    Notification,
    NotificationKind,
    Outcome,
    ReceivedBatch,
    RecordKind,
    Transport,
    Verdict,
)
from collector.pipeline import Pipeline
from collector.pipeline.settings import encode_config
from collector.wire.dialout.telemetry import ALONE, Collection, subscription_number
from collector.wire.encodings.gpb import CiscoGpbEncoding, HuaweiGpbEncoding
from collector.wire.values import names

START = 1_800_000_000 * SECOND
PERIOD = 10
PERIODS = 12
PARTS = 4
"""Messages of a collection."""
_MS = 1_000_000


def message(made: int, begun: int | None, collection: Collection, node: str) -> bytes:
    """One message of a collection of the subscription Sub3, as Cisco's devices send it."""
    said = Notification(
        NotificationKind.PUSH_UPDATE, "", names.ROOT_CISCO, None, DeviceTime(made),
        None if begun is None else DeviceTime(begun), None, node,
    )  # fmt: skip
    contents = {"m:top": {"list": [{"name": node, "v": 1}]}}
    octets = CiscoGpbEncoding().encode(said, contents, collection=collection)
    return b"\x1a\x04Sub3" + octets


def judged(
    *, spread: float, lost: tuple[int, int] | None = None, start_in_all: bool = False
) -> list[Verdict]:
    """First rows of a device whose collections take ``spread`` periods; of collection ``lost[0]``
    the message ``lost[1]`` does not come, -1: none of them."""
    pipeline, batch = Pipeline(), ReceivedBatch()
    known = {"label": "Sub3", "period_seconds": PERIOD, "expect": ["r1"]}
    config = read_config_table(
        {
            "device": [{"name": "core7", "sources": ["192.0.2.1"]}],
            "known_subscription": [known],
        }
    )
    batch.append(START, RecordKind.CONFIG, encode_config(config))
    for period in range(PERIODS):
        begun = START + (period * PERIOD + 1) * SECOND
        for part in range(PARTS):
            made = begun + round(spread * PERIOD * part / (PARTS - 1) * SECOND)
            if lost in ((period, part), (period, -1)):
                continue
            ends = made // _MS if part == PARTS - 1 else 0
            payload = message(
                made, begun if start_in_all or not part else None, Collection(period, ends), "r1"
            )
            batch.append(
                made + 50 * _MS, RecordKind.DATA, payload, transport=Transport.GRPC_DIALOUT,
                peer="192.0.2.1", port=4000, media_type=MediaType.CISCO_GPB,
            )  # fmt: skip
        batch.append(begun + 9 * SECOND, RecordKind.TICK, b"")
    return [row for row in pipeline.receive(0, batch, None).verdicts if not row.amendment]


@pytest.mark.parametrize("spread", [0.0, 0.1, 0.4, 0.7])
@pytest.mark.parametrize("start_in_all", [False, True])
def test_a_collection_belongs_to_one_period(spread: float, start_in_all: bool) -> None:
    rows = judged(spread=spread, start_in_all=start_in_all)
    assert {row.subscription_name for row in rows} == {"Sub3"}
    assert {row.subscription_id for row in rows} == {subscription_number("Sub3")}
    assert [row.outcome for row in rows] == [Outcome.COMPLETE] * len(rows)
    assert len(rows) >= PERIODS - 1


def test_a_period_is_complete_with_the_last_message_of_its_collection() -> None:
    """What ``collection_end_time`` would tell, the usual count tells as early."""
    for row in judged(spread=0.4)[5:]:
        since = (row.judged_at - START) % (PERIOD * SECOND)
        assert since == SECOND + round(0.4 * PERIOD * SECOND) + 50 * _MS


def test_a_missing_collection_is_silent() -> None:
    rows = judged(spread=0.2, lost=(8, -1))
    found = [(one.generator, one.cause) for row in rows for one in row.missing]
    assert found == [("r1", Cause.SILENT)]


def test_a_missing_message_of_several_shows_in_the_count() -> None:
    """Without numbers nothing proves that it was never made; it is no ``lost`` generator."""
    rows = judged(spread=0.2, lost=(8, 2))
    assert not any(row.missing for row in rows)
    found = [(one.generator, one.cause) for row in rows for one in row.degraded]
    assert found == [("r1", Cause.LOSS)]


def test_the_operator_names_what_cisco_does_not() -> None:
    pipeline, batch = Pipeline(), ReceivedBatch()
    table = {
        "device": [
            {
                "name": "core7",
                "sources": ["192.0.2.1", "192.0.2.2"],
                "generators": {"192.0.2.1": "card1"},
            }
        ],
        "known_subscription": [{"label": "Sub3", "period_seconds": PERIOD}],
    }
    batch.append(START, RecordKind.CONFIG, encode_config(read_config_table(table)))
    for peer, node in (("192.0.2.1", "r1"), ("192.0.2.2", "r2"), ("192.0.2.2", "r3")):
        batch.append(
            START, RecordKind.DATA, message(START, START, ALONE, node),
            transport=Transport.GRPC_DIALOUT, peer=peer, media_type=MediaType.CISCO_GPB,
        )  # fmt: skip
    pipeline.receive(0, batch, None)
    assert {one.generator for one in pipeline.engine.states()} == {"card1", "r2", "r3"}


def test_the_generators_numbers_of_huawei_show_what_is_lost() -> None:
    pipeline, batch = Pipeline(), ReceivedBatch()
    table = {
        "device": [{"name": "core7", "sources": ["192.0.2.1"]}],
        "known_subscription": [{"id": 7, "period_seconds": PERIOD, "expect": ["1", "2"]}],
    }
    batch.append(START, RecordKind.CONFIG, encode_config(read_config_table(table)))
    for period in range(PERIODS):
        made = START + (period * PERIOD + 1) * SECOND
        for card in ("1", "2"):
            if (card, period) == ("1", 7):
                continue  # lost on the way
            number = period - (card == "2" and period > 8)
            if (card, period) == ("2", 8):
                continue  # never made
            said = Notification(
                NotificationKind.PUSH_UPDATE, "", names.ROOT_HUAWEI, 7, DeviceTime(made),
                DeviceTime(made), None, card, "r1", (0xFFFFFFFC + number) & 0xFFFFFFFF,
            )  # fmt: skip
            batch.append(
                made, RecordKind.DATA, HuaweiGpbEncoding().encode(said),
                transport=Transport.GRPC_DIALOUT, peer="192.0.2.1",
                media_type=MediaType.HUAWEI_GPB,
            )  # fmt: skip
        batch.append(made + 8 * SECOND, RecordKind.TICK, b"")
    last = {row.period_index: row for row in pipeline.receive(0, batch, None).verdicts}
    found = [(one.generator, one.cause) for _, row in sorted(last.items()) for one in row.missing]
    assert found == [("1", Cause.LOST), ("2", Cause.SILENT)]


@pytest.mark.parametrize("known", [{}, {"id": 5, "label": "x"}])
def test_a_known_subscription_has_an_id_or_a_label(known: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="id or by a label"):
        read_config_table({"known_subscription": [known]})


def test_a_label_is_known_once() -> None:
    with pytest.raises(ConfigError, match="label Sub3"):
        read_config_table({"known_subscription": [{"label": "Sub3"}, {"label": "Sub3"}]})
