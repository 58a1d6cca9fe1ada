"""The simulated device and the collector's own decoding and engine, joined in memory.

Nothing here waits, opens sockets or starts processes: what the simulation says left the device
arrives ``latency`` later, goes through header, reassembly, envelope and engine, and the verdicts
come back. Used to hold the verdicts against the truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from collector.comparison import Comparison, compare, read_truth
from collector.core.assembly.reassembly import Reassembly
from collector.core.assembly.segments import Assembled, HalfBuilt, SegmentReceived
from collector.core.engine import Engine
from collector.core.settings import EngineSettings, KnownSubscription
from collector.errors import WireError
from collector.model import (
    CollectorStopped,
    CollectorTime,
    EngineInput,
    Established,
    MediaType,
    Rejected,
    StateChanged,
    Tick,
    Unreassembled,
    Update,
    Verdict,
)
from collector.wire.netconf.rpc import decode_reply
from collector.wire.notifications import notification
from collector.wire.notifications.envelopes import CONTENT_KINDS
from collector.wire.udp_notif.datagrams import Header, decode_header
from publisher_sim.device.simulate import Said, simulate, terms_of
from publisher_sim.scenario import Scenario
from publisher_sim.truth import file as truth_file

LATENCY = 200_000
"""ns from leaving the device to arriving here."""
PORT = 40_000


class Joined:
    """One device's octets on their way into an engine."""

    def __init__(
        self,
        scenario: Scenario,
        known: KnownSubscription | None = None,
    ) -> None:
        """``known``: what the operator says of the configured subscription."""
        self._scenario = scenario
        self._asked = list(terms_of(scenario))
        """Terms of the requests whose replies are to come."""
        self._shift = scenario.behaviour.clock_shift
        operator = {}
        if known is not None and scenario.configured is not None:
            operator[scenario.name, scenario.configured.subscription_id] = known
        self.engine = Engine(EngineSettings(grace=scenario.grace, known=operator))
        self._reassembly = Reassembly()
        self._offset = 0
        self.verdicts: list[Verdict] = []

    def take(self, said: Iterable[Said]) -> None:
        """Hand everything over, in order."""
        for one in said:
            # a device whose clock is wrong says its own time of everything, this too
            arrival = CollectorTime(one.at - self._shift + LATENCY)
            self._wait(arrival)
            for record in self._records(one, arrival):
                self._hand(record, arrival)

    def stop(self, at: int) -> list[Verdict]:
        """The collector stops in good order; returns all verdicts."""
        now = CollectorTime(at - self._shift)
        self._wait(now)
        self._hand(CollectorStopped(now, self._offset), now)
        return self.verdicts

    def _wait(self, now: CollectorTime) -> None:
        while (due := self._reassembly.next_deadline()) is not None and due <= now:
            for fact in self._reassembly.handle_timer(due):
                if isinstance(fact, HalfBuilt):
                    self._hand(self._unreassembled(fact, due), due)
        self._hand(Tick(now, self._offset), now)

    def _hand(self, record: EngineInput, now: CollectorTime) -> None:
        facts = self.engine.receive(record, now)
        self._offset += 1
        self.verdicts.extend(fact for fact in facts if isinstance(fact, Verdict))

    def _records(self, said: Said, arrival: CollectorTime) -> Iterator[EngineInput]:
        name = self._scenario.name
        if said.kind == "reply":
            reply = decode_reply(said.octets)
            assert reply.subscription_id is not None
            yield Established(
                arrival, name, "simulated", reply.subscription_id, self._asked.pop(0),
                reply.generators, self._offset,
            )  # fmt: skip
        elif said.kind == "notification":
            yield self._whole(said.octets, MediaType.YANG_DATA_XML, arrival)
        elif said.kind == "message":
            media_type = self._scenario.traits.media_types[self._scenario.encoding]
            yield self._whole(said.octets, media_type, arrival)
        else:
            yield from self._datagram(said.octets, arrival)

    def _whole(self, payload: bytes, media_type: int, arrival: CollectorTime) -> EngineInput:
        """A message of a transport that counts none: its own number stands for that."""
        name, source = self._scenario.name, self._scenario.address
        found = notification.decode(payload, media_type)
        number = found.sequence_number
        if found.kind not in CONTENT_KINDS:
            return StateChanged(arrival, name, source, 0, None, number, found, self._offset)
        return Update(
            arrival, name, source, 0, None, number, found.subscription_id, found.generator,
            found.kind, found.event_time, found.observation_time, found.incomplete_update,
            self._offset,
        )  # fmt: skip

    def _datagram(self, octets: bytes, arrival: CollectorTime) -> Iterator[EngineInput]:
        on_top = self._scenario.behaviour.last_flag_in_top_bit
        header = decode_header(octets, top_bit_last=on_top)
        payload = octets[header.header_length :]
        if header.segment is None:
            ids = (header.publisher_id, header.message_id)
            yield self._message(*ids, header.media_type, payload, arrival)
            return
        for fact in self._reassembly.receive(self._segment(octets[0], header, payload), arrival):
            if isinstance(fact, Assembled):
                ids = (fact.publisher_id, fact.message_id)
                yield self._message(*ids, fact.form & 0x0F, fact.payload, arrival)
            else:
                yield self._unreassembled(fact, arrival)

    def _segment(self, form: int, header: Header, payload: bytes) -> SegmentReceived:
        assert header.segment is not None
        return SegmentReceived(
            self._scenario.address, PORT, header.publisher_id, header.message_id, form,
            header.segment.number, header.segment.last, header.options, payload,
        )  # fmt: skip

    def _message(
        self, publisher: int, message: int, media_type: int, payload: bytes, arrival: CollectorTime
    ) -> EngineInput:
        name, source = self._scenario.name, self._scenario.address
        try:
            found = notification.decode(payload, media_type)
        except WireError as error:
            return Rejected(
                arrival, name, source, PORT, publisher, message, error.reason, self._offset
            )
        if found.kind not in CONTENT_KINDS:
            return StateChanged(
                arrival, name, source, PORT, publisher, message, found, self._offset
            )
        return Update(
            arrival, name, source, PORT, publisher, message, found.subscription_id,
            found.generator, found.kind, found.event_time, found.observation_time,
            found.incomplete_update, self._offset,
        )  # fmt: skip

    def _unreassembled(self, fact: HalfBuilt, arrival: CollectorTime) -> Unreassembled:
        return Unreassembled(
            arrival, self._scenario.name, fact.source, fact.port, fact.publisher_id,
            fact.message_id, fact.first_arrival, self._offset,
        )  # fmt: skip


def compare_with_truth(
    scenario: Scenario, folder: Path, known: KnownSubscription | None = None
) -> Comparison:
    """Simulate, judge, write the truth file, read it as the demo does, and compare."""
    said, header, lines = simulate(scenario)
    joined = Joined(scenario, known=known)
    joined.take(said)
    verdicts = joined.stop(header.until + LATENCY)
    path = folder / "truth.jsonl"
    truth_file.write(path, header, lines)
    return compare(read_truth(path), verdicts)
