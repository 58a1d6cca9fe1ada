"""Patch-ids of push-change-updates: is the sequence of edits of an originator whole?

Does: follow the patch-ids of each (subscription, originator) and say, as events and counts, where
patches are missing, came late, or began anew, and where an update left something out. Does not:
touch a verdict, or read contents; a patch-id comes in as the text that it is.

Rules (RFC 8641 §3.7): the id is a counter from 0, one up with every push-change-update, 0 again
after every push-update and after 2^32 - 1. Publishers of one device count on their own, so each
originator has a run of its own. The first id heard is a reference, never a loss. After a
push-update 0 goes on, and so does the next number: not all start anew. Where the text has something
before its digits (``patch-1``) the digits count while that stays the same. One id within ten
seconds may come several times: routers cut large patches into messages. Ids that do not move are
said once and no longer followed until they do. What repeats is said eight times, then at each power
of two. Everything is bounded; nothing of one device touches another's.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from collector.core.on_change import early_updates
from collector.core.on_change.sync_state import Filled, Missed, Revised, Sync, Syncs, SyncStates
from collector.core.on_change.tables import key_of, put_last
from collector.model import SECOND, CollectorTime, Event, OutOfSync

MODULUS_MASK = 0xFFFF_FFFF
HALF = 0x8000_0000
MAX_GAP = 65_536
"""A patch-id so far ahead is a new beginning (ours)."""
REPEATED_WITHIN = 10 * SECOND
"""A patch in several messages takes no longer (ours; seen: all of them in one second)."""
RUNS_PER_DEVICE = 4096
"""Originators of subscriptions that are followed (ours); the oldest run makes room."""
HOLES_PER_RUN = 16
SAID_AT_ONCE = 8
_LONGEST = 10
"""Digits of 2^32 - 1."""
_LONGEST_TEXT = 255
"""Characters of a patch-id that is followed (ours)."""


class Patched(Struct, frozen=True, gc=False):
    """A push-change-update, or a push-update of a subscription that has such."""

    time: CollectorTime
    """Arrival."""
    offset: int
    """Journal offset."""
    device: str
    subscription_id: int
    """-1 when it is unknown."""
    revision: int
    """-1 when the subscription is unknown."""
    generator: str
    patch_id: str | None
    """None of a push-update: ids begin anew behind it."""
    made: int
    """When it was made, by the publisher's clock; arrival when nothing says it."""
    incomplete: bool = False


class Run(Struct):
    """The ids of one originator in one revision of a subscription."""

    subscription_id: int
    revision: int
    generator: str
    prefix: str = ""
    last: int | None = None
    made: int = 0
    """Of the newest one."""
    anew: bool = False
    """A push-update came behind it."""
    stuck: bool = False
    holes: list[tuple[int, int]] = []
    """Missing ids: first and how many."""
    said: dict[str, int] = {}
    """Kind of event -> how often it happened."""


class Device(Struct):
    """One device."""

    runs: dict[str, Run] = {}
    """By subscription id and generator; the one used last is the last one."""
    syncs: Syncs = {}
    early: early_updates.Early = {}
    """Who was whole before its subscription was known."""
    known_to: int = 0
    """Inputs before this journal offset are known already (after a restart)."""


PatchInput = Patched | Missed | Filled | Revised


