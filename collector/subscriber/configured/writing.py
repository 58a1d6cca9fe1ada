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
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager

from msgspec import Struct

from collector.errors import ProtocolError, SessionError
from collector.subscriber.abilities.modules import NOT_SUPPORTED
from collector.subscriber.configured.talk import GivenUpError, Talk, words
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
    Configuration,
    ConfiguredSubscription,
    Edit,
    write_edits,
)
from collector.wire.values import xml

CONFIRM_SECONDS = 120
"""After which a device takes back what we did not confirm (ours)."""
_KEPT_SECONDS = 5.0
"""How long a device may take to show what it keeps in any case (ours)."""
_NO_SUCH_COMMIT = NOT_SUPPORTED | {"bad-element"}
"""Tags of those who do not know what their hello says that they know."""
_HELD = frozenset(("lock-denied", "in-use"))
"""Tags of those who say that somebody else has it (RFC 6241 §7.5)."""
_STEP_SECONDS = 0.5
_LONGEST_STEP = 2.0


class How(Struct, frozen=True):
    """What an operator may choose."""

    remove: bool = False
    """The device is not to have any more what is wanted."""
    prune: bool = False
    """Nor what is ours and not wanted."""
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


class Expected(Struct, frozen=True):
    """What a device should show in ``/subscriptions`` after edits."""

    there: tuple[int, ...] = ()
    """Ids; none of them invalid."""
    gone: tuple[int, ...] = ()


def expected(edits: Iterable[Edit], before: Configuration) -> Expected:
    """What these edits of that configuration are to bring.

    Also of subscriptions that they do not touch, but a receiver of theirs: it can make them
    invalid just as well.
    """
    there: list[int] = []
    gone: list[int] = []
    moved: set[str] = set()
    for edit in edits:
        entry = edit.after or edit.before
        if isinstance(entry, ConfiguredSubscription):
            (gone if edit.after is None else there).append(entry.id)
        elif entry is not None and edit.before is not None and edit.after is not None:
            moved.add(entry.name)
    users = (
        one.id
        for one in before.subscriptions
        if any(receiver.instance in moved for receiver in one.receivers) and one.id not in gone
    )
    return Expected(tuple(dict.fromkeys((*there, *users))), tuple(gone))


