"""Requests about a device's configuration in an open session, and what came of them.

Does not: know what is wanted or why it is asked. Rules: what the device refuses is raised; an entry
of others that is odd hides nothing, so replies are read as trees.
"""

from __future__ import annotations

import asyncio
from itertools import count

from collector.errors import CollectorError, ProtocolError, SessionError, WireError
from collector.model import SelectionFilter
from collector.subscriber.sessions.session import NetconfSession, plain
from collector.wire.netconf.rpc import (
    Get,
    GetConfig,
    Operation,
    RpcReply,
    decode_reply,
    encode_rpc,
)
from collector.wire.subscriptions.config import SUBSCRIPTIONS, Configuration, read_configuration
from collector.wire.values import xml

_AT_ONCE = 256 * 1024
"""Octets of a reply that are read without a thread; some 10 ms (ours)."""
_CAPABILITY = "urn:ietf:params:netconf:capability:"


class GivenUpError(ProtocolError):
    """What we do not go on with, whatever the device says of it; a sentence for people."""


def words(error: CollectorError) -> str:
    """Of a device, fit to be a part of a sentence: what stands behind them is to be read, too."""
    return str(error) if isinstance(error, GivenUpError) else plain(str(error))


class Talk:
    """With one device."""

    def __init__(self, session: NetconfSession) -> None:
        """``session``: open, and nobody else asks anything in it."""
        self.session = session
        self._ids = count(1)

    def has(self, capability: str, version: str = "") -> bool:
        """Does its hello say so (RFC 6241 §8)? Empty: any version."""
        start = f"{_CAPABILITY}{capability}:{version}"
        return any(one.startswith(start) for one in self.session.capabilities)

    async def ask(self, operation: Operation) -> RpcReply:
        """One request.

        Raises:
            ProtocolError: refused; GivenUpError: the reply cannot be read.
            SessionError: the session ended.
        """
        octets = await self.session.rpc(encode_rpc(str(next(self._ids)), operation))
        try:
            reply = await _decoded(octets)
        except WireError as error:
            raise GivenUpError(f"its reply cannot be read: {error}") from error
        if reply.error is not None:
            raise reply.error
        return reply

    async def quietly(self, operation: Operation) -> None:
        """What is done after a failure must not hide it; the end of a session does it, too."""
        try:
            await self.ask(operation)
        except (ProtocolError, SessionError):
            pass

    async def data(self, datastore: str, selection: SelectionFilter | None) -> xml.Element:
        """What is in a datastore; None: everything. Raises as ``ask``."""
        data = (await self.ask(GetConfig(datastore, selection))).data
        if data is None:
            raise GivenUpError(f"the reply to get-config of {datastore} carries no data")
        return data

    async def read(self, datastore: str) -> Configuration:
        """What is configured below ``/subscriptions``. Raises as ``ask``."""
        return configuration_in(await self.data(datastore, SUBSCRIPTIONS))

    async def get(self, selection: SelectionFilter) -> xml.Element | None:
        """Of its state and configuration; None: it says nothing. Raises as ``ask``."""
        return (await self.ask(Get(None, selection))).data


async def _decoded(octets: bytes) -> RpcReply:
    """In a thread where it takes long: who asks may be a running collector. Raises WireError."""
    if len(octets) <= _AT_ONCE:
        return decode_reply(octets, typed=False)
    return await asyncio.to_thread(decode_reply, octets, typed=False)


def configuration_in(data: xml.Element) -> Configuration:
    """What of a datastore is below ``/subscriptions``. Raises ProtocolError."""
    try:
        return read_configuration(data.children)
    except WireError as error:
        raise GivenUpError(f"its configuration cannot be read: {error}") from error
