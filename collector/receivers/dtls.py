"""The DTLS receiver: UDP-notif over DTLS 1.2 (draft-ietf-netconf-udp-notif-26 §6).

Does: put the sessions of all peers (``dtls_sessions``) between one socket and the batcher, so that
all that was decrypted in one read is one batch; take the framing off; name the certificate of who
sent. Does not: know DTLS; needs the extra ``dtls`` (pyOpenSSL).

Rules: a record of the journal has ``certificate:NAME`` as session where the peer showed one; the
device is found by it. Over DTLS a message is a datagram of UDP-notif, so its transport is UDP_NOTIF
and everything behind the batcher is the same. What is refused before it is decrypted is counted
with a reason and said now and then; nothing of it is recorded, since nobody is known to have sent
it.
"""

from __future__ import annotations

import asyncio
import socket
from array import array
from typing import Any, Final

import numpy as np

from collector.config import DtlsSettings, TlsServerSettings
from collector.errors import WireError
from collector.interfaces import Clock, Intake
from collector.model import Coded, ReceivedBatch
from collector.receivers.datagrams.receiver import DatagramReceiver
from collector.receivers.refusals import Refusals
from collector.receivers.sockets.slab import DatagramSlab
from collector.receivers.tls.dtls_sessions import DtlsSessions, Key
from collector.receivers.tls.server import ServerTls
from collector.wire.udp_notif.dtls import Framing, unframe

DEFAULT_PORT: Final = 10004
"""Ours; the draft assigns none."""

_TLS_KEYS: Final = TlsServerSettings.__struct_fields__


class DtlsReceiver(DatagramReceiver):
    """Receives UDP-notif over DTLS on one address (``interfaces.Receiver``)."""

    name = section = "dtls"
    title = "UDP-notif over DTLS"
    settings = DtlsSettings
    wants = DatagramReceiver.wants | {"receive_buffer_bytes"}

    def __init__(
        self,
        intake: Intake,
        clock: Clock,
        *,
        address: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        framing: Framing = "auto",
        idle_timeout_seconds: float = 600.0,
        max_sessions: int = 10_000,
        **options: Any,
    ) -> None:
        """The keywords are the keys of ``[dtls]`` (``config.DtlsSettings``), and those of
        ``DatagramReceiver``; 0 as ``port`` is any free one, see ``local_port``."""
        tls = {key: options.pop(key) for key in _TLS_KEYS if key in options}
        super().__init__(intake, clock, address=address, port=port, **options)
        self.refusals = Refusals(self.name)
        """Handshakes, sessions and datagrams that were refused."""
        self.tls = ServerTls(TlsServerSettings(**tls), section="dtls", refusals=self.refusals)
        self._framing: Framing = framing
        self._most, self._idle_seconds = max_sessions, idle_timeout_seconds
        self._sessions: DtlsSessions | None = None
        self.unsent = 0
        """Datagrams of ours that the system did not take; DTLS says them again."""

    def stats(self) -> dict[str, int]:
        """As of ``DatagramReceiver``, and ``connections``, ``refused/R`` by reason R."""
        own = {
            "connections": 0 if self._sessions is None else len(self._sessions.established),
            "certificate-expiry": self.tls.expiry,
            "unsent": self.unsent,
        }
        refused = {f"refused/{reason}": count for reason, count in self.refusals.counts.items()}
        return super().stats() | own | refused

    # ----------------------------------------------------------------- life
    async def start(self) -> None:
        """Return when listening.

        Raises:
            ConfigError: the address or a certificate cannot be used.
        """
        if self.listening:
            return
        self.tls.load()
        self._sessions = DtlsSessions(
            self.tls, most=self._most, idle_seconds=self._idle_seconds, now=_now()
        )
        await super().start()

    async def stop(self) -> None:
        """Hand over the rest, say good-bye to all peers, and close."""
        if self._sessions is not None and self.listening:
            self.drain()
            self._sessions.close()
            self._send()
        await super().stop()
        self._sessions = None

    def reload_certificates(self) -> None:
        """Read certificate, key and authorities again, changed or not."""
        self.tls.reload()

    def _each_second(self) -> None:
        self.tls.look()
        if self._sessions is not None:
            self._sessions.look(_now())
            self._send()

    # ----------------------------------------------------------------- reading
    def _take(
        self, slab: DatagramSlab, arrivals: array[int], peers: Coded[str], ports: array[int]
    ) -> ReceivedBatch:
        """The records of what datagrams hold."""
        sessions, framing, now = self._sessions, self._framing, _now()
        if sessions is None:
            return ReceivedBatch()
        sessions.begin_read()
        rows: list[int] = []
        senders: list[str] = []
        messages: list[bytes] = []
        refused: list[tuple[WireError, str, int]] = []
        for row, (peer, port) in enumerate(zip(peers, ports, strict=True)):
            sender, contents = sessions.receive(slab.datagram(row), (peer, port), now)
            for data in contents:
                try:
                    found = unframe(data, framing)
                except WireError as error:
                    refused.append((error, sender, port))
                    continue
                messages += found
                rows += [row] * len(found)
                senders += [sender] * len(found)
        self._send()
        batch = ReceivedBatch()
        if messages:
            batch = self._batcher.receive(
                DatagramSlab.of(messages),
                array("q", np.asarray(arrivals, np.int64)[rows].tobytes()),
                Coded.of(senders),
                array("H", np.asarray(ports, np.uint16)[rows].tobytes()),
            )
        for why, sender, port in refused:
            self._batcher.refuse(batch, why, arrivals[-1], sender, port)
        return self._named(batch)

    def _named(self, batch: ReceivedBatch) -> ReceivedBatch:
        """Senders, an address and maybe a certificate, go into two columns."""
        parts = [sender.partition(" ") for sender in batch.peer.words]
        codes = batch.peer.codes
        batch.peer = Coded([address for address, _, _ in parts], codes)
        batch.session = Coded([session for _, _, session in parts], array("I", codes))
        return batch

    # ----------------------------------------------------------------- sending
    def _send(self) -> None:
        sock = self._socket
        if self._sessions is None or sock is None:
            return
        mapped = sock.family == socket.AF_INET6
        for key, datagram in self._sessions.take_outgoing():
            try:
                sock.sendto(datagram, _name(key, mapped))
            except OSError:
                self.unsent += 1


def _name(key: Key, mapped: bool) -> Key:
    """A socket for IPv6 writes to IPv4 by mapped addresses."""
    address, port = key
    return (f"::ffff:{address}", port) if mapped and ":" not in address else key


def _now() -> float:
    """A clock that never goes back, s."""
    return asyncio.get_running_loop().time()
