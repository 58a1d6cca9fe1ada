"""Rules and decode on anything that a peer may send: an answer, never an error, bounded."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.conformance import Inspector
from collector.conformance.id_runs import IdRun
from collector.views.decoded_rows import cells, contents_lines, json_row
from tests.unit.conformance_maker import change, datagram, envelope, message, started, state, update

KEYS = st.sampled_from(
    ("id", "datastore-contents", "datastore-changes", "yang-patch", "edit", "edit-id", "patch-id",
     "operation", "target", "value", "incomplete-update", "encoding", "datastore", "transport",
     "ietf-distributed-notif:message-publisher-id", "ietf-yp-observation:point-in-time",
     "ietf-yang-push-revision:module-version", "module-name", "reason", "a:b", "a", "name")
)  # fmt: skip
VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8) | st.sampled_from(("ianaift:x", "4294967296", "0.5", "delete", "0")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@st.composite
def bodies(draw: Any) -> Any:
    """A message that is as it should be, but for one member of it; or nothing of the kind."""
    made = draw(
        st.sampled_from((update(), change(), started(), state("terminated", reason="x"), {}))
    )
    made = json.loads(json.dumps(made))
    for body in made.values():
        body.update(draw(st.dictionaries(KEYS, VALUES, max_size=3)))
    return envelope(made or draw(VALUES))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(bodies(), st.integers(0, 9), st.integers(0, 30)), max_size=6))
def test_every_message_gets_an_answer(sent: list[tuple[Any, int, int]]) -> None:
    judge = Inspector()
    for body, number, at in sent:
        one = message(body, number, at)
        judge.observe(one)
        msgspec.json.decode(msgspec.json.encode(json_row(one, contents=True)))
        assert all(cell.plain.isprintable() for cell in cells(one, whole_time=True))
        assert all(line.isprintable() for line in contents_lines(one))
    for device in judge.finish().devices:
        assert all(tally.broken <= tally.checked for tally in device.tallies)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40), st.integers(1, 3))
def test_every_datagram_gets_an_answer(octets: bytes, fragments: int) -> None:
    for first in (octets[:1], b"\x21\x0c", b"\x21\x10\x00\x28"):
        judge = Inspector(max_segment_size=20)
        judge.observe(datagram(first + octets[len(first) :], fragments=fragments))
        (device,) = judge.finish().devices
        assert any(tally.checked for tally in device.tallies)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 12), max_size=40), st.integers(0, 2**32 - 1))
def test_ids_of_one_run_add_up_wherever_it_starts(numbers: list[int], first: int) -> None:
    """Every id between the first and the last is here, missing, or before a restart."""
    runs = IdRun(), IdRun()
    for place, number in enumerate(numbers):
        runs[0].take(number, place)
        runs[1].take((number + first) % 2**32, place)
    names = ("messages", "fine", "odd", "missing", "overtaken", "repeated", "restarts")
    assert [getattr(runs[0], n) for n in names] == [getattr(runs[1], n) for n in names]
    assert runs[0].messages == len(numbers)
    if numbers and not runs[0].restarts and not runs[0].repeated:
        assert len(set(numbers)) + runs[0].missing == max(numbers) - numbers[0] + 1
