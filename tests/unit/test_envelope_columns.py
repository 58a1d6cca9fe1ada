"""``wire``, envelopes and times as columns: a batch says what each message alone says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.errors import WireError
from collector.model import NotificationKind, Octets, SidTable
from collector.wire.notifications.envelopes import decode_batch
from collector.wire.values.timestamp_columns import parse_many
from collector.wire.values.timestamps import format_date_and_time, parse_date_and_time
from tests.columns import plain
from tests.envelope_rows import CORES, JSON, check_batch, core, decode_alone

SECOND = 1_000_000_000
NOON = 1_800_000_000 * SECOND
ODD_TIMES = [
    "2027-01-15T08:00:60.000001Z", "2027-02-30T08:00:00.000001Z", "2027-01-15T08:01:00.000001Z",
    "2027-01-15T08:00:0x.000001Z", "2027-01-15T08:00:00,000001Z", "2027-01-15T08:00:00.0000Z",
    "2027-01-15T08:00:00.0000\n1Z", "2027-01-15T08-00:00.000001Z", "2027-01-15T08:00:00.000001z",
    "٢٠٢٧-01-15T08:00:00.000001Z", "2027-01-15T08:00:00.000001+01:00", "2027-01-15T08:00:00.000001",
    "0001-01-01T00:00:00.000001Z", "9999-12-31T23:59:59.999999Z", "", "x", None,
]  # fmt: skip


def alone(texts: list[str | None]) -> tuple[list[int | None], list[int]]:
    """What the reader of one text says of each."""
    times: list[int | None] = []
    odd = []
    for row, text in enumerate(texts):
        try:
            time = None if text is None else parse_date_and_time(text)
        except WireError:
            time = None
            odd.append(row)
        if time is not None and not -(1 << 63) < time < 1 << 63:
            time = None
        times.append(time)
    return times, odd


def usual_times(count: int, digits: int = 6) -> list[str | None]:
    return [format_date_and_time(NOON + row * 1_001_000, digits) for row in range(count)]


def check(texts: list[str | None]) -> None:
    times, odd = parse_many(texts)
    expected, expected_odd = alone(texts)
    assert odd == expected_odd
    for row in set(range(len(texts))) - set(odd):
        assert times[row] == expected[row]


@pytest.mark.parametrize("digits", range(1, 10))
@pytest.mark.parametrize("count", [1, 23, 24, 500])
def test_times_that_look_alike(count: int, digits: int) -> None:
    check(usual_times(count, digits))


def test_a_minute_that_ends_within_the_batch() -> None:
    check([format_date_and_time(NOON + 58 * SECOND + row * 70_000_000, 3) for row in range(60)])


@pytest.mark.parametrize("zone", ["+01:00", "-00:00", "Z", "z"])
def test_every_zone(zone: str) -> None:
    check([f"2027-01-15T08:00:{row:02d}.5{zone}" for row in range(60)])


@pytest.mark.parametrize("odd", ODD_TIMES)
@pytest.mark.parametrize("row", [0, 1, 40, 49])
def test_one_odd_text_among_usual_ones(odd: str | None, row: int) -> None:
    texts = usual_times(50)
    texts[row] = odd
    check(texts)


@pytest.mark.parametrize("odd", ODD_TIMES)
def test_one_text_all_the_way_down(odd: str | None) -> None:
    check([odd] * 50)


def test_no_octet_moves_from_one_text_into_the_next() -> None:
    texts = usual_times(50)
    first, second = texts[10], texts[11]
    assert first is not None
    assert second is not None
    texts[10], texts[11] = first[:-1], "Z" + second  # the same number of octets in all
    check(texts)
    texts[10], texts[11] = f"{first}\n{second}", ""
    check(texts)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(usual_times(5) + ODD_TIMES), min_size=0, max_size=60))
def test_any_mixture(texts: list[str | None]) -> None:
    check(texts)


# --------------------------------------------------------------------------- envelopes
def envelope(payload: dict[str, Any], **header: Any) -> dict[str, Any]:
    content = {"ietf-yang-push:push-update": payload}
    return {"ietf-yp-notification:envelope": {**header, "contents": content}}


def octets(message: Any) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


TIME = "2027-01-15T08:00:00.000001Z"
CONTENTS = {"datastore-contents": {"m:c": {"leaf": [1, "é", None]}}}
GENERATOR = "ietf-distributed-notif:message-publisher-id"
OBSERVED = "ietf-yp-observation:timestamp"
UPDATE = {"ietf-yang-push:push-update": {"id": 7}}
MESSAGES = [
    octets(envelope({"id": 7, GENERATOR: 3, OBSERVED: TIME, **CONTENTS}, **{"event-time": TIME})),
    octets(envelope({"id": 7, OBSERVED: "2027-01-15T07:59:59.9Z"}, **{"event-time": TIME})),
    octets(envelope({"id": 7, "incomplete-update": [None], **CONTENTS}, hostname="core7")),
    octets(envelope({"id": -1})),
    octets(envelope({"id": 7, GENERATOR: [3]})),
    octets(envelope({"id": 7}, **{"event-time": "yesterday"})),
    octets(envelope({"id": 7, OBSERVED: "9999-12-31T23:59:59Z"}, **{"event-time": TIME})),
    octets(envelope({"id": 7}, **{"sequence-number": -1, "event-time": TIME})),
    octets({"ietf-yp-notification:envelope": {"event-time": TIME}}),
    octets({"ietf-notification:notification": {"eventTime": TIME, **UPDATE}}),
    b'{"ietf-yp-notification:envelope":{"contents":{"ietf-yang-push:push-update":{"id":7,"id":8}}}}',
    octets({"ietf-subscribed-notifications:subscription-started": {"id": 7}}),
    octets({"some-module:something": {"leaf": 1}}),
    b"[" * 400 + b"]" * 400,
    octets(envelope({"id": 7, "datastore-contents": {"m:c": "[[[[" * 60}})),
    b'{"ietf-yp-notification:envelope":{"hostname":"\xff"}}',
    b"", b"{", b"null",
]  # fmt: skip


@pytest.fixture(autouse=True, scope="module", params=CORES)
def _core(request: pytest.FixtureRequest) -> Iterator[None]:
    with core(request.param):
        yield


def test_nothing() -> None:
    assert not decode_batch(Octets(), []).others


@pytest.mark.parametrize("payload", MESSAGES)
@pytest.mark.parametrize("count", [1, 30])
def test_each_message_among_usual_ones(payload: bytes, count: int) -> None:
    check_batch([MESSAGES[0]] * count + [payload] + [MESSAGES[0]] * count, [JSON] * (2 * count + 1))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(MESSAGES), st.sampled_from([JSON, JSON, JSON, 2, 3, 9]))))
def test_any_batch(rows: list[tuple[bytes, int]]) -> None:
    check_batch([payload for payload, _ in rows], [media_type for _, media_type in rows])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from(MESSAGES[:10]), st.data())
def test_a_damaged_message(payload: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(payload) - 1))
    damaged = payload[:place] + data.draw(st.binary(max_size=2)) + payload[place + 1 :]
    check_batch([MESSAGES[0], damaged], [JSON, JSON])


def test_the_usual_forms_are_columns_at_once() -> None:
    """What is left to the reader of one message is counted, not just equal."""
    found = check_batch(MESSAGES[:3], [JSON] * 3)
    assert list(found.subscription_id) == [7, 7, 7]
    assert found.generator == ["3", None, None]
    assert found.kind == [NotificationKind.PUSH_UPDATE] * 3
    assert list(found.incomplete_update) == [False, False, True]
    assert plain(found.event_time) == [NOON + 1000, NOON + 1000, None]
    assert plain(found.observation_time) == [NOON + 1000, NOON - 100_000_000, None]


def test_one_message_of_another_encoding_does_not_slow_down_its_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor is JSON taken for JSON when its media type says that it is something else."""
    decoded: list[int] = []

    def counted(payload: bytes, media_type: int, sids: SidTable) -> Any:
        decoded.append(media_type)
        return decode_alone(payload, media_type, sids)

    monkeypatch.setattr("collector.wire.notifications.envelopes.decode", counted)
    found = check_batch([MESSAGES[0]] * 30, [JSON] * 29 + [3])
    assert decoded == [3]
    assert list(found.others) == [29]
