"""TLS in front of the gRPC library: a publisher's connection <-> a local socket of the library.

Does: own the listening socket, run the handshake, say who is admitted and why not, pass octets on
in both directions, and remember who is behind each local connection. Does not: know HTTP/2 or gRPC.

Rules:
* The library's own TLS says neither why a handshake failed nor can it ask for certificates without
  demanding them; here TLS is that of all receivers (``tls``), with new certificates at once.
* The library listens on a Unix socket in a folder that only we may enter. Each connection to it
  comes from a socket with a name of its own, which the library tells as its peer: so the name is
  the way back to the publisher.
* Whoever reads slower than the other side sends makes us stop reading there; what we hold is
  bounded by the transports' limits. Connections and the time of a handshake are bounded.

Spec: RFC 9113 §3.2 (ALPN ``h2``), RFC 9325.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import tempfile
from pathlib import Path
from typing import Final

from collector.listening import accept_no_more
from collector.receivers.sockets.tcp import peer_of
from collector.receivers.tls.certificates import name_of_peercert, session_of
from collector.receivers.tls.server import ServerTls, refusal_of
from collector.receivers.tls.stream import TlsStream

HANDSHAKE_SECONDS: Final = 20.0
"""How long a handshake may take (ours)."""
_BUFFER: Final = 128 << 10
"""Octets read at once."""
_LONGEST_FOLDER: Final = 80
"""Characters of a path: the system allows 108 with the name of the socket."""


class Guest(asyncio.BufferedProtocol):
    """A publisher's connection."""

    def __init__(self, front: GrpcFront, loop: asyncio.AbstractEventLoop, number: int) -> None:
        self._front, self._loop = front, loop
        self.local_name = f"c{number}"
        """Of its socket towards the library."""
        self.peer, self.port = "", 0
        self.session = ""
        """See ``ReceivedBatch.session``."""
        self._tls = TlsStream(front.tls.context)
        self._outside: asyncio.Transport | None = None
        self._inside: asyncio.Transport | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._early = b""
        """What came before the library was reached; reading pauses meanwhile."""
        self._deadline: asyncio.TimerHandle | None = None

    # ------------------------------------------------------------------ the publisher's side
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The kernel accepted it."""
        assert isinstance(transport, asyncio.Transport)
        self._outside = transport
        self.peer, self.port = peer_of(transport.get_extra_info("peername"))
        if not self._front.opened(self):
            transport.abort()
            return
        self._deadline = self._loop.call_later(HANDSHAKE_SECONDS, self._too_slow)

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where the loop reads to: it would ask the system for a large one each time."""
        return self._front.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """So many octets came."""
        if self._outside is None:
            return
        try:
            plain = self._tls.receive(memoryview(self._front.buffer)[:nbytes])
        except ssl.SSLError as error:
            self._failed(error)
            return
        self._write_outside(self._tls.outgoing())
        if self._deadline is not None and self._tls.established and not self._admit():
            return
        if self._inside is not None:
            self._inside.write(plain)
        elif plain:
            self._early += plain
        if self._tls.over:
            self.close()

    def _failed(self, error: ssl.SSLError) -> None:
        reason, sentence = refusal_of(error)
        if self._deadline is None:
            reason, sentence = "tls-broken", "what it sends is no TLS any more"
        self._front.tls.refuse(reason, self.peer, sentence)
        self._done_shaking_hands()
        self._write_outside(self._tls.outgoing())  # the alert that says why
        self.close()

    def _admit(self) -> bool:
        """The handshake is over: who is it?"""
        self._done_shaking_hands()
        name = name_of_peercert(self._tls.certificate)
        if not self._front.tls.admit(name, self.peer):
            self.close()
            return False
        self.session = session_of(name)
        assert self._outside is not None
        self._outside.pause_reading()
        self._connecting = self._loop.create_task(self._connect())
        return True

    def _too_slow(self) -> None:
        reason, sentence = refusal_of(TimeoutError())
        self._front.tls.refuse(reason, self.peer, sentence)
        self._done_shaking_hands()
        self.abort()

    def _done_shaking_hands(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def eof_received(self) -> bool:
        """It sends nothing more; TLS has no half-closed connections for us."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        if self._deadline is not None:
            reason, sentence = refusal_of(EOFError())
            self._front.tls.refuse(reason, self.peer, sentence)
            self._done_shaking_hands()
        self._outside = None
        if self._inside is not None:
            self._inside.close()
        if self._connecting is not None:
            self._connecting.cancel()
        self._front.closed(self)

    def pause_writing(self) -> None:
        """The publisher does not read."""
        if self._inside is not None:
            self._inside.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        if self._inside is not None:
            self._inside.resume_reading()

    def _write_outside(self, octets: bytes) -> None:
        if octets and self._outside is not None:
            self._outside.write(octets)

    def close(self) -> None:
        """End it in good order."""
        if self._outside is not None:
            if self._inside is not None:
                self._inside.close()
            self._write_outside(self._tls.close())
            self._outside.close()

    def abort(self) -> None:
        """End it at once."""
        if self._outside is not None:
            self._outside.abort()

    # ------------------------------------------------------------------ the library's side
    async def _connect(self) -> None:
        """Reach the library, then let octets flow."""
        try:
            local = await self._front.local_socket(self.local_name)
            await self._loop.create_connection(lambda: _Inside(self), sock=local)
        except OSError as error:
            self._front.tls.refuse("internal-error", self.peer, f"no way to gRPC: {error}")
            self.abort()
            return
        if self._outside is not None:
            self._outside.resume_reading()

    def connected(self, transport: asyncio.Transport) -> None:
        """The library is there."""
        if self._outside is None:
            transport.abort()
            return
        self._inside = transport
        early, self._early = self._early, b""
        transport.write(early)

    def answer(self, data: bytes) -> None:
        """Octets of the library."""
        try:
            self._write_outside(self._tls.send(data))
        except ssl.SSLError:
            self.abort()

    def inside_is_full(self, full: bool) -> None:
        """The library does not read, or does again."""
        if self._outside is not None:
            if full:
                self._outside.pause_reading()
            else:
                self._outside.resume_reading()


class _Inside(asyncio.Protocol):
    """The connection to the library."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._guest.connected(transport)

    def data_received(self, data: bytes) -> None:
        self._guest.answer(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._guest.close()

    def pause_writing(self) -> None:
        self._guest.inside_is_full(True)

    def resume_writing(self) -> None:
        self._guest.inside_is_full(False)


class GrpcFront:
    """All connections of one receiver."""

    def __init__(self, tls: ServerTls, *, most: int) -> None:
        """``most``: connections at a time."""
        self.tls = tls
        self._most = most
        self.buffer = bytearray(_BUFFER)
        """Shared by all guests: nothing stays in it between two calls."""
        self._guests: dict[str, Guest] = {}
        """local name -> who is there."""
        self._count = 0
        self._server: asyncio.Server | None = None
        folder = tempfile.mkdtemp(prefix="collector-")
        if len(folder) > _LONGEST_FOLDER:
            os.rmdir(folder)
            folder = tempfile.mkdtemp(prefix="collector-", dir="/tmp")  # 0700, too
        self._folder = Path(folder)

    @property
    def target(self) -> str:
        """Where the library listens."""
        return f"unix:{self._folder / 'grpc'}"

    @property
    def connections(self) -> int:
        """Open ones, handshakes included."""
        return len(self._guests)

    async def start(self, listener: socket.socket) -> None:
        """Let publishers in; the library listens already."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._make, sock=listener)

    def _make(self) -> Guest:
        self._count += 1
        return Guest(self, asyncio.get_running_loop(), self._count)

    def guest(self, peer: str) -> Guest | None:
        """Who is behind a peer as the library calls it."""
        return self._guests.get(peer.rpartition("/")[2])

    async def refuse_new(self) -> None:
        """Nobody comes in any more."""
        server, self._server = self._server, None
        if server is not None:
            await accept_no_more(server.sockets)
            server.close()

    async def stop(self) -> None:
        """End everything. May be called twice."""
        await self.refuse_new()
        for guest in list(self._guests.values()):
            guest.abort()
        while self._guests:
            await asyncio.sleep(0)  # transports say in the next turn that they are gone
        shutil.rmtree(self._folder, ignore_errors=True)

    # ------------------------------------------------------------------ what guests ask
    def opened(self, guest: Guest) -> bool:
        """A connection came; False: there are too many already."""
        if len(self._guests) >= self._most:
            self.tls.refuse("too-many-connections", guest.peer, "there are too many connections")
            return False
        self._guests[guest.local_name] = guest
        return True

    def closed(self, guest: Guest) -> None:
        """It is gone."""
        self._guests.pop(guest.local_name, None)

    async def local_socket(self, name: str) -> socket.socket:
        """A connection to the library under a name. Raises OSError."""
        own = self._folder / name
        local = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            local.setblocking(False)
            local.bind(str(own))
            own.unlink()  # the name stays with the connection
            await asyncio.get_running_loop().sock_connect(local, str(self._folder / "grpc"))
        except BaseException:
            local.close()
            raise
        return local
