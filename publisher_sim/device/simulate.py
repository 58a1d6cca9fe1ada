"""A whole device in pretend time: scenario in, datagrams with send times and truth out.

Does not: open sockets, start processes, read clocks. It plays the subscriber too: one
establish-subscription at the start, for everything the device has, unless it is configured. Between
master and agents nothing takes time. So a day of telemetry takes seconds, and two calls with the
same scenario give the same octets.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

from msgspec import Struct, structs

from collector.errors import UsageError
from collector.model import SECOND, DeviceTime, OnChange, SubscriptionTerms
from collector.wire.captures.packets import UdpPacket
from collector.wire.captures.pcap import write_pcap
from collector.wire.netconf.rpc import EstablishSubscription, Rpc, decode_reply
from publisher_sim.agent import (
    Account,
    AgentAction,
    AgentPublisher,
    Transmit,
    register_of,
)
from publisher_sim.cards.channel import Count, Forward, Status
from publisher_sim.device.device_truth import DeviceTruth
from publisher_sim.master import MasterPublisher
from publisher_sim.master.ports import (
    Action,
    Announce,
    Note,
    SendNotification,
    SendReply,
    StartCard,
    StopCard,
    TellAgent,
)
from publisher_sim.scenario import MASTER, Card, Scenario
from publisher_sim.scenario.transports import TRANSPORTS
from publisher_sim.truth.file import Header, RecordLine, TruthLine

SOURCE_PORT = 40_000
"""Of the datagrams in a written capture; ours."""
SESSION = "1"
"""The pretended subscriber's session."""
START = 1_800_000_000_000_000_000
"""When the pretended device is switched on, ns since 1970; a multiple of every usual period."""


class Said(Struct, frozen=True, gc=False):
    """Something that left the device."""

    at: int
    """ns since 1970."""
    kind: str
    """``datagram`` (UDP-notif), ``message`` (another transport of the data), ``reply`` or
    ``notification`` (the NETCONF session)."""
    octets: bytes


class Simulation:
    """One device, its pretended subscriber and its truth."""

    def __init__(self, scenario: Scenario, *terms: SubscriptionTerms) -> None:
        """Nothing is running yet; without ``terms`` the subscriptions are those of the scenario."""
        self._scenario = scenario
        self._terms = terms or terms_of(scenario)
        self._master = MasterPublisher(scenario)
        self._truth = DeviceTruth(scenario)
        self._agents: dict[str, AgentPublisher] = {}
        """publisher -> its process, while it lives."""
        self._lives: dict[str, int] = {}
        self._said: list[Said] = []
        self.now = START

    def run(self) -> Iterator[Said]:
        """All that leaves the device, in order of time, until the scenario is over.

        Raises:
            UsageError: it refuses every subscription, so that it would never be over.
        """
        for card in self._scenario.publishers:
            self._start(card)
        yield from self._flush()
        self._subscribe()
        while not self._master.finished:
            yield from self._flush()
            self._step(self._next_deadline())
        yield from self._flush()

    def _step(self, at: int) -> None:
        """All that is due at an instant, which is now."""
        self.now = at
        for agent in list(self._agents.values()):
            deadline = agent.next_deadline()
            if deadline is not None and deadline <= self.now:
                self._carry_out(agent.handle_timer(self.now))
        self._do(self._master.handle_timer(self.now))

    def _subscribe(self) -> None:
        configuration = self._scenario.configuration
        if self._scenario.configured is not None or (configuration and configuration.initial):
            self._do(self._master.configure(self.now))
            return
        self._do(self._master.session_opened(SESSION, "collector", self.now))
        for number, terms in enumerate(self._terms, 1):
            rpc = Rpc(str(number), EstablishSubscription(terms))
            self._do(self._master.rpc_received(SESSION, rpc, self.now))
        if not len(self._master.life_cycle):  # the timeline counts periods of a subscription
            error = decode_reply(self._said[-1].octets).error
            raise UsageError(f"the device refuses what simulate subscribes to: {error}")

    def truth(self) -> tuple[Header, list[TruthLine]]:
        """The truth so far, as it would stand in the file."""
        return self._truth.header(self.now), self._truth.rows(self.now)

    def records(self) -> list[RecordLine]:
        """The update records of on-change subscriptions so far, likewise."""
        return self._truth.records(self.now)

    def _flush(self) -> Iterator[Said]:
        said, self._said = self._said, []
        yield from said

    def _next_deadline(self) -> int:
        deadlines = [agent.next_deadline() for agent in self._agents.values()]
        deadlines.append(self._master.next_deadline())
        known = [deadline for deadline in deadlines if deadline is not None]
        return max(self.now, min(known))

    def _start(self, card: Card) -> None:
        life = self._lives[card.name] = self._lives.get(card.name, -1) + 1
        agent = AgentPublisher(self._scenario, card, f"{card.name}/{life}")
        self._agents[card.name] = agent
        if card.name != MASTER:
            register = register_of(self._scenario, agent, card)
            self._do(self._master.agent_said(register, self.now))

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case SendReply():
                    self._said.append(Said(self.now, "reply", action.message))
                case SendNotification():
                    self._said.append(Said(self.now, "notification", action.message))
                case Announce():
                    own = self._agents[MASTER]
                    said = own.announce(
                        action.component, action.kind, action.change, self.now, action.record
                    )
                    self._carry_out(said)
                case TellAgent() if action.publisher in self._agents:
                    agent = self._agents[action.publisher]
                    self._carry_out(agent.receive(action.message, self.now))
                case StopCard():
                    agent = self._agents.pop(action.card)
                    self._do(self._master.agent_lost(action.card, agent.run, self.now))
                case StartCard():
                    self._start(self._scenario.publisher(action.card))
                case Note():
                    self._truth.note(action.fact)
                case _:
                    pass

    def _carry_out(self, actions: list[AgentAction]) -> None:
        for action in actions:
            match action:
                case Account():
                    self._truth.note(action.fact)
                case Transmit():
                    kind = "datagram" if TRANSPORTS[action.transport].segments else "message"
                    self._said.append(Said(self.now, kind, action.octets))
                case Status() | Forward() | Count():
                    self._do(self._master.agent_said(action, self.now))


