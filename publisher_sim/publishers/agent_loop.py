"""The shell around an ``AgentPublisher``: a clock, a timer and its sender.

Does: wake the agent when something is due and carry out its actions in order, the account before
the deed. Does not: decide anything. Used by agent processes, by agents within the master's
process, and for the master's own share.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from publisher_sim.agent import Account, AgentAction, AgentPublisher, Transmit
from publisher_sim.cards.channel import EndComponent, FromAgent, ToAgent
from publisher_sim.master.ports import Announce
from publisher_sim.publishers.roads import RoadSender
from publisher_sim.publishers.senders import OpenSender, Sender, open_sender
from publisher_sim.publishers.timers import Clock, Timers
from publisher_sim.scenario import Scenario
from publisher_sim.truth.accounts import TruthFact, encode_fact

OpenOther = Callable[[str, str], Sender | None]
OnReach = Callable[[str, str, int, bool], None]
"""(transport, address, port, reached)."""
"""Opens a sender for (transport, path). Raises ConfigError."""


class AccountFile:
    """Facts of one publisher on disk, each line there before the deed: survives kill -9.

    A deed that cannot be told of must not be done, so that is the end of the process.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._path = path
        self._file = os.open(path, flags, 0o600)

    def note(self, fact: TruthFact) -> None:
        """Append one line. No fsync: it outlives the process, not the machine.

        Raises SystemExit, which no event loop holds up: it cannot be written.
        """
        line = encode_fact(fact)
        try:
            written = os.write(self._file, line)
        except OSError as error:
            raise SystemExit(f"publisher-sim: {self._path}: {error.strerror}") from error
        if written < len(line):  # the next one would only stand behind a torn one
            raise SystemExit(f"publisher-sim: {self._path} takes no whole line any more")

    def close(self) -> None:
        """Once."""
        os.close(self._file)


def loop_of(
    scenario: Scenario,
    agent: AgentPublisher,
    note: Callable[[TruthFact], None],
    say: Callable[[FromAgent], None],
    clock: Clock | None = None,
    way_out: OpenSender = open_sender,
) -> AgentLoop:
    """The loop of an agent with the way out that its device has.

    Args:
        scenario: of the device.
        agent: who decides.
        note: takes what is to be accounted for.
        say: takes what the master is to know.
        clock: of the device; None: the machine's, with timers of its own.
        way_out: opens its senders.

    Raises:
        ConfigError: it cannot be opened.
    """
    clock = clock or Timers().clock()
    if scenario.behaviour.port_per_subscription:
        return AgentLoop(agent, None, note, say, clock, partial(open_sender, scenario))
    if scenario.configuration is not None:
        if scenario.receiver.tls.ca:
            from publisher_sim.publishers.https_notif import tls_context

            tls_context(scenario.receiver)  # said now, not when somebody configures a receiver
        return AgentLoop(agent, None, note, say, clock, partial(way_out, scenario))
    return AgentLoop(agent, way_out(scenario), note, say, clock)


class AgentLoop:
    """Runs one agent in the event loop."""

    def __init__(
        self,
        agent: AgentPublisher,
        sender: Sender | None,
        note: Callable[[TruthFact], None],
        say: Callable[[FromAgent], None],
        clock: Clock,
        open_other: OpenOther | None = None,
    ) -> None:
        """Nothing is sent yet.

        Args:
            agent: who decides.
            sender: its way out over the scenario's transport; None where the master forwards.
            note: takes what is to be accounted for.
            say: takes what the master is to know.
            clock: of the device.
            open_other: opens senders for receivers that the device was configured with.
        """
        self.agent = agent
        self._sender = sender
        self._open_other = open_other
        self.on_reach: OnReach | None = None
        """Is told when a receiver that needs a connection can be reached, or no longer."""
        self._others: dict[tuple[str, str, int], Sender | None] = {}
        """(transport, path, scope) -> its sender, once something goes there."""
        self._note = note
        self._say = say
        self._clock = clock
        self._alarm = clock.alarm(self._wake)
        self._closed = False

    def receive(self, message: ToAgent) -> None:
        """Take what the master says."""
        if not self._closed:
            self._carry_out(self.agent.receive(message, self._clock.now()))
            if isinstance(message, EndComponent):
                self._end_scope(message.subscription_id)
            self._arm()

    def _end_scope(self, scope: int) -> None:
        for key in [key for key in self._others if key[2] == scope]:
            sender = self._others.pop(key)
            if sender is not None:
                sender.close()

    def announce(self, what: Announce) -> None:
        """Send a state change."""
        if not self._closed:
            at = self._clock.now()
            said = self.agent.announce(what.component, what.kind, what.change, at, what.record)
            self._carry_out(said)

    async def drain(self, seconds: float) -> None:
        """Return when all that was sent has left, or the time is up."""
        deadline = time.monotonic() + seconds
        while any(one.waiting for one in self._senders()) and time.monotonic() < deadline:
            await asyncio.sleep(0.01)

    def _senders(self) -> list[Sender]:
        return [one for one in (self._sender, *self._others.values()) if one is not None]

    def close(self) -> None:
        """Nothing leaves any more. May be called twice."""
        self._closed = True
        self._alarm.set(None)
        for sender in self._senders():
            sender.close()

    def _wake(self) -> None:
        self._carry_out(self.agent.handle_timer(self._clock.now()))
        self._arm()

    def _arm(self) -> None:
        if not self._closed:
            self._alarm.set(self.agent.next_deadline())

    def _carry_out(self, actions: list[AgentAction]) -> None:
        for action in actions:
            match action:
                case Account():
                    self._note(action.fact)
                case Transmit():
                    sender = self._sender_for(action)
                    assert sender is not None, "over netconf nothing is transmitted"
                    to = (action.address, action.port)
                    sender.send(*to, action.octets, action.media_type, action.dscp)
                case _:
                    self._say(action)

    def _sender_for(self, unit: Transmit) -> Sender | None:
        if self._open_other is None:
            return self._sender
        key = (unit.transport, unit.path, unit.scope)
        if key not in self._others:
            sender = self._others[key] = self._open_other(unit.transport, unit.path)
            if isinstance(sender, RoadSender):
                sender.on_reach = partial(self._reached, unit.transport)
        return self._others[key]

    def _reached(self, transport: str, address: str, port: int, reached: bool) -> None:
        if self.on_reach is not None and not self._closed:
            self.on_reach(transport, address, port, reached)
