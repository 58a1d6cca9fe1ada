"""What arrives on a session, on its way to ``deliver``: what both implementations share.

What it does: order, back-pressure, finding the request of a reply, time-outs, the end. What it does
not: read or write sockets.

Rules: see ``session``; everything runs in the event loop's thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from collector.errors import IntakeFullError, SessionError, UsageError, WireError
from collector.interfaces import Clock
from collector.model import SECOND
from collector.subscriber.sessions.session import CLOSE_TIMEOUT, Arrived, Deliver, SessionSettings
from collector.wire.netconf.hello import root_of
from collector.wire.values.names import NETCONF_BASE

_NOTIFICATION = (b"<notification>", b"<notification ")
"""How nearly all messages begin: no need to look further for their root."""
MAX_PENDING_RPCS = 64
"""Requests of one session that may wait for their reply (ours)."""
CLOSE_SESSION = (
    f'<rpc message-id="close-session" xmlns="{NETCONF_BASE}"><close-session/></rpc>'.encode()
)
"""RFC 6241 §7.8; the id cannot meet one of ``manager``, which are numbers."""


class Inbox:
    """What arrives, on its way to ``deliver``: order, back-pressure, replies, the end.

    Lives in the event loop's thread.
    """

    def __init__(self, settings: SessionSettings, deliver: Deliver, clock: Clock) -> None:
        self.settings = settings
        self._deliver = deliver
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Arrived] = []
        """Messages that a full intake did not take; no more than one read brought."""
        self._replies: dict[str, asyncio.Future[bytes]] = {}
        """message-id -> who waits for the reply; at most ``MAX_PENDING_RPCS``."""
        self._retry: asyncio.TimerHandle | None = None
        self._ending: SessionError | None = None
        self.closed: asyncio.Future[SessionError] = self._loop.create_future()
        self.stray = 0
        """Replies to no request that waits."""
        self.dropped = 0
        """Messages thrown away because the intake was still full when we closed the session."""

    @property
    def waits(self) -> bool:
        """Whether the intake is full and reading has stopped."""
        return self._retry is not None

    # ------------------------------------------------------------------ in
    def arrived(self, payloads: Iterable[bytes]) -> None:
        """Note messages; ``offer()`` hands them over."""
        self._waiting += [
            Arrived("notification", None, payload)
            if payload.startswith(_NOTIFICATION)
            else self._other(payload)
            for payload in payloads
        ]

    def _other(self, payload: bytes) -> Arrived:
        """A message that does not begin as most do."""
        try:
            root = root_of(payload)
            name, message_id = root.name, root.message_id
        except WireError:
            name, message_id = "", None  # the decoder behind ``deliver`` refuses and counts it
        if name == "rpc-reply" and message_id is None and self._replies:
            # A reply to a request that the server could not read has no message-id
            # (RFC 6241 §4.3); servers answer in order (§4.5), so it is the oldest one's.
            message_id = next(iter(self._replies))
        return Arrived(name, message_id, payload)

    def offer(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        """Hand over what waits; call ``pause`` if the intake is full, ``resume`` once it is not."""
        if self._retry is None and not self._flush():
            pause()
            self._offer_later(resume)

    def _flush(self) -> bool:
        if not self._waiting:
            return True
        try:
            self._deliver(self._clock.now(), self._waiting)
        except IntakeFullError:
            return False
        taken, self._waiting = self._waiting, []
        for message in taken:
            if message.root == "rpc-reply":
                self._answer(message)
        return True

    def _offer_later(self, resume: Callable[[], None]) -> None:
        def again() -> None:
            self._retry = None
            if self._flush():
                resume()
            else:
                self._offer_later(resume)

        self._retry = self._loop.call_later(self.settings.retry_interval / SECOND, again)

    # ------------------------------------------------------------------ replies
    def expect_reply(self, request: bytes) -> tuple[str, asyncio.Future[bytes]]:
        """Where the reply to ``request`` will be. Raises UsageError, SessionError."""
        if self._ending is not None:
            raise self._ending
        message_id = root_of(request).message_id
        if message_id is None:
            raise UsageError("an <rpc> must carry a message-id (RFC 6241 §4.1)")
        if message_id in self._replies:
            raise UsageError(f"message-id {message_id} waits for its reply already")
        if len(self._replies) >= MAX_PENDING_RPCS:
            raise UsageError(f"{MAX_PENDING_RPCS} requests wait for their reply already")
        future: asyncio.Future[bytes] = self._loop.create_future()
        self._replies[message_id] = future
        return message_id, future

    async def reply(
        self, message_id: str, future: asyncio.Future[bytes], timeout: int | None
    ) -> bytes:
        """Wait for a reply announced with ``expect_reply``; while we do not read, since the intake
        is full, the device's time begins anew. Raises SessionError."""
        limit = (self.settings.rpc_timeout if timeout is None else timeout) / SECOND
        try:
            while not (await asyncio.wait([future], timeout=limit))[0]:
                if not self.waits or self._ending is not None:
                    raise self._too_late(limit)
            return future.result()
        finally:
            self._replies.pop(message_id, None)

    def _too_late(self, limit: float) -> SessionError:
        text = f"{self.settings.where} did not answer a request within {limit:g} s"
        if self.stray:
            text += f"; replies to no request of ours: {self.stray}"
        return SessionError(text, reason="timeout")

    def _answer(self, message: Arrived) -> None:
        future = self._replies.pop(message.message_id or "", None)
        if future is None:
            self.stray += 1
        elif not future.done():
            future.set_result(message.payload)

    # ------------------------------------------------------------------ the end
    async def say_goodbye(self, send: Callable[[bytes], None] | None) -> None:
        """We close: ask politely with ``send`` where the session lives, then let nothing wait."""
        reason = SessionError(f"the session with {self.settings.where} was closed", reason="closed")
        if send is not None and self._ending is None:
            try:
                message_id, future = self.expect_reply(CLOSE_SESSION)
                self._ending = reason
                send(CLOSE_SESSION)
                # While the intake is full, the reply would wait behind what nobody takes.
                patience = CLOSE_TIMEOUT if self._retry is None else 0
                await self.reply(message_id, future, patience)
            except (SessionError, UsageError):
                pass  # it was polite to ask; the connection is closed in any case
        self.end(reason, patient=False)

    def end(self, error: SessionError, *, patient: bool = True) -> None:
        """The session is over: wake everybody who waits. The first reason counts.

        Args:
            error: why.
            patient: go on offering what a full intake did not take, and be ``closed`` only then;
                else offer once more and count the rest in ``dropped``.
        """
        if self._ending is None:
            self._ending = error
        if self.closed.done():
            return
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if patient and not self._flush():
            self._offer_later(self._finish)
        else:
            self._finish()

    def _finish(self) -> None:
        assert self._ending is not None
        if not self._flush():
            self.dropped += len(self._waiting)
            self._waiting = []
        self.closed.set_result(self._ending)
        replies, self._replies = self._replies, {}
        for future in replies.values():
            if not future.done():
                future.set_exception(self._ending)