def simulate(
    scenario: Scenario, *terms: SubscriptionTerms
) -> tuple[list[Said], Header, list[TruthLine]]:
    """Run a whole scenario: what left the device, and its truth (header and lines).

    ``scenario.periods`` must not be 0.
    """
    simulation = Simulation(scenario, *terms)
    said = list(simulation.run())
    header, lines = simulation.truth()
    return said, header, lines


def default_terms(scenario: Scenario) -> SubscriptionTerms:
    """Everything in the operational datastore, each period, anchored at a multiple of it."""
    period = scenario.period_ns
    return SubscriptionTerms(
        datastore="operational",
        period=period,
        anchor_time=DeviceTime((START // period + 2) * period),
        encoding=scenario.encoding,
    )


def terms_of(scenario: Scenario) -> tuple[SubscriptionTerms, ...]:
    """What the scenario wants subscribed to: everything each period, when it changes, or both."""
    periodic, changes = default_terms(scenario), scenario.changes
    if changes.simulated == "periodic":
        return (periodic,)
    trigger = OnChange(dampening_period=round(changes.dampening_seconds * SECOND))
    on_change = structs.replace(periodic, period=None, anchor_time=None, on_change=trigger)
    return (on_change,) if changes.simulated == "on-change" else (periodic, on_change)


def capture(scenario: Scenario, said: Iterable[Said]) -> memoryview:
    """The datagrams that were sent as a pcap file.

    Raises:
        UsageError: it would be empty, whatever the transport carries.
    """
    if scenario.receiver.transport != "udp-notif":
        raise UsageError(
            f"what goes over {scenario.receiver.transport} is no capture of UDP-notif datagrams"
        )
    receiver = scenario.receiver
    packets = (
        UdpPacket(
            one.at, scenario.address, SOURCE_PORT, receiver.address, receiver.port, one.octets
        )
        for one in said
        if one.kind == "datagram"
    )
    file = io.BytesIO()
    write_pcap(file, packets)
    return file.getbuffer()
