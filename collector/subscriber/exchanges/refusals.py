"""What an rpc-error means for what we asked: whether it heals, what it hints, how to say it.

Does: judge a ``ProtocolError`` (RFC 8640 §7, RFC 8641 §4.4). Does not: ask again. Pure functions.
"""

from __future__ import annotations

from msgspec.structs import replace

from collector.errors import ProtocolError
from collector.model import CENTISECOND, SECOND, SubscriptionTerms
from collector.subscriber.sessions.session import plain

HEALING_TAGS = frozenset(
    {"in-use", "lock-denied", "resource-denied", "operation-failed", "partial-operation"}
)
"""error-tags (RFC 6241 §A) after which the same request may succeed later."""
HEALING_IDENTITIES = frozenset({"insufficient-resources"})
"""Everything else that RFC 8639 and RFC 8641 name is refused as long as device and terms stay."""
GONE_IDENTITIES = frozenset({"no-such-subscription", "no-such-subscription-resync"})
PERIOD_HINT = "period-hint"
SHORTEST_SHARE = 2
"""A period that is hinted is taken down to this part of ours (ours): a device that hints 0.01 s
must not flood us."""
UNKNOWN_STREAM_TAGS = frozenset({"operation-failed", "data-missing"})
"""error-tags that servers answer to the name of a stream that they do not have."""
_UINT32_MAX = 2**32 - 1
_SAID = 300
"""Letters of what a refusal says that are kept (ours)."""


def can_heal(error: ProtocolError) -> bool:
    """True where the same request may succeed later without a change on our side.

    ``insufficient-resources`` is a matter of time; an unsupported period or filter is not.
    """
    if error.identity:
        return error.identity in HEALING_IDENTITIES
    return error.tag in HEALING_TAGS


def is_gone(error: ProtocolError) -> bool:
    """True where the device does not know the subscription (any more)."""
    return error.identity in GONE_IDENTITIES


def hinted_period(error: ProtocolError) -> int | None:
    """ns out of ``period-hint`` (centiseconds, uint32); None without one that can be used."""
    text = error.hints.get(PERIOD_HINT, "").strip()
    if not (text.isascii() and text.isdecimal()) or len(text) > 10:
        return None
    return int(text) * CENTISECOND if 0 < int(text) <= _UINT32_MAX else None


def with_hints(
    asked: SubscriptionTerms, wanted: SubscriptionTerms, error: ProtocolError
) -> SubscriptionTerms | None:
    """Terms to ask for instead of ``asked``; None: the hints say nothing that helps.

    Only a period can be taken over without knowing what the data is for, which is the
    dampening-period of one that is on-change (RFC 8641 §5, period-hint): a hint about a filter is a
    text for people.
    """
    hinted, now, wish = hinted_period(error), _pace(asked), _pace(wanted)
    if hinted is None or wish is None or hinted == now or hinted * SHORTEST_SHARE < wish:
        return None
    if asked.on_change is not None:
        return replace(asked, on_change=replace(asked.on_change, dampening_period=hinted))
    return replace(asked, period=hinted)


def _pace(terms: SubscriptionTerms) -> int | None:
    """What a period-hint is about, ns; None: nothing."""
    return terms.period if terms.on_change is None else terms.on_change.dampening_period


def describe(error: ProtocolError, terms: SubscriptionTerms | None = None) -> str:
    """An rpc-error for people: identity or tag, the device's words, hints, what may be the cause.

    Args:
        error: the device's.
        terms: what was asked for; None where that explains nothing.
    """
    word = error.identity or error.tag
    text = "" if str(error) in (word, f"refused: {word}") else f" ({error})"
    hints = ", ".join(
        _hint(name, value) for name, value in sorted(error.hints.items()) if value != str(error)
    )
    said = f"{word}{text}" + (f"; the device hints: {hints}" if hints else "")
    return plain(said + _perhaps(error, terms), _SAID)


def _hint(name: str, value: str) -> str:
    if name == PERIOD_HINT and value.strip().isdecimal() and len(value) <= 10:
        return f"{name} {value.strip()} ({int(value) / 100:g} s)"
    return f"{name} {value}"


def _perhaps(error: ProtocolError, terms: SubscriptionTerms | None) -> str:
    """Servers answer ``operation-failed`` without a reason to the name of an unknown stream."""
    if terms is None or terms.stream is None or error.identity:
        return ""
    if error.tag not in UNKNOWN_STREAM_TAGS:
        return ""
    return f"; perhaps it has no stream {terms.stream}"


def seconds(duration: int) -> str:
    """A length of time for people."""
    return f"{duration / SECOND:g} s"
