"""What a device says of its subscriptions, held against what we know: lists, counts, states.

Does: compare each look into ``/subscriptions`` with the running subscriptions, and say a difference
once, and once when it ends. Does not: ask the device, touch a verdict, or put a list into force.

Rules: a difference is said when two looks running found it, and so is its end: a state change may
be on its way while a device is looked at. What a device does not give is not compared; a counter
that stands at 0 is none.

Counts are compared between looks, up to ``MARKS`` of them apart, so that a small loss adds up.
A device counts a record when it leaves, and often its line cards tell the master what they counted
later; we count it when it arrives. So at each end of the stretch what is under way may be counted
on one side only: what is sent in W = max(1 period, 10 s), since the cards of a device send a period
in one burst, and a session, a look or a report of a card takes no longer than seconds. Hence the
tolerance: twice the records of W at the rate of the stretch, and 2. Several receivers are told
apart by whose counter fits best.

Spec: RFC 8639 §2.8 (counters), §2.5.1 (states of receivers); draft-ietf-netconf-udp-notif-26 §5.1;
draft-zhou-netconf-multi-stream-originators-10 §7.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct

from collector.model import SECOND, CollectorTime, Event

TWICE = 2
"""Looks running that have to find the same."""
MARKS = 12
"""Looks that counts are compared over, an hour at the usual pace (ours)."""
SHORTEST = 10 * SECOND
"""The least W."""
SERIES_PER_DEVICE = 256
RECEIVERS = 16
"""Of one subscription (ours)."""
SHOWN = 16
LONGEST_NAME = 64
"""Characters of a receiver's name that tell it apart (ours)."""
IDLE_STATES = frozenset(("suspended", "connecting", "disconnected"))
"""States of a receiver that gets nothing (RFC 8639 §2.5.1)."""


class Receiver(Struct, frozen=True):
    """A receiver as the device tells of it."""

    name: str
    state: str | None
    sent: int | None
    """``sent-event-records``."""


class Entry(Struct, frozen=True):
    """A subscription as the device tells of it."""

    id: int
    generators: tuple[str, ...] | None
    receivers: tuple[Receiver, ...] = ()


class Looked(Struct, frozen=True):
    """What came of one look."""

    time: CollectorTime
    device: str
    offset: int
    """Journal offset."""
    entries: tuple[Entry, ...]


class Running(Struct, frozen=True):
    """A subscription as the engine knows it."""

    id: int
    name: str
    revision: int
    period: int
    """ns; 0 for none."""
    active: bool
    """Not suspended."""
    generators: tuple[str, ...] | None
    """The newest list of the device, else the one in force; None: there is none."""
    counted: bool = True
    """Its records name it; those of an event stream do not (RFC 8640 §6)."""


class Mark(Struct, frozen=True):
    """Both counts at one look."""

    time: int
    own: int
    sent: dict[str, int]
    """Receiver -> its counter."""


class Series(Struct):
    """One revision of a subscription that is looked at."""

    id: int
    name: str
    revision: int
    period: int
    own: int = 0
    """Records that arrived since the first look that told a counter."""
    marks: list[Mark] = []
    share: float = 0.0
    """Part of the records that the last difference was."""
    found: dict[str, tuple[str, int]] = {}
    """What is compared -> what the last look found, and in how many looks running."""
    said: dict[str, str] = {}
    """What is compared -> what was said of it."""


class Device(Struct):
    """One device; shares nothing with another."""

    series: dict[int, Series] = {}
    """By revision."""
    known_to: int = 0
    """Looks before this journal offset are known already (after a restart)."""


