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

from msgspec import Struct

from collector import control
from collector.config import CallHomeSettings
from collector.errors import ConfigError
from collector.model import SECOND
from collector.service.borrowing import BorrowedSession
from collector.service.clock import CollectorClock
from collector.subscriber.manager import session_factory
from collector.subscriber.session import NetconfSession, SessionSettings

WAIT_SECONDS = 300.0
"""How long a command waits for a call (ours): devices grow slow in calling who was away long."""
CALLS_PER_SECOND = 50.0
"""Callers that may begin in a second (ours)."""
NAMED = 5
"""Devices that are waited for by name (ours)."""
REFUSALS_SAID = 10
"""Callers that a command names as not expected (ours)."""

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
            ConfigError: nobody can listen where they call.
        """
        waiting: dict[str, SessionSettings] = {}
        running: dict[str, Path] = {}
        for name, settings in devices.items():
            if not settings.calls_home:
                continue
            folder = self.data_folder(name)
            if folder is not None and control.is_running(folder):
                running[name] = folder
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
    from collector.subscriber.call_home import CallHome  # loads asyncssh
    from collector.subscriber.called_session import CalledSession

    calls = CallHome(where, per_second=CALLS_PER_SECOND, refused=_Refusals(ways.say).add)
    try:
        await calls.start()
    except ConfigError as error:
        error.add_note(
            "a collector that runs has the port: name the device as in its configuration, and say"
            " which (-c FILE); then its session is used"
        )
        raise
    calls.expect(devices)

    ways.say(
        f"Waiting for {_names(list(devices))} to call {where.address} port {calls.local_port},"
        f" for {ways.wait_seconds:g} s at most."
    )
    wait = round(ways.wait_seconds * SECOND)

    def called(name: str, kind: str) -> NetconfSession:
        return CalledSession(
            devices[name], _nowhere, CollectorClock(), calls=calls, wait=wait, name=name
        )

    try:
        yield called
    finally:
        await calls.stop()


def _names(devices: list[str]) -> str:
    more = len(devices) - NAMED
    return ", ".join(devices[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _nowhere(now: object, messages: object) -> None:
    """What a device says unasked is of no use to a command."""


class _Refusals:
    """Who called and was not expected, each sentence once."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said: set[str] = set()

    def add(self, reason: str, sentence: str) -> None:
        """See ``call_home.Refused``; what is about a device that is waited for says its session."""
        if sentence.startswith("device "):
            return
        if sentence not in self._said and len(self._said) < REFUSALS_SAID:
            self._said.add(sentence)
            self._say(f"Refused: {sentence}.")
