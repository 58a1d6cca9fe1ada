"""TLS in the middle of a connection: octets of the network <-> octets of the application.

Does: the server side of one TLS connection on ``ssl.MemoryBIO``, so that whoever owns the socket
sees why a handshake failed, decides how much to read, and writes many answers in one go. Does not:
own a socket or a timer.

Rules: what ``receive`` returns is what the octets at hand decrypt to, so memory is bounded by what
the caller feeds.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Final

_PIECE: Final = 1 << 14
"""Octets decrypted in one call: what a TLS record holds at most (RFC 8446 §5.1)."""


class TlsStream:
    """The server's side of one connection."""

    __slots__ = ("_incoming", "_outgoing", "_tls", "established", "over")

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.established = False
        """The handshake is over; who the client is is known."""
        self.over = False
        """The client said that nothing more comes."""

    def receive(self, octets: bytes | memoryview) -> bytes:
        """Take octets from the network; returns what they hold for the application.

        Raises:
            ssl.SSLError: the handshake failed, or the peer broke TLS. ``outgoing`` has the alert.
        """
        self._incoming.write(octets)
        if not self.established:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                return b""
            self.established = True
        return self._decrypt()

    def _decrypt(self) -> bytes:
        tls, parts = self._tls, []
        try:
            # a read takes a whole record; asking until nothing is left would end in an exception,
            # which costs more than a record
            while self._incoming.pending:
                part = tls.read(_PIECE)
                if not part:
                    self.over = True
                    break
                parts.append(part)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.over = True
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def send(self, octets: bytes) -> bytes:
        """Encrypt; returns what has to go to the network. Raises ssl.SSLError."""
        self._tls.write(octets)
        return self._outgoing.read()

    def outgoing(self) -> bytes:
        """What TLS itself has to say to the peer: to be asked for during the handshake and after an
        error; otherwise it goes with what is sent next."""
        return self._outgoing.read()

    def close(self) -> bytes:
        """Say that nothing more comes; returns what has to go to the network."""
        if self.established:
            try:
                self._tls.unwrap()
            except ssl.SSLError:
                pass  # we do not wait for the peer's word
        return self._outgoing.read()

    @property
    def certificate(self) -> Mapping[str, object] | None:
        """What ``ssl`` tells of the client's certificate, if it was asked for and verified."""
        return self._tls.getpeercert()
