"""One connection of a publisher: TLS, octets to requests, answers out in their order.

Does: decrypt, read requests (``requests``), keep answers in the order of the requests, stop
reading while too many wait or the peer does not read, end in good order. Does not: hand over
notifications or know when they are safe (``https_notif``).

Rules: a connection ends by saying so, then it listens for a moment, so that the last answer is not
lost with octets that nobody read (RFC 9112 §9.6).
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from typing import Final, Protocol

from collector.receivers.https.requests import PIECE, Paths, Refusal, Refused, RequestReader
from collector.receivers.sockets.tcp import peer_of
from collector.receivers.tls.certificates import name_of_peercert, session_of
from collector.receivers.tls.server import ServerTls, refusal_of
from collector.receivers.tls.stream import TlsStream
from collector.wire import https_notif as wire

IN_PIPELINE: Final = 64
"""Requests of one connection that may wait for their answer; then nothing more is read (ours)."""


class Answer:
    """The place of one answer; answers leave in the order of their places."""

    __slots__ = ("closes", "connection", "octets")

    def __init__(self, connection: Connection, closes: bool) -> None:
        self.connection = connection
        self.closes = closes
        """It is the last one on its connection."""
        self.octets: bytes | None = None
        """None until it is known."""


class Owner(Protocol):
    """What a connection needs of its receiver."""

    tls: ServerTls | None
    paths: Paths
    buffer: bytearray
    """Shared by all connections: nothing stays in it between two calls."""

    def opened(self, connection: Connection) -> bool:
        """A connection came; False: there are too many already."""

    def closed(self, connection: Connection) -> None:
        """It is gone."""

    def hold(self, octets: int) -> bool:
        """Octets of unfinished requests grow or, below 0, shrink; False: there are too many."""

    def take(self, answer: Answer, media_type: int, payload: bytes) -> None:
        """A whole notification; ``answer`` gets its octets later."""

    def refuse(self, reason: str, peer: str, sentence: str) -> None:
        """Count a connection that was given up, and say why."""

    def answer(self, refusal: Refusal, *, closes: bool) -> bytes:
        """Octets of an answer, counted."""

    def capabilities(self, accept: str | None, *, closes: bool, head: bool) -> bytes:
        """The answer to a question for the capabilities, counted."""


class Connection(asyncio.BufferedProtocol):
    """See the module. Times are those of the event loop."""

    def __init__(self, owner: Owner, loop: asyncio.AbstractEventLoop) -> None:
        self._owner, self._loop = owner, loop
        self._transport: asyncio.Transport | None = None
        self._requests = RequestReader(owner.paths, self)
        self._tls: TlsStream | None = None
        self._answers: deque[Answer] = deque()
        """Not sent yet, in the order of the requests."""
        self._rest = b""
        """Decrypted, not read, because too many requests wait."""
        self._eof = False
        """The peer closed its side."""
        self.peer, self.port = "", 0
        self.session = ""
        """See ``ReceivedBatch.session``."""
        self.since = loop.time()
        """When what is under way began: handshake, request, silence or closing."""
        self.handshaking = False
        self.closing = False
        """Nothing more is read; our last words are on their way."""
        self.stuck_since: float | None = None
        """Since when the peer does not read its answers."""
        self.hold = owner.hold

    @property
    def in_request(self) -> bool:
        """A request has begun and is not whole."""
        return self._requests.in_request

    @property
    def idle(self) -> bool:
        """Nothing is under way."""
        return not (self.in_request or self._answers or self.handshaking or self.closing)

    # ------------------------------------------------------------------ life
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The kernel accepted it."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.peer, self.port = peer_of(transport.get_extra_info("peername"))
        if not self._owner.opened(self):
            self.abort()
        elif self._owner.tls is not None:
            self._tls = TlsStream(self._owner.tls.context)
            self.handshaking = True

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over; answers that were not sent are forgotten."""
        if self.handshaking and not self.closing:
            reason, sentence = refusal_of(EOFError())
            self._owner.refuse(reason, self.peer, sentence)
        self.closing = True
        self._requests.close()
        self._transport = self._tls = None
        self._answers.clear()
        self._owner.closed(self)

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where the loop reads to: it would ask the system for a large one each time."""
        return self._owner.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """So many octets came."""
        if self.closing:
            return
        octets, tls = memoryview(self._owner.buffer)[:nbytes], self._tls
        if tls is None:
            self._read(bytes(octets))
            return
        try:
            plain = tls.receive(octets)
        except ssl.SSLError as error:
            self._tls_failed(tls, error)
            return
        if self.handshaking:
            self._send(tls.outgoing())
            if not tls.established or not self._admit(tls):
                return
        if plain:
            self._read(plain)
        if tls.over and not self.closing:
            self._ended_by_peer()

    def eof_received(self) -> bool:
        """The peer sends nothing more; True while it may still read."""
        self._eof = True
        if self.closing or self.handshaking:
            return False
        self._ended_by_peer()
        return bool(self._answers)

    def _ended_by_peer(self) -> None:
        """What is whole is answered; what is not never will be."""
        self._requests.over, self._rest = True, b""
        if not self._answers:
            self.close()

    def pause_writing(self) -> None:
        """The peer does not read its answers: it may not ask more."""
        self.stuck_since = self._loop.time()
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self.stuck_since = None
        self._go_on()

    def close(self) -> None:
        """Say that it is over and give the peer a moment to hear it."""
        if self.closing or self._transport is None:
            return
        self.closing, self.since = True, self._loop.time()
        if self._tls is not None:
            self._send(self._tls.close())
        if self._eof:
            self._transport.close()
            return
        try:
            self._transport.write_eof()
        except OSError:  # the peer is gone already
            self._transport.abort()
            return
        self._transport.resume_reading()  # and discard: unread octets would reset the connection

    def abort(self) -> None:
        """End it at once."""
        self.closing = True
        if self._transport is not None:
            self._transport.abort()

    def time_out(self) -> None:
        """A request did not arrive in time."""
        self._give_up(Refused(408, "The request did not arrive in time."))

    # ------------------------------------------------------------------ TLS
    def _admit(self, tls: TlsStream) -> bool:
        """The handshake is over: who is it?"""
        assert self._owner.tls is not None
        name = name_of_peercert(tls.certificate)
        self.handshaking, self.since = False, self._loop.time()
        if not self._owner.tls.admit(name, self.peer):
            self.close()
            return False
        self.session = session_of(name)
        return True

    def _tls_failed(self, tls: TlsStream, error: ssl.SSLError) -> None:
        reason, sentence = refusal_of(error)
        if not self.handshaking:
            reason, sentence = "tls-broken", "what it sends is no TLS any more"
        self._owner.refuse(reason, self.peer, sentence)
        self.handshaking, self._tls = False, None
        self._send(tls.outgoing())  # the alert that says why
        self.close()

    # ------------------------------------------------------------------ requests
    def _read(self, octets: bytes) -> None:
        """As much as the bounds allow; the rest is kept and reading pauses."""
        if self._rest:
            octets, self._rest = self._rest + octets, b""
        elif len(octets) <= PIECE and len(self._answers) < IN_PIPELINE and not self.closing:
            try:
                self._requests.feed(octets)
            except Refused as refused:
                self._give_up(refused)
            return
        for at in range(0, len(octets), PIECE):
            if self.closing or self._requests.over:
                return
            if len(self._answers) >= IN_PIPELINE:
                self._rest = octets[at:]
                if self._transport is not None:
                    self._transport.pause_reading()
                return
            try:
                self._requests.feed(octets[at : at + PIECE])
            except Refused as refused:
                self._give_up(refused)

    def _give_up(self, refused: Refused) -> None:
        """Answer, and end the connection after what was asked before."""
        if self.closing:
            return
        self._requests.close()
        self._rest = b""
        self.on_refusal(Refusal(refused.status, refused.sentence), True)

    # what the reader of requests calls
    def on_begin(self) -> None:
        """See ``Listener``, as the others."""
        self.since = self._loop.time()

    def on_expectation(self) -> None:
        if not self._answers:  # before answers that wait it would be taken for one
            self._write(wire.CONTINUE)

    def on_notification(self, media_type: int, payload: bytes, closes: bool) -> None:
        answer = Answer(self, closes)
        self._answers.append(answer)
        self._owner.take(answer, media_type, payload)

    def on_capabilities(self, accept: str | None, closes: bool, head: bool) -> None:
        self._answer_now(self._owner.capabilities(accept, closes=closes, head=head), closes)

    def on_refusal(self, refusal: Refusal, closes: bool) -> None:
        self._answer_now(self._owner.answer(refusal, closes=closes), closes)

    # ------------------------------------------------------------------ answers
    def _answer_now(self, octets: bytes, closes: bool) -> None:
        answer = Answer(self, closes)
        answer.octets = octets
        self._answers.append(answer)
        self.flush()

    def flush(self) -> None:
        """Send the answers that are known and whose turn it is."""
        answers, closes = self._answers, False
        ready: list[bytes] = []
        while answers and (octets := answers[0].octets) is not None:
            ready.append(octets)
            closes = answers.popleft().closes
        if not ready:
            return
        self._write(ready[0] if len(ready) == 1 else b"".join(ready))
        if not self.in_request:
            self.since = self._loop.time()
        if closes or (self._requests.over and not answers):
            self.close()
        elif len(answers) < IN_PIPELINE // 2:
            self._go_on()

    def _go_on(self) -> None:
        """Read what was kept, and then from the network again."""
        if self._transport is None or self.closing or self.stuck_since is not None:
            return
        if self._rest:
            rest, self._rest = self._rest, b""
            self._loop.call_soon(self._read_rest, rest)
        else:
            self._transport.resume_reading()

    def _read_rest(self, rest: bytes) -> None:
        if self._transport is not None and not self.closing:
            self._transport.resume_reading()
            self._read(rest)

    def _write(self, octets: bytes) -> None:
        if self._tls is not None:
            try:
                octets = self._tls.send(octets)
            except ssl.SSLError:
                self.abort()
                return
        self._send(octets)

    def _send(self, octets: bytes) -> None:
        if octets and self._transport is not None:
            self._transport.write(octets)
