"""Who calls home: a caller on its way to a session, what is kept of devices, and of strangers.

Does: ``Caller`` (our end of SSH while it is found out who it is), ``Slot`` (a device that may
call), ``CallerBook`` (bounds, by address). Does not: sockets (``listener``).
Times are the loop's seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncssh
from msgspec import Struct

from collector.errors import ConfigError, SessionError
from collector.model import SECOND
from collector.subscriber.sessions.session import KEEPALIVE_TRIES, SessionSettings
from collector.subscriber.sessions.ssh import SshClient, client_keys

SOON_SECONDS = 10.0
"""How long after a session a device may call although nobody waits for it yet (ours)."""
FAILURES = 10
"""Calls from one address that may fail within ``FORGET_SECONDS`` (ours)."""
FORGET_SECONDS = 60.0
MAX_ADDRESSES = 4096
"""Addresses that failed, at a time (ours)."""
MAX_UNKNOWN = 64
"""Unknown callers that are remembered by name (ours)."""


class UnknownCaller(Struct):
    """A caller whose key belongs to no device."""

    address: str
    host_key: str
    """Fingerprint."""
    calls: int


class Slot:
    """A device that may call, and whoever waits for it."""

    def __init__(self, name: str, settings: SessionSettings) -> None:
        self.name = name
        self.settings = settings
        self.wanted = asyncio.Event()
        """Set while somebody waits for the call."""
        self._waiting: asyncio.Future[asyncssh.SSHClientConnection] | None = None
        self._given: asyncssh.SSHClientConnection | None = None
        """The connection that was handed over last."""
        self._calling = False
        self._barred = False
        """After a failure that cannot heal: until somebody waits for a call again."""
        self._soon = -SOON_SECONDS
        """When a call, or the session after it, last ended."""

    @property
    def is_up(self) -> bool:
        """Whether its last connection lives."""
        return self._given is not None and not self._given.is_closed()

    async def next_call(self) -> asyncssh.SSHClientConnection:
        """See ``CallHome.next_call``."""
        self._barred = False
        waiting: asyncio.Future[asyncssh.SSHClientConnection]
        waiting = self._waiting = asyncio.get_running_loop().create_future()
        self.wanted.set()
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled() and waiting.exception() is None:
                waiting.result().abort()
            raise
        finally:
            self._waiting = None
            self.wanted.clear()

    def begin(self, now: float) -> tuple[str, str] | None:
        """The device calls. None: go on; else why not, as reason and sentence."""
        if self._calling:
            return "already-calling", f"device {self.name} calls while it is calling already"
        expected = self._waiting is not None or self.is_up or now - self._soon < SOON_SECONDS
        if self._barred or not expected:
            return "not-wanted", f"device {self.name} called, but nothing is wanted of it now"
        self._calling = True
        return None

    def test_earlier(self, seconds: float) -> None:
        """Find out soon whether the session that it has already is still alive."""
        if self.is_up and self._given is not None:
            self._given.set_keepalive(seconds, 1)

    def give(self, connection: asyncssh.SSHClientConnection) -> None:
        """Hand a connection to who waits."""
        self._given = connection
        connection.set_keepalive(self.settings.keepalive / SECOND, KEEPALIVE_TRIES)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(connection)
        self.wanted.clear()

    def failed(self, error: SessionError | ConfigError, now: float) -> None:
        """We could not log in: tell who waits."""
        self._barred = isinstance(error, ConfigError) or not error.retryable
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)
        self.wanted.clear()
        self.settle(now)

    def settle(self, now: float) -> None:
        """A call is over, one way or the other."""
        self._calling = False
        self._soon = now
        if self.is_up and self._given is not None:
            self._given.set_keepalive(self.settings.keepalive / SECOND, KEEPALIVE_TRIES)

    def ended(self, connection: asyncssh.SSHClientConnection | None, now: float) -> None:
        """A connection of the device is gone."""
        self._soon = now
        if self._given is connection:
            self._given = None


class Caller(SshClient):
    """Our end of a connection while it is not known who called; then with that device's secrets."""

    def __init__(self, find: Callable[[str], Slot | None], now: Callable[[], float]) -> None:
        super().__init__()
        self._find = find
        self._now = now
        self._offered = False
        self.slot: Slot | None = None
        """The device, once it is known and may call."""
        self.refusal: tuple[str, str] | None = None
        """Why it is not, as reason and sentence."""
        self.failure: ConfigError | None = None
        """Why we cannot log in."""

    @property
    def is_stranger(self) -> bool:
        """Whether it belongs to no device, or never said who it is."""
        return self.slot is None and (self.refusal is None or bool(self.shown))

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        """asyncssh: the caller has proved to have this key; asked again at each new exchange."""
        fingerprint = key.get_fingerprint()
        slot = self._find(fingerprint)
        if self.slot is not None:
            return slot is not None and slot.name == self.slot.name
        if slot is None:
            self.shown = fingerprint
            self.refusal = "unknown-host-key", f"nobody has the host key {fingerprint} of a caller"
            return False
        self.refusal = slot.begin(self._now())
        if self.refusal is not None:
            return False
        self.slot = slot
        assert self._connection is not None, "asyncssh made the connection before"
        # asyncssh has no public way to say it so late, and before it is not known who calls.
        self._connection._username = slot.settings.username
        return True

    async def public_key_auth_requested(self) -> list[asyncssh.SSHKey] | None:
        """asyncssh: our private key for this device, once."""
        if self.slot is None or self._offered:
            return None
        self._offered = True
        try:
            return await asyncio.to_thread(client_keys, self.slot.settings)
        except ConfigError as error:
            raise self._cannot(error) from error

    async def password(self) -> str | None:
        """asyncssh: our password for this device."""
        read = None if self.slot is None else self.slot.settings.password
        try:
            return None if read is None else read()
        except ConfigError as error:
            raise self._cannot(error) from error

    def _cannot(self, error: ConfigError) -> asyncssh.DisconnectError:
        self.failure = error
        return asyncssh.DisconnectError(asyncssh.DISC_BY_APPLICATION, "no credentials")

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncssh: the connection is gone."""
        if self.slot is not None:
            self.slot.ended(self._connection, self._now())


class CallerBook:
    """How many call, from where, and who failed often. All tables are bounded."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._calling: dict[str, int] = {}
        """address -> its callers that are not logged in yet; never 0."""
        self._failures: dict[str, tuple[int, float]] = {}
        """address -> failures, and when the first of them was; in the order of the first."""
        self._unknown: dict[tuple[str, str], UnknownCaller] = {}

    def enter(self, address: str, now: float) -> tuple[str, str] | None:
        """Somebody calls. None: go on, and ``leave`` later; else why not, as reason, sentence."""
        failures, since = self._failures.get(address, (0, now))
        if now - since >= FORGET_SECONDS:
            self._failures.pop(address, None)
        elif failures >= FAILURES:
            text = f"{address} failed {failures} times within {FORGET_SECONDS:g} s"
            return "blocked", f"{text}; its calls are not taken for that long"
        if sum(self._calling.values()) >= self._at_once:
            return "too-many", f"{self._at_once} callers are not logged in yet"
        mine = self._calling.get(address, 0)
        if mine >= max(1, self._at_once // 4):
            return "too-many", f"{mine} callers from {address} are not logged in yet"
        self._calling[address] = mine + 1
        return None

    def leave(self, address: str, now: float, *, failed: bool) -> None:
        """A caller is logged in, or gone."""
        left = self._calling.pop(address, 1) - 1
        if left > 0:
            self._calling[address] = left
        if not failed:
            self._failures.pop(address, None)  # devices behind one address: some are known
            return
        failures, since = self._failures.get(address, (0, now))
        self._failures[address] = failures + 1, since
        while len(self._failures) > MAX_ADDRESSES:
            del self._failures[next(iter(self._failures))]

    def met(self, address: str, host_key: str) -> None:
        """A caller showed a key that belongs to no device."""
        known = self._unknown.get((address, host_key))
        if known is not None:
            known.calls += 1
        elif len(self._unknown) < MAX_UNKNOWN:
            self._unknown[address, host_key] = UnknownCaller(address, host_key, 1)

    def unknown(self) -> list[UnknownCaller]:
        """See ``CallHome.unknown``."""
        return sorted(self._unknown.values(), key=lambda one: -one.calls)
