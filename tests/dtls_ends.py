"""A DTLS client in memory or on a socket: what a publisher of tests is."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from cryptography import x509
from OpenSSL import SSL, crypto

from collector.wire.udp_notif.dtls import datagrams_of
from tests.certificates import Issued


def client_context(authority: Path, shown: Issued | None = None) -> SSL.Context:
    """A client that trusts one authority and may show a certificate."""
    context = SSL.Context(SSL.DTLS_CLIENT_METHOD)
    store = context.get_cert_store()
    assert store is not None
    read = x509.load_pem_x509_certificate(authority.read_bytes())
    store.add_cert(crypto.X509.from_cryptography(read))
    context.set_verify(SSL.VERIFY_PEER, lambda *told: bool(told[-1]))
    if shown is not None:
        context.use_certificate_chain_file(str(shown.certificate))
        context.use_privatekey_file(str(shown.key))
    return context


class Client:
    """One end of a DTLS session; no sockets, no time."""

    def __init__(self, context: SSL.Context, mtu: int = 1232) -> None:
        self.tls = SSL.Connection(context, None)
        self.tls.set_connect_state()
        self.tls.set_ciphertext_mtu(mtu)
        self.established = False

    def step(self, datagrams: list[bytes] | None = None) -> list[bytes]:
        """Take datagrams, go on with the handshake; returns what to send. Raises SSL.Error."""
        for datagram in datagrams or [b""]:
            if datagram:
                self.tls.bio_write(datagram)
            try:
                self.tls.do_handshake()
                self.established = True
            except SSL.WantReadError:
                pass
        return self.outgoing()

    def outgoing(self) -> list[bytes]:
        try:
            return datagrams_of(self.tls.bio_read(1 << 16), 1232)
        except SSL.WantReadError:
            return []

    def send(self, data: bytes) -> bytes:
        """The record of some application data."""
        self.tls.send(data)
        return self.tls.bio_read(1 << 16)

    def receive(self, datagram: bytes) -> bytes:
        """Application data; raises SSL.ZeroReturnError for close_notify."""
        self.tls.bio_write(datagram)
        return self.tls.recv(1 << 14)

    def close(self) -> list[bytes]:
        self.tls.shutdown()
        return self.outgoing()


class SocketClient:
    """The same on a UDP socket, blocking."""

    def __init__(self, context: SSL.Context, port: int, seconds: float = 10.0) -> None:
        self.client = Client(context)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.socket.settimeout(0.2)
        self._until = time.monotonic() + seconds

    def __enter__(self) -> SocketClient:
        return self

    def __exit__(self, *told: object) -> None:
        self.socket.close()

    def shake_hands(self) -> None:
        """Raises SSL.Error; TimeoutError when nobody answers."""
        self._put(self.client.step())
        while not self.client.established:
            if time.monotonic() > self._until:
                raise TimeoutError
            try:
                self._put(self.client.step([self.socket.recv(1 << 16)]))
            except TimeoutError:
                self.client.tls.DTLSv1_handle_timeout()
                self._put(self.client.outgoing())

    def _put(self, datagrams: list[bytes]) -> None:
        for datagram in datagrams:
            self.socket.send(datagram)

    def send(self, data: bytes) -> None:
        self.socket.send(self.client.send(data))

    def closed(self) -> bool:
        """Whether the receiver says close_notify soon."""
        self.socket.settimeout(10)
        try:
            self.client.receive(self.socket.recv(1 << 16))
        except SSL.ZeroReturnError:
            return True
        return False
