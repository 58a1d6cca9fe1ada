"""The agents of a device at work: as processes of their own, or as tasks in the master's process.

Does: start, stop and talk to them, collect their accounts. Does not: decide when (``master``
does). Rules: processes are started by exec, never by bare fork (grpcio), get no secret, and are
reaped; taking a card away is ``kill -9``. One that will come back is started at once and held at
its door (a line on its standard input lets it in), since a Python process needs half a second to
be there.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from publisher_sim.agent import AgentPublisher, register_of
from publisher_sim.cards.channel import FromAgent, ToAgent
from publisher_sim.publishers.agent_loop import AgentLoop, loop_of
from publisher_sim.publishers.senders import OpenSender, open_sender
from publisher_sim.publishers.timers import Clock
from publisher_sim.scenario import Card, Netconf, Scenario
from publisher_sim.truth.accounts import TruthFact, decode_facts

OnMessage = Callable[[FromAgent], None]
OnLost = Callable[[str, str], None]
"""(card, run)."""
PATIENCE_SECONDS = 3.0
"""How long an agent may take to leave when asked to; ours."""
_CHUNK = 8 * 1024 * 1024


class Crew(Protocol):
    """All agents of one device."""

    @property
    def troubles(self) -> list[str]:
        """Who ended without being told to, in sentences."""
        ...

    async def open(self) -> None:
        """Be able to start cards. Raises OSError."""
        ...

    def start_card(self, card: Card) -> None:
        """Start its agent; ``on_message`` gets its registration."""
        ...

    def stop_card(self, card: Card) -> None:
        """Take it away without a word; ``on_lost`` follows."""
        ...

    def tell(self, card: str, message: ToAgent) -> None:
        """Hand a message to an agent; dropped when it is not there."""
        ...

    def facts(self) -> Iterator[TruthFact]:
        """What the agents wrote down since the last call."""
        ...

    async def close(self) -> None:
        """Stop and reap all. May be called twice."""
        ...


class TaskCrew:
    """Agents within the master's process."""

    def __init__(
        self,
        scenario: Scenario,
        on_message: OnMessage,
        on_lost: OnLost,
        *,
        clock: Clock,
        senders: OpenSender = open_sender,
        accounts: bool = True,
    ) -> None:
        """Nobody is there yet.

        Args:
            scenario: the device.
            on_message: gets what agents say.
            on_lost: gets who is gone.
            clock: of the device.
            senders: makes the way out of each.
            accounts: keep facts until they are asked for.
        """
        self._scenario = scenario
        self._clock = clock
        self._senders = senders
        self._accounts = accounts
        self._on_message = on_message
        self._on_lost = on_lost
        self._loops: dict[str, AgentLoop] = {}
        self._lives: dict[str, int] = {}
        self._facts: list[TruthFact] = []

    @property
    def troubles(self) -> list[str]:
        """See ``Crew``: none, these are no processes."""
        return []

    async def open(self) -> None:
        """Nothing to do."""

    def start_card(self, card: Card) -> None:
        """See ``Crew``."""
        life = self._lives[card.name] = self._lives.get(card.name, -1) + 1
        agent = AgentPublisher(self._scenario, card, f"{card.name}/{life}")
        loop = loop_of(
            self._scenario, agent, self._note, self._on_message, self._clock, self._senders
        )
        self._loops[card.name] = loop
        self._on_message(register_of(self._scenario, agent, card))

    def _note(self, fact: TruthFact) -> None:
        if self._accounts:
            self._facts.append(fact)

    def stop_card(self, card: Card) -> None:
        """See ``Crew``."""
        loop = self._loops.pop(card.name, None)
        if loop is not None:
            loop.close()
            self._on_lost(card.name, loop.agent.run)

    def tell(self, card: str, message: ToAgent) -> None:
        """See ``Crew``."""
        loop = self._loops.get(card)
        if loop is not None:
            loop.receive(message)

    def facts(self) -> Iterator[TruthFact]:
        """See ``Crew``."""
        facts = list(self._facts)
        self._facts.clear()
        yield from facts

    async def close(self) -> None:
        """See ``Crew``."""
        for loop in self._loops.values():
            loop.close()
        self._loops.clear()


class _Process:
    """One agent process."""

    def __init__(self, card: str, process: asyncio.subprocess.Process, account: Path) -> None:
        self.card = card
        self.process = process
        self.account = account

    def let_in(self) -> None:
        """Open the door that it waits at."""
        if self.process.stdin is not None:
            self.process.stdin.write(b"go\n")

    def kill(self) -> None:
        """Kill -9."""
        if self.process.returncode is None:
            self.process.kill()

    async def leave(self) -> None:
        """Ask it to go, then make it; reaps it."""
        if self.process.returncode is None:
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), PATIENCE_SECONDS)
        except TimeoutError:
            self.kill()
            await self.process.wait()


