"""A TLS client in memory, joined to the receiver's side of a connection: no sockets, no time."""

from __future__ import annotations

import ssl
from pathlib import Path

from collector.receivers.tls.stream import TlsStream
from tests.certificates import Issued


def client_context(authority: Path, shown: Issued | None = None) -> ssl.SSLContext:
    """A client that trusts one authority and may show a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority)
    if shown is not None:
        context.load_cert_chain(*shown.files)
    return context


class Client:
    """The other end of a ``TlsStream``."""

    def __init__(self, context: ssl.SSLContext, name: str = "collector.example") -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)

    def step(self, octets: bytes = b"") -> bytes:
        """Take octets, go on with the handshake; returns what to send. Raises ssl.SSLError."""
        self._incoming.write(octets)
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self._outgoing.read()

    def send(self, octets: bytes) -> bytes:
        self.tls.write(octets)
        return self._outgoing.read()

    def receive(self, octets: bytes) -> bytes:
        self._incoming.write(octets)
        got = b""
        try:
            while part := self.tls.read(1 << 16):
                got += part
        except ssl.SSLWantReadError:
            pass
        return got

    def close(self) -> bytes:
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass
        return self._outgoing.read()


def shake_hands(stream: TlsStream, client: Client, *, piece: int = 1 << 16) -> None:
    """The whole handshake, in pieces of so many octets; raises what either side raises."""
    to_server = client.step()
    for _ in range(10):
        for at in range(0, len(to_server), piece):
            stream.receive(to_server[at : at + piece])
        to_client = stream.outgoing()
        if stream.established and not to_client:
            return
        to_server = client.step(to_client)
    raise AssertionError("no end of the handshake")
