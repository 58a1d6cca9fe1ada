"""The sample of periods through the whole pipeline, on what a simulated device sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from collector.config import read_config_table
from collector.core.assembly.reassembly import Reassembly
from collector.core.assembly.segments import Assembled, SegmentReceived
from collector.errors import WireError
from collector.journal import to_arrow
from collector.model import (
    FLAG_IDS,
    FLAG_PRIVATE,
    SECOND,
    CollectorTime,
    Event,
    Octets,
    ReceivedBatch,
    RecordKind,
    RpcNote,
    SessionNote,
    SidTable,
    Transport,
)
from collector.pipeline import Pipeline, sampling
from collector.pipeline.sampling import every_of
from collector.pipeline.settings import encode_config
from collector.store.said import Said
from collector.wire.netconf.rpc import EstablishSubscription, encode_rpc
from collector.wire.notifications.nodes import NodeIds, read_nodes
from collector.wire.udp_notif.datagrams import decode_header
from publisher_sim.device.simulate import START, default_terms, simulate
from publisher_sim.scenario import Fault, Push, Scenario
from tests.columns import joined, part_of
from tests.sim_scenarios import small

LATENCY = 200_000
Change = Callable[[int, bytes], bytes]
"""(publisher id, payload) -> payload, on its way."""


def as_sent(publisher: int, payload: bytes) -> bytes:
    """Nothing is changed."""
    return payload


class Recorded:
    """The journal of a collector that listened to a simulated device."""

    def __init__(
        self, scenario: Scenario, change: Change = as_sent, *, sample: float | None = 1
    ) -> None:
        self.batch = ReceivedBatch()
        self._scenario = scenario
        self._change = change
        self._reassembly = Reassembly()
        self._config(START - SECOND, sample, start=True)
        self._note(RecordKind.SESSION_UP, START - SECOND, SessionNote("core7"))
        for one in simulate(scenario)[0]:
            self._said(one.kind, one.octets, one.at + LATENCY)
        self.batch.append(self.batch.received_at[-1] + 30 * SECOND, RecordKind.TICK, b"")

    def _config(self, at: int, sample: float | None, *, start: bool = False) -> None:
        source = self._scenario.address
        table: dict[str, Any] = {"device": [{"name": "core7", "sources": [source]}]}
        if sample is not None:
            table["verdicts"] = {"coverage_sample": sample}
        if start:
            self.batch.append(at, RecordKind.COLLECTOR_START, b"")
        config = encode_config(read_config_table(table))
        self.batch.append(at, RecordKind.CONFIG, config)

    def _note(self, kind: RecordKind, at: int, note: Any) -> None:
        octets = msgspec.json.encode(note)
        self.batch.append(at, kind, octets, transport=Transport.NETCONF, session="s")

    def _said(self, kind: str, octets: bytes, at: int) -> None:
        if kind == "reply":
            request = encode_rpc("1", EstablishSubscription(default_terms(self._scenario)))
            note = RpcNote(
                "core7", "all", "establish-subscription", request.decode(), octets.decode()
            )
            self._note(RecordKind.REPLY, at, note)
        elif kind == "notification":
            self.batch.append(
                at, RecordKind.DATA, octets, transport=Transport.NETCONF, session="s", media_type=2
            )
        else:
            self._datagram(octets, at)

    def _datagram(self, octets: bytes, at: int) -> None:
        header = decode_header(octets)
        ids = (header.publisher_id, header.message_id)
        payload, media_type = octets[header.header_length :], header.media_type
        if header.segment is not None:
            segment = SegmentReceived(
                self._scenario.address, 40_000, *ids, octets[0], header.segment.number,
                header.segment.last, header.options, payload,
            )  # fmt: skip
            whole = [
                one
                for one in self._reassembly.receive(segment, CollectorTime(at))
                if isinstance(one, Assembled)
            ]
            if not whole:
                return
            payload, media_type = whole[0].payload, whole[0].form & 0x0F
        self.batch.append(
            at, RecordKind.DATA, self._change(ids[0], payload), transport=Transport.UDP_NOTIF,
            peer=self._scenario.address, port=40_000, flags=FLAG_IDS, media_type=media_type,
            publisher_id=ids[0], message_id=ids[1],
        )  # fmt: skip

    def parts(self, rows: int) -> Iterator[tuple[int, ReceivedBatch]]:
        """Offsets and batches."""
        for first in range(0, len(self.batch), rows):
            yield first, part_of(self.batch, first, first + rows)

    def tell(self, pipeline: Pipeline, rows: int = 1 << 30) -> list[Said]:
        """Everything through a pipeline."""
        return [pipeline.receive(first, part, to_arrow(part)) for first, part in self.parts(rows)]


def conformance(said: list[Said]) -> list[Event]:
    """Events of the sample."""
    kinds = ("overlap", "node_gone")
    return sorted(
        (event for one in said for event in one.events if event.kind in kinds),
        key=lambda event: (event.time, event.text),
    )


def both_send_eth1(publisher: int, payload: bytes) -> bytes:
    """The second card has the first one's interface instead of its own."""
    return payload.replace(b"eth2/0", b"eth1/0") if publisher == 102 else payload


