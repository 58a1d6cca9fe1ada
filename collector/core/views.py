"""What a person may want to see of the engine's state, as frozen values.

Does: read. Does not: change anything, or say how it is drawn.
"""

from __future__ import annotations

from msgspec import Struct

from collector.core.memory.state import Device, Originator, Subscription
from collector.core.originators.life import not_declared
from collector.core.subscriptions.cross_check import Running
from collector.model import CollectorTime, Provenance


class OriginatorState(Struct, frozen=True):
    """One originator of one subscription right now."""

    device: str
    subscription_name: str
    subscription_id: int
    generator: str
    last_arrival: CollectorTime | None
    """None while nothing was heard of it."""
    lag: int
    """ns, collector time minus corrected record time."""
    clock_shift: int
    """ns subtracted from its record times."""
    arc_start: int | None
    """Where in the period its records fall, ns from nominal; None until heard."""
    arc_end: int | None
    usual_count: int | None
    """Records a period; None while unknown."""
    counter: str
    """``source header-id`` of its counter; empty when nothing numbers its messages."""
    scope: str
    """``header`` or ``subscription``: what one run of ids covers."""
    required: bool
    missing: bool
    """The newest verdict misses it."""
    odd_times: int
    absurd_times: int
    declared: bool | None = None
    """It is on the newest list of the device; None: the device named nobody."""
    expected: bool = False
    """The operator expects it by name."""


def originators(device: Device, *, ended: bool = False) -> list[OriginatorState]:
    """The originators of a device's running subscriptions, required but unheard ones included.

    ``ended``: those of subscriptions that are over, too.
    """
    found: list[OriginatorState] = []
    for _, one in sorted(device.subscriptions.items()):
        if not (one.live or ended):
            continue
        missing = _missing(one)
        listed = one.lists[-1].members if one.lists else ()
        said = (one.life.declared or ()) if one.life is not None else ()
        names = sorted({*one.originators, *listed, *said})
        found += [_state(one, name, name in listed, name in missing) for name in names]
    return found


class Declaration(Struct, frozen=True):
    """What a device declares for a running subscription, beside what the operator expects."""

    device: str
    subscription_name: str
    subscription_id: int
    declared: int | None
    """Generators on its newest list; None: it named nobody."""
    not_declared: tuple[str, ...]
    """Whom the operator expects and the list does not name."""
    unannounced: tuple[str, ...]
    """Who sends and is not on the list."""


def declarations(device: Device) -> list[Declaration]:
    """The running subscriptions of a device for which it, or the operator, named generators."""
    return [
        Declaration(
            device=one.device,
            subscription_name=one.name,
            subscription_id=one.id,
            declared=None if one.life.declared is None else len(one.life.declared),
            not_declared=not_declared(one.life),
            unannounced=tuple(sorted(one.life.strangers)),
        )
        for _, one in sorted(device.subscriptions.items())
        if one.live and one.life is not None
    ]


def running(device: Device) -> list[Running]:
    """The running subscriptions of a device, as they are held against what it says of them."""
    return [
        Running(
            id=one.id,
            name=one.name,
            revision=one.revision,
            period=one.period,
            active=one.state == "active",
            generators=_listed(one),
            counted=bool(one.period) or one.terms.on_change is not None,
        )
        for _, one in sorted(device.subscriptions.items())
        if one.live
    ]


def _listed(one: Subscription) -> tuple[str, ...] | None:
    if one.life is not None and one.life.declared is not None:
        return one.life.declared
    newest = one.lists[-1] if one.lists else None
    return None if newest is None or newest.provenance is Provenance.CONFIGURED else newest.members


class UnknownSubscription(Struct, frozen=True):
    """A subscription id that data came for, while nobody said its terms."""

    device: str
    subscription_id: int
    generators: tuple[str, ...]
    """Of the first 16 originators, sorted."""


def unknown(device: Device) -> list[UnknownSubscription]:
    """The subscription ids of a device of which no terms are known."""
    return [
        UnknownSubscription(device.name, key, tuple(sorted(one.last_time)))
        for key, one in sorted(device.unknown.items())
    ]


def _missing(one: Subscription) -> frozenset[str]:
    rows = [period.row for period in one.periods.values() if period.row is not None]
    newest = max(rows, key=lambda row: row.period_index, default=None)
    return frozenset(item.generator for item in newest.missing) if newest else frozenset()


def _state(one: Subscription, name: str, required: bool, missing: bool) -> OriginatorState:
    known = one.originators.get(name) or Originator(name, one)
    counter, heard, life = known.counter, known.heard, one.life
    return OriginatorState(
        device=one.device,
        subscription_name=one.name,
        subscription_id=one.id,
        generator=name,
        last_arrival=CollectorTime(known.last_arrival) if heard else None,
        lag=known.lag,
        clock_shift=known.shift,
        arc_start=known.times_from if heard else None,
        arc_end=known.times_to if heard else None,
        usual_count=known.usual,
        counter=f"{counter.source} {counter.header_id}" if counter is not None else "",
        scope="subscription" if counter is not None and counter.per_key else "header",
        required=required,
        missing=missing,
        odd_times=known.odd_times,
        absurd_times=known.absurd_times,
        declared=None if life is None or life.declared is None else name in life.declared,
        expected=life is not None and name in life.expect,
    )
