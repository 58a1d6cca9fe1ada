"""``collector capabilities``: one session with a device, and what it says that it can.

Does: open, ask, close. Does not: print. Rules: nothing of the device is changed; what it does not
answer is not known, and only a session that cannot be had is an error.
"""

from __future__ import annotations

import asyncio
from itertools import count

from msgspec import Struct

from collector.errors import ProtocolError, WireError
from collector.model import SelectionFilter
from collector.service.ways import Ways
from collector.subscriber.abilities.capabilities import Ask, DeviceCapabilities, Extension, look
from collector.subscriber.abilities.facts import SUBSCRIPTIONS, Fact, NodeFact, facts, node_facts
from collector.subscriber.abilities.modules import ModuleReader
from collector.subscriber.sessions.session import NetconfSession, SessionSettings
from collector.wire.netconf.library import originator_leaves
from collector.wire.netconf.rpc import Get, decode_reply, encode_rpc
from collector.wire.netconf.schemas import ModuleId
from collector.wire.values import names, xml

KNOWN_SPELLING = "2026-02-21"
"""Revision of ietf-distributed-notif of draft -18; nobody knows which draft an older one is of."""
CONFIGURED_ONLY = "2026-04-13"
"""Revision of ietf-distributed-notif from which on replies carry no list."""


class Findings(Struct, frozen=True):
    """Everything that could be found out."""

    device: str
    where: str
    """``host:port``."""
    facts: tuple[Fact, ...]
    nodes: tuple[NodeFact, ...]
    unanswered: tuple[str, ...] = ()
    """Sentences: what was asked for and not answered, so that nothing of it is known."""

    @property
    def nothing(self) -> bool:
        """It says that it has no subscriptions at all (RFC 8639)."""
        return any(one.name == SUBSCRIPTIONS and one.value is False for one in self.facts)


def read_capabilities(
    settings: SessionSettings, *, session: str, device: str, ways: Ways | None = None
) -> Findings:
    """What a device says that it can.

    Args:
        settings: how to reach it.
        session: which client holds the session.
        device: its name.
        ways: how a session is had; None: by connecting.

    Raises:
        SessionError: no session, or it ended.
        ConfigError: a secret or key cannot be had.
    """
    return asyncio.run(find_out(settings, session, device, ways))


async def find_out(
    settings: SessionSettings, session: str, device: str, ways: Ways | None = None
) -> Findings:
    """See ``read_capabilities``."""
    async with (ways or Ways()).sessions({device: settings}) as make:
        opened = make(device, session)
        try:
            await opened.open()
            known = await look(_asking(opened), opened.capabilities, thorough=True)
            extension = await _extension(opened, known)
        finally:
            await opened.close()
    return Findings(
        device, opened.settings.where, facts(known, extension), node_facts(known),
        tuple(f"of {name} nothing is known: {why}" for name, why in known.unanswered.items()),
    )  # fmt: skip


def _asking(session: NetconfSession) -> Ask:
    ids = count(1)

    async def ask(selection: SelectionFilter) -> xml.Element | None:
        request = encode_rpc(f"look-{next(ids)}", Get(None, selection))
        reply = decode_reply(await session.rpc(request))
        if reply.error is not None:
            raise reply.error
        return reply.data

    return ask


async def _extension(session: NetconfSession, known: DeviceCapabilities) -> Extension | None:
    """How it spells the originator id: its own module says it best."""
    for name in names.GENERATOR_MODULES:
        module, source = known.module(name)
        if module is None:
            continue
        try:
            text = await ModuleReader(session).text_of(ModuleId(name, module.revision))
        except (ProtocolError, WireError):
            leaves, in_reply = by_revision(name, module.revision)
            said = "revision" if leaves else ""
            return Extension(module, leaves, in_reply, source, said)
        found, replies = originator_leaves(text)
        return Extension(module, found, replies, source, "module")
    return None


def by_revision(name: str, revision: str) -> tuple[tuple[str, ...], bool | None]:
    """What is known of a revision of such a module; empty, None: nothing."""
    if name == names.MSO:
        return (names.CONTROL_MODES[names.MODE_MSO].leaf,), True
    if name == names.DN and revision >= KNOWN_SPELLING:
        return (names.CONTROL_MODES[names.MODE_DN_19].leaf,), revision < CONFIGURED_ONLY
    return (), None