def outcomes(said: list[Said]) -> set[str]:
    """What the periods came to."""
    return {row.outcome.value for one in said for row in one.verdicts}


# --------------------------------------------------------------------------- devices
@pytest.mark.parametrize("encoding", ["encode-json", "encode-xml"])
@pytest.mark.parametrize("updates", [1, 3])
def test_a_healthy_device_gives_no_event(encoding: str, updates: int) -> None:
    scenario = small(cards=3, push=Push(updates_per_period=updates, encoding=encoding))
    pipeline = Pipeline()
    said = Recorded(scenario).tell(pipeline)
    assert "COMPLETE" in outcomes(said)
    assert conformance(said) == []
    assert pipeline.contents_left_out == {}


@pytest.mark.parametrize("encoding", ["encode-json", "encode-xml"])
def test_two_cards_that_send_one_interface_are_named_once(encoding: str) -> None:
    scenario = small(push=Push(encoding=encoding))
    found = conformance(Recorded(scenario, both_send_eth1).tell(Pipeline()))
    (event,) = [event for event in found if event.kind == "overlap"]
    assert event.device == "core7"
    assert "Generators 101 and 102 of subscription all" in event.text
    assert "interface[name=eth1/0]" in event.text
    assert "eth2" not in event.text
    assert len(found) == 1


def test_an_interface_that_vanishes_without_a_word_is_said_once() -> None:
    seen = []

    def vanish(publisher: int, payload: bytes) -> bytes:
        seen.append(publisher)
        gone = publisher == 102 and seen.count(102) > 15
        return payload.replace(b"eth2/0", b"eth2/1") if gone else payload

    (event,) = conformance(Recorded(small(), vanish).tell(Pipeline()))
    assert (event.kind, event.subject) == ("node_gone", "102")
    assert "interface[name=eth2/0]" in event.text


@pytest.mark.parametrize(
    "fault",
    [
        Fault("drop", 10, card="lc2", until_period=14),
        Fault("silent", 10, card="lc2", until_period=12),
        Fault("duplicate", 10, card="lc1", until_period=15),
        Fault("reorder", 10, card="lc1", until_period=15),
        Fault("corrupt", 10, card="lc2", until_period=12),
        Fault("pull", 10, card="lc2", until_period=18),
        Fault("kill", 10, card="lc2"),
        Fault("move", 10, card="lc1", moves_to="lc2", interfaces=("eth1/0",)),
    ],
    ids=lambda fault: fault.kind,
)
def test_no_fault_of_the_way_is_taken_for_a_conformance_fault(fault: Fault) -> None:
    scenario = small(fault, updates=2)
    assert conformance(Recorded(scenario).tell(Pipeline())) == []


# --------------------------------------------------------------------------- the sample
def sampled(recorded: Recorded) -> int:
    """How many updates were looked into."""
    looked: list[bytes] = []

    def counted(payload: bytes, media_type: int, place: int, sids: SidTable) -> NodeIds:
        looked.append(payload)
        return read_nodes(payload, media_type, place, sids)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampling, "read_nodes", counted)
        recorded.tell(Pipeline())
    return len(looked)


