"""A device on real sockets: the master, its NETCONF server, its agents, and the truth at the end.

Does: connect ``master`` to server, agents, clock and truth file; start and stop them in order.
Does not: decide anything. Rules: start() order is agents, then NETCONF, then "ready"; stop()
terminates the subscriptions, stops sending, reaps the agents, and writes the truth last, when all
accounts are there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from collector.errors import SessionError, WireError
from collector.wire.netconf.rpc import decode_rpc
from publisher_sim.agent import AgentPublisher
from publisher_sim.cards.channel import FromAgent, Register
from publisher_sim.data.module_library import answer_get_schema
from publisher_sim.device.crew import Crew, ProcessCrew, TaskCrew
from publisher_sim.device.surroundings import Surroundings
from publisher_sim.device.truth_keeping import TruthKeeper
from publisher_sim.master import MasterPublisher
from publisher_sim.master.ports import (
    Action,
    Announce,
    CloseSession,
    MarkSession,
    Note,
    SendNotification,
    SendReply,
    StartCard,
    StopCard,
    TellAgent,
)
from publisher_sim.netconf.call_home import CallHome
from publisher_sim.netconf.server import NetconfServer
from publisher_sim.publishers.agent_loop import AgentLoop, loop_of
from publisher_sim.scenario import MASTER, Scenario
from publisher_sim.truth.accounts import Killed
from publisher_sim.users.credentials import authorized_keys, passwords

REGISTRATION_SECONDS = 20.0
"""How long all agents together may take to register at the start."""
GOODBYE_SECONDS = 2.0
"""How long sessions and a receiver may take to read what was said last."""


class DeviceService:
    """One device, from start to the end of its run."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        truth: Path | None = None,
        in_process: bool = False,
        progress: Callable[[str], None] = lambda text: None,
        surroundings: Surroundings | None = None,
    ) -> None:
        """Nothing is opened yet.

        Args:
            scenario: what it is and what goes wrong.
            truth: where the truth goes; None: nowhere.
            in_process: agents are tasks of this process.
            progress: gets a sentence whenever something happened.
            surroundings: what it shares with others of this process; None: nothing.

        Raises:
            ConfigError: password, keys or host key cannot be read.
        """
        self._scenario = scenario
        self._progress = progress
        self._master = MasterPublisher(scenario)
        self._truth = TruthKeeper(scenario, truth, progress=progress, on_full=self.request_stop)
        shared = surroundings or Surroundings()
        self._clock = shared.timers.clock(scenario.behaviour.clock_shift)
        self._alarm = self._clock.alarm(self._wake)
        self._ways_out = shared.ways_out()
        self._truth_apart = shared.truth_apart
        self._until: int | None = None
        """When the run ended, ns since 1970."""
        self._over = asyncio.Event()
        self._registered = asyncio.Event()
        self._waiting_for = {card.name for card in scenario.card}
        told = (scenario, self._agent_said, self._agent_lost)
        accounts = truth is not None
        self._crew: Crew
        if in_process:
            way_out = self._ways_out.open
            self._crew = TaskCrew(*told, clock=self._clock, senders=way_out, accounts=accounts)
        else:
            self._crew = ProcessCrew(*told, accounts=accounts)
        netconf = scenario.netconf
        self.server = NetconfServer(
            scenario.address,
            netconf.port,
            host_key=netconf.host_key or None,
            users=passwords(scenario),
            authorized_keys=authorized_keys(scenario),
            capabilities=self._master.retrieval.hello,
            on_open=self._session_opened,
            on_rpc=self._rpc_received,
            on_busy=self._session_busy,
            on_goodbye=self._master_says_goodbye,
            on_close=self._session_closed,
            door=shared.door,
        )
        self._calls: CallHome | None = None
        if netconf.call_home:
            self._calls = CallHome(
                self.server, netconf, holds=self._holds_a_subscription, progress=progress
            )
        self._own: AgentLoop | None = None
        self._started = False

    # ------------------------------------------------------------------ life
    async def start(self) -> None:
        """Return when subscribers can come, or ``stopping``.

        Raises:
            ConfigError: an address cannot be used.
            SessionError: an agent did not register.
        """
        card = self._scenario.publisher(MASTER)
        agent = AgentPublisher(self._scenario, card, f"{MASTER}/0")
        way_out = self._ways_out.open
        self._own = loop_of(
            self._scenario, agent, self._truth.note, self._agent_said, self._clock, way_out
        )
        self._own.on_reach = self._receiver_reached
        await self._crew.open()
        for one in self._scenario.card:
            self._crew.start_card(one)
        if not self._scenario.card:
            self._registered.set()
        await self._registration()
        if self.stopping:
            return
        if self._scenario.netconf.listen:
            await self.server.start()
            where = f"{self.server.host}:{self.server.port}"
            self._progress(f"{self._scenario.name} listens on {where}")
        self._started = True
        self._do(self._master.configure(self._clock.now()))
        if self._calls is not None:
            self._calls.start()

    async def _registration(self) -> None:
        """Return when all agents are there or nobody needs them any more. Raises SessionError."""
        waits = [asyncio.ensure_future(one.wait()) for one in (self._registered, self._over)]
        try:
            done, _ = await asyncio.wait(
                waits, timeout=REGISTRATION_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for one in waits:
                one.cancel()
        if not done:
            missing = f"no registration of {', '.join(sorted(self._waiting_for))}"
            said = "; ".join([missing, *self._crew.troubles])
            raise SessionError(said, reason="timeout")

    @property
    def stopping(self) -> bool:
        """Whether the scenario is over or ``request_stop`` was called."""
        return self._over.is_set()

    async def wait(self, seconds: float | None = None) -> None:
        """Return when the scenario is over, ``request_stop`` was called, or the time is up."""
        try:
            await asyncio.wait_for(self._over.wait(), seconds)
        except TimeoutError:
            pass

    def request_stop(self) -> None:
        """End ``wait``, and ``start`` while it waits for agents."""
        self._over.set()

    async def stop(self) -> None:
        """Terminate, reap, write the truth unless ``truth_apart``. May be called twice, or after a
        failed ``start``."""
        if not self._master.finished:
            self._do(self._master.stop(self._clock.now()))
        self._alarm.set(None)
        if self._until is None:
            self._until = self._clock.now()
        if self._own is not None:
            await self._own.drain(GOODBYE_SECONDS)
            self._own.close()
        await self._say_goodbye()
        if self._calls is not None:
            await self._calls.stop()
        await self._crew.close()
        self._ways_out.close()
        await self.server.stop()
        if not self._truth_apart:
            self.write_truth()
        if isinstance(self._crew, ProcessCrew):
            self._crew.remove()

    async def _say_goodbye(self) -> None:
        """Let sessions read what was said last before they are closed."""
        for session_id in self.server.sessions:
            self.server.close_session(session_id)
        deadline = time.monotonic() + GOODBYE_SECONDS
        while self.server.sessions and time.monotonic() < deadline:
            await asyncio.sleep(0.01)

    def _holds_a_subscription(self, session_id: str) -> bool:
        return any(one.session_id == session_id for one in self._master.life_cycle)

    # ------------------------------------------------------------------ what comes in
    def _session_opened(self, session_id: str, user: str) -> None:
        self._progress(f"session {session_id} of {user} opened")
        self._do(self._master.session_opened(session_id, user, self._clock.now()))

    def _master_says_goodbye(self, session_id: str) -> None:
        self._master.session_closing(session_id, "closed")

    def _session_closed(self, session_id: str) -> None:
        self._progress(f"session {session_id} closed")
        self._do(self._master.session_closed(session_id, self._clock.now()))

    def _session_busy(self, session_id: str, busy: bool) -> None:
        # the server calls from within ``send``, while the actions before this one are carried out
        asyncio.get_running_loop().call_soon(self._tell_busy, session_id, busy)

    def _tell_busy(self, session_id: str, busy: bool) -> None:
        if not self._master.finished:
            self._do(self._master.session_busy(session_id, busy, self._clock.now()))

    def _rpc_received(self, session_id: str, message: bytes) -> None:
        try:
            rpc = decode_rpc(message)
        except WireError as error:
            self.server.refuse_message(session_id, str(error))
            return
        scenario = self._scenario
        receivers = scenario.configuration is not None and scenario.configuration.spelling == "new"
        answer = answer_get_schema(rpc, message, scenario.control_mode, receivers=receivers)
        if answer is not None:
            self.server.send(session_id, answer)
            return
        self._do(self._master.rpc_received(session_id, rpc, self._clock.now()))

    def _receiver_reached(self, transport: str, address: str, port: int, reached: bool) -> None:
        if not self._master.finished:
            at = self._clock.now()
            self._do(self._master.receiver_reached(transport, address, port, reached, at))

    def _agent_said(self, message: FromAgent) -> None:
        self._do(self._master.agent_said(message, self._clock.now()))
        if isinstance(message, Register):
            self._progress(f"{message.card} registered")
            self._waiting_for.discard(message.card)
            if not self._waiting_for:
                self._registered.set()

    def _agent_lost(self, card: str, run: str) -> None:
        if self._master.finished:
            return
        self._progress(f"{card} is gone")
        generator = self._scenario.publisher(card).generator
        self._truth.note(Killed(self._clock.now(), generator))
        self._do(self._master.agent_lost(card, run, self._clock.now()))

    def _wake(self) -> None:
        self._do(self._master.handle_timer(self._clock.now()))
        if self._master.finished:
            self._over.set()

    # ------------------------------------------------------------------ what goes out
    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            self._carry_out(action)
        self._arm()
        if not self._truth_apart and self._truth.due:
            self.write_truth()

    def _carry_out(self, action: Action) -> None:
        match action:
            case SendReply() | SendNotification():
                self.server.send(action.session_id, action.message)
            case Announce():
                if self._own is not None:
                    self._own.announce(action)
            case TellAgent(publisher=publisher) if publisher == MASTER:
                if self._own is not None:
                    self._own.receive(action.message)
            case TellAgent():
                self._crew.tell(action.publisher, action.message)
            case StopCard():
                self._progress(f"{action.card} is taken away")
                self._crew.stop_card(self._scenario.publisher(action.card))
            case StartCard():
                self._crew.start_card(self._scenario.publisher(action.card))
            case Note():
                self._truth.note(action.fact)
            case MarkSession():
                self.server.mark(action.session_id, action.dscp)
            case CloseSession():
                self.server.close_session(action.session_id)

    def _arm(self) -> None:
        finished = self._master.finished
        self._alarm.set(None if finished else self._master.next_deadline())

    # ------------------------------------------------------------------ truth
    @property
    def troubles(self) -> list[str]:
        """Why the truth is not there, or why this was not the device of the scenario; sentences.
        Complete after ``stop``, with ``truth_apart`` after ``write_truth``."""
        return [*self._truth.troubles, *self._crew.troubles]

    def write_truth(self) -> None:
        """Replace the truth file by what is known now, or was at the end of the run."""
        if self._started:
            until = self._clock.now() if self._until is None else self._until
            self._truth.write(until, self._crew.facts())
