"""The plan of a soak in pretend time: ``python -m tests.soak.pretend --seed 21``.

Does: run each device with a subscriber that comes again after every end, as the collector does,
judge it with the engine, compare with the truth. Minutes of a soak take seconds, and what differs
can be looked at as often as one likes. Does not: the collector's processes, sockets and reloads,
nor any delay on the way: for these there is the soak itself.

Each device has two subscriptions, one of them half as often: what it does between two ticks of the
one falls anywhere between two ticks of the other.
"""

from __future__ import annotations

import argparse
import heapq
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from msgspec import structs

from collector.comparison import Comparison, compare, read_truth
from collector.model import (
    CollectorTime,
    DeviceTime,
    Ended,
    EngineInput,
    Established,
    MediaType,
    NotificationKind,
    SubscriptionTerms,
)
from collector.wire.netconf.rpc import EstablishSubscription, Rpc, decode_reply
from collector.wire.notifications import notification
from publisher_sim.device.simulate import Said, Simulation, default_terms
from publisher_sim.master.ports import Action, CloseSession, SendNotification, SendReply
from publisher_sim.scenario import Scenario
from publisher_sim.truth import file as truth_file
from tests.sim_joined import LATENCY, Joined
from tests.soak.lab import Wish
from tests.soak.plan import devices

AGAIN = 700_000_000
"""ns until the subscriber comes again."""
DOWN = "down"
"""Kind of ``Said``: a session is gone."""


def both(scenario: Scenario) -> tuple[SubscriptionTerms, SubscriptionTerms]:
    """Each period, and every other one; anchors are chosen when they are asked for."""
    one = default_terms(scenario)
    return one, structs.replace(one, period=2 * scenario.period_ns)


class PersistentSimulation(Simulation):
    """A device whose subscriber establishes again what ended."""

    def __init__(self, scenario: Scenario) -> None:
        """Nothing is running yet."""
        super().__init__(scenario, *both(scenario))
        self.asked: list[tuple[int, SubscriptionTerms]] = []
        """(which of the two, its terms) of each request, in order; none is refused."""
        self._which: dict[int, int] = {}
        """subscription id -> which of the two."""
        self._again: list[tuple[int, int]] = []
        """Heap of (when, which of the two; -1: a new session, and both)."""
        self._session = 0

    def _subscribe(self) -> None:
        self._session += 1
        self._do(self._master.session_opened(str(self._session), "collector", self.now))
        for which in range(len(self._terms)):
            self._establish(which)

    def _establish(self, which: int) -> None:
        terms = self._terms[which]
        assert terms.period is not None
        anchor = DeviceTime((self.now // terms.period + 2) * terms.period)
        terms = structs.replace(terms, anchor_time=anchor)
        self.asked.append((which, terms))
        rpc = Rpc(str(len(self.asked)), EstablishSubscription(terms))
        self._do(self._master.rpc_received(str(self._session), rpc, self.now))

    def _step(self, at: int) -> None:
        if not self._again or self._again[0][0] > at:
            super()._step(at)
            return
        self.now, which = heapq.heappop(self._again)
        if which < 0:
            self._subscribe()
        else:
            self._establish(which)

    def _do(self, actions: list[Action]) -> None:
        super()._do(actions)
        for action in actions:
            if isinstance(action, SendReply):
                number = decode_reply(action.message).subscription_id
                if number is not None:
                    self._which[number] = self.asked[len(self._which)][0]
            elif isinstance(action, CloseSession):
                self._said.append(Said(self.now, DOWN, b""))
                self._do(self._master.session_closed(action.session_id, self.now))
                self._again = [(self.now + AGAIN, -1)]
            elif isinstance(action, SendNotification):
                self._told(action.message)

    def _told(self, message: bytes) -> None:
        found = notification.decode(message, MediaType.YANG_DATA_XML)
        if found.kind is NotificationKind.SUBSCRIPTION_TERMINATED:
            assert found.subscription_id is not None
            heapq.heappush(self._again, (self.now + AGAIN, self._which[found.subscription_id]))


class PersistentlyJoined(Joined):
    """Its octets on their way into an engine; each subscription has one name for all its ids."""

    def __init__(self, simulation: PersistentSimulation, scenario: Scenario) -> None:
        super().__init__(scenario)
        self._requests = iter(simulation.asked)

    def _records(self, said: Said, arrival: CollectorTime) -> Iterator[EngineInput]:
        name = self._scenario.name
        if said.kind == DOWN:
            yield Ended(arrival, name, None, "session-lost", self._offset)
        elif said.kind == "reply":
            reply = decode_reply(said.octets)
            assert reply.subscription_id is not None
            which, terms = next(self._requests)
            yield Established(
                arrival, name, f"soak-{which}", reply.subscription_id, terms, reply.generators,
                self._offset,
            )  # fmt: skip
        else:
            yield from super()._records(said, arrival)


def compare_in_pretend_time(scenario: Scenario, folder: Path) -> Comparison:
    """Run one device to its end and compare what is said of it with what it deserves."""
    simulation = PersistentSimulation(scenario)
    said = list(simulation.run())
    header, lines = simulation.truth()
    joined = PersistentlyJoined(simulation, scenario)
    joined.take(said)
    verdicts = joined.stop(header.until + LATENCY)
    path = folder / f"{scenario.name}.jsonl"
    truth_file.write(path, header, lines)
    return compare(read_truth(path), verdicts)


def main(arguments: list[str]) -> int:
    """Run a whole plan and say what came of it; 0: nothing differs."""
    usual = Wish()
    parser = argparse.ArgumentParser(prog="python -m tests.soak.pretend")
    parser.add_argument("--seconds", type=float, default=usual.seconds)
    parser.add_argument("--devices", type=int, default=usual.devices)
    parser.add_argument("--cards", type=int, default=usual.cards)
    parser.add_argument("--seed", type=int, default=usual.seed)
    wanted = parser.parse_args(arguments)
    wish = Wish(wanted.seconds, wanted.devices, wanted.cards, wanted.seed)
    plan = devices(wish.seed, wish.devices, wish.cards, wish.period, wish.periods, "127.0.0.1:9")
    compared, differences, doubts = 0, 0, Counter[str]()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        for scenario in plan:
            found = compare_in_pretend_time(scenario, Path(folder))
            compared += found.compared
            differences += len(found.differences)
            doubts.update(found.doubts)
            for one in found.differences:
                print(f"DIFFERENT: {one.sentence()}", flush=True)
    print(f"{compared} periods of {len(plan)} devices compared, {differences} differences")
    print(f"not compared, since the truth is not sure: {dict(doubts) or 'none'}")
    return 1 if differences or not compared else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
