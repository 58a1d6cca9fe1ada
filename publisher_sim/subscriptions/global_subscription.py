"""GlobalSubscription: what a subscriber asked of the device, and whether the device can do it.

Does not: talk. ``accept`` checks terms in the order of RFC 8641 §4.4.1 and raises ``ProtocolError``
with the identity, error-tag and hints of RFC 8640 §7.
"""

from __future__ import annotations

from msgspec import Struct, structs

from collector.errors import ProtocolError
from collector.model import (
    CENTISECOND,
    SECOND,
    DeviceTime,
    OnChange,
    SelectionFilter,
    SubscriptionTerms,
)
from collector.wire.netconf.errors import refusal
from publisher_sim.cards.channel import Destination
from publisher_sim.data.entries import Node
from publisher_sim.data.filters import Filter
from publisher_sim.data.selection import FilterUnsupportedError, Selection, select
from publisher_sim.scenario import Configured, Scenario
from publisher_sim.subscriptions.named_filters import NamedFilters

DEFAULT_ENCODING = "encode-xml"
"""Without one it is that of the rpc (RFC 8639 §2.4.2)."""
_TRANSPORTS = {"udp-notif": "udp-notif", "dtls": "udp-notif", "https-notif": "https"}
"""transport of the scenario -> identity that subscription-started names; others have none."""
BY_SCENARIO, BY_SESSION, BY_LOAD = CAUSES = ("scenario", "session", "load")
"""Who suspends: the timeline, a session that takes no more, or limits that are passed."""
_NO_NAMES = NamedFilters()
SOON = SECOND // 5
"""Without an anchor-time the first update is made so long after the request; ours."""


