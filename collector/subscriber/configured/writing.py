"""Edits written to a device: locks, candidate and commit or running, confirmed, and saved.

Does not: plan, look (``configuring``). Rules: what others have in candidate is never committed;
candidate is given back as it was when anything fails; where the device can take a commit back, it
is confirmed only once the device shows in ``/subscriptions`` what was written, and until then a
token lets any session of ours end it, so that the loss of one leaves nothing in doubt.
Spec: RFC 6241 §7.5, §8.3, §8.4, §8.7.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager

from msgspec import Struct

from collector.errors import ProtocolError, SessionError
from collector.subscriber.abilities.modules import NOT_SUPPORTED
from collector.subscriber.configured.talk import Talk
from collector.wire.netconf.rpc import (
    CANDIDATE,
    RUNNING,
    STARTUP,
    CancelCommit,
    Commit,
    CopyConfig,
    DiscardChanges,
    EditConfig,
    Lock,
    Unlock,
    Validate,
)
from collector.wire.subscriptions.config import (
    SUBSCRIPTIONS,
    ConfiguredSubscription,
    Edit,
    write_edits,
)
from collector.wire.values import xml

CONFIRM_SECONDS = 120
"""After which a device takes back what we did not confirm (ours)."""
_KEPT_SECONDS = 5.0
"""How long a device may take to show what it keeps in any case (ours)."""
_STEP_SECONDS = 0.5
_LONGEST_STEP = 2.0


class How(Struct, frozen=True):
    """What an operator may choose."""

    confirm: bool = True
    """Commit in a way that the device takes back unless it shows the subscriptions, if it can."""
    startup: bool | None = None
    """Copy running to startup where that is a datastore of its own: False: never; True: whatever
    others have changed; None: unless others have changes that are not saved."""
    only: frozenset[str] | None = None
    """Names of the subscriptions that it is about; None: all that are wanted."""
    seen_seconds: float = 20.0
    """How long the device may take to show what was written; well below ``CONFIRM_SECONDS``."""


PLAIN = How()
"""Nobody chose anything."""


class Unconfirmed(Struct, frozen=True):
    """A commit that the device takes back unless somebody confirms it."""

    token: str | None
    """None: its own session alone can (:confirmed-commit:1.0)."""
    edits: tuple[Edit, ...]


class Writer:
    """In one session."""

    def __init__(self, talk: Talk, how: How) -> None:
        self._talk = talk
        self._how = how
        self.unconfirmed: Unconfirmed | None = None
        """What was committed and neither confirmed nor taken back yet."""

    @property
    def target(self) -> str:
        """Where edits go."""
        return CANDIDATE if self._talk.has("candidate") else RUNNING

    @asynccontextmanager
    async def locked(self, *datastores: str) -> AsyncIterator[frozenset[str]]:
        """While nobody else changes these; those that were locked. Raises ProtocolError."""
        held: list[str] = []
        try:
            for datastore in dict.fromkeys(datastores):
                if await self._lock(datastore):
                    held += [datastore]
            yield frozenset(held)
        finally:
            for datastore in reversed(held):
                await self._talk.quietly(Unlock(datastore))

    async def _lock(self, datastore: str) -> bool:
        """False: the device has no locks, which is no reason not to do it."""
        try:
            await self._talk.ask(Lock(datastore))
        except ProtocolError as error:
            if error.tag in NOT_SUPPORTED:
                return False
            raise
        return True

    # ------------------------------------------------------------------ edits
    async def write(
        self, edits: tuple[Edit, ...], transport_module: str, held: frozenset[str]
    ) -> bool:
        """Into running, at once or through candidate; ``held``: what is locked.

        Returns:
            Whether the device showed it, and would have taken it back otherwise.

        Raises:
            ProtocolError: the device refused, or does not show it; it has what it had before.
            SessionError: the session ended: see ``unconfirmed``.
        """
        config = write_edits(edits, transport_module)
        can_roll_back = self._talk.has("rollback-on-error")
        rollback = "rollback-on-error" if can_roll_back else "stop-on-error"
        edit = EditConfig(self.target, config, error_option=rollback)
        if self.target == RUNNING:
            await self._talk.ask(edit)
            return False
        await self._check_candidate(CANDIDATE in held)
        try:
            await self._talk.ask(edit)
            if self._talk.has("validate"):
                await self._talk.ask(Validate(CANDIDATE))
            return await self._commit(edits)
        except ProtocolError:
            await self._talk.quietly(DiscardChanges())
            raise

    async def _check_candidate(self, locked: bool) -> None:
        """With a lock there are no other changes below /subscriptions by RFC 6241 §7.5; without it
        all has to be compared. Raises ProtocolError."""
        selection = SUBSCRIPTIONS if locked else None
        candidate = await self._talk.data(CANDIDATE, selection)
        if candidate != await self._talk.data(RUNNING, selection):
            raise ProtocolError("somebody has changes in candidate that are not committed")

    async def _commit(self, edits: tuple[Edit, ...]) -> bool:
        if not (self._how.confirm and self._talk.has("confirmed-commit")):
            await self._talk.ask(Commit())
            return False
        knows_tokens = self._talk.has("confirmed-commit", "1.1")
        token = secrets.token_hex(16) if knows_tokens else None
        self.unconfirmed = Unconfirmed(token, edits)
        commit = Commit(confirmed=True, confirm_timeout_seconds=CONFIRM_SECONDS, persist=token)
        try:
            await self._talk.ask(commit)
        except ProtocolError:
            self.unconfirmed = None
            raise
        await self.confirm(self.unconfirmed)
        return True

    # ------------------------------------------------------------------ confirmed commits
    async def confirm(self, one: Unconfirmed) -> None:
        """Confirm a commit once the device shows what it wrote, else take it back.

        Raises:
            ProtocolError: it was taken back, or is by the device in a while: the text says which.
            SessionError: the session ended.
        """
        self.unconfirmed = one
        try:
            await self._see(one.edits)
            await self._talk.ask(Commit(persist_id=one.token))
        except ProtocolError as error:
            taken_back = await self._take_back(one)
            self.unconfirmed = None
            raise ProtocolError(
                f"{error}; {taken_back}",
                tag=error.tag, identity=error.identity, path=error.path, hints=error.hints,
            ) from error  # fmt: skip
        self.unconfirmed = None

    async def _take_back(self, one: Unconfirmed) -> str:
        """How that went, a clause."""
        if one.token is None:  # 1.0 has no cancel-commit: the end of the session does it
            return "the device takes the changes back"
        try:
            await self._talk.ask(CancelCommit(one.token))
        except (ProtocolError, SessionError):
            return f"the device takes the changes back within {CONFIRM_SECONDS} s"
        return "the changes were taken back"

    async def _see(self, edits: Iterable[Edit]) -> None:
        """Wait until it shows them in ``/subscriptions``. Raises ProtocolError, SessionError."""
        missing = await self._missing(edits, self._how.seen_seconds)
        if missing:
            text = f"{missing} (--no-confirm keeps it all the same)"
            raise ProtocolError(text, tag="operation-failed")

    async def not_shown(self, edits: Iterable[Edit]) -> str:
        """What the device does not show of what it keeps in any case, a clause.

        Raises:
            SessionError: the session ended.
        """
        try:
            return await self._missing(edits, min(self._how.seen_seconds, _KEPT_SECONDS))
        except ProtocolError as error:
            return f"it does not say what became of them: {error}"

    async def _missing(self, edits: Iterable[Edit], seconds: float) -> str:
        """A clause once that time is over; empty as soon as all is there."""
        loop = asyncio.get_running_loop()
        end, step = loop.time() + seconds, _STEP_SECONDS
        while True:
            missing = tuple(_not_as_written(edits, await self._talk.get(SUBSCRIPTIONS)))
            if not missing or loop.time() + step > end:
                return " and ".join(missing)
            await asyncio.sleep(step)
            step = min(step * 2, _LONGEST_STEP)

    # ------------------------------------------------------------------ startup
    async def save(self) -> None:
        """What is running is what it starts with. Raises ProtocolError, SessionError."""
        await self._talk.ask(CopyConfig(STARTUP, RUNNING))


def _not_as_written(edits: Iterable[Edit], data: xml.Element | None) -> Iterator[str]:
    """Clauses: what the device does not show as it was written.

    Without ``configured-subscription-state`` being there is enough: devices leave it out.
    """
    states = {
        entry.text_of("id"): entry.text_of("configured-subscription-state")
        for tree in (() if data is None else data.find_all("subscriptions"))
        for entry in tree.find_all("subscription")
    }
    for edit in edits:
        entry = edit.after or edit.before
        if not isinstance(entry, ConfiguredSubscription):
            continue
        state = states.get(str(entry.id))
        if edit.after is None:
            if state is not None:
                yield f"it still shows subscription {entry.id} in /subscriptions"
        elif state is None:
            yield f"it does not show subscription {entry.id} in /subscriptions"
        elif state == "invalid":
            yield f"subscription {entry.id} is invalid there"