class PatchIds:
    """Continuity of edits; bounded by ``RUNS_PER_DEVICE``."""

    def __init__(self) -> None:
        self._devices: dict[str, Device] = {}
        self._said: list[Event] = []
        self._sync = SyncStates(lambda event: self._said.append(event))
        self._here = Sync(0, 0, "")
        """Of the message at hand."""
        self.counts: dict[str, int] = {}
        """What happened -> how often: ``gap``, ``missing`` (patches), ``late``, ``duplicate``,
        ``repeated``, ``restart``, ``not-counted``, ``incomplete``, ``forgotten`` (runs)."""

    def subscriptions(self, device: str) -> set[int]:
        """The subscription ids of a device whose patch-ids are followed."""
        known = self._devices.get(device)
        return {run.subscription_id for run in known.runs.values()} if known else set()

    def receive(self, inputs: Iterable[PatchInput], now: int = 0) -> list[Event]:
        """Take messages, and missing Message IDs, in the order of their arrival up to ``now``;
        returns what is to be said of them."""
        for one in inputs:
            self._sync.until(one.time)
            device = self._devices.setdefault(one.device, Device())
            if one.offset >= device.known_to:
                self._take(device, one)
        self._sync.until(now)
        said, self._said = self._said, []
        return said

    def take_wanted(self) -> list[OutOfSync]:
        """The subscriptions to ask for as a whole once more, since the last call."""
        return self._sync.take()

    def _take(self, device: Device, one: PatchInput) -> None:
        if isinstance(one, Patched):
            self._receive(device, one)
        elif isinstance(one, Missed):
            self._sync.missed(device.syncs, one)
        elif isinstance(one, Filled):
            self._sync.filled(device.syncs, one)
        else:
            self._revised(device, one)

    def _revised(self, device: Device, one: Revised) -> None:
        self._sync.revised(device.syncs, one)
        for generator, time in early_updates.take(device.early, one.subscription_id, one.time):
            if not one.over:
                sync = self._sync.of(device.syncs, one.subscription_id, one.revision, generator)
                self._sync.made_whole(one.device, device.syncs, sync, time)

    def syncs(self) -> list[tuple[str, Sync]]:
        """How every originator of an on-change subscription stands, by device."""
        return [
            (name, one)
            for name in sorted(self._devices)
            for _, one in sorted(self._devices[name].syncs.items())
        ]

    # ------------------------------------------------------------------ snapshots
    def snapshot(self, device: str) -> bytes:
        """What is known of a device."""
        return msgspec.msgpack.encode(self._devices.get(device) or Device())

    def restore(self, device: str, state: bytes, known_to: int) -> None:
        """Go on from a snapshot.

        Args:
            device: its name.
            state: what ``snapshot`` gave; empty for none.
            known_to: journal offset that it was taken at.

        Raises:
            msgspec.MsgspecError: not a snapshot; nothing was changed.
        """
        found = msgspec.msgpack.decode(state, type=Device) if state else Device()
        found.known_to = known_to
        self._devices[device] = found
        self._sync.restore(device, found.syncs)

    # ------------------------------------------------------------------ one message
    def _receive(self, device: Device, one: Patched) -> None:
        key = key_of(one.subscription_id, one.generator)
        if one.revision < 0 and one.patch_id is None:
            if not one.incomplete:
                early_updates.note(device.early, one.subscription_id, one.generator, one.time)
            if key not in device.runs:
                return  # nothing says that it is on-change
        sync = self._sync.of(device.syncs, one.subscription_id, one.revision, one.generator)
        self._here = sync
        if one.patch_id is None:
            self._sync.made_whole(one.device, device.syncs, sync, one.time)
        if one.incomplete:
            why = "an update leaves something out"
            self._sync.patches_missing(one.device, sync, one.time, why)
        run = device.runs.get(key)
        if run is None or run.revision != one.revision:
            if one.patch_id is None and not one.incomplete:
                device.runs.pop(key, None)
                return  # the ids that follow have their reference in the first of them
            run = Run(one.subscription_id, one.revision, one.generator)
        if put_last(device.runs, key, run, RUNS_PER_DEVICE) is not None:
            self._count("forgotten")
        if one.incomplete:
            self._say(run, one, "incomplete_update", "incomplete", "leaves something out")
        if one.patch_id is None:
            run.anew = True
        else:
            self._follow(run, one, one.patch_id)

    def _follow(self, run: Run, one: Patched, text: str) -> None:
        prefix, number = _split(text)
        if number is None:
            self._not_counted(run, one, text)
            return
        anew, run.anew = run.anew, False
        last = run.last
        if last is None or prefix != run.prefix:
            _begin(run, prefix, number, one.made)
            return
        ahead = (number - last) & MODULUS_MASK
        if ahead == 1 or (anew and number == 0):
            _advance(run, number, one.made)
            self._sync.went_on(one.device, self._here, one.time)
        elif anew:
            self._anew(run, one, number, ahead)
        elif ahead == 0:
            self._same(run, one, text)
        elif ahead < HALF and one.made >= run.made:
            self._ahead(run, one, number, ahead)
        else:
            self._behind(run, one, number)

    def _anew(self, run: Run, one: Patched, number: int, ahead: int) -> None:
        """The first one behind a push-update is neither 0 nor the next one."""
        if (ahead == 0 or ahead >= HALF) and one.made <= run.made:
            run.anew = True  # overtaken by the push-update
            self._behind(run, one, number)
        elif ahead >= HALF and number <= MAX_GAP:
            run.holes = []
            self._gap(run, one, 0, number)
            _advance(run, number, one.made)
        elif ahead == 0:
            self._same(run, one, str(number))
        elif ahead < HALF:
            self._ahead(run, one, number, ahead)
        else:
            self._restart(run, one, number)

    def _ahead(self, run: Run, one: Patched, number: int, ahead: int) -> None:
        if ahead > MAX_GAP:
            self._restart(run, one, number)
            return
        self._gap(run, one, (number - ahead + 1) & MODULUS_MASK, ahead - 1)
        _advance(run, number, one.made)

    def _behind(self, run: Run, one: Patched, number: int) -> None:
        for place, (first, count) in enumerate(run.holes):
            at = (number - first) & MODULUS_MASK
            if at < count:
                left = ((first, at), ((number + 1) & MODULUS_MASK, count - at - 1))
                run.holes[place : place + 1] = [hole for hole in left if hole[1]]
                self._say(run, one, "patch_late", "late", f"came behind later ones: {number}")
                if not run.holes:
                    self._sync.patches_found(one.device, self._here, one.time)
                return
        if one.made <= run.made:
            self._count("duplicate")
        else:
            self._restart(run, one, number)

    def _same(self, run: Run, one: Patched, text: str) -> None:
        if abs(one.made - run.made) <= REPEATED_WITHIN:
            self._count("repeated")
        else:
            run.made = one.made
            self._not_counted(run, one, text)

    def _gap(self, run: Run, one: Patched, first: int, count: int) -> None:
        run.holes = [*run.holes, (first, count)][-HOLES_PER_RUN:]
        self._count("missing", count)
        ids = str(first) if count == 1 else f"{first} to {(first + count - 1) & MODULUS_MASK}"
        self._say(run, one, "patch_gap", "gap", f"are missing: {ids}")
        self._sync.patches_missing(one.device, self._here, one.time, f"no patch {ids} came")

    def _restart(self, run: Run, one: Patched, number: int) -> None:
        text = f"began anew at {number} without a push-update"
        self._say(run, one, "patch_restart", "restart", text)
        self._sync.patches_missing(one.device, self._here, one.time, f"patch-ids {text}")
        _begin(run, run.prefix, number, one.made)

    def _not_counted(self, run: Run, one: Patched, text: str) -> None:
        self._count("not-counted")
        if not run.stuck:
            run.stuck = True
            text = f"do not count ({text[:40]!r} again or no number): a lost one cannot be seen"
            self._event(run, one, "patch_not_counted", f"Patches of {run.generator} {text}.")

    # ------------------------------------------------------------------ saying
    def _count(self, what: str, number: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + number

    def _say(self, run: Run, one: Patched, kind: str, what: str, text: str) -> None:
        self._count(what)
        times = run.said[kind] = run.said.get(kind, 0) + 1
        if times <= SAID_AT_ONCE or not times & (times - 1):
            whose = "An update of" if kind == "incomplete_update" else "Patches of"
            often = "" if times <= SAID_AT_ONCE else f" ({times} times so far)"
            self._event(run, one, kind, f"{whose} {run.generator} {text}{often}.")

    def _event(self, run: Run, one: Patched, kind: str, text: str) -> None:
        if run.subscription_id >= 0:
            text = f"Subscription {run.subscription_id}: {text}"
        self._said.append(Event(one.time, one.device, run.generator, kind, text))


def _begin(run: Run, prefix: str, number: int, made: int) -> None:
    run.prefix, run.holes = prefix, []
    _advance(run, number, made)


def _advance(run: Run, number: int, made: int) -> None:
    run.last, run.made, run.stuck = number, made, False


def _split(text: str) -> tuple[str, int | None]:
    """What is before the digits at the end, and their number; None when they are no uint32."""
    if len(text) > _LONGEST_TEXT:
        return "", None
    prefix = text.rstrip("0123456789")
    digits = text[len(prefix) :]
    if not digits or len(digits) > _LONGEST or int(digits) > MODULUS_MASK:
        return text, None
    return prefix, int(digits)
