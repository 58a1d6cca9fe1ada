"""What is configured on a device, what is wanted there, and the edits from one to the other.

Does: find what is ours, take over what does the same under another id or name, compare. Does not:
talk to a device (``configuring``), write XML (``wire.subscriptions.config``) or words
(``words``). Pure functions.

Rules: ours is what carries our mark in ``purpose``, and pushes to one of our receivers or to
nobody: another collector has the same mark. What pushes to our receivers alone and has no
purpose, under the wanted id or with the wanted terms, is taken over. Nothing else is ever changed
or removed: where it is in the way there is a conflict, said in a sentence, and no edit at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct, structs

from collector.model import SubscriptionTerms
from collector.subscriber.configured.terms import same_terms
from collector.wire.subscriptions.config import (
    Configuration,
    ConfiguredReceiver,
    ConfiguredSubscription,
    Edit,
)
from collector.wire.subscriptions.receiver_instances import ReceiverInstance, same_instance

MARK: Final = "yang-push collector: "
"""How the ``purpose`` of a subscription of ours begins; its name in the configuration follows."""


class WantedConfigured(Struct, frozen=True):
    """One subscription that a device is to have."""

    name: str
    """In the configuration, the same on every device."""
    id: int
    """Where it is made anew."""
    terms: SubscriptionTerms
    """With transport, and an anchor where there is a period."""
    receivers: tuple[str, ...]
    """Names of the wanted receiver instances."""
    replay: bool = False
    """Of a stream: what was kept since the device started is sent first (RFC 8639 §2.5.6)."""
    any_anchor: bool = False
    """Whether an anchor that the device has already is as good as that of ``terms``."""

    def terms_beside(self, there: ConfiguredSubscription) -> SubscriptionTerms:
        """The terms as they should be where that subscription is."""
        anchor = there.terms.anchor_time
        if self.any_anchor and anchor is not None and there.terms.period == self.terms.period:
            return structs.replace(self.terms, anchor_time=anchor)
        return self.terms


class Plan(Struct, frozen=True):
    """What is to be done on one device."""

    edits: tuple[Edit, ...] = ()
    ids: dict[str, int] = {}
    """Name of a subscription -> its id on the device, once the edits are done."""
    conflicts: tuple[str, ...] = ()
    """Sentences: what somebody else has where ours should be."""
    notes: tuple[str, ...] = ()
    """Sentences: what was taken over, and what is ours but no longer wanted."""


def plan(
    found: Configuration,
    instances: Iterable[ReceiverInstance],
    wanted: Iterable[WantedConfigured],
    *,
    remove: bool = False,
    prune: bool = False,
    marked: bool = True,
) -> Plan:
    """The edits that make it so.

    Args:
        found: what is configured.
        instances: our receivers, in the spelling of the device; those that no wanted subscription
            uses show what is ours.
        wanted: subscriptions that are wanted.
        remove: make the wanted ones go instead.
        prune: remove what is ours and no longer wanted, too.
        marked: False: the device does not know the leaf ``purpose``.
    """
    planning = _Planning(found, tuple(instances), tuple(wanted), marked=marked)
    if remove:
        planning.remove_wanted()
    else:
        planning.put()
    planning.look_for_leftovers(prune=prune)
    planning.unused_instances(remove=remove)
    return planning.result()


class _Planning:
    """One device's plan in the making."""

    def __init__(
        self,
        found: Configuration,
        instances: tuple[ReceiverInstance, ...],
        wanted: tuple[WantedConfigured, ...],
        *,
        marked: bool,
    ) -> None:
        self._found = found
        self._wanted = wanted
        self._marked = marked
        self._own = instances
        used = {name for one in wanted for name in one.receivers}
        self._instances = {one.name: one for one in instances if one.name in used}
        self._there = {one.name: one for one in found.instances}
        self._called: dict[str, str] = {}
        """Wanted instance -> what it is called on the device."""
        self._taken = {one.id for one in found.subscriptions} | set(_unreadable_ids(found))
        self._names = {one.name for one in wanted}
        self._edits: list[Edit] = []
        self._ids: dict[str, int] = {}
        self._claimed: set[int] = set()
        self._conflicts: list[str] = []
        self._notes: list[str] = []
        self._kept: list[str] = []

    def result(self) -> Plan:
        notes = (*self._notes, *self._kept)
        if not self._conflicts:
            return Plan(tuple(self._edits), self._ids, notes=notes)
        known = {one.id for one in self._found.subscriptions}
        ids = {name: number for name, number in self._ids.items() if number in known}
        return Plan((), ids, tuple(self._conflicts), notes)

    # ------------------------------------------------------------------ receiver instances
    def put(self) -> None:
        """Everything that is wanted."""
        for one in self._instances.values():
            self._put_instance(one)
        for wanted in self._wanted:
            self._put_subscription(wanted)

    def _put_instance(self, wanted: ReceiverInstance) -> None:
        there = self._there.get(wanted.name)
        self._called[wanted.name] = wanted.name
        if there is None:
            twin = self._twin(wanted)
            if twin is None:
                self._edits.append(Edit(None, wanted))
            else:
                self._called[wanted.name] = twin.name
                self._notes.append(
                    f"receiver-instance {twin.name} sends where {wanted.name} should: it is used"
                )
        elif not same_instance(there, wanted):
            others = [one.id for one in self._users(wanted.name) if not self._is_wanted(one)]
            if others:
                self._conflicts.append(
                    f"receiver-instance {wanted.name} sends elsewhere, and subscription"
                    f" {others[0]} of somebody else uses it; call ours otherwise"
                )
            else:
                self._edits.append(Edit(there, structs.replace(wanted, spelling=there.spelling)))

    def _twin(self, wanted: ReceiverInstance) -> ReceiverInstance | None:
        return next((one for one in self._found.instances if same_instance(one, wanted)), None)

    def _users(self, instance: str) -> Iterator[ConfiguredSubscription]:
        for one in self._found.subscriptions:
            if any(receiver.instance == instance for receiver in one.receivers):
                yield one

    # ------------------------------------------------------------------ subscriptions
    def _is_marked(self, one: ConfiguredSubscription) -> bool:
        return one.purpose.startswith(MARK)

    def _leads_to_us(self, receiver: ConfiguredReceiver) -> bool:
        """To the place of one of our receivers, or under its name: it may have moved."""
        place = self._there.get(receiver.instance or "")
        return any(
            receiver.instance == one.name or (place is not None and same_instance(place, one))
            for one in self._own
        )

    def _is_our_own(self, one: ConfiguredSubscription) -> bool:
        """Marked, and not by another collector."""
        reaches = [self._leads_to_us(receiver) for receiver in one.receivers]
        return self._is_marked(one) and (any(reaches) or not reaches)

    def _is_wanted(self, one: ConfiguredSubscription) -> bool:
        return self._is_marked(one) and one.purpose.removeprefix(MARK) in self._names

    def _is_ours_to_take(self, one: ConfiguredSubscription) -> bool:
        """Does it push to our receivers alone, and says nobody that it is his?"""
        places = [self._there.get(receiver.instance or "") for receiver in one.receivers]
        ours = all(
            place is not None
            and any(same_instance(place, wanted) for wanted in self._instances.values())
            for place in places
        )
        return bool(places) and ours and not one.purpose

    def _does_the_same(self, one: ConfiguredSubscription, wanted: WantedConfigured) -> bool:
        if not self._is_ours_to_take(one):
            return False
        there = [self._there[receiver.instance or ""] for receiver in one.receivers]
        asked = [self._instances[name] for name in wanted.receivers]
        return (
            same_terms(one.terms, wanted.terms_beside(one))
            and all(any(same_instance(place, want) for want in asked) for place in there)
            and all(any(same_instance(place, want) for place in there) for want in asked)
        )

    def _existing(
        self, wanted: WantedConfigured, *, to_remove: bool = False
    ) -> ConfiguredSubscription | None:
        """What is there for it already; ``to_remove``: that nobody can miss but us."""
        free = [one for one in self._found.subscriptions if one.id not in self._claimed]
        for one in free:
            if one.purpose == MARK + wanted.name:
                return one
        for one in free:
            if self._does_the_same(one, wanted):
                self._note_taken(one, wanted)
                return one
        for one in free:
            if one.id == wanted.id and not to_remove:
                former = one.purpose.removeprefix(MARK)
                if self._is_our_own(one) and former not in self._names:
                    self._notes.append(f"subscription {one.id} was called {former}")
                    return one
                if self._is_ours_to_take(one):
                    self._note_taken(one, wanted)
                    return one
        return None

    def _note_taken(self, one: ConfiguredSubscription, wanted: WantedConfigured) -> None:
        if self._marked or one.id != wanted.id:
            self._notes.append(
                f"subscription {one.id} pushes to us already: it is taken over as {wanted.name}"
            )

    def _put_subscription(self, wanted: WantedConfigured) -> None:
        there = self._existing(wanted)
        if there is None and wanted.id in self._taken:
            self._conflicts.append(
                f"subscription {wanted.id} belongs to somebody else; give {wanted.name} another"
                " configured_id"
            )
            return
        ours = tuple(
            ConfiguredReceiver(self._called[name], self._called[name]) for name in wanted.receivers
        )
        purpose = MARK + wanted.name if self._marked else ""
        if there is None:
            self._ids[wanted.name] = wanted.id
            self._claimed.add(wanted.id)
            self._edits.append(
                Edit(
                    None,
                    ConfiguredSubscription(
                        wanted.id, wanted.terms, ours, purpose, replay=wanted.replay
                    ),
                )
            )
            return
        self._ids[wanted.name] = there.id
        self._claimed.add(there.id)
        after = ConfiguredSubscription(
            there.id,
            wanted.terms_beside(there),
            self._receivers(there, ours),
            purpose or there.purpose,
            replay=wanted.replay,
        )
        if not _same_subscription(there, after):
            self._edits.append(Edit(there, after))

    def _receivers(
        self, there: ConfiguredSubscription, ours: tuple[ConfiguredReceiver, ...]
    ) -> tuple[ConfiguredReceiver, ...]:
        """Theirs and ours; ours under the names that they have."""
        wanted = {one.instance for one in ours}
        known = {one.instance for one in there.receivers}
        kept = [one for one in there.receivers if one.instance in wanted or not self._may_drop(one)]
        return (*kept, *(one for one in ours if one.instance not in known))

    def _may_drop(self, receiver: ConfiguredReceiver) -> bool:
        """Was it one of ours: does it lead to a receiver of the configuration?"""
        return receiver.instance in self._instances

    # ------------------------------------------------------------------ removal
    def remove_wanted(self) -> None:
        """All subscriptions that are wanted go, and our receivers of those of others."""
        for wanted in self._wanted:
            while (there := self._existing(wanted, to_remove=True)) is not None:
                self._claimed.add(there.id)
                if self._is_our_own(there) or not there.purpose:
                    self._remove(there)
        self._notes.clear()  # nothing is taken over

    def _remove(self, there: ConfiguredSubscription) -> None:
        rest = tuple(one for one in there.receivers if not self._leads_to_us(one))
        after = structs.replace(there, receivers=rest, purpose="") if rest else None
        self._edits.append(Edit(there, after))
        if rest:
            self._kept.append(f"subscription {there.id} stays: it has other receivers, too")

    def look_for_leftovers(self, *, prune: bool) -> None:
        """What is ours by its mark, and nobody wants any more."""
        for one in self._found.subscriptions:
            if not self._is_our_own(one) or one.id in self._claimed:
                continue
            if prune:
                self._remove(one)
            else:
                name = one.purpose.removeprefix(MARK)
                twice = name in self._ids
                why = "is there a second time" if twice else "is not wanted here"
                self._notes.append(
                    f"subscription {one.id} was made for {name}, which {why}; --prune removes it"
                )

    def unused_instances(self, *, remove: bool) -> None:
        """Our receiver instances go with the last subscription that used them."""
        if not remove:
            return
        changed = {
            edit.before.id: edit.after
            for edit in self._edits
            if isinstance(edit.before, ConfiguredSubscription)
        }
        after = [changed.get(one.id, one) for one in self._found.subscriptions]
        used = {
            receiver.instance
            for one in after
            if isinstance(one, ConfiguredSubscription)
            for receiver in one.receivers
        }
        for name, wanted in self._instances.items():
            there = self._there.get(name)
            if there is not None and name not in used and same_instance(there, wanted):
                self._edits.append(Edit(there, None))


def _unreadable_ids(found: Configuration) -> Iterator[int]:
    for what in found.unreadable:
        kind, _, key = what.partition(" ")
        if kind == "subscription" and key.isascii() and key.isdecimal():
            yield int(key)


def _same_subscription(one: ConfiguredSubscription, other: ConfiguredSubscription) -> bool:
    return (
        same_terms(one.terms, other.terms)
        and (one.purpose, one.replay) == (other.purpose, other.replay)
        and {two.instance for two in one.receivers} == {two.instance for two in other.receivers}
    )
