"""Which verdicts, and which events, are worth a sentence: a pure state machine over rows.

Does: remember for each (device, subscription, generator) how it stands and say each change once.
Does not: deliver, know a clock, or judge; NOT_JUDGED and UNKNOWN periods change nothing.

Rules
* A change is from well to degraded or missing, between these two, and back. Another cause of the
  same trouble (``silent`` turns out to be ``lost``) is said once.
* An amendment takes an alert back when all came after all, late; it may name another cause; from
  missing to degraded it moves without a word (late messages come one by one).
* Verdicts come in any order of periods: a first verdict on a period older than one that is known
  is told as past and changes no state; an amendment of such a period is not told.
* That a device declares less than the operator expects, that an active subscription never sent, and
  that a device lost a configured one, is an alert, its end another one; they are held back until
  they lasted, so they are passed on as they come.
* A generator that leaves the list while in trouble gets a last word.
* Flapping (ours): each change costs ``CHANGE_COST``, each steady period gives 1 back; above
  ``FLAPPING`` one sentence says so and the rest is kept quiet until the debt is paid.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from collector.alerts import sentences
from collector.model import Cause, CollectorTime, DeviceTime, Event, Fact, Outcome, Verdict
from collector.views.text import clean
from collector.wire.values.timestamps import format_date_and_time

CHANGE_COST = 20
FLAPPING = 120
STEADY = 20
STATES_KEPT = 100_000
"""Generators, and subscriptions, that are remembered (ours); the longest unchanged is forgotten
first."""


class AlertKind(enum.StrEnum):
    """What an alert says."""

    MISSING = "missing"
    DEGRADED = "degraded"
    RECOVERED = "recovered"
    CAUSE = "cause"
    """The same trouble has another cause than was said."""
    PAST = "past"
    """One period that is over already."""
    LEFT = "left"
    """No longer expected."""
    NOT_DECLARED = "not_declared"
    """The device declares less than the operator expects."""
    DECLARED = "declared"
    """It declares enough again."""
    NEVER_SENT = "never_sent"
    """A subscription is active and brought nothing."""
    SENDS = "sends"
    """It brings data now."""
    NOT_CONFIGURED = "not_configured"
    """The device does not have a configured subscription that it should have."""
    CONFIGURED = "configured"
    """It has it again."""
    FLAPPING = "flapping"
    STEADY = "steady"


class Alert(Struct, frozen=True):
    """One sentence, and what it is made of."""

    time: CollectorTime
    kind: AlertKind
    device: str
    subscription_name: str
    subscription_id: int | None
    """None of what is about all subscriptions of that name."""
    generator: str
    """Empty of what is about a whole list."""
    cause: Cause | None
    """The trouble that there is, or that is over."""
    since: DeviceTime
    """Nominal time of the first period of which it is true, ns since 1970."""
    text: str

    def row(self) -> dict[str, Any]:
        """As one JSON object."""
        return {
            "row": "alert",
            "time": format_date_and_time(self.time),
            "kind": self.kind.value,
            "device": self.device,
            "subscription_name": self.subscription_name,
            "subscription_id": self.subscription_id,
            "generator": self.generator,
            "cause": None if self.cause is None else self.cause.value,
            "since": format_date_and_time(self.since),
            "text": self.text,
        }


class _State(Struct):
    """How a generator stands."""

    kind: AlertKind | None = None
    """MISSING or DEGRADED, None when well."""
    cause: Cause | None = None
    began: DeviceTime = DeviceTime(0)
    newest: DeviceTime = DeviceTime(0)
    """Nominal time of the newest period that was looked at."""
    told: frozenset[Cause] = frozenset()
    debt: int = 0
    quiet: bool = False
    """Flapping: nothing is said."""


class _Series(Struct, gc=False):
    """A subscription, and all of its generators that are well."""

    required: tuple[str, ...] = ()
    """Of the newest verdict."""
    newest: DeviceTime = DeviceTime(0)
    """Nominal time of the newest period that was looked at."""


_EVENTS = {
    "declares_less": AlertKind.NOT_DECLARED,
    "declares_enough": AlertKind.DECLARED,
    "never_sent": AlertKind.NEVER_SENT,
    "began_to_send": AlertKind.SENDS,
    "configured_lost": AlertKind.NOT_CONFIGURED,
    "configured_back": AlertKind.CONFIGURED,
}
"""Kind of event -> what its alert says."""


_Key = tuple[str, str, str]
"""(device, subscription name or id, generator)"""


class AlertDecider:
    """Takes verdicts, gives alerts."""

    def __init__(self) -> None:
        self._states: dict[_Key, _State] = {}
        """Of those in trouble, or not long out of it; nearly all are well and not here."""
        self._all: dict[tuple[str, str], _Series] = {}
        """(device, subscription name or id) -> the series."""

    def receive(self, facts: Iterable[Fact]) -> list[Alert]:
        """The alerts that these facts deserve, in their order."""
        return [alert for fact in facts for alert in self._fact(fact)]

    def _fact(self, fact: Fact) -> Iterator[Alert]:
        if isinstance(fact, Verdict):
            if fact.outcome not in (Outcome.UNKNOWN, Outcome.NOT_JUDGED):
                yield from self._verdict(fact)
        elif isinstance(fact, Event) and fact.kind in _EVENTS:
            yield _of_event(fact)

    def _verdict(self, verdict: Verdict) -> Iterator[Alert]:
        troubles = {pair.generator: (AlertKind.DEGRADED, pair.cause) for pair in verdict.degraded}
        troubles |= {pair.generator: (AlertKind.MISSING, pair.cause) for pair in verdict.missing}
        series, nominal_time = (verdict.device, _series(verdict)), verdict.nominal_time
        known = self._all.get(series)
        if known is None:
            known = self._all[series] = _Series()
            if len(self._all) > STATES_KEPT:
                del self._all[next(iter(self._all))]
        for generator in verdict.required if troubles or self._states else ():
            state = self._states.get((*series, generator))
            if generator not in troubles and (state is None or _stays_well(state, nominal_time)):
                self._states.pop((*series, generator), None)
                continue
            kind, cause = troubles.get(generator, (None, None))
            state = state or self._new_state((*series, generator), known.newest)
            yield from self._generator(verdict, generator, state, kind, cause)
        yield from self._leavers(verdict, series, known)
        known.newest = max(known.newest, nominal_time)

    def _generator(
        self,
        verdict: Verdict,
        generator: str,
        state: _State,
        kind: AlertKind | None,
        cause: Cause | None,
    ) -> Iterator[Alert]:
        if verdict.nominal_time < state.newest:
            if verdict.amendment == 0 and cause is not None and not state.quiet and not state.kind:
                text = sentences.past(
                    generator, verdict.device, cause, verdict.nominal_time, verdict.judged_at
                )
                yield _alert(verdict, generator, AlertKind.PAST, cause, verdict.nominal_time, text)
            return
        state.newest = verdict.nominal_time
        if verdict.amendment and kind is AlertKind.DEGRADED and state.kind is AlertKind.MISSING:
            state.kind, state.told = kind, state.told | {cause or Cause.LOSS}
            return
        if kind is not state.kind:
            yield from self._changed(verdict, generator, state, kind, cause)
            return
        state.debt = max(0, state.debt - 1) if verdict.amendment == 0 else state.debt
        if state.quiet and state.debt <= STEADY:
            state.quiet = False
            yield _current(verdict, generator, state)
        elif cause is not None and cause not in state.told and not state.quiet:
            state.cause, state.told = cause, state.told | {cause}
            text = sentences.trouble(
                generator, verdict.device, cause, state.began, verdict.judged_at
            )
            yield _alert(verdict, generator, AlertKind.CAUSE, cause, state.began, text)

    def _changed(
        self,
        verdict: Verdict,
        generator: str,
        state: _State,
        kind: AlertKind | None,
        cause: Cause | None,
    ) -> Iterator[Alert]:
        before, began = state.cause, state.began
        state.kind, state.cause = kind, cause
        state.began = verdict.nominal_time
        state.told = frozenset() if cause is None else frozenset({cause})
        state.debt = min(state.debt + CHANGE_COST, 2 * FLAPPING)
        if state.quiet:
            return
        if state.debt > FLAPPING:
            state.quiet = True
            text = sentences.flapping(generator, verdict.device, verdict.nominal_time)
            yield _alert(verdict, generator, AlertKind.FLAPPING, cause, state.began, text)
        elif kind is None:
            assert before is not None
            text = (
                sentences.late(generator, verdict.device, began, verdict.judged_at)
                if began == state.began
                else sentences.recovery(
                    generator, verdict.device, state.began, before, began, verdict.judged_at
                )
            )
            yield _alert(verdict, generator, AlertKind.RECOVERED, before, state.began, text)
        else:
            yield _current(verdict, generator, state)

    def _leavers(
        self, verdict: Verdict, series: tuple[str, str], known: _Series
    ) -> Iterator[Alert]:
        before = known.required
        if before == verdict.required or verdict.amendment:
            return
        known.required = verdict.required
        self._all[series] = self._all.pop(series, known)
        for generator in (one for one in before if one not in verdict.required):
            state = self._states.pop((*series, generator), None)
            if state is None or state.quiet or state.cause is None or state.cause is Cause.LEFT:
                continue
            text = sentences.farewell(
                generator, verdict.device, verdict.nominal_time,
                state.cause, state.began, verdict.judged_at,
            )  # fmt: skip
            yield _alert(
                verdict, generator, AlertKind.LEFT, state.cause, verdict.nominal_time, text
            )

    def _new_state(self, key: _Key, newest: DeviceTime) -> _State:
        """Of one that was well up to a period."""
        if len(self._states) >= STATES_KEPT:
            del self._states[next(iter(self._states))]
        state = self._states[key] = _State(newest=newest)
        return state


def _of_event(event: Event) -> Alert:
    return Alert(
        time=event.time,
        kind=_EVENTS[event.kind],
        device=event.device,
        subscription_name=event.subject,
        subscription_id=None,
        generator="",
        cause=None,
        since=DeviceTime(event.time),
        text=clean(event.text.rstrip(".")),
    )


def _stays_well(state: _State, nominal_time: int) -> bool:
    """Nothing is to be said of one more good period, and nothing remembered any longer."""
    return state.kind is None and not state.debt and nominal_time >= state.newest


def _series(verdict: Verdict) -> str:
    # a dynamic id changes at every re-connect, so the name is the series where there is one
    return verdict.subscription_name or str(verdict.subscription_id)


def _current(verdict: Verdict, generator: str, state: _State) -> Alert:
    """How the generator stands now."""
    if state.kind is None or state.cause is None:
        text = sentences.steady(generator, verdict.device, verdict.nominal_time)
        return _alert(verdict, generator, AlertKind.STEADY, None, verdict.nominal_time, text)
    text = sentences.trouble(generator, verdict.device, state.cause, state.began, verdict.judged_at)
    return _alert(verdict, generator, state.kind, state.cause, state.began, text)


def _alert(
    verdict: Verdict,
    generator: str,
    kind: AlertKind,
    cause: Cause | None,
    since: DeviceTime,
    text: str,
) -> Alert:
    return Alert(
        time=verdict.judged_at,
        kind=kind,
        device=verdict.device,
        subscription_name=verdict.subscription_name,
        subscription_id=verdict.subscription_id,
        generator=generator,
        cause=cause,
        since=since,
        text=f"{text} [{clean(verdict.subscription_name)}]" if verdict.subscription_name else text,
    )