class ProcessCrew:
    """Agents as processes of their own, attached over gRPC."""

    def __init__(
        self, scenario: Scenario, on_message: OnMessage, on_lost: OnLost, *, accounts: bool = True
    ) -> None:
        """``accounts``: let the agents write down what they do."""
        from publisher_sim.publishers.agent_channel import ChannelServer

        self._scenario = scenario
        self._accounts = accounts
        self._folder: Path | None = None
        """Of the channel's socket, the setup and the accounts; there once open."""
        self._server = ChannelServer(on_message, on_lost)
        self._current: dict[str, _Process] = {}
        self._standing_by: dict[str, _Process] = {}
        self._all: list[_Process] = []
        self._starting: set[asyncio.Task[None]] = set()
        self._lives: dict[str, int] = {}
        self._read: dict[Path, int] = {}
        """account file -> octets taken."""
        self._come_back = {fault.card for fault in scenario.fault if fault.until is not None}
        self._not_started: list[str] = []

    @property
    def troubles(self) -> list[str]:
        """See ``Crew``; whoever is killed, or told to go, ends with a signal or 0."""
        ended = [(one.card, one.process.returncode or 0) for one in self._all]
        said = [
            f"the process of {card} ended with {status}" for card, status in ended if status > 0
        ]
        return self._not_started + said

    async def open(self) -> None:
        """See ``Crew``. The setup file holds no secret: its NETCONF table is the default one."""
        self._folder = Path(tempfile.mkdtemp(prefix="publisher-sim-"))
        setup = msgspec.structs.replace(self._scenario, netconf=Netconf())
        (self._folder / "setup.json").write_bytes(msgspec.json.encode(setup))
        await self._server.start(f"unix:{self._folder / 'channel'}")

    def start_card(self, card: Card) -> None:
        """See ``Crew``."""
        waiting = self._standing_by.pop(card.name, None)
        if waiting is not None:
            self._current[card.name] = waiting
            waiting.let_in()
        else:
            self._later(self._spawn(card, self._current))

    def stop_card(self, card: Card) -> None:
        """See ``Crew``."""
        current = self._current.pop(card.name, None)
        if current is not None:
            current.kill()
        if card.name in self._come_back:
            self._later(self._spawn(card, self._standing_by))

    def tell(self, card: str, message: ToAgent) -> None:
        """See ``Crew``."""
        self._server.tell(card, message)

    def facts(self) -> Iterator[TruthFact]:
        """See ``Crew``."""
        for one in self._all if self._accounts else ():
            while content := self._whole_lines(one.account):
                yield from decode_facts(content)

    def _whole_lines(self, account: Path) -> bytes:
        """The next lines of an account file, a last one still being written left out."""
        offset = self._read.get(account, 0)
        try:
            with account.open("rb") as file:
                file.seek(offset)
                content = file.read(_CHUNK)
        except FileNotFoundError:
            return b""
        end = content.rfind(b"\n") + 1
        self._read[account] = offset + end
        return content[:end]

    async def close(self) -> None:
        """See ``Crew``."""
        await asyncio.gather(*self._starting, return_exceptions=True)
        await asyncio.gather(*(one.leave() for one in self._all))
        await self._server.stop()

    def remove(self) -> None:
        """Remove the accounts, once they are read. May be called twice, or before ``open``."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _later(self, starting: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(starting)
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _spawn(self, card: Card, into: dict[str, _Process]) -> None:
        assert self._folder is not None
        life = self._lives[card.name] = self._lives.get(card.name, -1) + 1
        account = self._folder / f"{len(self._all)}-{life}.jsonl"
        if not self._accounts:
            account = Path(os.devnull)
        arguments = [
            "agent", "--setup", str(self._folder / "setup.json"), "--card", card.name,
            "--life", str(life), "--channel", self._server.target, "--account", str(account),
        ]  # fmt: skip
        if into is self._standing_by:
            arguments.append("--standby")
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "publisher_sim", *arguments,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C in the terminal is the master's to pass on
            )  # fmt: skip
        except OSError as error:
            self._not_started.append(f"{card.name}: no process: {error.strerror}")
            return
        into[card.name] = _Process(card.name, process, account)
        self._all.append(into[card.name])
