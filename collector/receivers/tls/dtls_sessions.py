"""All DTLS sessions of one socket: who is let in, how many there may be, and when they end.

Does: give each datagram to the session of its sender, answer ClientHellos without keeping anything
until the sender has shown that it can be reached, run handshakes within bounds, end what is idle.
Does not: own a socket: what has to be sent is in ``take_outgoing``; nor a clock.

Rules (RFC 6347 §4.2, draft-ietf-netconf-udp-notif-26 §6.1): the receiver is always the server. A
sender that begins anew keeps its old session until the new handshake is over. Of one read no more
than ``HANDSHAKES_A_READ`` datagrams of handshakes are looked at, each of which may cost a
millisecond: the others come again, as DTLS says them again. What the peer closes is answered with
close_notify, and what is idle is closed with one.
"""

from __future__ import annotations

from typing import Final

from OpenSSL import SSL

from collector.errors import WireError
from collector.receivers.tls import certificates
from collector.receivers.tls.dtls_context import DtlsContexts, Handshaker, refusal_of
from collector.receivers.tls.dtls_session import MTU, DtlsSession
from collector.receivers.tls.server import ServerTls
from collector.wire.udp_notif.dtls import (
    ALERT,
    APPLICATION_DATA,
    HANDSHAKE,
    RECORD_HEADER,
    is_client_hello,
    is_one_of_data,
    record_types,
)

HANDSHAKES_A_READ: Final = 32
HANDSHAKE_SECONDS: Final = 10.0
"""Time for a handshake (ours)."""
HALF_OPEN_OF_A_PEER: Final = 64
"""Handshakes of one address at a time: its line cards (ours)."""
COOKIE_SECONDS: Final = 300.0
"""A cookie is good for one to two times as long (ours)."""

Key = tuple[str, int]
"""Address and port of the peer."""
_NOTHING: Final[tuple[str, list[bytes]]] = ("", [])


