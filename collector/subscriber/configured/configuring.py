"""A device's configured subscriptions, looked at and changed in an open NETCONF session.

Does: read what is there, have a plan made (``plan``), shown to somebody and carried out
(``writing``), see to it that the device starts with it. Does not: plan, open sessions,
print.

Rules: what is written is planned anew under the lock, and nothing is written when that differs from
what was shown. Spec: RFC 6241 §7, §8; RFC 8639 §2.5.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from collector.errors import ProtocolError, SessionError, WireError
from collector.subscriber.abilities.capabilities import look
from collector.subscriber.abilities.checks import configured_doubts, doubts, selects_nothing
from collector.subscriber.abilities.knowledge import LOOK_SECONDS
from collector.subscriber.abilities.modules import ModuleReader
from collector.subscriber.configured.plan import Plan, plan
from collector.subscriber.configured.saving import Saving, saving
from collector.subscriber.configured.talk import GivenUpError, Talk, configuration_in, words
from collector.subscriber.configured.wanted import WantedConfiguration
from collector.subscriber.configured.writing import PLAIN, How, Unconfirmed, Writer, expected
from collector.subscriber.sessions.session import NetconfSession
from collector.wire.netconf.node_paths import named_modules
from collector.wire.netconf.rpc import CANDIDATE, RUNNING, STARTUP
from collector.wire.subscriptions.config import Configuration, ConfiguredSubscription
from collector.wire.subscriptions.receiver_instances import UDP_NOTIF, ReceiverInstance
from collector.wire.values import names


class Look(Struct, frozen=True):
    """What a look at a device showed."""

    plan: Plan
    datastore: str
    """Where it would be written: ``candidate`` or ``running``."""
    marked: bool = True
    """Whether the device knows the leaf ``purpose``, as far as that is known."""
    startup: bool = False
    """Whether what it starts with is a datastore of its own (RFC 6241 §8.7)."""
    saving: Saving = Saving()
    """With ``startup``: whether running is to be copied there, and may be; nothing where nobody
    wants that."""
    doubts: tuple[str, ...] = ()
    """Sentences: what the device will probably take and not do."""

    @property
    def saves(self) -> bool:
        """Is running copied to startup when this is carried out?"""
        return self.saving.unsaved and not self.saving.hindered


class Done(Struct, frozen=True):
    """What became of it."""

    left: Look
    """What is left to do, which should be nothing."""
    confirmed: bool = False
    """The device showed what was written, and would have taken it back otherwise."""
    saved: bool = False
    """Running was copied to startup."""
    not_saved: str = ""
    """Why it could not be, a clause."""
    not_shown: str = ""
    """What the device keeps and does not show as it was written, a clause."""


class Configurer:
    """Works in one session."""

    def __init__(
        self, session: NetconfSession, wanted: WantedConfiguration, how: How = PLAIN
    ) -> None:
        """
        Args:
            session: open.
            wanted: what the device is to have.
            how: what the operator chose.
        """
        self._talk = Talk(session)
        self._writer = Writer(self._talk, how)
        self._wanted = wanted
        self._how = how
        self._written = False
        """The device has it, for good."""
        self._modules: frozenset[str] | None = None
        self._found = Configuration()
        """In running, as it was read last."""
        self._transport_module = ""
        """That defines the identities of udp-notif on this device."""

    @property
    def unconfirmed(self) -> Unconfirmed | None:
        """A commit that waits for another session, since this one ended too early."""
        return self._writer.unconfirmed

    async def look(self, *, marked: bool = True) -> Look:
        """What would be done, nothing of it is.

        Raises:
            ProtocolError: the device refused, or what it said cannot be read.
            SessionError: the session ended.
        """
        planned = await self._plan(marked=marked)
        doubts = await self._doubts(planned)
        return Look(
            planned, self._writer.target, marked, self._talk.has("startup"),
            await self._saving(planned), doubts,
        )  # fmt: skip

    async def carry_out(self, shown: Look) -> Done:
        """Do what was shown.

        Raises:
            ProtocolError: the device refused, and has what it had before; or somebody changed
                something since the look.
            SessionError: the session ended; the device forgets what was not committed, and
                ``unconfirmed`` is what it takes back unless ``finish`` comes in time.
        """
        try:
            return await self._carry_out(shown)
        except SessionError as error:
            if not self._written:
                raise
            startup = ", perhaps not in startup" if shown.saves else ""
            text = f"{error}; before that everything was written{startup}"
            raise SessionError(text, reason=error.reason, retryable=error.retryable) from error
        except ProtocolError as error:
            if not (shown.marked and _is_about_purpose(error)):
                raise
        unmarked = await self.look(marked=False)
        return await self._carry_out(unmarked)

    async def finish(self, begun: Unconfirmed) -> Done:
        """Confirm what another session committed, and save it. Raises as ``carry_out``."""
        self._writer.unconfirmed = begun
        async with self._writer.locked(CANDIDATE):  # else a change of others came into force, too
            await self._writer.confirm(begun)
        done = await self.carry_out(await self.look())
        return replace(done, confirmed=True)

    # ------------------------------------------------------------------ reading
    async def _plan(self, *, marked: bool) -> Plan:
        self._found = found = await self._talk.read(RUNNING)
        instances = [await self._spelled(one, found) for one in self._wanted.instances]
        self._transport_module = _module_of(instances)
        return plan(
            found,
            instances,
            self._wanted.subscriptions,
            remove=self._how.remove,
            prune=self._how.prune,
            marked=marked,
        )

    async def _saving(self, planned: Plan) -> Saving:
        """What is to be said of startup. Raises SessionError."""
        if not self._talk.has("startup") or self._how.startup is False:
            return Saving()
        try:
            running = await self._talk.data(RUNNING, None)
            startup = await self._talk.data(STARTUP, None)
            found = saving(
                (running, configuration_in(running)),
                (startup, configuration_in(startup)),
                planned.edits,
                planned.ids.values(),
                [one.name for one in self._wanted.instances],
            )
        except ProtocolError as error:
            unsaved = bool(planned.edits) or self._how.startup is True
            found = Saving(unsaved, f"it cannot be compared with running: {words(error)}")
        return replace(found, hindered="") if self._how.startup else found

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
            if planned.ids.get(one.name) in written and not self._how.remove
        ]
        if not asked:
            return ()
        streams = any(one.terms.stream is not None for one in asked)
        modules = {name for one in asked for name in named_modules(one.terms.selection_filter)}
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                capabilities = self._talk.session.capabilities
                known = await look(
                    self._talk.get, capabilities, streams=streams, modules=sorted(modules)
                )
        except TimeoutError:
            return ()
        invalid = (
            f"{one.name} will probably be invalid there: {why}"
            for one in asked
            for why in (*configured_doubts(one.terms, known), *doubts(one.terms, known))
        )
        silent = (
            f"{one.name} will probably bring nothing: {why}"
            for one in asked
            for why in selects_nothing(one.terms, known)
        )
        return (*invalid, *silent)

    async def _module_names(self) -> frozenset[str]:
        """Of its YANG library, else of its hello; empty: it does not say."""
        if self._modules is None:
            try:
                _, found = await ModuleReader(self._talk.session).inventory()
            except (ProtocolError, WireError):
                self._modules = frozenset()
            else:
                self._modules = frozenset(one.name for one in found.modules)
        return self._modules

    # ------------------------------------------------------------------ writing
    async def _carry_out(self, shown: Look) -> Done:
        startup = (STARTUP,) if shown.saves else ()
        confirmed = saved = False
        not_saved = not_shown = ""
        async with self._writer.locked(RUNNING, shown.datastore, *startup) as held:
            now = await self._plan(marked=shown.marked)
            if now != shown.plan:
                raise GivenUpError("somebody changed it meanwhile; look at it once more")
            to_save = await self._saving(now)
            seen = expected(now.edits, self._found)
            if now.edits:
                module = self._transport_module
                confirmed = await self._writer.write(now.edits, module, held, seen)
                self._written = True
            if to_save.unsaved:
                not_saved = to_save.hindered or await self._save()
                saved = not not_saved
        if now.edits and not confirmed:
            not_shown = await self._writer.not_shown(seen)
        return Done(await self.look(marked=shown.marked), confirmed, saved, not_saved, not_shown)

    async def _save(self) -> str:
        """Why it could not be done, a clause; what is running stays. Raises SessionError."""
        try:
            await self._writer.save()
        except ProtocolError as error:
            return words(error)
        return ""


def _module_of(instances: Iterable[ReceiverInstance]) -> str:
    return next((one.spelled.module for one in instances if one.transport == UDP_NOTIF), "")


def _is_about_purpose(error: ProtocolError) -> bool:
    said = (str(error), error.path, *error.hints.values())
    return any("purpose" in text for text in said)
