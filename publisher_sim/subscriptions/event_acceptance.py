"""Whether an event stream can be subscribed to under these terms, and what they come to.

Does not: talk, or look names of filters up. Raises ``ProtocolError`` with the identity, error-tag
and hints of RFC 8640 §7. Spec: RFC 8639 §2.4.2, §2.4.2.1.
"""

from __future__ import annotations

from msgspec import Struct, structs

from collector.errors import ProtocolError
from collector.model import DeviceTime, SelectionFilter, SubscriptionTerms
from collector.wire.netconf.errors import refusal
from publisher_sim.data.filters import Filter, FilterUnsupportedError, compile_filter
from publisher_sim.scenario import Scenario
from publisher_sim.sources.events import EventStream, Streams

ENCODING = "encode-xml"
"""All that goes on a session (RFC 8640 §4), and that of the rpc."""


class Granted(Struct, frozen=True):
    """What a stream subscription comes to."""

    terms: SubscriptionTerms
    event_filter: Filter | None
    revised: DeviceTime | None
    """When the replay begins instead of at the time that was asked for."""


def accept_stream(
    terms: SubscriptionTerms,
    meant: SelectionFilter | None,
    streams: Streams,
    scenario: Scenario,
    now: int,
    *,
    encodings: tuple[str, ...] = (ENCODING,),
) -> Granted:
    """The terms as granted. Raises ProtocolError.

    Args:
        terms: as asked for.
        meant: their filter, by whatever name.
        streams: those of the device.
        scenario: its limits.
        now: ns since 1970.
        encodings: which can be written, the first one where none is asked for.
    """
    stream = streams.get(terms.stream or "")
    if stream is None:
        raise ProtocolError(
            f"no event stream {terms.stream!r} here",
            tag="data-missing",  # a leafref without its target (RFC 7950 §15.5)
            path="/establish-subscription/stream",
        )
    for name in ("datastore", "period", "on_change"):
        if getattr(terms, name) is not None:
            raise ProtocolError(f"a stream has no {name}", tag="invalid-value")
    possible = scenario.limits.dscp
    if terms.dscp and possible is not None and terms.dscp not in possible:
        raise refusal("dscp-unavailable", f"DSCP {terms.dscp} cannot be set")
    encoding = terms.encoding or encodings[0]
    if encoding not in encodings:
        raise refusal("encoding-unsupported", f"{encoding} is not written here")
    revised = _replay(terms, stream, now)
    granted = structs.replace(terms, encoding=encoding)
    return Granted(granted, event_filter(meant), revised)


def _replay(terms: SubscriptionTerms, stream: EventStream, now: int) -> DeviceTime | None:
    """When a replay begins if not when it was asked for; checks both times."""
    start, stop = terms.replay_start_time, terms.stop_time
    if start is None:
        if stop is not None and stop <= now:
            raise ProtocolError("stop-time is in the past", tag="invalid-value")
        return None
    if not stream.replays:
        raise refusal("replay-unsupported", f"{stream.name} has no replay")
    if start >= now:
        raise ProtocolError("replay-start-time is not in the past", tag="invalid-value")
    if stop is not None and stop <= start:
        raise ProtocolError("stop-time is not after replay-start-time", tag="invalid-value")
    begins = stream.begins(start, now)
    return DeviceTime(begins) if begins > start else None


def event_filter(meant: SelectionFilter | None) -> Filter | None:
    """A filter of event records, ready. Raises ProtocolError with a hint."""
    if meant is None:
        return None
    try:
        return compile_filter(meant, boolean=True)
    except FilterUnsupportedError as error:
        hints = {"filter-failure-hint": str(error)}
        raise refusal("filter-unsupported", str(error), hints=hints) from error
