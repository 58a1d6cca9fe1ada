"""UDP-notif over DTLS 1.2: a session with each receiver, and a record for each datagram.

Does: be the DTLS client, which a publisher always is (draft-ietf-netconf-udp-notif-26 §6); verify
the receiver and show a certificate; say close_notify at the end. Does not: encode, cut, delay or
drop on purpose. Needs the extra ``dtls`` (pyOpenSSL).

Rules: nothing is sent before the handshake is over; what comes meanwhile waits in a bounded queue.
When a handshake fails all that waits is given up and counted, and the next unit begins another one,
a second later at the earliest. A session that the receiver has forgotten goes on into the void, as
over any datagram transport.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections import deque
from typing import Final

from cryptography import x509
from OpenSSL import SSL

from collector.errors import ConfigError
from collector.wire.udp_notif.dtls import datagrams_of, frame
from publisher_sim.publishers.marking import mark
from publisher_sim.publishers.roads import RoadSender
from publisher_sim.publishers.udp_notif import SEND_BUFFER
from publisher_sim.scenario import Receiver

MOST_QUEUED: Final = 10_000
"""Units that wait for a handshake (ours)."""
HANDSHAKE_SECONDS: Final = 10.0
PAUSE_SECONDS: Final = 1.0
"""From a handshake that failed to the next one (ours)."""
MTU: Final = 1232
"""Octets of a datagram of the handshake: what IPv6 carries everywhere."""
_DTLS_1_2: Final = 0xFEFD
_READ: Final = 1 << 16


class DtlsPublisher(RoadSender):
    """The way out of one publisher over DTLS (``senders.Sender``)."""

    marks_connections = False

    def __init__(self, address: str, receiver: Receiver) -> None:
        """
        Args:
            address: of the device, to send from.
            receiver: TLS settings and framing.

        Raises:
            ConfigError: a certificate cannot be read.
        """
        super().__init__(address, receiver)
        self._context = _context(receiver)

    def _open(self, to: tuple[str, int], dscp: int) -> _Road:
        return _Road(self._address, to, self._receiver, self._context)


class _Road:
    """The session with one receiver."""

    def __init__(
        self, local: str, to: tuple[str, int], receiver: Receiver, context: SSL.Context
    ) -> None:
        self._context = context
        self._framing = receiver.framing
        self._name = receiver.tls.server_name or to[0]
        self._loop = asyncio.get_running_loop()
        self._queue: deque[tuple[bytes, int]] = deque()
        """(datagram, its DSCP)."""
        self._dscp = 0
        self._tls: SSL.Connection | None = None
        self._established = False
        self._timer: asyncio.TimerHandle | None = None
        self._since = self._failed = -HANDSHAKE_SECONDS
        """When the handshake began, and when the last one failed."""
        self.refused = 0
        family = socket.AF_INET6 if ":" in local else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            self._socket.bind((local, 0))
            self._socket.connect(to)
        except OSError:
            self._socket.close()
            raise
        self._loop.add_reader(self._socket, self._readable)

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def put(self, octets: bytes, media_type: int, dscp: int) -> None:
        """The datagram's header says the media type already."""
        del media_type
        if self._established:
            self._say(octets, dscp)
            return
        if len(self._queue) >= MOST_QUEUED:
            self._queue.popleft()
            self.refused += 1
        self._queue.append((octets, dscp))
        self._begin()

    def _say(self, octets: bytes, dscp: int) -> None:
        assert self._tls is not None
        try:
            if dscp != self._dscp:
                mark(self._socket, dscp)
                self._dscp = dscp
            for record in frame([octets], self._framing):
                self._tls.send(record)
        except (SSL.Error, ValueError, OSError):
            self.refused += 1
        self._flush()

    def _flush(self) -> None:
        """What DTLS wants to be sent."""
        try:
            flight = self._tls.bio_read(_READ) if self._tls is not None else b""
        except SSL.WantReadError:
            return
        try:
            for datagram in datagrams_of(flight, MTU):
                self._socket.send(datagram)
        except OSError:
            self.refused += self._established

    # ------------------------------------------------------------------ the handshake
    def _begin(self) -> None:
        """Start a handshake, unless one goes on or has just failed."""
        if self._timer is not None:
            return
        pause = self._failed + PAUSE_SECONDS - self._loop.time()
        if self._tls is None and pause > 0:
            self._timer = self._loop.call_later(pause, self._again)
            return
        self._tls = SSL.Connection(self._context, None)
        self._tls.set_ciphertext_mtu(MTU)
        self._tls.set_connect_state()
        self._since = self._loop.time()
        self._go_on()

    def _go_on(self) -> None:
        assert self._tls is not None
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            self._flush()
            left = self._tls.DTLSv1_get_timeout()
            self._wake_up_in(0.1 if left is None else max(0.01, left))
            return
        except SSL.Error:
            self._fail()
            return
        self._flush()
        if not _is_named(self._tls, self._name):
            self._fail()
            return
        self._established = True
        self._wake_up_in(None)
        while self._queue:
            self._say(*self._queue.popleft())

    def _wake_up_in(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self._loop.call_later(seconds, self._again)

    def _again(self) -> None:
        """A pause is over, or an answer is overdue."""
        self._timer = None
        if self._tls is None:
            if self._queue:
                self._begin()
            return
        try:
            self._tls.DTLSv1_handle_timeout()
        except SSL.Error:
            self._fail()
            return
        if self._loop.time() - self._since > HANDSHAKE_SECONDS:
            self._fail()
        else:
            self._go_on()

    def _fail(self) -> None:
        """Give up what waits; the next unit begins anew."""
        self._flush()
        self.refused += len(self._queue)
        self._queue.clear()
        self._forget()

    def _forget(self) -> None:
        self._tls, self._established = None, False
        self._failed = self._loop.time()
        self._wake_up_in(None)

    # ------------------------------------------------------------------ the other side
    def _readable(self) -> None:
        while True:
            try:
                datagram = self._socket.recv(_READ)
            except OSError:  # nothing is left, or nobody listened when we sent something
                return
            self._take(datagram)

    def _take(self, datagram: bytes) -> None:
        if self._tls is None or not datagram:
            return
        self._tls.bio_write(datagram)
        if not self._established:
            self._go_on()
            return
        try:
            self._tls.recv(_READ)
        except SSL.WantReadError:
            self._flush()
        except SSL.Error:  # close_notify among them
            self._tls.shutdown()
            self._flush()
            self._forget()

    def close(self) -> None:
        """Say close_notify (§6.1.3: MUST), and let go of everything."""
        if self._tls is not None and self._established:
            try:
                self._tls.shutdown()
            except SSL.Error:
                pass
            self._flush()
        self.refused += len(self._queue)
        self._queue.clear()
        self._wake_up_in(None)
        self._loop.remove_reader(self._socket)
        self._socket.close()


def _context(receiver: Receiver) -> SSL.Context:
    tls = receiver.tls
    context = SSL.Context(SSL.DTLS_CLIENT_METHOD)
    context.set_min_proto_version(_DTLS_1_2)
    if not tls.ca:
        raise ConfigError("DTLS needs to know who signs the receiver", key="receiver.tls.ca")
    context.set_options(SSL.OP_NO_QUERY_MTU)
    context.set_verify(SSL.VERIFY_PEER, lambda *told: bool(told[-1]))
    for key, path in (("ca", tls.ca), ("certificate", tls.certificate), ("key", tls.key)):
        try:
            if key == "ca":
                context.load_verify_locations(path)
            elif key == "certificate" and path:
                context.use_certificate_chain_file(path)
            elif path:
                context.use_privatekey_file(path)
        except (SSL.Error, OSError) as error:
            sentence = f"{path} cannot be used: {error}"
            raise ConfigError(sentence, key=f"receiver.tls.{key}") from None
    return context


def _is_named(tls: SSL.Connection, name: str) -> bool:
    """Does the certificate shown have that DNS name, or address (RFC 9525 §6)?"""
    shown = tls.get_peer_certificate(as_cryptography=True)
    if shown is None:
        return False
    try:
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name.lower() in (one.lower() for one in names.get_values_for_type(x509.DNSName))
    return address in names.get_values_for_type(x509.IPAddress)