class GlobalSubscription(Struct):
    """One subscription, from its establishment or start to its end (RFC 8639 §2.4, §2.5)."""

    subscription_id: int
    session_id: str
    """Whose it is; empty: nobody's, it is configured."""
    terms: SubscriptionTerms
    """As granted: with period, anchor-time and encoding filled in."""
    selection: Selection
    shares: dict[str, tuple[Node, ...]]
    """publisher -> the nodes of its component subscription."""
    causes: tuple[str, ...] = ()
    """Why it is suspended, each of ``CAUSES`` once; resumed when the last one is gone."""
    anchor_off: float = 0.0
    """Its ticks are so much off the anchor that it has, part of the period."""
    suspended_at: int | None = None
    """ns since 1970."""
    began: int = 0
    """ns since 1970."""
    sent: int = 0
    """Event records for its receiver, of all publishers (RFC 8639 §2.8)."""
    excluded: int = 0
    """Those that its filter or access control kept back."""
    meant: SelectionFilter | None = None
    """Contents of the filter that its terms name; None: they contain it."""
    event_filter: Filter | None = None
    """Which records of its event stream pass."""
    records_per_second: float = 0.0
    """Of its event stream."""
    destinations: tuple[Destination, ...] = ()
    """Active receivers of a configured one; empty: that of the scenario."""
    modified_meanwhile: bool = False
    """Changed while suspended, which is told when it goes on (RFC 8639 §2.5.3)."""
    readable: tuple[str, ...] | None = None
    """Modules whose data its subscriber may read; None: all."""
    unlisted: bool = False
    """Its subscriber may not see who delivers (base draft §13)."""
    rhythm: int = SECOND
    """What the timeline counts in where it has no period, ns."""

    @property
    def suspended(self) -> bool:
        """Nothing of it leaves (RFC 8639 §2.4.1)."""
        return bool(self.causes)

    @property
    def said_terms(self) -> SubscriptionTerms:
        """What state changes say: the contents of a filter even where it is only named
        (RFC 8639 §2.7.1)."""
        if self.meant is None:
            return self.terms
        return structs.replace(self.terms, selection_filter=self.meant)

    @property
    def is_periodic(self) -> bool:
        """Is it served tick by tick?"""
        return self.terms.period is not None

    @property
    def is_configured(self) -> bool:
        """Nobody asked for it, and no session can touch it (RFC 8639 §2.5)."""
        return not self.session_id

    @property
    def period(self) -> int:
        """ns; of one without a period what the timeline counts in."""
        return self.terms.period or self.rhythm

    @property
    def anchor(self) -> int:
        """Any tick, ns since 1970."""
        return (self.terms.anchor_time or 0) + round(self.anchor_off * (self.terms.period or 0))

    def first_tick(self, now: int) -> int:
        """The first tick after ``now``."""
        return self.anchor + ((now - self.anchor) // self.period + 1) * self.period


def accept(
    terms: SubscriptionTerms, scenario: Scenario, now: int, named: NamedFilters = _NO_NAMES
) -> tuple[SubscriptionTerms, Selection]:
    """The terms as granted and what they select, of a datastore (``event_acceptance``: of a
    stream). Raises ProtocolError."""
    if terms.stream is not None or terms.datastore is None:
        raise ProtocolError("a datastore is needed", tag="missing-element")
    if terms.datastore != "operational":
        raise refusal("datastore-not-subscribable", f"{terms.datastore} cannot be subscribed to")
    if terms.on_change is not None:
        _check_on_change(terms, terms.on_change, scenario)
    _check_dscp(terms.dscp, scenario)
    if terms.replay_start_time is not None:
        raise refusal("replay-unsupported", "a datastore has no replay")
    encoding = terms.encoding or DEFAULT_ENCODING
    if encoding not in scenario.encodings:
        raise refusal("encoding-unsupported", f"{encoding} is not written here")
    period = None
    if terms.on_change is None:
        period = _accepted_period(terms.period, scenario)
    if terms.stop_time is not None and terms.stop_time <= now:
        raise ProtocolError("stop-time is in the past", tag="invalid-value")
    try:
        selection = select(named.meant(terms))
    except FilterUnsupportedError as error:
        hints = {"filter-failure-hint": str(error)}
        raise refusal("filter-unsupported", str(error), hints=hints) from error
    if period is None:
        return structs.replace(terms, encoding=encoding), selection
    # absent, it is the creation time of the initial update (RFC 8641 §4.2); the master sets it, so
    # that all publishers share it
    anchor = terms.anchor_time if terms.anchor_time is not None else DeviceTime(now + SOON)
    granted = structs.replace(terms, encoding=encoding, period=period, anchor_time=anchor)
    return granted, selection


def configured_terms(scenario: Scenario, configured: Configured, now: int) -> SubscriptionTerms:
    """The terms of a configured subscription, on ticks that are multiples of the period, or on
    changes."""
    terms = SubscriptionTerms(
        datastore="operational",
        selection_filter=SelectionFilter("xpath", configured.xpath),
        encoding=scenario.encoding,
        transport=_TRANSPORTS.get(scenario.receiver.transport),
    )
    if configured.on_change:
        dampening = round(scenario.changes.dampening_seconds * SECOND)
        return structs.replace(terms, on_change=OnChange(dampening_period=dampening))
    period = scenario.period_ns
    anchor = DeviceTime((now + SOON) // period * period + period)
    return structs.replace(terms, period=period, anchor_time=anchor)


def _check_dscp(dscp: int | None, scenario: Scenario) -> None:
    """0 is what everything has (RFC 8639 §2.3)."""
    possible = scenario.limits.dscp
    if dscp and possible is not None and dscp not in possible:
        raise refusal("dscp-unavailable", f"DSCP {dscp} cannot be set")


def _check_on_change(terms: SubscriptionTerms, wanted: OnChange, scenario: Scenario) -> None:
    """What it can do without a period (RFC 8641 §4.4.1)."""
    able = scenario.changes
    if not able.on_change or not scenario.traits.notifications:
        raise refusal("on-change-unsupported", "only periodic subscriptions")
    if terms.period is not None:
        raise ProtocolError("periodic or on-change, not both", tag="bad-element")
    if wanted.sync_on_start and not able.sync_on_start:
        raise refusal("on-change-sync-unsupported", "on-change, but without sync-on-start")
    if wanted.excluded_change and not able.excluded_change:
        raise refusal("cant-exclude", "no change can be excluded")
    least = round(able.minimum_dampening_seconds * SECOND)
    if wanted.dampening_period < least:
        hints = {"period-hint": str(-(-least // CENTISECOND))}
        message = f"a dampening-period of at least {least / SECOND:g} s"
        raise refusal("period-unsupported", message, hints=hints)


def _accepted_period(period: int | None, scenario: Scenario) -> int:
    if period is None:
        raise ProtocolError("a period is needed", tag="missing-element")
    low = round(scenario.period.minimum_seconds * SECOND)
    high = round(scenario.period.maximum_seconds * SECOND)
    if not low <= period <= high:
        nearest = low if period < low else high
        hints = {"period-hint": str(-(-nearest // CENTISECOND))}
        raise refusal(
            "period-unsupported", f"periods of {low / SECOND:g} to {high / SECOND:g} s", hints=hints
        )
    return period
