"""How a command gets its own session with a device: it connects, waits until the device calls, or
borrows the session that a running collector has.

Does: choose, and listen for calls while the command needs it. Does not: open sessions, or work in
them.

Rules: a device that calls home keeps one session (RFC 8071 §4.1), and the collector that runs
listens where it calls: so with a collector its session is borrowed, without one we listen there.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from collector import control
from collector.config import CallHomeSettings
from collector.errors import ConfigError
from collector.model import SECOND
from collector.service.borrowing import BorrowedSession
from collector.service.clock import CollectorClock
from collector.subscriber.manager import session_factory
from collector.subscriber.sessions.session import NetconfSession, SessionSettings

if TYPE_CHECKING:
    from collector.subscriber.call_home.callers import UnknownCaller  # loads asyncssh

WAIT_SECONDS = 300.0
"""How long a command waits for a call (ours): devices grow slow in calling who was away long."""
CALLS_PER_SECOND = 50.0
"""Callers that may begin in a second (ours)."""
NAMED = 5
"""Devices that are waited for by name (ours)."""
STRANGERS_SAID = 10
"""Callers that a command names as not expected (ours)."""

_NAME_IT = (
    "a collector that runs has the port: name the device as in its configuration, and say which"
    " (-c FILE); then its session is used"
)
_STARTING = (
    "a collector that starts or stops may have the port, then say it again in a moment; else it is"
    " one of another data folder"
)

Open = Callable[[str, str], NetconfSession]
"""(device, which client) -> a session that is not open yet."""


def say_on_stderr(text: str) -> None:
    """For whoever waits in front of the terminal."""
    print(text, file=sys.stderr, flush=True)


class Ways(Struct, frozen=True):
    """What a command may use; nothing: it connects to every device."""

    call_home: CallHomeSettings | None = None
    """Where devices call; None: nowhere."""
    data_folder: Callable[[str], Path | None] = lambda device: None
    """Device -> where a collector that has its session would run; None: nowhere."""
    wait_seconds: float = WAIT_SECONDS
    """How long a device may take to call."""
    say: Callable[[str], None] = say_on_stderr
    """Is told what is waited for, and who else called."""

    @asynccontextmanager
    async def sessions(self, devices: Mapping[str, SessionSettings]) -> AsyncIterator[Open]:
        """Make sessions with these devices, by name.

        Raises:
            ConfigError: nobody can listen where they call, or a collector is about to.
        """
        waiting: dict[str, SessionSettings] = {}
        running: dict[str, Path] = {}
        for name, settings in devices.items():
            if not settings.calls_home:
                continue
            folder = self.data_folder(name)
            if folder is not None and control.is_running(folder):
                running[name] = folder
            elif folder is not None and control.is_between(folder):
                raise ConfigError(control.between(folder))  # it is about to listen where we would
            else:
                waiting[name] = settings

        def connected(name: str, kind: str) -> NetconfSession:
            if name in running:
                return BorrowedSession(
                    devices[name], running[name], name,
                    wait_seconds=self.wait_seconds, say=self.say,
                )  # fmt: skip
            return session_factory(kind)(devices[name], _nowhere, CollectorClock())

        if not waiting or self.call_home is None:
            yield connected
            return
        async with _calls(self, self.call_home, waiting) as called:
            yield lambda name, kind: (called if name in waiting else connected)(name, kind)


@asynccontextmanager
async def _calls(
    ways: Ways, where: CallHomeSettings, devices: Mapping[str, SessionSettings]
) -> AsyncIterator[Open]:
    """Sessions with devices that call; somebody listens meanwhile."""
    from collector.subscriber.call_home.called_session import CalledSession
    from collector.subscriber.call_home.listener import CallHome  # loads asyncssh

    strangers = Strangers(ways.say)
    calls = CallHome(
        where,
        per_second=CALLS_PER_SECOND,
        refused=lambda reason, sentence: strangers.look(calls.unknown()),
    )
    try:
        await calls.start()
    except ConfigError as error:
        known = any(ways.data_folder(name) is not None for name in devices)
        error.add_note(_STARTING if known else _NAME_IT)
        raise
    calls.expect(devices)

    ways.say(waiting_for(list(devices), calls.where, ways.wait_seconds))
    wait = round(ways.wait_seconds * SECOND)

    def called(name: str, kind: str) -> NetconfSession:
        return CalledSession(
            devices[name], _nowhere, CollectorClock(), calls=calls, wait=wait, name=name
        )

    try:
        yield called
    finally:
        await calls.stop()


def waiting_for(devices: list[str], where: str, seconds: float) -> str:
    """A sentence for whoever waits in front of the terminal."""
    names, more = ", ".join(devices[:NAMED]), len(devices) - NAMED
    names += f" and {more} more" if more > 0 else ""
    return f"Waiting for {names} to call {where}, for {seconds:g} s at most."


def _nowhere(now: object, messages: object) -> None:
    """What a device says unasked is of no use to a command."""


class Strangers:
    """Callers that nobody waits for: each is said once, since it may be whom we wait for."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said: set[tuple[str, str]] = set()

    def look(self, unknown: list[UnknownCaller]) -> None:
        """Who is new among them."""
        for one in unknown:
            if (one.address, one.host_key) in self._said or len(self._said) >= STRANGERS_SAID:
                continue
            self._said.add((one.address, one.host_key))
            self._say(f"Refused a call from {one.address}: nobody here has its key {one.host_key}.")
