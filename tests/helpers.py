"""Wire: messages and engine joined in memory, in pretend time.

A ``Wire`` holds inputs for one engine, sorted by arrival, and lets them run: in batches of any
size, with extra timer calls, with snapshots in between. Times here are seconds unless a name says
``ns``; nothing sleeps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from collector.core.engine import Engine
from collector.core.settings import EngineSettings
from collector.model import (
    SECOND,
    CollectorTime,
    DeviceTime,
    EngineInput,
    Established,
    Event,
    Fact,
    Notification,
    NotificationKind,
    StateChange,
    StateChanged,
    SubscriptionTerms,
    Tick,
    Update,
    Verdict,
)

START = 1_800_000_000
"""s since 1970 at which pretend time begins: a multiple of 60."""
DEVICE = "core7"
SOURCE = "192.0.2.7"
MASK = 0xFFFFFFFF


def ns(seconds: float) -> int:
    """Seconds after ``START`` as ns since 1970."""
    return START * SECOND + round(seconds * SECOND)


def update(
    at: float,
    generator: str | None = "1",
    message_id: int | None = 0,
    *,
    time: float | None = -1.0,
    subscription: int | None = 1,
    header: int | None = None,
    device: str = DEVICE,
    source: str = SOURCE,
    port: int = 5000,
    incomplete: bool = False,
    event: float | None = None,
) -> Update:
    """A push-update; ``time`` (record time) defaults to the arrival, None leaves it out."""
    if header is None and generator is not None and generator.isdecimal():
        header = int(generator)
    observed = at if time == -1.0 else time
    stamp = None if observed is None else DeviceTime(ns(observed))
    return Update(
        arrival=CollectorTime(ns(at)),
        device=device,
        source=source,
        port=port,
        publisher_id=header,
        message_id=None if message_id is None else message_id & MASK,
        subscription_id=subscription,
        generator=generator,
        kind=NotificationKind.PUSH_UPDATE,
        event_time=stamp if event is None else DeviceTime(ns(event)),
        observation_time=None,
        incomplete_update=incomplete,
        offset=0,
    )


def terms(period: float | None = 10, **more: Any) -> SubscriptionTerms:
    """Terms with an anchor on a whole minute."""
    more.setdefault("anchor_time", DeviceTime(ns(0)))
    length = None if period is None else round(period * SECOND)
    return SubscriptionTerms(datastore="operational", period=length, **more)


def established(
    at: float = -5,
    generators: tuple[str, ...] | None = ("1", "2"),
    *,
    period: float = 10,
    subscription: int = 1,
    name: str = "interfaces",
    device: str = DEVICE,
    modified: bool = False,
    expect: tuple[str, ...] | None = None,
    leaf: str | None = None,
    **more: Any,
) -> Established:
    """A reply to establish-subscription."""
    return Established(
        arrival=CollectorTime(ns(at)),
        device=device,
        name=name,
        subscription_id=subscription,
        terms=terms(period, **more),
        generators=generators,
        offset=0,
        expect=expect,
        modified=modified,
        generator_leaf=leaf,
    )


def changed(
    at: float,
    kind: NotificationKind,
    *,
    generators: tuple[str, ...] | None = None,
    subscription: int | None = 1,
    terms: SubscriptionTerms | None = None,
    reason: str | None = None,
    header: int | None = None,
    message_id: int | None = None,
    port: int = 5000,
    event: float | None = -1.0,
    device: str = DEVICE,
    bare: bool = False,
    leaf: str | None = None,
) -> StateChanged:
    """A subscription state change notification; ``event`` defaults to its arrival."""
    stamp = at if event == -1.0 else event
    return StateChanged(
        arrival=CollectorTime(ns(at)),
        device=device,
        source=SOURCE,
        port=port,
        publisher_id=header,
        message_id=message_id,
        notification=Notification(
            kind=kind,
            name=f"ietf-subscribed-notifications:{kind}",
            root="ietf-restconf:notification",
            subscription_id=subscription,
            event_time=None if stamp is None else DeviceTime(ns(stamp)),
            state_change=(
                None if bare else StateChange(terms, generators, reason, generator_leaf=leaf)
            ),
        ),
        offset=0,
    )


def tick(at: float) -> Tick:
    """Time passes."""
    return Tick(CollectorTime(ns(at)), 0)


def numbered(records: Iterable[Any]) -> list[Any]:
    """The records in order of arrival, each with its place as journal offset."""
    ordered = sorted(records, key=lambda one: one.arrival)
    return [_with_offset(record, offset) for offset, record in enumerate(ordered)]


def _with_offset(record: Any, offset: int) -> Any:
    values = {name: getattr(record, name) for name in record.__struct_fields__}
    return type(record)(**{**values, "offset": offset})


class Wire:
    """Inputs on their way into an engine, and what it said of them."""

    def __init__(self, settings: EngineSettings | None = None) -> None:
        self.engine = Engine(settings or EngineSettings())
        self.facts: list[Fact] = []
        self.offset = 0

    def send(self, *records: Any) -> Wire:
        """Hand records over one by one, in the order given."""
        for record in records:
            numbered_one = _with_offset(record, self.offset)
            self.offset += 1
            self.facts += self.engine.receive(numbered_one, numbered_one.arrival)
        return self

    def until(self, at: float) -> Wire:
        """Let time pass."""
        self.facts += self.engine.handle_timer(CollectorTime(ns(at)))
        return self

    @property
    def verdicts(self) -> list[Verdict]:
        """All rows in the order said."""
        return [fact for fact in self.facts if isinstance(fact, Verdict)]

    @property
    def events(self) -> list[Event]:
        """All events in the order said."""
        return [fact for fact in self.facts if isinstance(fact, Event)]

    def kinds(self) -> list[str]:
        """Kinds of the events."""
        return [event.kind for event in self.events]

    def firsts(self) -> list[Verdict]:
        """The first row of each period."""
        return [row for row in self.verdicts if row.amendment == 0]

    def lasts(self) -> list[Verdict]:
        """The last row of each period, in order of subscription, revision and index."""
        found: dict[tuple[str, int, int, int], Verdict] = {}
        for row in self.verdicts:
            key = (row.device, row.subscription_id, row.revision, row.period_index)
            found[key] = row
        return [found[key] for key in sorted(found)]

    def row(self, index: int) -> Verdict:
        """The last row of the period ``index`` periods after ``START``."""
        for row in reversed(self.verdicts):
            period = row.nominal_time - ns(0)
            if period and row.period_index == _index(row, index):
                return row
            if not period and index == 0:
                return row
        raise LookupError(f"no verdict on period {index}")


def _index(row: Verdict, index: int) -> int:
    """Period index of the tick ``index`` periods after START, on the row's own grid."""
    distance = row.nominal_time - ns(0)
    if distance == 0:
        return row.period_index + index
    per = row.nominal_time // row.period_index
    return ns(0) // per + index


