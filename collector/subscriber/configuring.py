"""A device's configured subscriptions, looked at and changed in an open NETCONF session.

Does: what is wanted there, out of the configuration; read what is there; carry a plan out, through
candidate with lock and commit where the device has it, else in running. Does not: plan
(``config_plan``), open sessions, print.

Rules: what is written is planned anew under the lock, and nothing is written when that differs from
what was shown; candidate is given back as it was when anything fails; the changes of others in it
are never committed. Spec: RFC 6241 §7, §8; RFC 8639 §2.5.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import count

from msgspec import Struct
from msgspec.structs import replace

from collector.config import Config, SubscriptionSettings
from collector.config.subscriptions import ReceiverInstanceSettings
from collector.errors import ProtocolError, SessionError, WireError
from collector.model import DeviceTime, SelectionFilter
from collector.subscriber.asked import anchor_offset
from collector.subscriber.capabilities import look
from collector.subscriber.checks import configured_doubts, doubts
from collector.subscriber.config_plan import Plan, WantedConfigured, plan
from collector.subscriber.knowledge import LOOK_SECONDS
from collector.subscriber.modules import NOT_SUPPORTED, ModuleReader
from collector.subscriber.session import NetconfSession
from collector.subscriber.wanted import terms_from
from collector.wire import names, xml
from collector.wire.netconf_rpc import (
    CANDIDATE,
    RUNNING,
    Commit,
    DiscardChanges,
    EditConfig,
    Get,
    GetConfig,
    Lock,
    Operation,
    RpcReply,
    Unlock,
    Validate,
    decode_reply,
    encode_rpc,
)
from collector.wire.receiver_instances import UDP_NOTIF, ReceiverInstance
from collector.wire.subscription_config import (
    SUBSCRIPTIONS,
    Configuration,
    ConfiguredSubscription,
    read_configuration,
    write_edits,
)

_CAPABILITY = "urn:ietf:params:netconf:capability:"
_ANCHOR_FROM = 1_735_689_600_000_000_000
"""2025-01-01 as an anchor is understood by every device, and it stays the same (ours)."""


class WantedConfiguration(Struct, frozen=True):
    """What one device is to have."""

    instances: tuple[ReceiverInstance, ...] = ()
    """All of ours; those that a subscription uses come first."""
    subscriptions: tuple[WantedConfigured, ...] = ()


class Look(Struct, frozen=True):
    """What a look at a device showed."""

    plan: Plan
    datastore: str
    """Where it would be written: ``candidate`` or ``running``."""
    marked: bool = True
    """Whether the device knows the leaf ``purpose``, as far as that is known."""
    startup: bool = False
    """Whether what it starts with is a datastore of its own (RFC 6241 §8.7)."""
    doubts: tuple[str, ...] = ()
    """Sentences: what the device will probably take and not do."""


# --------------------------------------------------------------------------- what is wanted
def configured_on(config: Config, device: str) -> WantedConfiguration:
    """What the configuration wants to have configured on a device."""
    known = {one.name: one for one in config.receiver_instances}
    reached = [one.name for one in config.devices if one.netconf is not None]
    wanted = [
        one
        for one in config.subscriptions
        if one.configured_id is not None and ("*" in one.devices or device in one.devices)
    ]
    ids = {one.name: one.configured_id for one in wanted}
    subscriptions = tuple(_wanted(one, known, ids, device, len(reached)) for one in wanted)
    used = [name for one in wanted for name in one.receivers]
    instances = (known[name] for name in dict.fromkeys((*used, *known)))
    return WantedConfiguration(tuple(_instance(one) for one in instances), subscriptions)


def _wanted(
    one: SubscriptionSettings,
    instances: dict[str, ReceiverInstanceSettings],
    ids: dict[str, int | None],
    device: str,
    devices: int,
) -> WantedConfigured:
    assert one.configured_id is not None
    terms = terms_from(one, ids)
    anchor = terms.anchor_time
    if terms.period is not None and anchor is None:
        offset = anchor_offset(device, terms.period, devices)
        anchor = DeviceTime(-(-_ANCHOR_FROM // terms.period) * terms.period + offset)
    transport = instances[one.receivers[0]].transport
    return WantedConfigured(
        one.name,
        one.configured_id,
        replace(terms, anchor_time=anchor, transport=transport),
        one.receivers,
        replay=one.configured_replay,
        any_anchor=one.anchor == "auto",
    )


def _instance(one: ReceiverInstanceSettings) -> ReceiverInstance:
    https = one.transport == "https"
    return ReceiverInstance(
        one.name,
        one.transport,
        one.address,
        one.port,
        path=one.path if https else "",
        secure=one.tls,
        tls=one.tls_parameters or "",
        enable_segmentation=https or one.enable_segmentation,
        max_segment_size=None if https else one.max_segment_size,
        spelling="" if one.spelling == "auto" else one.spelling,
    )


# --------------------------------------------------------------------------- one device
class Configurer:
    """Works in one session."""

    def __init__(
        self,
        session: NetconfSession,
        wanted: WantedConfiguration,
        *,
        remove: bool = False,
        prune: bool = False,
    ) -> None:
        """
        Args:
            session: open.
            wanted: what the device is to have.
            remove: it is not to have it any more.
            prune: nor what is ours and not wanted.
        """
        self._session = session
        self._wanted = wanted
        self._remove = remove
        self._prune = prune
        self._ids = count(1)
        self._modules: frozenset[str] | None = None
        self._transport_module = ""
        """That defines the identities of udp-notif on this device."""

    async def look(self, *, marked: bool = True) -> Look:
        """What would be done, nothing of it is.

        Raises:
            ProtocolError: the device refused, or what it said cannot be read.
            SessionError: the session ended.
        """
        planned = await self._plan(marked=marked)
        doubts = await self._doubts(planned)
        return Look(planned, self._target(), marked, self._has("startup"), doubts)

    async def carry_out(self, shown: Look) -> Look:
        """Do what was shown; returns what is left to do afterwards, which should be nothing.

        Raises:
            ProtocolError: the device refused, and has what it had before; or somebody changed
                something since the look.
            SessionError: the session ended; the device forgets what was not committed.
        """
        try:
            return await self._carry_out(shown)
        except ProtocolError as error:
            if not (shown.marked and _is_about_purpose(error)):
                raise
        unmarked = await self.look(marked=False)
        return await self._carry_out(unmarked)

    # ------------------------------------------------------------------ reading
    async def _plan(self, *, marked: bool) -> Plan:
        found = await self._read(RUNNING)
        instances = [await self._spelled(one, found) for one in self._wanted.instances]
        self._transport_module = _module_of(instances)
        return plan(
            found,
            instances,
            self._wanted.subscriptions,
            remove=self._remove,
            prune=self._prune,
            marked=marked,
        )

    async def _data(self, datastore: str, selection: SelectionFilter | None) -> xml.Element:
        data = (await self._ask(GetConfig(datastore, selection))).data
        if data is None:
            raise ProtocolError(f"the reply to get-config of {datastore} carries no data")
        return data

    async def _read(self, datastore: str) -> Configuration:
        data = await self._data(datastore, SUBSCRIPTIONS)
        try:
            return read_configuration(data.children)
        except WireError as error:
            raise ProtocolError(f"its configuration cannot be read: {error}") from error

    async def _spelled(self, one: ReceiverInstance, found: Configuration) -> ReceiverInstance:
        """In the spelling that the device has, or says that it has."""
        if one.spelling:
            return one
        for there in found.instances:
            if there.transport == one.transport:
                return replace(one, spelling=there.spelling)
        old, new = names.UDP_OLD, names.UDP_TRANSPORT
        if one.transport == UDP_NOTIF:
            modules = await self._module_names()
            if old in modules and new not in modules:
                return replace(one, spelling="udp-notif-08")
        return one

    async def _doubts(self, planned: Plan) -> tuple[str, ...]:
        """Of what would be written; a device that does not say what it can leaves none."""
        written = {
            edit.after.id
            for edit in planned.edits
            if isinstance(edit.after, ConfiguredSubscription)
        }
        asked = [
            one
            for one in self._wanted.subscriptions
            if planned.ids.get(one.name) in written and not self._remove
        ]
        if not asked:
            return ()
        streams = any(one.terms.stream is not None for one in asked)
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                known = await look(self._get, self._session.capabilities, streams=streams)
        except TimeoutError:
            return ()
        return tuple(
            f"{one.name} will probably be invalid there: {why}"
            for one in asked
            for why in (*configured_doubts(one.terms, known), *doubts(one.terms, known))
        )

    async def _get(self, selection: SelectionFilter) -> xml.Element | None:
        return (await self._ask(Get(None, selection))).data

    async def _module_names(self) -> frozenset[str]:
        """Of its YANG library, else of its hello; empty: it does not say."""
        if self._modules is None:
            try:
                _, found = await ModuleReader(self._session).inventory()
            except (ProtocolError, WireError):
                self._modules = frozenset()
            else:
                self._modules = frozenset(one.name for one in found.modules)
        return self._modules

    def _has(self, capability: str) -> bool:
        start = f"{_CAPABILITY}{capability}:"
        return any(one.startswith(start) for one in self._session.capabilities)

    def _target(self) -> str:
        return CANDIDATE if self._has("candidate") else RUNNING

    # ------------------------------------------------------------------ writing
    async def _carry_out(self, shown: Look) -> Look:
        locked: list[str] = []
        try:
            for datastore in dict.fromkeys((RUNNING, shown.datastore)):
                if await self._lock(datastore):
                    locked += [datastore]
            now = await self._plan(marked=shown.marked)
            if now != shown.plan:
                raise ProtocolError("somebody changed it meanwhile; look at it once more")
            if now.edits:
                await self._write(shown.datastore, now, locked)
        finally:
            for datastore in reversed(locked):
                await self._quietly(Unlock(datastore))
        return await self.look(marked=shown.marked)

    async def _lock(self, datastore: str) -> bool:
        """False: the device has no locks, which is no reason not to do it."""
        try:
            await self._ask(Lock(datastore))
        except ProtocolError as error:
            if error.tag in NOT_SUPPORTED:
                return False
            raise
        return True

    async def _write(self, datastore: str, planned: Plan, locked: list[str]) -> None:
        config = write_edits(planned.edits, self._transport_module)
        rollback = "rollback-on-error" if self._has("rollback-on-error") else "stop-on-error"
        edit = EditConfig(datastore, config, error_option=rollback)
        if datastore == RUNNING:
            await self._ask(edit)
            return
        # with a lock there are none by RFC 6241 §7.5; without it all has to be compared
        selection = SUBSCRIPTIONS if CANDIDATE in locked else None
        if await self._data(CANDIDATE, selection) != await self._data(RUNNING, selection):
            raise ProtocolError("somebody has changes in candidate that are not committed")
        try:
            await self._ask(edit)
            if self._has("validate"):
                await self._ask(Validate(CANDIDATE))
            await self._ask(Commit())
        except ProtocolError:
            await self._quietly(DiscardChanges())
            raise

    async def _quietly(self, operation: Operation) -> None:
        """What is done after a failure must not hide it; the end of a session does it, too."""
        try:
            await self._ask(operation)
        except (ProtocolError, SessionError):
            pass

    async def _ask(self, operation: Operation) -> RpcReply:
        request = encode_rpc(str(next(self._ids)), operation)
        octets = await self._session.rpc(request)
        try:
            reply = decode_reply(octets, typed=False)  # one odd entry of others hides nothing
        except WireError as error:
            raise ProtocolError(f"its reply cannot be read: {error}") from error
        if reply.error is not None:
            raise reply.error
        return reply


def _module_of(instances: Iterable[ReceiverInstance]) -> str:
    return next((one.spelled.module for one in instances if one.transport == UDP_NOTIF), "")


def _is_about_purpose(error: ProtocolError) -> bool:
    said = (str(error), error.path, *error.hints.values())
    return any("purpose" in text for text in said)
