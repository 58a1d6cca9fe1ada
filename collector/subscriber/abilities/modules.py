"""The YANG modules of a device, asked for in an open NETCONF session.

Does: find the list of its modules where the device keeps one, and fetch their texts. Does not:
open the session, write files (``service.modules``), decode (``wire.netconf.schemas``).

Rules: one request at a time; a list that is refused or broken gives way to the next one, the hello
comes last; a session that ends is the caller's trouble.

Spec: RFC 6022 §3.1, RFC 8525 §3, RFC 7895 §2, RFC 6020 §5.6.4.
"""

from __future__ import annotations

from itertools import count

from collector.errors import ProtocolError, WireError
from collector.subscriber.sessions.session import NetconfSession
from collector.wire.netconf.schemas import (
    SOURCES,
    GetSchema,
    Inventory,
    ModuleId,
    decode_inventory,
    decode_schema,
    encode_get_schema,
    encode_list_request,
    inventory_of,
)

NOT_SUPPORTED = frozenset({"operation-not-supported", "unknown-element", "unknown-namespace"})
"""error-tags of a server that has no such operation (RFC 6241 §A)."""


class ModuleReader:
    """Asks one device."""

    def __init__(self, session: NetconfSession) -> None:
        self._session = session
        self._ids = count(1)
        self._supported = False
        """Whether a get-schema was answered with a module."""

    async def inventory(self) -> tuple[str, Inventory]:
        """Which list it is from (a key of ``SOURCES``, or ``hello``), and the list.

        Raises:
            ProtocolError: the device names no module anywhere.
            SessionError: the session ended.
        """
        for source in SOURCES:
            request = encode_list_request(self._next_id(), source)
            try:
                found = decode_inventory(await self._session.rpc(request))
            except (ProtocolError, WireError):
                continue
            if found.modules:
                return source, found
        found = inventory_of(self._session.capabilities)
        if not found.modules:
            raise ProtocolError(f"{self._session.settings.where} does not say what modules it has")
        return "hello", found

    async def text_of(self, module: ModuleId) -> str:
        """The text of a module.

        Raises:
            ProtocolError: the device refused it.
            WireError: what came is not that module.
            NoGetSchemaError: it was the first one, and the device has no get-schema at all.
            SessionError: the session ended, or no answer came in time.
        """
        request = encode_get_schema(self._next_id(), GetSchema(module))
        reply = await self._session.rpc(request)
        try:
            text = decode_schema(reply, module.name)
        except ProtocolError as error:
            if error.tag in NOT_SUPPORTED and not self._supported:
                raise NoGetSchemaError(
                    f"{self._session.settings.where} has no get-schema (RFC 6022): {error}",
                    tag=error.tag,
                ) from error
            raise
        self._supported = True
        return text

    def _next_id(self) -> str:
        return str(next(self._ids))


class NoGetSchemaError(ProtocolError):
    """The device cannot give any module."""