def run(
    records: Iterable[EngineInput],
    settings: EngineSettings | None = None,
    *,
    until: float | None = None,
    between: Callable[[Wire], None] | None = None,
) -> Wire:
    """Let records, in order of arrival, run through an engine."""
    wire = Wire(settings)
    for record in numbered(records):
        if between is not None:
            between(wire)
        wire.facts += wire.engine.receive(record, record.arrival)
    if until is not None:
        wire.until(until)
    return wire


def letters(rows: Iterable[Verdict]) -> str:
    """One letter a period: C complete, D degraded, I incomplete, u unknown, n not judged."""
    words = {"COMPLETE": "C", "DEGRADED": "D", "INCOMPLETE": "I", "UNKNOWN": "u", "NOT_JUDGED": "n"}
    return "".join(words[row.outcome] * (row.period_to - row.period_index + 1) for row in rows)


def steady(
    cards: Iterable[int] = (1, 2),
    *,
    periods: int = 6,
    period: float = 10,
    per_period: int = 1,
    first_id: int = 100,
    start: int = 0,
    offset: float = 0.1,
    spacing: float = 0.05,
    **more: Any,
) -> list[Update]:
    """Every card sends ``per_period`` messages a period, each with its own run of ids."""
    sent = []
    for card in cards:
        number = first_id
        for index in range(start, start + periods):
            for part in range(per_period):
                at = index * period + offset + 0.01 * card + spacing * part
                sent.append(update(at, str(card), number, time=at - 0.05, **more))
                number += 1
    return sent
