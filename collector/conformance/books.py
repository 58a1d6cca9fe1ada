"""What was known before a message: the part of rules that needs memory, kept apart from them.

Does: follow every counter, subscription and originator of one device, and make the subjects.
Does not: judge.

Rules: bounded; at a bound the oldest is forgotten, and what it would have said at the end is said
then. Counters are followed by source address and header id, ports decide nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final
from zlib import crc32

from msgspec.structs import replace

from collector.conformance.anatomy import parts_of
from collector.conformance.id_runs import IdRun
from collector.conformance.subjects import (
    ENDS,
    UPDATES,
    WITH_TERMS,
    CounterSubject,
    Earlier,
    MessageSubject,
    Series,
    SubscriptionSubject,
)
from collector.conformance.summary import generator_of
from collector.errors import WireError
from collector.model import (
    CENTISECOND,
    Notification,
    NotificationKind,
    ObservedMessage,
    Provenance,
    SubscriptionRow,
    SubscriptionTerms,
)
from collector.wire.notifications.notification import decode_contents

COUNTERS: Final = 1024
SERIES: Final = 1024
ORIGINATORS: Final = 4096
RECEIVERS: Final = 256
IDS: Final = 4096
"""Bounds of what is remembered of one device (ours)."""

_K = NotificationKind


class _Counter:
    """One header id of one source."""

    def __init__(self) -> None:
        self.last: Earlier | None = None
        self.by_subscription: dict[int | None, Earlier] = {}
        self.generator: str | None = None
        self.recent: OrderedDict[int, Earlier] = OrderedDict()
        self.run = IdRun()
        self.runs: dict[int | None, IdRun] = {}

    def take(self, now: Earlier, generator: str | None) -> None:
        self.last = now
        key = now.subscription_id
        if key in self.by_subscription or len(self.by_subscription) < SERIES:
            self.by_subscription[key] = now
        if generator is not None and self.generator is None:
            self.generator = generator
        if now.message_id is None:
            return
        self.recent.setdefault(now.message_id, now)
        if len(self.recent) > IDS:
            self.recent.popitem(last=False)
        self.run.take(now.message_id, now.stamp)
        if key in self.runs or len(self.runs) < SERIES:
            self.runs.setdefault(key, IdRun()).take(now.message_id, now.stamp)

    def subject(self, source: str, publisher_id: int) -> CounterSubject:
        return CounterSubject(
            source,
            publisher_id,
            len(self.runs),
            self.run.fine,
            self.run.odd,
            sum(run.fine for run in self.runs.values()),
            sum(run.odd for run in self.runs.values()),
        )


class _Subscription:
    """One subscription id; ``heard`` since the list in force came."""

    def __init__(self) -> None:
        self.series = Series()
        self.heard: dict[str, int] = {}
        self.since = 0
        self.until = 0

    def subject(self, number: int) -> SubscriptionSubject:
        terms = self.series.terms
        return SubscriptionSubject(
            number,
            None if terms is None else terms.period,
            self.series.generators,
            dict(self.heard),
            max(0, self.until - self.since),
        )


class DeviceBooks:
    """What was seen of one device."""

    def __init__(self) -> None:
        self._counters: OrderedDict[tuple[str, int], _Counter] = OrderedDict()
        self._subscriptions: OrderedDict[int, _Subscription] = OrderedDict()
        self._originators: OrderedDict[tuple[int | None, str], Earlier] = OrderedDict()
        self._media_types: OrderedDict[tuple[str, str, int], int] = OrderedDict()
        self._parent: int | None = None
        self._finished: list[CounterSubject | SubscriptionSubject] = []

    # ------------------------------------------------------------------ one message
    def take(self, message: ObservedMessage, place: int = 0) -> MessageSubject:
        """A message and what was known before it, and from now on with it.

        ``place``: which notification of a bundle ``message.said`` is; only the first has ids.
        """
        subject = self._subject(message, place)
        if message.said is not None:
            self._learn(subject, message.said)
        return subject

    def told(self, row: SubscriptionRow) -> None:
        """Terms from elsewhere (a reply, the operator, learned); a state change says more."""
        one = self._subscription(row.id)
        if one.series.state or row.state == "ended":
            return
        listed = row.generators if row.provenance is Provenance.DECLARED else None
        if row.period_cs is None or (one.series.terms and one.series.generators == listed):
            return
        terms = SubscriptionTerms(period=row.period_cs * CENTISECOND, anchor_time=row.anchor)
        one.series = replace(one.series, terms=terms, generators=listed)
        one.heard, one.since, one.until = {}, row.time, row.time

    def finished(self) -> Iterator[CounterSubject | SubscriptionSubject]:
        """What is to be said of counters and subscriptions that are over or forgotten."""
        done, self._finished = self._finished, []
        yield from done

    def finish(self) -> Iterator[CounterSubject | SubscriptionSubject]:
        """The same, of all that is left."""
        yield from self.finished()
        for (source, publisher_id), counter in self._counters.items():
            yield counter.subject(source, publisher_id)
        for number, one in self._subscriptions.items():
            yield one.subject(number)

    # ------------------------------------------------------------------ before it
    def _subject(self, message: ObservedMessage, place: int) -> MessageSubject:
        said, plain = message.said, None
        if said is not None:
            try:
                plain = decode_contents(message.payload, message.encoding, message.sids)
            except WireError:
                plain = None  # a member that comes twice within contents
        number = None if said is None else said.subscription_id
        counter = self._counter(message)
        if said is not None and said.state_change is not None and self._parent is None:
            self._parent = message.publisher_id
        subscription = None if number is None else self._subscriptions.get(number)
        before = None if counter is None else counter.last
        return MessageSubject(
            message,
            plain,
            parts_of(plain, place),
            series=Series() if subscription is None else subscription.series,
            first_of_counter=counter is not None and before is None,
            first_generator=None if counter is None else counter.generator,
            previous=before,
            previous_of_subscription=(
                None if counter is None else counter.by_subscription.get(number)
            ),
            previous_of_originator=self._originators.get((number, generator_of(message))),
            repeated=(
                None
                if counter is None or message.message_id is None
                else counter.recent.get(message.message_id)
            ),
            parent=self._parent,
            other_media_type=self._other_media_type(message),
        )

    def _counter(self, message: ObservedMessage) -> _Counter | None:
        if message.publisher_id is None:
            return None
        key = message.origin.source, message.publisher_id
        found = self._counters.get(key)
        if found is None:
            found = self._counters[key] = _Counter()
            if len(self._counters) > COUNTERS:
                (source, publisher_id), old = self._counters.popitem(last=False)
                self._finished.append(old.subject(source, publisher_id))
        return found

    def _other_media_type(self, message: ObservedMessage) -> int | None:
        origin = message.origin
        key = origin.source, origin.destination, origin.destination_port
        found = self._media_types.setdefault(key, message.media_type)
        if len(self._media_types) > RECEIVERS:
            self._media_types.popitem(last=False)
        return None if found == message.media_type else found

    # ------------------------------------------------------------------ from now on
    def _learn(self, subject: MessageSubject, said: Notification) -> None:
        message = subject.message
        patch = subject.patch
        patch_id = None if patch is None else patch.get("patch-id")
        now = Earlier(
            message.message_id,
            said.sequence_number,
            said.subscription_id,
            said.kind,
            said.event_time,
            subject.record_time,
            None if patch_id is None else str(patch_id)[:80],
            message.arrival,
            crc32(message.payload),
        )
        counter = self._counter(message)
        if counter is not None:
            counter.take(now, said.generator)
        if said.subscription_id is None:
            return
        if said.kind in UPDATES:
            self._update(now, generator_of(message), said.subscription_id)
        elif said.state_change is not None:
            self._state_change(now, said, said.subscription_id)

    def _update(self, now: Earlier, sender: str, number: int) -> None:
        key = number, sender
        self._originators[key] = now
        self._originators.move_to_end(key)
        if len(self._originators) > ORIGINATORS:
            self._originators.popitem(last=False)
        one = self._subscription(number)
        one.series = replace(one.series, data=now)
        one.until = now.arrival
        if sender in one.heard or len(one.heard) < ORIGINATORS:
            one.heard[sender] = one.heard.get(sender, 0) + 1

    def _state_change(self, now: Earlier, said: Notification, number: int) -> None:
        one, change = self._subscription(number), said.state_change
        assert change is not None
        if said.kind in WITH_TERMS:
            if one.since:
                self._finished.append(one.subject(number))
            one.heard, one.since, one.until = {}, now.arrival, now.arrival
            data = None if said.kind is _K.SUBSCRIPTION_STARTED else one.series.data
            one.series = Series("active", change.terms, change.generators, None, data)
        elif said.kind in ENDS:
            one.series = replace(one.series, state="ended", ended_with=now.message_id)
        elif said.kind is _K.SUBSCRIPTION_SUSPENDED:
            one.series = replace(one.series, state="suspended", ended_with=now.message_id)
        elif said.kind is _K.SUBSCRIPTION_RESUMED:
            one.series = replace(one.series, state="active", ended_with=None)

    def _subscription(self, number: int) -> _Subscription:
        found = self._subscriptions.get(number)
        if found is None:
            found = self._subscriptions[number] = _Subscription()
            if len(self._subscriptions) > SERIES:
                old, one = self._subscriptions.popitem(last=False)
                self._finished.append(one.subject(old))
        return found
