"""Call home over SSH (RFC 8071): devices connect to us, and we start SSH as client on it.

What it does: listens, finds out by the host key who calls, logs in with that device's credentials,
and hands the connection to whoever waits for it (``CalledSession``). What it does not: open a
session, or judge what comes over it.

Rules:

* a caller is known by its host key alone, which the key exchange proves; before that it is nobody
  and gets no secret (RFC 8071 §3.1 C5, C7);
* callers who are not logged in yet are bounded: in number, for each address, in time and in a
  second; an address that failed often is not listened to for a while (§5);
* who is refused is counted by reason and told to ``refused``, which keeps the log short.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping

import asyncssh

from collector.config import CallHomeSettings
from collector.errors import ConfigError, SessionError
from collector.model import SECOND
from collector.subscriber.call_home.callers import Caller, CallerBook, Slot, UnknownCaller
from collector.subscriber.sessions.gate import Gate
from collector.subscriber.sessions.session import SessionSettings
from collector.subscriber.sessions.ssh import NO_KNOWN_HOSTS, common_options, session_error

log = logging.getLogger("collector.subscriber")

SECOND_CALL_SECONDS = 10.0
"""How long a call waits for the device's earlier session to end (ours)."""
HELD_SECONDS = 300.0
"""How long it waits for us where that session has ended (ours): while the disk is full, its end
cannot be noted, and who is sent away calls again when it likes."""
TEST_SECONDS = 2.0
"""After a second call the earlier session must answer within twice this (ours)."""
_BACKLOG = 1024
_ACCEPT_AGAIN_SECONDS = 0.2
"""Pause after accept failed, as when no file can be opened (ours)."""

Refused = Callable[[str, str], None]
"""(reason, sentence): a caller was refused."""


