"""One session of the simulated master's NETCONF server: an SSH channel, hello, framing, messages.

What it does: everything between the server that owns it (``Owner``) and the octets of its channel.
What it does not: answer anything but ``close-session`` and what is no ``<rpc>``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, cast
from xml.sax.saxutils import escape, quoteattr

import asyncssh

from collector.errors import WireError
from collector.wire.netconf.framing import Deframer, encode_chunked, encode_delimited
from collector.wire.netconf.hello import BASE_1_1, Root, decode_hello, encode_hello, root_of
from collector.wire.netconf.rpc import Ok, decode_rpc, encode_reply
from collector.wire.values.names import NETCONF_BASE
from publisher_sim.publishers.marking import mark

if TYPE_CHECKING:
    from asyncssh.misc import BytesOrStr

MAX_REQUEST = 1024 * 1024
"""Octets of one request (ours)."""

OnOpen = Callable[[str, str], None]
"""(session_id, user): a session passed its hello exchange."""
OnRpc = Callable[[str, bytes], None]
"""(session_id, the whole ``<rpc>``)."""
OnBusy = Callable[[str, bool], None]
"""(session_id, busy): its subscriber reads too slowly (``busy_above``), or no longer."""
OnClose = Callable[[str], None]
"""(session_id): a session that was opened ended, by either side."""


class Owner(Protocol):
    """The server that a session belongs to, as the session sees it."""

    capabilities: tuple[str, ...]
    """URIs of the hello."""
    busy_above: int
    """Octets that may wait for a subscriber before it counts as slow."""
    max_unsent: int
    """Octets that may wait before messages are refused."""
    on_open: OnOpen
    on_rpc: OnRpc
    on_busy: OnBusy
    on_goodbye: OnClose

    def admit(self, session: ServerSession) -> str | None:
        """Number a session whose subsystem was asked for; None: there are too many."""
        ...

    def forget(self, session_id: str) -> None:
        """A session ended."""
        ...


class ServerSession(asyncssh.SSHServerSession[bytes]):
    """One NETCONF session, from the subsystem request to the end of its channel."""

    def __init__(self, server: Owner, user: str) -> None:
        self.server = server
        self.user = user
        self.session_id = ""
        self.opened = False
        """True from the subscriber's hello on."""
        self.last_active = asyncio.get_running_loop().time()
        self._channel: asyncssh.SSHServerChannel[bytes] | None = None
        self._deframer = Deframer(MAX_REQUEST)
        self._encode = encode_delimited

    @property
    def connection(self) -> asyncssh.SSHServerConnection | None:
        """The SSH connection below; None once the channel is gone."""
        if self._channel is None:
            return None
        return cast(asyncssh.SSHServerConnection, self._channel.get_connection())

    # ------------------------------------------------------------------ asyncssh
    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """asyncssh: the channel is there."""
        self._channel = chan
        limit = self.server.busy_above
        chan.set_write_buffer_limits(high=limit, low=limit // 4)

    def subsystem_requested(self, subsystem: str) -> bool:
        """asyncssh: only ``netconf`` exists here (RFC 6242 §3)."""
        if subsystem != "netconf":
            return False
        self.session_id = self.server.admit(self) or ""
        return bool(self.session_id)

    def session_started(self) -> None:
        """asyncssh: the subsystem runs. Both sides say hello at once (RFC 6241 §8.1)."""
        self.greet()

    def data_received(self, data: BytesOrStr, datatype: asyncssh.DataType) -> None:
        """asyncssh: octets of the channel."""
        assert isinstance(data, bytes)
        if self._channel is None or self._channel.is_closing():
            return
        self._deframer.receive(data)
        try:
            while (message := self._deframer.next_message()) is not None:
                self._received(message)
        except WireError:
            # RFC 6242 §4.2 and RFC 6241 §8.1: after broken framing or a bad hello, close.
            self.close()

    def pause_writing(self) -> None:
        """asyncssh: more waits than the subscriber reads."""
        if self.opened:
            self.server.on_busy(self.session_id, True)

    def resume_writing(self) -> None:
        """asyncssh: the subscriber reads again."""
        if self.opened:
            self.server.on_busy(self.session_id, False)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncssh: the channel is gone."""
        self._channel = None
        self.server.forget(self.session_id)

    # ------------------------------------------------------------------ NETCONF
    def greet(self) -> None:
        """Say hello."""
        hello = encode_hello(self.server.capabilities, int(self.session_id))
        self.write(encode_delimited(hello))

    def received(self, message: bytes) -> None:
        """One message after the hello."""
        self.last_active = asyncio.get_running_loop().time()
        try:
            root = root_of(message)
        except WireError:
            root = Root("")
        if root.name != "rpc":
            self.refuse_message("no rpc")
        elif root.message_id is None:
            self.send(_rpc_error(None, "missing-attribute", "an rpc needs a message-id"))
        elif _name(message[root.end :]) == "close-session":
            self.server.on_goodbye(self.session_id)
            self.send(_goodbye(root.message_id, message))
            self.close()
        else:
            self.server.on_rpc(self.session_id, message)

    def refuse_message(self, why: str) -> None:
        """Of what cannot be read as an rpc. ``malformed-message`` MUST NOT be said to those who
        know base:1.0 alone (RFC 6241 §A): their session ends."""
        if self._encode is encode_chunked:
            self.send(_rpc_error(None, "malformed-message", why))
        else:
            self.close()

    def send(self, message: bytes) -> bool:
        """Send one message; False: nothing was sent."""
        if self._channel is None or self._channel.is_closing():
            return False
        if self.unsent > self.server.max_unsent:
            return False
        self.last_active = asyncio.get_running_loop().time()
        self.write(self._encode(message))
        return True

    def write(self, octets: bytes) -> None:
        """Octets onto the channel as they are."""
        if self._channel is not None and not self._channel.is_closing():
            self._channel.write(octets)

    @property
    def unsent(self) -> int:
        """Octets that wait for the subscriber."""
        return 0 if self._channel is None else self._channel.get_write_buffer_size()

    def mark(self, dscp: int) -> None:
        """The DSCP of its connection, and of every other session over it."""
        if self._channel is not None:
            with contextlib.suppress(OSError):
                mark(self._channel.get_extra_info("socket"), dscp)

    def close(self) -> None:
        """End after what was written before."""
        if self._channel is not None:
            self._channel.close()

    def _received(self, message: bytes) -> None:
        if self.opened:
            self.received(message)
            return
        hello = decode_hello(message)
        if hello.session_id is not None:
            raise WireError("bad-hello", "a client has no session-id", clause="RFC 6241 §8.1")
        if hello.chunked and BASE_1_1 in self.server.capabilities:
            self._deframer.use_chunked()
            self._encode = encode_chunked
        self.opened = True
        self.server.on_open(self.session_id, self.user)


def _name(element: bytes) -> str:
    """Local name of the first element; empty when there is none."""
    try:
        return root_of(element).name
    except WireError:
        return ""


def _goodbye(message_id: str, message: bytes) -> bytes:
    """With all attributes of the rpc (RFC 6241 §4.2)."""
    try:
        attributes = decode_rpc(message).attributes
    except WireError:
        return _reply(message_id, "<ok/>")
    return encode_reply(message_id, Ok(), attributes=attributes)


def _reply(message_id: str | None, content: str) -> bytes:
    attribute = "" if message_id is None else f" message-id={quoteattr(message_id)}"
    return f'<rpc-reply{attribute} xmlns="{NETCONF_BASE}">{content}</rpc-reply>'.encode()


def _rpc_error(message_id: str | None, tag: str, text: str) -> bytes:
    return _reply(
        message_id,
        f"<rpc-error><error-type>rpc</error-type><error-tag>{tag}</error-tag>"
        f"<error-severity>error</error-severity><error-message>{escape(text)}</error-message>"
        "</rpc-error>",
    )
