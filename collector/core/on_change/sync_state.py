"""What is known of an on-change subscription: whole, or did changes get lost on the way?

Does: keep for each (subscription, originator) whether everything since its last push-update came,
and say when it did not, so that the subscription can be asked for as a whole once more (RFC 8641
§4.4.4). Does not: ask, follow patch-ids (``patch_ids``) or Message IDs (``continuity``).

Rules: a loss is said when nothing healed it for two seconds: what was only overtaken arrives
meanwhile, and a card that restarts pushes everything by itself. Missing Message IDs are healed by
the messages themselves, or by a patch-id that goes on where the last one was; missing patches by
themselves; everything by a push-update of that originator. One loss asks once, and again after ten
seconds, then twice as long each time up to an hour, as long as no push-update came: that may be
lost as well. A gap while it is open is the same loss.
Spec: RFC 8641 §3.7 (patch-id), §3.11.1 (incomplete-update), §4.4.4 (resync-subscription).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from msgspec import Struct

from collector.core.on_change.tables import key_of, put_last
from collector.model import SECOND, CollectorTime, Event, OutOfSync

WAIT = 2 * SECOND
"""After a gap, before it is a loss (ours)."""
ASK_AGAIN = 10 * SECOND
LONGEST_WAIT = 3600 * SECOND
"""Between two requests for the same loss, at first and at most (ours)."""
KEPT_PER_DEVICE = 4096
ROOM = 1024
"""Entries below which nobody looks for those that are no longer due (ours)."""
SOMEBODY = ""
"""Originator of what is missing of a subscription, where the sender was never heard in it."""
HOLES = 16
"""Open runs of missing Message IDs that one originator remembers (ours)."""


class Missed(Struct, frozen=True, gc=False):
    """Message IDs are missing where an on-change subscription may have had them."""

    time: CollectorTime
    offset: int
    """Journal offset of the message that showed it."""
    device: str
    subscription_id: int
    revision: int
    generator: str
    hole: int
    """First missing id; -1: the ids began anew."""
    why: str


class Filled(Struct, frozen=True, gc=False):
    """All of them came after all."""

    time: CollectorTime
    offset: int
    device: str
    subscription_id: int
    revision: int
    generator: str
    hole: int


class Revised(Struct, frozen=True, gc=False):
    """A revision of a subscription began, or went on, or is over."""

    time: CollectorTime
    offset: int
    device: str
    subscription_id: int
    revision: int
    over: bool


class Sync(Struct):
    """One originator of one on-change subscription."""

    subscription_id: int
    revision: int
    generator: str
    whole_at: int | None = None
    """Arrival of its last push-update."""
    lost_at: int | None = None
    why: str = ""
    ids: list[int] = []
    """Open runs of missing Message IDs, by their first one."""
    patches: bool = False
    """Patches are missing, or something was left out."""
    said: bool = False
    due: int | None = None
    """When it is said, or asked for once more."""
    wait: int = 0
    """ns from the last request for the same loss to the next one."""
    losses: int = 0

    @property
    def word(self) -> str:
        """``whole``, ``lost``, or ``changes``: no push-update came yet to build them on."""
        if self.said:
            return "lost"
        return "changes" if self.whole_at is None else "whole"


Syncs = dict[str, Sync]
"""Of one device, by subscription id and originator; the one used last is the last one."""


class SyncStates:
    """All devices; their ``Syncs`` are kept by the caller."""

    def __init__(self, say: Callable[[Event], None]) -> None:
        """``say``: takes what is to be said."""
        self._say = say
        self._due: list[tuple[int, int, str, Sync]] = []
        """Heap of (time, serial, device, what); may name what is no longer due."""
        self._serial = 0
        self._room = ROOM
        """Entries at which those that are no longer due are looked for."""
        self._wanted: list[OutOfSync] = []

    def until(self, now: int) -> None:
        """Time passed: what was due before ``now`` is said."""
        while self._due and self._due[0][0] < now:
            time, _, device, sync = heapq.heappop(self._due)
            if sync.due == time:
                self._say_lost(device, sync, time)

    def take(self) -> list[OutOfSync]:
        """What is to be asked for since the last call."""
        wanted, self._wanted = self._wanted, []
        return wanted

    def restore(self, device: str, syncs: Syncs) -> None:
        """Enter what a restored device waits for."""
        for sync in syncs.values():
            if sync.due is not None:
                self._enter(device, sync, sync.due)

    @staticmethod
    def of(syncs: Syncs, subscription_id: int, revision: int, generator: str) -> Sync:
        """The state of an originator; of an older revision it begins anew."""
        key = key_of(subscription_id, generator)
        sync = syncs.get(key)
        if sync is None or sync.revision < revision:
            if sync is not None:
                sync.due = None
            sync = Sync(subscription_id, revision, generator)
        oldest = put_last(syncs, key, sync, KEPT_PER_DEVICE)
        if oldest is not None:
            oldest.due = None
        return sync

    # ------------------------------------------------------------------ what happens
    def revised(self, syncs: Syncs, one: Revised) -> None:
        """Older revisions, and one that is over, are of no interest any more."""
        newest = one.revision + one.over
        for key in [
            key for key, sync in syncs.items()
            if sync.subscription_id == one.subscription_id and sync.revision < newest
        ]:  # fmt: skip
            syncs.pop(key).due = None

    def missed(self, syncs: Syncs, one: Missed) -> None:
        """Message IDs are missing."""
        generator = one.generator
        if key_of(one.subscription_id, generator) not in syncs:
            generator = SOMEBODY
        sync = self.of(syncs, one.subscription_id, one.revision, generator)
        sync.ids = [*sync.ids, one.hole][-HOLES:]
        self._lost(one.device, sync, one.time, one.why)

    def filled(self, syncs: Syncs, one: Filled) -> None:
        """They came."""
        for generator in (one.generator, SOMEBODY):
            sync = syncs.get(key_of(one.subscription_id, generator))
            if sync is not None and one.hole in sync.ids:
                sync.ids.remove(one.hole)
                self._healed(one.device, sync, one.time)

    def went_on(self, device: str, sync: Sync, time: int) -> None:
        """A patch-id went on where the last one was: no patch is missing."""
        if sync.ids:
            sync.ids = []
            self._healed(device, sync, time)

    def patches_missing(self, device: str, sync: Sync, time: int, why: str) -> None:
        """Patch-ids jumped, or an update left something out."""
        sync.patches = True
        self._lost(device, sync, time, why)

    def patches_found(self, device: str, sync: Sync, time: int) -> None:
        """All of the missing ones came."""
        sync.patches = False
        self._healed(device, sync, time)

    def made_whole(self, device: str, syncs: Syncs, sync: Sync, time: int) -> None:
        """A push-update: nothing before it matters any more."""
        sync.whole_at = time
        for one in (sync, syncs.get(key_of(sync.subscription_id, SOMEBODY))):
            if one is not None:
                one.ids, one.patches = [], False
                self._healed(device, one, time)

    # ------------------------------------------------------------------ saying
    def _lost(self, device: str, sync: Sync, time: int, why: str) -> None:
        if sync.lost_at is None:
            sync.lost_at, sync.why = time, why
            self._enter(device, sync, time + WAIT)

    def _healed(self, device: str, sync: Sync, time: int) -> None:
        if sync.lost_at is None or sync.ids or sync.patches:
            return
        if sync.said:
            self._event(
                device, sync, time, "in_sync",
                f"{_who(sync)} is whole again, {(time - sync.lost_at) / SECOND:.0f} s after "
                "changes of it may have been lost.",
            )  # fmt: skip
        sync.lost_at, sync.due, sync.said, sync.wait = None, None, False, 0

    def _say_lost(self, device: str, sync: Sync, time: int) -> None:
        if not sync.said:
            sync.said = True
            sync.losses += 1
            self._event(
                device, sync, time, "out_of_sync",
                f"changes of {_who(sync)} may be lost: {sync.why}.",
            )  # fmt: skip
        number, generator = sync.subscription_id, sync.generator
        self._wanted.append(OutOfSync(CollectorTime(time), device, number, generator, sync.why))
        sync.wait = min(max(2 * sync.wait, ASK_AGAIN), LONGEST_WAIT)
        self._enter(device, sync, time + sync.wait)

    def _enter(self, device: str, sync: Sync, due: int) -> None:
        if len(self._due) >= self._room:
            self._due = [entry for entry in self._due if entry[3].due == entry[0]]
            heapq.heapify(self._due)
            self._room = max(ROOM, 2 * len(self._due))
        self._serial += 1
        sync.due = due
        heapq.heappush(self._due, (due, self._serial, device, sync))

    def _event(self, device: str, sync: Sync, time: int, kind: str, text: str) -> None:
        text = f"Subscription {sync.subscription_id}: {text}"
        self._say(Event(CollectorTime(time), device, sync.generator, kind, text))


def _who(sync: Sync) -> str:
    return sync.generator or "some generator"