class CallHome:
    """Listens for calls; one for the process, in the event loop's thread."""

    def __init__(
        self,
        settings: CallHomeSettings,
        *,
        per_second: float,
        refused: Refused = lambda reason, sentence: None,
        opened: socket.socket | None = None,
    ) -> None:
        """
        Args:
            settings: where, and how many.
            per_second: callers that may begin in a second.
            refused: is told of every refusal.
            opened: a socket that listens there already.
        """
        self.elsewhere: Mapping[str, str] = {}
        """fingerprint -> device of another process, where calls are shared out by their address."""
        self._opened = opened
        self._settings = settings
        self._refused = refused
        # Who would wait for its turn until it has given up would take it in vain, and come again.
        in_time = max(1, round(per_second * settings.timeout_seconds))
        self._gate = Gate(settings.max_callers, per_second)
        self._book = CallerBook(min(settings.max_callers, in_time))
        self._slots: dict[str, Slot] = {}
        """fingerprint -> the device that shows such a key."""
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._callers: set[asyncio.Task[None]] = set()
        self._accepted: set[socket.socket] = set()
        """Connections of callers whose task has not begun."""
        self.counts: dict[str, int] = {}
        """Reason -> callers refused."""
        self.local_port = 0
        """TCP port, known once it listens."""

    # ------------------------------------------------------------------ life
    async def start(self) -> None:
        """Return when listening. Raises ConfigError."""
        self._listener = listener = self._opened or self._listen()
        listener.setblocking(False)
        self.local_port = listener.getsockname()[1]
        self._accepting = asyncio.create_task(self._accept(listener), name="call home")

    def _listen(self) -> socket.socket:
        address, port = self._settings.address, self._settings.port
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            return socket.create_server(
                (address, port), family=family, backlog=_BACKLOG, dualstack_ipv6=address == "::"
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise ConfigError(
                f"cannot listen on {address} port {port}: {why}", key="call_home.address"
            ) from error

    async def stop(self) -> None:
        """Listen no more and leave who is not logged in. May be called twice, or at once."""
        tasks = [*self._callers, *([self._accepting] if self._accepting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._accepting = None
        while self._accepted:
            self._accepted.pop().close()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def expect(self, devices: Mapping[str, SessionSettings]) -> None:
        """From now on these devices may call, by name; no others."""
        before = {slot.name: slot for slot in self._slots.values()}
        table: dict[str, Slot] = {}
        for name, settings in devices.items():
            slot = before.get(name)
            if slot is None or slot.settings != settings:
                slot = Slot(name, settings)
            pins = settings.host_keys
            table |= dict.fromkeys(pins.fingerprints if pins is not None else (), slot)
        self._slots = table

    @property
    def where(self) -> str:
        """Address and port, for people."""
        return f"{self._settings.address} port {self.local_port}"

    def stats(self) -> dict[str, int]:
        """Counters, as receivers have them."""
        up = sum(slot.is_up for slot in {id(s): s for s in self._slots.values()}.values())
        return {"connections": up} | {
            f"refused/{reason}": count for reason, count in self.counts.items()
        }

    def unknown(self) -> list[UnknownCaller]:
        """Callers whose key nobody has, the most frequent first: to be pinned, or to be stopped."""
        return self._book.unknown()

    # ------------------------------------------------------------------ for a session
    async def next_call(self, settings: SessionSettings) -> asyncssh.SSHClientConnection:
        """Wait until the device calls; a connection on which we are logged in.

        Raises:
            SessionError: it called, but we could not log in.
            ConfigError: our key or password cannot be read.
        """
        pins = settings.host_keys
        slot = next((self._slots.get(one) for one in (pins.fingerprints if pins else ())), None)
        if slot is None:
            raise ConfigError("nobody listens for the calls of this device", key="call_home")
        return await slot.next_call()

    # ------------------------------------------------------------------ callers
    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connected, peer = await loop.sock_accept(listener)
            except OSError as error:
                self._refuse("files", f"a call cannot be taken: {error.strerror}")
                await asyncio.sleep(_ACCEPT_AGAIN_SECONDS)
                continue
            address = str(peer[0]).removeprefix("::ffff:")
            why = self._book.enter(address, loop.time())
            if why is not None:
                connected.close()
                self._refuse(*why)
                continue
            self._accepted.add(connected)  # a task that is cancelled early closes nothing
            task = loop.create_task(self._take(connected, address), name=f"caller {address}")
            self._callers.add(task)
            task.add_done_callback(self._callers.discard)

    async def _take(self, connected: socket.socket, address: str) -> None:
        """One caller, from its first octet to the hand-over."""
        loop = asyncio.get_running_loop()
        caller = Caller(self._slots.get, loop.time)
        ours = True
        self._accepted.discard(connected)
        try:
            async with self._gate:
                ours = False
                connection = await self._log_in(connected, caller)
        except Exception as error:  # noqa: BLE001 - whatever a caller's octets made asyncssh do
            self._book.leave(address, loop.time(), failed=caller.is_stranger)
            self._failed(address, caller, error)
            return
        finally:
            if ours:  # else asyncssh closes it
                connected.close()
        self._book.leave(address, loop.time(), failed=False)
        await self._hand_over(address, caller, connection)

    async def _log_in(
        self, connected: socket.socket, caller: Caller
    ) -> asyncssh.SSHClientConnection:
        limit = self._settings.timeout_seconds
        async with asyncio.timeout(limit):
            return await asyncssh.connect(
                sock=connected,
                client_factory=lambda: caller,
                username="",  # of the device, once it is known which one it is
                password=caller.password,
                client_keys=None,
                known_hosts=NO_KNOWN_HOSTS,
                keepalive_interval=30,
                **common_options(round(limit * SECOND), None),
            )

    def _failed(self, address: str, caller: Caller, error: Exception) -> None:
        slot = caller.slot
        if slot is None:
            reason, sentence = caller.refusal or _why(error)
            if reason == "unknown-host-key" and (other := self.elsewhere.get(caller.shown)):
                reason = "other-lane"
                sentence = (
                    f"device {other} called another lane than its own: with several lanes a device"
                    " has to call from one of its sources, so add this address to them"
                )
            elif reason == "unknown-host-key":
                self._book.met(address, caller.shown)
            self._refuse(reason, f"{sentence} (from {address})")
            return
        failure = caller.failure or session_error(slot.settings, error, caller)
        assert failure is not None, "only what is no Exception is not translated"
        slot.failed(failure, asyncio.get_running_loop().time())
        reason = failure.reason if isinstance(failure, SessionError) else "config"
        self._refuse(reason, f"device {slot.name} called from {address}, in vain: {failure}")

    async def _hand_over(
        self, address: str, caller: Caller, connection: asyncssh.SSHClientConnection
    ) -> None:
        slot = caller.slot
        assert slot is not None, "nobody logs in before it is known who called"
        try:
            slot.test_earlier(TEST_SECONDS)
            if await self._is_wanted(slot, connection):
                slot.give(connection)
                return
            reason, why = _why_not(slot, connection)
            connection.abort()
            self._refuse(reason, f"device {slot.name} called from {address}, but {why}")
        except BaseException:
            connection.abort()
            raise
        finally:
            slot.settle(asyncio.get_running_loop().time())

    async def _is_wanted(self, slot: Slot, connection: asyncssh.SSHClientConnection) -> bool:
        """Wait until somebody waits for the call; False: not in time, or the caller has gone."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        wanted = asyncio.ensure_future(slot.wanted.wait())
        gone = asyncio.ensure_future(connection.wait_closed())
        try:
            while not wanted.done() and not gone.done() and self._may_call(slot):
                # the end of the earlier session may have to wait for room on the disk
                limit = SECOND_CALL_SECONDS if slot.is_up else HELD_SECONDS
                left = begun + limit - loop.time()
                if left <= 0:
                    break
                await asyncio.wait(
                    [wanted, gone],
                    timeout=min(left, TEST_SECONDS),
                    return_when=asyncio.FIRST_COMPLETED,
                )
            return slot.wanted.is_set() and not gone.done()
        finally:
            wanted.cancel()
            gone.cancel()

    def _may_call(self, slot: Slot) -> bool:
        """Whether the device is still the one that is expected, as it is reached now."""
        pins = slot.settings.host_keys
        return pins is not None and any(self._slots.get(one) is slot for one in pins.fingerprints)

    def _refuse(self, reason: str, sentence: str) -> None:
        self.counts[reason] = self.counts.get(reason, 0) + 1
        self._refused(reason, sentence)


def _why_not(slot: Slot, connection: asyncssh.SSHClientConnection) -> tuple[str, str]:
    """Of a device whose call nobody took: reason, and the end of a sentence."""
    if connection.is_closed():
        return "lost", "went away before it was its turn"
    if slot.is_up:
        return "already-connected", "its session is up"
    return "not-wanted", "nothing is taken of it now"


def _why(error: Exception) -> tuple[str, str]:
    """Of a caller that never showed a key: reason, sentence."""
    match error:
        case TimeoutError():
            return "timeout", "a caller did not finish the key exchange in time"
        case asyncssh.KeyExchangeFailed():
            return "ssh", "no common SSH algorithm with a caller"
        case asyncssh.ConnectionLost() | OSError():
            return "lost", "a caller went away before it was known"
        case _:
            return "ssh", "a caller does not speak SSH as it should"
