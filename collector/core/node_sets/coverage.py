"""Overlap and coverage: what the generators of one subscription hold, on a sample of periods.

Does: say ``overlap`` when two generators send the same node in one period (component subscriptions
must not, draft-zhou-netconf-multi-stream-originators-10 §5), ``node_gone`` when a list entry of
an earlier period is in nobody's update of a later one while the list of generators is the same, and
``nodes_moved`` when another generator sends it.
Does not: choose the sample, read contents, or touch a verdict.

Rules: inputs are taken in the order of their times, so that neither batch borders nor a restart
change what is said. A period is looked at two periods after its deadline, with all that arrived and
the last row said by then. ``node_gone`` and ``nodes_moved`` compare complete periods only: a node
whose message was lost is neither. A change of the subscription (terms, list, state) starts anew,
but for what moved, and periods that begin within two periods of it are left out: while nodes move,
two may have them. One device never touches another's state.
Spec: docs/verdicts.md, "Overlap and coverage".
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence

import msgspec

from collector.core.node_sets.coverage_state import (
    Before,
    Contents,
    CoverageLimits,
    Device,
    Reset,
    Sample,
    Series,
)
from collector.core.node_sets.moves import is_news, moved_entries
from collector.model import (
    CENTISECOND,
    CollectorTime,
    Event,
    NotJudgedReason,
    Outcome,
    SubscriptionRow,
    Verdict,
)

PERIODS_LATER = 2
"""Periods after its deadline at which a period is looked at (ours)."""
NAMES_SHOWN = 5
_LONGEST_NAME = 120
_NEW_PAIRS = 8
"""Pairs that one period may make known; the others wait for the next (ours)."""


CoverageInput = SubscriptionRow | Contents | Verdict | Reset


class Coverage:
    """Conformance of what generators hold; bounded by ``CoverageLimits``."""

    def __init__(self, limits: CoverageLimits | None = None) -> None:
        self._limits = limits or CoverageLimits()
        self._devices: dict[str, Device] = {}
        self._due: list[tuple[int, str, int, int]] = []
        """Heap of (time, device, revision, index); may name what is no longer open."""
        self._said: list[Event] = []
        self.not_judged: dict[str, int] = {}
        """Reason word -> updates that were left out: ``too-many-nodes``, ``not-whole``."""

    # ------------------------------------------------------------------ the three verbs
    def receive(self, inputs: Iterable[CoverageInput], now: CollectorTime) -> list[Event]:
        """Take what came since the last call, up to ``now``, in any order."""
        for one in sorted(inputs, key=_order):
            self._until(_time(one))
            if isinstance(one, Contents):
                self._contents(one)
            elif isinstance(one, Verdict):
                self._verdict(one)
            elif isinstance(one, SubscriptionRow):
                self._changed(one)
            else:
                self._reset(one)
        return self.handle_timer(now)

    def next_deadline(self) -> CollectorTime | None:
        """The earliest time at which ``handle_timer`` may have something to say."""
        return CollectorTime(self._due[0][0] + 1) if self._due else None

    def handle_timer(self, now: CollectorTime) -> list[Event]:
        """Time passed."""
        self._until(now)
        said, self._said = self._said, []
        return said

    def holds(self, device: str, revision: int, index: int) -> bool:
        """Whether contents of a period wait for what is said of it."""
        known = self._devices.get(device)
        series = None if known is None else known.series.get(revision)
        return series is not None and index in series.open

    # ------------------------------------------------------------------ snapshots
    def snapshot(self, device: str) -> bytes:
        """What is known of a device."""
        return msgspec.msgpack.encode(self._devices.get(device) or Device())

    def restore(self, device: str, state: bytes, known_to: int) -> None:
        """Go on from a snapshot.

        Args:
            device: its name.
            state: what ``snapshot`` gave.
            known_to: journal offset that it was taken at.

        Raises:
            msgspec.MsgspecError: not a snapshot; nothing was changed.
        """
        found = msgspec.msgpack.decode(state, type=Device)
        found.known_to = known_to
        self._devices[device] = found
        for series in found.series.values():
            for index, sample in series.open.items():
                if sample.due is not None:
                    heapq.heappush(self._due, (sample.due, device, series.revision, index))

    # ------------------------------------------------------------------ inputs
    def _changed(self, row: SubscriptionRow) -> None:
        """A subscription began, changed or ended."""
        device = self._devices.setdefault(row.device, Device())
        for older in [
            one.revision
            for one in device.series.values()
            if one.id == row.id and one.revision < row.revision
        ]:
            del device.series[older]
        if row.state == "ended" or row.period_cs is None:
            device.series.pop(row.revision, None)
            device.count_held()
            return
        period = row.period_cs * CENTISECOND
        series = device.series.get(row.revision)
        if series is None:
            if len(device.series) >= self._limits.subscriptions_per_device:
                del device.series[min(device.series)]
            series = Series(row.id, row.name, row.revision, period, 0)
            device.series[row.revision] = series
        series.period = period
        _start_anew(series, row.time)
        device.count_held()

    def _reset(self, reset: Reset) -> None:
        for device in self._devices.values():
            if reset.offset >= device.known_to:
                for series in device.series.values():
                    _start_anew(series, reset.time)
                device.count_held()

    def _contents(self, one: Contents) -> None:
        device = self._devices.get(one.device)
        series = None if device is None else device.series.get(one.revision)
        if device is None or series is None or one.period_index <= series.done:
            return
        sample = series.open.get(one.period_index)
        if sample is None:
            if one.time < series.settled:
                series.done = one.period_index
                return
            if len(series.open) >= self._limits.open_periods:
                del series.open[min(series.open)]
            sample = series.open[one.period_index] = Sample()
        if not one.whole:
            sample.whole = False
            self._count("not-whole")
        self._add(device, sample, one)

    def _add(self, device: Device, sample: Sample, one: Contents) -> None:
        nodes = sample.nodes.setdefault(one.generator, set())
        more = len(one.nodes) + len(one.entries)
        if (
            len(nodes) + len(one.nodes) > self._limits.nodes_per_generator
            or device.held + more > self._limits.nodes_per_device
        ):
            sample.whole = False
            self._count("too-many-nodes")
            return
        device.held += more
        nodes |= one.nodes
        for entry in one.entries:
            sample.entries.setdefault(entry, one.generator)

    def _count(self, word: str) -> None:
        self.not_judged[word] = self.not_judged.get(word, 0) + 1

    def _verdict(self, row: Verdict) -> None:
        """The newest row of an open period; the first one says when to look at it."""
        device = self._devices.get(row.device)
        series = None if device is None else device.series.get(row.revision)
        sample = None if series is None else series.open.get(row.period_index)
        if series is None or sample is None:
            return
        if sample.due is None:
            if row.amendment:
                return
            sample.due = max(row.deadline, row.judged_at) + PERIODS_LATER * series.period
            due = (sample.due, row.device, row.revision, row.period_index)
            heapq.heappush(self._due, due)
        sample.outcome, sample.required = row.outcome.value, row.required
        sample.reason = "" if row.reason is None else row.reason.value

    # ------------------------------------------------------------------ looking at a period
    def _until(self, now: int) -> None:
        while self._due and self._due[0][0] < now:
            time, name, revision, index = heapq.heappop(self._due)
            device = self._devices[name]
            series = device.series.get(revision)
            sample = None if series is None else series.open.get(index)
            if series is not None and sample is not None and sample.due == time:
                self._look(name, series, index, sample, time)
                device.count_held()

    def _look(self, device: str, series: Series, index: int, sample: Sample, now: int) -> None:
        series.done = index
        series.open = {one: kept for one, kept in series.open.items() if one > index}
        if sample.outcome == Outcome.NOT_JUDGED.value and sample.reason in _ANOTHER_TIME:
            return
        complete = sample.outcome == Outcome.COMPLETE.value and sample.whole
        found = _overlaps(sample.nodes)
        fresh = sorted(found.keys() - series.overlapping)[:_NEW_PAIRS]
        for one, other in fresh:
            text = (
                f"Generators {one} and {other} of subscription {series.name} both sent "
                f"{_count_of(found[one, other])} in period {index}: {_names(found[one, other])}."
            )
            self._event(now, device, series.name, "overlap", text)
        if complete:
            series.overlapping &= found.keys()
        series.overlapping.update(fresh)
        if complete:
            self._compare_owners(device, series, index, sample, now)
            self._compare(device, series, index, sample, now)

    def _compare_owners(
        self, device: str, series: Series, index: int, sample: Sample, now: int
    ) -> None:
        """Who sends the entries that another one sent before?"""
        before = series.former if series.before is None else series.before.entries
        series.former = {}
        for one, other, entries in moved_entries(before, sample):
            if is_news(series.moved, f"{one} {other}"):
                text = (
                    f"{_count_of(entries)} of subscription {series.name} moved from generator "
                    f"{one} to {other} by period {index}: {_names(entries)}."
                )
                self._event(now, device, other, "nodes_moved", text)

    def _compare(self, device: str, series: Series, index: int, sample: Sample, now: int) -> None:
        """Hold a complete period against the one before."""
        before = series.before
        series.before = Before(index, sample.required, sample.entries)
        if before is None or before.required != sample.required:
            return
        gone: dict[str, list[str]] = {}
        for entry, generator in before.entries.items():
            if entry not in sample.entries and generator in sample.required:
                gone.setdefault(generator, []).append(entry)
        for generator in sorted(gone.keys() - series.losing):
            text = (
                f"{_count_of(gone[generator])} that generator {generator} sent for subscription "
                f"{series.name} in period {before.index} came from nobody in period {index}, "
                f"without a change of the list: {_names(gone[generator])}."
            )
            self._event(now, device, generator, "node_gone", text[0].upper() + text[1:])
        series.losing = set(gone)

    def _event(self, time: int, device: str, subject: str, kind: str, text: str) -> None:
        self._said.append(Event(CollectorTime(time), device, subject, kind, text))


_ANOTHER_TIME = frozenset(
    (
        NotJudgedReason.TERMS_CHANGED.value,
        NotJudgedReason.SUSPENDED.value,
        NotJudgedReason.SLIPPED.value,
        NotJudgedReason.COLLECTOR_DOWN.value,
    )
)
"""Reasons for which an update may count for a period that it was not made for."""
_ORDER = (SubscriptionRow, Contents, Verdict, Reset)
"""At the same time: what begins first, a verdict after the update that it is about."""


def _time(one: CoverageInput) -> CollectorTime:
    return one.judged_at if isinstance(one, Verdict) else one.time


def _order(one: CoverageInput) -> tuple[int, int]:
    return _time(one), _ORDER.index(type(one))


def _start_anew(series: Series, now: int) -> None:
    """Leave out what is open, and whatever begins while nodes may still be moving."""
    series.done = max([series.done, *series.open])
    series.open = {}
    if series.before is not None:
        series.former, series.before = series.before.entries, None
    series.settled = now + PERIODS_LATER * series.period


def _overlaps(nodes: dict[str, set[str]]) -> dict[tuple[str, str], list[str]]:
    """(first generator that has it, other one) -> nodes that both have."""
    owner: dict[str, str] = {}
    found: dict[tuple[str, str], list[str]] = {}
    for generator in sorted(nodes):
        for node in nodes[generator]:
            first = owner.setdefault(node, generator)
            if first != generator:
                found.setdefault((first, generator), []).append(node)
    return found


def _count_of(nodes: Sequence[str]) -> str:
    return "1 node" if len(nodes) == 1 else f"{len(nodes)} nodes"


def _names(nodes: Sequence[str]) -> str:
    """The first few, and how the keys were found."""
    shown = [
        name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "..."
        for name in heapq.nsmallest(NAMES_SHOWN, nodes)
    ]
    more = ", ..." if len(nodes) > NAMES_SHOWN else ""
    guessed = " (keys guessed)" if any("[" in name for name in nodes) else ""
    return ", ".join(shown) + more + guessed