class DtlsSessions:
    """See the module; used by one receiver on one event loop."""

    def __init__(self, tls: ServerTls, *, most: int, idle_seconds: float, now: float) -> None:
        """
        Args:
            tls: loaded; counts what is refused.
            most: sessions at a time, unfinished handshakes among them.
            idle_seconds: a session lives so long without a datagram.
            now: by a clock that never goes back, s.
        """
        self._tls = tls
        self._contexts = DtlsContexts(tls)
        self._most, self._most_half_open = most, max(HALF_OPEN_OF_A_PEER, most // 4)
        self._idle_seconds = idle_seconds
        self.established: dict[Key, DtlsSession] = {}
        self.half_open: dict[Key, DtlsSession] = {}
        """Handshakes, the oldest first; the key may be in both."""
        self._half_open_of: dict[str, int] = {}
        """Address -> handshakes; none that are 0."""
        self._listener: tuple[SSL.Context, SSL.Connection, Handshaker] | None = None
        self._outgoing: list[tuple[Key, bytes]] = []
        self._key_since = now
        self._handshakes_left = HANDSHAKES_A_READ

    def __len__(self) -> int:
        return len(self.established) + len(self.half_open)

    def take_outgoing(self) -> list[tuple[Key, bytes]]:
        """Datagrams to be sent, and to whom."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def begin_read(self) -> None:
        """A new read begins: handshakes may go on."""
        self._handshakes_left = HANDSHAKES_A_READ

    # ------------------------------------------------------------------ a datagram
    def receive(self, datagram: bytes, key: Key, now: float) -> tuple[str, list[bytes]]:
        """Who sent a datagram, as records name it, and the application data in it."""
        session = self.established.get(key)
        if session is not None and is_one_of_data(datagram) and key not in self.half_open:
            return session.word, self._read(session, datagram, 1, key, now)
        try:
            types = record_types(datagram)
        except WireError as error:
            return self._refuse("bad-record", key, str(error))
        half_open = self.half_open.get(key)
        if types[0] == HANDSHAKE and is_client_hello(datagram):
            said = hash(datagram[RECORD_HEADER:])
            if session is not None and session.told.hello == said:
                return _NOTHING  # a late copy
            if half_open is None or half_open.told.hello != said:
                return self._listen(datagram, said, key, now)
        if half_open is not None:
            return self._go_on(half_open, datagram, types, key, now)
        if session is None and types.count(ALERT) == len(types):
            return _NOTHING  # the answer to our last word
        if session is None:
            return self._refuse("no-session", key, "it goes on with a session that is not here")
        # asking until nothing is left would end in an exception, which costs half a record
        left = len(types) + (types.count(APPLICATION_DATA) < len(types))
        return session.word, self._read(session, datagram, left, key, now)

    def _read(
        self, session: DtlsSession, datagram: bytes, most: int, key: Key, now: float
    ) -> list[bytes]:
        try:
            got, closed = session.read(datagram, most)
        except SSL.Error as error:
            reason, sentence = refusal_of(error, session.told)
            self._end(session, key)
            self._refuse(reason, key, sentence)
            return []
        if got:
            session.heard = now  # what anybody can send in its name does not keep it alive
        if closed:
            session.close()
            self._end(session, key)
        elif len(got) < most:
            self._send(session, key)  # the peer may not have heard the end of the handshake
        return got

    def _end(self, session: DtlsSession, key: Key) -> None:
        """Its last words are sent, and it is forgotten."""
        self._send(session, key)
        if self.established.get(key) is session:
            del self.established[key]

    def _send(self, session: DtlsSession, key: Key) -> None:
        self._outgoing += [(key, datagram) for datagram in session.outgoing()]

    def _refuse(self, reason: str, key: Key, sentence: str) -> tuple[str, list[bytes]]:
        self._tls.refuse(reason, key[0], sentence)
        return _NOTHING

    # ------------------------------------------------------------------ handshakes
    def _listen(self, datagram: bytes, said: int, key: Key, now: float) -> tuple[str, list[bytes]]:
        """A ClientHello: without a good cookie it is sent one, with one a handshake begins."""
        context = self._contexts.context
        if self._listener is None or self._listener[0] is not context:
            told = Handshaker()
            listener = SSL.Connection(context, None)
            listener.set_app_data(told)
            listener.set_ciphertext_mtu(MTU)
            listener.set_accept_state()
            self._listener = context, listener, told
        _, listener, told = self._listener
        told.peer, told.hello = f"{key[0]} {key[1]}".encode(), said
        session = DtlsSession(listener, told, now)
        session.take(datagram)
        try:
            listener.DTLSv1_listen()
        except SSL.Error as error:
            if not isinstance(error, SSL.WantReadError):
                self._listener = None
            elif verify := session.outgoing():
                self._outgoing += [(key, datagram) for datagram in verify]
                return _NOTHING
            return self._refuse("bad-hello", key, "its ClientHello cannot be read")
        self._listener = None
        refused = self._no_room(key)
        if refused:
            return self._refuse(*refused)
        self._forget(key)
        self.half_open[key] = session
        self._half_open_of[key[0]] = self._half_open_of.get(key[0], 0) + 1
        return self._go_on(session, None, b"", key, now)

    def _no_room(self, key: Key) -> tuple[str, Key, str] | None:
        """Why there is none for a handshake with a peer that can be reached."""
        if len(self) >= self._most and key not in self.established and key not in self.half_open:
            return "too-many-connections", key, "there are too many sessions already"
        of_peer = self._half_open_of.get(key[0], 0)
        if len(self.half_open) >= self._most_half_open or of_peer >= HALF_OPEN_OF_A_PEER:
            return "too-many-handshakes", key, "too many handshakes are going on"
        return None

    def _go_on(
        self, session: DtlsSession, datagram: bytes | None, types: bytes, key: Key, now: float
    ) -> tuple[str, list[bytes]]:
        """The next step of a handshake; at its end who shows what is looked at."""
        if not self._handshakes_left:
            return self._refuse("handshake-flood", key, "too many handshakes came at once")
        self._handshakes_left -= 1
        if datagram is not None:
            session.take(datagram)
        try:
            over = session.shake_hands()
        except SSL.Error as error:
            self._send(session, key)
            self._forget(key)
            return self._refuse(*_why(error, session.told, key))
        self._send(session, key)
        if not over:
            return _NOTHING
        self._forget(key)
        if not self._admit(session, key):
            return _NOTHING
        session.heard = now
        self.established[key] = session
        return session.word, self._read(session, b"", len(types), key, now)

    def _admit(self, session: DtlsSession, key: Key) -> bool:
        shown = session.certificate()
        try:
            name = certificates.name_of_octets(shown) if shown else ""
        except ValueError:
            name = ""
        if not self._tls.admit(name, key[0]):
            session.close()
            self._send(session, key)
            return False
        session.word = f"{key[0]} {certificates.session_of(name)}" if name else key[0]
        return True

    def _forget(self, key: Key) -> None:
        """A handshake is over, one way or another."""
        if self.half_open.pop(key, None) is not None:
            left = self._half_open_of.pop(key[0]) - 1
            if left:
                self._half_open_of[key[0]] = left

    # ------------------------------------------------------------------ time
    def look(self, now: float) -> None:
        """To be called each second: say again what was lost, end what takes too long."""
        if now - self._key_since > COOKIE_SECONDS:
            self._contexts.cookies.change_key()
            self._key_since = now
        for key, session in list(self.half_open.items()):
            if now - session.since > HANDSHAKE_SECONDS:
                self._forget(key)
                self._refuse("handshake-timeout", key, "it did not finish the handshake in time")
            else:
                self._say_again(session, key)
        for key, session in list(self.established.items()):
            if now - session.heard > self._idle_seconds:
                session.close()
                self._end(session, key)

    def _say_again(self, session: DtlsSession, key: Key) -> None:
        try:
            session.handle_timeout()
        except SSL.Error as error:
            self._forget(key)
            self._refuse(*_why(error, session.told, key))
        else:
            self._send(session, key)

    def close(self) -> None:
        """End all sessions; ``take_outgoing`` has their last words."""
        for key, session in list(self.established.items()):
            session.close()
            self._end(session, key)
        for key in list(self.half_open):
            self._forget(key)


def _why(error: SSL.Error, told: Handshaker, key: Key) -> tuple[str, Key, str]:
    reason, sentence = refusal_of(error, told)
    return reason, key, sentence
