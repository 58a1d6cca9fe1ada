"""Requests on the sessions of one device, each in the journal together with its reply.

Does: give message-ids, write, send, wait, read the reply, count what was refused, log a warning.
Does not: decide what to ask (``dynamic``), hold a session (``device``).
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable

from collector.errors import ProtocolError, UsageError, WireError
from collector.metrics import Counters
from collector.model import RpcNote
from collector.subscriber.exchanges.records import Recorder
from collector.subscriber.sessions.session import NetconfSession, plain
from collector.wire.netconf.rpc import (
    MAX_OUTCOME,
    READS,
    EstablishSubscription,
    Operation,
    RpcReply,
    decode_reply,
    encode_rpc,
    operation_name,
)

log = logging.getLogger("collector.subscriber")

Call = Callable[[str, Operation], Awaitable[RpcReply]]
"""(name of the subscription, operation) -> reply. Raises ProtocolError, SessionError."""

_LARGE = 128 * 1024
"""Octets of a reply that is read in a thread (ours): it takes some 30 ms."""


class Requests:
    """What one device is asked, one session after the other."""

    def __init__(self, device: str, recorder: Recorder, counters: Counters) -> None:
        self._device = device
        self._recorder = recorder
        self._counters = counters
        self._message_ids = itertools.count(1)
        self.waiting: dict[str, RpcNote] = {}
        """message-id -> request that waits for its reply."""
        self._has_warned = False
        """The device, in this session."""

    def forget(self) -> None:
        """The session is over: nothing waits any more."""
        self.waiting.clear()
        self._has_warned = False

    async def call(
        self, session: NetconfSession, subscription: str, operation: Operation
    ) -> RpcReply:
        """One request about the subscription of that name, and its reply.

        Raises:
            ProtocolError: the device refused it, or its reply cannot be used.
            SessionError: the session ended, or nothing came in time.
        """
        message_id = str(next(self._message_ids))
        name = operation_name(operation).rpartition(":")[2]
        try:
            request = encode_rpc(message_id, operation)
        except UsageError as error:
            raise ProtocolError(f"it cannot be asked for: {error}", tag="bad-element") from error
        note = RpcNote(self._device, subscription, name, request.decode())
        await self._recorder.request(session, note)
        self.waiting[message_id] = note
        try:
            octets = await session.rpc(request)
        finally:
            self.waiting.pop(message_id, None)
        return await self._read(octets, name, operation)

    async def _read(self, octets: bytes, name: str, operation: Operation) -> RpcReply:
        try:
            if name not in READS:
                reply = decode_reply(octets, most=MAX_OUTCOME)
            elif len(octets) > _LARGE:  # so many elements that nobody should wait for them
                reply = await asyncio.to_thread(decode_reply, octets)
            else:
                reply = decode_reply(octets)
        except WireError as error:
            self._count_refused(error.reason)
            raise ProtocolError(f"its reply cannot be read: {error}") from error
        self._say_warning(name, reply)
        if reply.error is not None:
            self._count_refused("rpc-error")
            raise reply.error
        if isinstance(operation, EstablishSubscription) and reply.subscription_id is None:
            self._count_refused("no-subscription-id")
            raise ProtocolError("the reply carries no subscription id")
        return reply

    def _say_warning(self, name: str, reply: RpcReply) -> None:
        """The first one of a session; a device may have one in every reply (RFC 6241 §4.3)."""
        if reply.warnings and not self._has_warned:
            self._has_warned = True
            text = plain(str(reply.warnings[0]))
            log.warning("Device %s warned in its reply to %s: %s", self._device, name, text)

    def _count_refused(self, reason: str) -> None:
        self._counters.requests_refused.add((self._device, reason))