class Unconfirmed(Struct, frozen=True):
    """A commit that the device takes back unless somebody confirms it."""

    token: str | None
    """None: its own session alone can (:confirmed-commit:1.0)."""
    expected: Expected


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
        except (asyncio.CancelledError, SessionError):
            held.clear()  # they go with the session, which may be mute: nobody waits for it again
            raise
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
            if error.tag not in _HELD:
                raise
            may_wait = self._talk.has("confirmed-commit")
            text = _who_holds(datastore, error, may_wait=may_wait)
            raise GivenUpError(text, tag=error.tag, hints=error.hints) from error
        return True

    # ------------------------------------------------------------------ edits
    async def write(
        self,
        edits: tuple[Edit, ...],
        transport_module: str,
        held: frozenset[str],
        seen: Expected,
    ) -> bool:
        """Into running, at once or through candidate.

        Args:
            edits: what to change.
            transport_module: see ``write_edits``.
            held: what is locked.
            seen: what the device should show then.

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
            return await self._commit(seen)
        except ProtocolError:
            await self._talk.quietly(DiscardChanges())
            raise

    async def _check_candidate(self, locked: bool) -> None:
        """With a lock there are no other changes below /subscriptions by RFC 6241 §7.5; without it
        all has to be compared. Raises ProtocolError."""
        selection = SUBSCRIPTIONS if locked else None
        candidate = await self._talk.data(CANDIDATE, selection)
        if candidate != await self._talk.data(RUNNING, selection):
            raise GivenUpError("somebody has changes in candidate that are not committed")

    async def _commit(self, seen: Expected) -> bool:
        if not (self._how.confirm and self._talk.has("confirmed-commit")):
            await self._talk.ask(Commit())
            return False
        knows_tokens = self._talk.has("confirmed-commit", "1.1")
        token = secrets.token_hex(16) if knows_tokens else None
        self.unconfirmed = Unconfirmed(token, seen)
        commit = Commit(confirmed=True, confirm_timeout_seconds=CONFIRM_SECONDS, persist=token)
        try:
            await self._talk.ask(commit)
        except ProtocolError as error:
            self.unconfirmed = None
            if error.tag in _NO_SUCH_COMMIT:
                why = f"it cannot wait for a confirmation after all ({words(error)})"
                text = f"{why}; say --no-confirm"
                raise GivenUpError(text, path=error.path, hints=error.hints) from error
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
            await self._see(one.expected)
            await self._talk.ask(Commit(persist_id=one.token))
        except GivenUpError as error:
            text = f"{error}, so {await self._take_back(one)}; --no-confirm keeps such changes"
            self.unconfirmed = None
            raise GivenUpError(text) from error
        except ProtocolError as error:
            taken_back = await self._take_back(one)
            self.unconfirmed = None
            raise ProtocolError(
                f"{words(error)}; {taken_back}",
                tag=error.tag, identity=error.identity, path=error.path, hints=error.hints,
            ) from error  # fmt: skip
        self.unconfirmed = None

    async def _take_back(self, one: Unconfirmed) -> str:
        """How that went, a clause."""
        if one.token is None:  # 1.0 has no cancel-commit: the end of the session does it
            return f"the device takes the changes back, within {CONFIRM_SECONDS} s at most"
        try:
            await self._talk.ask(CancelCommit(one.token))
        except (ProtocolError, SessionError):
            text = f"the device takes the changes back within {CONFIRM_SECONDS} s"
            return f"{text}, and until then lets nobody write"
        return "the changes were taken back"

    async def _see(self, seen: Expected) -> None:
        """Wait until it shows them in ``/subscriptions``. Raises ProtocolError, SessionError."""
        missing = await self._missing(seen, self._how.seen_seconds)
        if missing:
            raise GivenUpError(missing)

    async def not_shown(self, seen: Expected) -> str:
        """What the device does not show of what it keeps in any case, a clause.

        Raises:
            SessionError: the session ended.
        """
        try:
            return await self._missing(seen, min(self._how.seen_seconds, _KEPT_SECONDS))
        except ProtocolError as error:
            return f"it does not say what became of them: {words(error)}"

    async def _missing(self, seen: Expected, seconds: float) -> str:
        """A clause once that time is over; empty as soon as all is there."""
        loop = asyncio.get_running_loop()
        begin, step = loop.time(), _STEP_SECONDS
        while True:
            states = _states_in(await self._talk.get(SUBSCRIPTIONS))
            missing = tuple(_not_as_written(seen, states))
            # that it is invalid a device says once it has looked at it, which takes no time
            said = all(str(number) in states for number in seen.there)
            patience = min(seconds, _KEPT_SECONDS) if said else seconds
            if not missing or loop.time() + step > begin + patience:
                return " and ".join(missing)
            await asyncio.sleep(step)
            step = min(step * 2, _LONGEST_STEP)

    # ------------------------------------------------------------------ startup
    async def save(self) -> None:
        """What is running is what it starts with. Raises ProtocolError, SessionError."""
        await self._talk.ask(CopyConfig(STARTUP, RUNNING))


def _who_holds(datastore: str, error: ProtocolError, *, may_wait: bool) -> str:
    """A sentence on a lock that is not to be had; ``may_wait``: the device knows commits that wait
    to be confirmed, and locks running as long as one does (RFC 6241 §7.5)."""
    holder = error.hints.get("session-id", "").strip()
    if holder == "0":
        whose = "somebody outside NETCONF, or by changes there that nobody has committed"
    elif holder.isdecimal() and len(holder) <= 10:
        whose = f"session {holder}"
    else:
        whose = "somebody else"
    text = f"{datastore} is held by {whose} ({words(error)})"
    if datastore == RUNNING and may_wait:
        text += (
            "; if that is a change which waits to be confirmed, it ends by itself, one of"
            f" `collector configure` within {CONFIRM_SECONDS} s"
        )
    return text


def _states_in(data: xml.Element | None) -> dict[str, str]:
    """Id -> ``configured-subscription-state``; empty where a device leaves that out."""
    return {
        entry.text_of("id"): entry.text_of("configured-subscription-state")
        for tree in (() if data is None else data.find_all("subscriptions"))
        for entry in tree.find_all("subscription")
    }


def _not_as_written(seen: Expected, states: Mapping[str, str]) -> Iterator[str]:
    """Clauses: what the device does not show as it was written."""
    for number in seen.there:
        state = states.get(str(number))
        if state is None:
            yield f"it does not show subscription {number} in /subscriptions"
        elif state == "invalid":
            yield f"subscription {number} is invalid there"
    for number in seen.gone:
        if str(number) in states:
            yield f"it still shows subscription {number} in /subscriptions"