class CrossCheck:
    """All devices; bounded by ``SERIES_PER_DEVICE``."""

    def __init__(self) -> None:
        self._devices: dict[str, Device] = {}
        self.watched: dict[int, Series] = {}
        """Revision -> the series whose records are to be counted: none before the first look."""
        self._said: list[Event] = []

    def count(self, revision: int, records: int) -> None:
        """So many records of a watched revision arrived."""
        self.watched[revision].own += records

    def forget_counts(self) -> None:
        """Something was lost on our side, or nobody listened: begin anew."""
        for series in self.watched.values():
            series.marks = []

    def receive(self, look: Looked, running: Sequence[Running]) -> list[Event]:
        """Compare one look with what runs on that device."""
        device = self._devices.setdefault(look.device, Device())
        if look.offset < device.known_to:
            return []
        entries = {entry.id: entry for entry in look.entries}
        if entries:  # else the device shows nothing, or nothing to us
            self._forget(device, {one.revision for one in running})
            for one in running[:SERIES_PER_DEVICE]:
                series = device.series.get(one.revision)
                if series is None:
                    series = Series(one.id, one.name, one.revision, one.period)
                    device.series[one.revision] = series
                if series.id == one.id:  # a message of two starts made both revisions
                    self._compare(look, series, one, entries.get(one.id))
        said, self._said = self._said, []
        return said

    def _forget(self, device: Device, revisions: set[int]) -> None:
        for revision in device.series.keys() - revisions:
            del device.series[revision]
            self.watched.pop(revision, None)

    # ------------------------------------------------------------------ snapshots
    def snapshot(self, device: str) -> bytes:
        """What is known of a device; empty for nothing."""
        known = self._devices.get(device)
        return b"" if known is None else msgspec.msgpack.encode(known)

    def restore(self, device: str, state: bytes, known_to: int) -> None:
        """Go on from a snapshot.

        Raises:
            msgspec.MsgspecError: not a snapshot; nothing was changed.
        """
        found = msgspec.msgpack.decode(state, type=Device) if state else Device()
        found.known_to = known_to
        self._devices[device] = found
        self.watched |= {number: one for number, one in found.series.items() if one.marks}

    # ------------------------------------------------------------------ one subscription
    def _compare(self, look: Looked, series: Series, one: Running, entry: Entry | None) -> None:
        name = series.name
        missing = f"does not show subscription {one.id} ({name}) in /subscriptions"
        self._settle(look, series, "subscription", "" if entry is not None else missing)
        if entry is None:
            self._begin_anew(series)
            return
        self._settle(look, series, "list", _list_difference(one, entry))
        if not one.active:
            self._begin_anew(series)
            return
        self._settle(look, series, "receiver", _state_difference(one, entry))
        found = self._count_difference(look, series, entry) if one.counted else None
        if found is not None:
            self._settle(look, series, "records", found)

    def _begin_anew(self, series: Series) -> None:
        series.marks = []
        self.watched.pop(series.revision, None)

    def _count_difference(self, look: Looked, series: Series, entry: Entry) -> str | None:
        """None: it cannot be seen yet whether it is over."""
        sent = {
            one.name[:LONGEST_NAME]: one.sent for one in entry.receivers[:RECEIVERS] if one.sent
        }
        mark = Mark(look.time, series.own, sent)
        before = series.marks[0] if series.marks else mark
        theirs = [
            sent[name] - before.sent[name] for name in sorted(before.sent.keys() & sent.keys())
        ]
        if not theirs or min(theirs) < 0:  # no counter, or one that began anew
            self._begin_anew(series)
            before, theirs = mark, [0]
        if not sent:
            return ""
        self.watched[series.revision] = series
        series.marks = [*series.marks, mark][-MARKS:]
        own = mark.own - before.own
        nearest = min(theirs, key=lambda number: abs(number - own))
        elapsed = max(mark.time - before.time, 1)
        window, records = max(series.period, SHORTEST), max(nearest, own)
        tolerance = 2 * records * window / elapsed + 2
        said = "records" in series.said
        if abs(nearest - own) <= tolerance:
            decides = not said or series.share * records > tolerance or len(series.marks) == MARKS
            return "" if decides else None
        series.share = abs(nearest - own) / records
        if said:
            series.marks = [mark]  # whether it is over shows from here on
        return (
            f"says that it sent {nearest} records of {series.name} in {elapsed / SECOND:.0f} s, "
            f"{own} arrived here"
        )

    def _settle(self, look: Looked, series: Series, what: str, found: str) -> None:
        """What two looks running found is said, unless it was."""
        word = found if what == "list" else what if found else ""
        before, times = series.found.get(what, ("", TWICE))
        times = times + 1 if before == word else 1
        if not word and what not in series.said:
            series.found.pop(what, None)
            return
        series.found[what] = (word, times)
        if times < TWICE or series.said.get(what, "") == word:
            return
        kind, over = _KINDS[what]
        if word:
            series.said[what] = word
            text = f"{look.device} {found}."
        else:
            del series.said[what], series.found[what]
            text = f"{look.device} {_OVER[what].format(series.name)}."
        self._said.append(Event(look.time, look.device, series.name, kind if word else over, text))
        if what == "records":
            series.marks = series.marks[-1:]


_KINDS = {
    "subscription": ("not_at_device", "at_device_again"),
    "list": ("device_lists_others", "device_lists_the_same"),
    "receiver": ("receiver_not_active", "receiver_active"),
    "records": ("records_differ", "records_agree"),
}
"""What is compared -> kinds of the two events."""
_OVER = {
    "subscription": "shows {} in /subscriptions again",
    "list": "lists the generators of {} that we know in /subscriptions",
    "receiver": "says that the receiver of {} is active again",
    "records": "sent as many records of {} as arrived here again",
}


def _list_difference(one: Running, entry: Entry) -> str:
    if one.generators is None or entry.generators is None:
        return ""
    known, told = frozenset(one.generators), frozenset(entry.generators)
    if known == told:
        return ""
    parts = [f"lists {_names(told - known)}, which we do not know,"] if told - known else []
    parts += [f"does not list {_names(known - told)}"] if known - told else []
    return f"{' and '.join(parts).rstrip(',')} in /subscriptions of {one.name}"


def _state_difference(one: Running, entry: Entry) -> str:
    states = [receiver.state for receiver in entry.receivers]
    idle = sorted(IDLE_STATES.intersection(states))
    if not idle or any(state not in IDLE_STATES for state in states):
        return ""
    return f"says that the receiver of {one.name} is {' or '.join(idle)}"


def _names(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - SHOWN} more" if len(ordered) > SHOWN else ""
    return ", ".join(ordered[:SHOWN]) + more