@pytest.mark.parametrize(
    ("sample", "least", "most"), [(0, 0, 0), (None, 2, 8), (0.1, 10, 18), (1, 90, 130)]
)
def test_only_the_sample_is_looked_into(sample: float | None, least: int, most: int) -> None:
    scenario = small(cards=2, periods=60)
    assert least <= sampled(Recorded(scenario, sample=sample)) <= most


def test_one_period_in_so_many() -> None:
    assert [every_of(sample) for sample in (0, 1e-12, 0.02, 0.3, 1)] == [0, 0, 50, 3, 1]


def test_what_cannot_be_looked_into_is_counted_only(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = Recorded(small())
    batch = recorded.batch
    data = [row for row, flags in enumerate(batch.flags) if flags & FLAG_IDS]
    half = len(data) // 2
    batch.flags[data[half]] |= FLAG_PRIVATE
    bad = batch.payload[data[half + 4]]

    def refused(payload: bytes, media_type: int, place: int, sids: SidTable) -> NodeIds:
        if payload == bad:
            raise WireError("bad-value", "not ours")
        return read_nodes(payload, media_type, place, sids)

    monkeypatch.setattr(sampling, "read_nodes", refused)
    at = data[half + 8]
    payloads = list(batch.payload)
    payloads[at] = (
        payloads[at]
        .replace(b"push-update", b"push-change-update")
        .replace(b"datastore-contents", b"datastore-changes")
    )
    batch.payload = Octets.of(payloads)
    pipeline = Pipeline()
    said = recorded.tell(pipeline)
    assert conformance(said) == []
    assert pipeline.counts.rejected == {"unknown-media-type": 1}
    assert pipeline.contents_left_out == {"not-whole": 2}


def test_another_sample_in_the_middle_is_no_fault() -> None:
    recorded = Recorded(small(cards=2))
    other = Recorded(small(cards=2), both_send_eth1)
    middle = next(
        row for row, at in enumerate(recorded.batch.received_at) if at > START + 15 * SECOND
    )
    for one in (recorded, other):
        one.batch = _with_config(one, middle)
    assert conformance(recorded.tell(Pipeline())) == []
    assert len(conformance(other.tell(Pipeline()))) == 1


def _with_config(recorded: Recorded, row: int) -> ReceivedBatch:
    """Every second period only, from a row on."""
    at = recorded.batch.received_at[row]
    before, recorded.batch = recorded.batch, ReceivedBatch()
    recorded._config(at, 0.5)
    return joined(part_of(before, 0, row), recorded.batch, part_of(before, row, len(before)))


# --------------------------------------------------------------------------- the same again
@pytest.mark.parametrize("rows", [1, 3, 17])
def test_batches_of_any_size_say_the_same(rows: int) -> None:
    recorded = Recorded(small(Fault("pull", 10, card="lc2", until_period=18)), both_send_eth1)
    whole = conformance(recorded.tell(Pipeline()))
    assert whole
    assert conformance(recorded.tell(Pipeline(), rows)) == whole


@pytest.mark.parametrize("apart", [0, 7])
def test_a_restart_anywhere_says_the_same(apart: int) -> None:
    """The device's part of the snapshot may be younger than the rest."""
    recorded = Recorded(small(periods=12), both_send_eth1)
    ran_on = recorded.tell(Pipeline(), 1)
    for cut in range(2, len(ran_on) - apart, 5):
        before = Pipeline()
        parts = []
        for first, part in recorded.parts(1):
            if first == cut:
                parts.append(("", cut, before.snapshot_part("")))
            if first == cut + apart:
                names = before.engine.devices()
                parts += [(name, cut + apart, before.snapshot_part(name)) for name in names]
                break
            before.receive(first, part, to_arrow(part))
        after = Pipeline()
        assert after.restore(parts) == cut
        again = [
            after.receive(first, part, to_arrow(part))
            for first, part in recorded.parts(1)
            if first >= cut
        ]
        assert conformance(again[apart:]) == conformance(ran_on[cut + apart :]), cut
