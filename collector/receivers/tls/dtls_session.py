"""One DTLS session: datagrams of one peer <-> application data.

Does: the server's side of a handshake and of what follows it, over OpenSSL's memory. Does not: own
a socket or a timer, admit anybody, or know what the application data says.

Rules: one datagram at a time, known to be made of records (``udp_notif.dtls``): OpenSSL reads the
memory as if it were a socket, and would cut a record in two where several datagrams lie in it. A
record that was changed on the way, or comes twice, is dropped by it without a word (RFC 6347 §4.1).
"""

from __future__ import annotations

from typing import Final

from OpenSSL import SSL

from collector.receivers.tls.dtls_context import Handshaker
from collector.wire.udp_notif.dtls import MAX_DATA, datagrams_of

MTU: Final = 1232
"""Octets of a datagram that we send: what IPv6 carries everywhere."""
_READ: Final = 1 << 16


class DtlsSession:
    """The server's side of one session, from the ClientHello on that brought a good cookie."""

    __slots__ = ("_connection", "established", "heard", "since", "told", "word")

    def __init__(self, connection: SSL.Connection, told: Handshaker, now: float) -> None:
        """``connection``: what ``DTLSv1_listen`` said yes to."""
        self._connection = connection
        self.told = told
        self.since = self.heard = now
        """When it began, and when something came last, by a clock that never goes back."""
        self.established = False
        self.word = ""
        """How records name who sends here; set when it was admitted."""

    def shake_hands(self) -> bool:
        """Go on with the handshake; whether it is over. Raises SSL.Error."""
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return False
        self.established = True
        return True

    def take(self, datagram: bytes) -> None:
        """A datagram came; ``shake_hands`` looks at it."""
        self._connection.bio_write(datagram)

    def read(self, datagram: bytes, most: int) -> tuple[list[bytes], bool]:
        """The application data of a datagram, and whether the peer has closed.

        Args:
            datagram: what came; empty: what was taken with the end of the handshake.
            most: how often to ask for a record.

        Raises:
            SSL.Error: the session is broken.
        """
        connection = self._connection
        room = len(datagram) or MAX_DATA
        got: list[bytes] = []
        try:
            if datagram:
                connection.bio_write(datagram)
            for _ in range(most):
                got.append(connection.recv(room))  # noqa: PERF401 - what came before an end
        except SSL.WantReadError:
            return got, False
        except SSL.ZeroReturnError:
            return got, True
        return got, False

    def outgoing(self) -> list[bytes]:
        """Datagrams that have to be sent now."""
        try:
            flight = self._connection.bio_read(_READ)
        except SSL.WantReadError:
            return []
        return datagrams_of(flight, MTU)

    def handle_timeout(self) -> None:
        """Say again what was lost, when it is time for that. Raises SSL.Error: in vain."""
        self._connection.DTLSv1_handle_timeout()

    def close(self) -> None:
        """Say close_notify (draft-ietf-netconf-udp-notif-26 §6.1.3); ``outgoing`` has it."""
        try:
            self._connection.shutdown()
        except SSL.Error:
            pass  # there was no session yet, or it is broken

    def certificate(self) -> bytes:
        """The verified certificate that the peer showed, DER; empty when it showed none."""
        shown = self._connection.get_peer_certificate(as_cryptography=True)
        if shown is None:
            return b""
        from cryptography.hazmat.primitives.serialization import Encoding

        return shown.public_bytes(Encoding.DER)
