"""The sentences of alerts. Times are UTC; the date is added where it is not that of the alert."""

from __future__ import annotations

from collector.model import Cause
from collector.views.text import card, clean, clock, day_and_clock

_SENTENCES = {
    Cause.SILENT: "{card} of {device} silent {since}",
    Cause.LOST: "messages of {card} of {device} lost on the way {since}",
    Cause.RESTARTED: "{card} of {device} restarted and missed the period {since}",
    Cause.UNREASSEMBLED: "messages of {card} of {device} arrive in part only {since}",
    Cause.REJECTED: "messages of {card} of {device} cannot be read {since}",
    Cause.LOST_HERE: "messages of {card} of {device} dropped by the collector itself {since}",
    Cause.LEFT: "{card} of {device} left {since}",
    Cause.LOSS: "{card} of {device} loses messages {since}",
    Cause.POSSIBLE_LOSS: "{card} of {device} may be losing messages {since}",
    Cause.INCOMPLETE_UPDATE: "{card} of {device} says that its updates are incomplete {since}",
}
"""Cause -> what is said; every cause has one."""


def since(nominal: int, now: int) -> str:
    """``since 12:00:05``, with the date where it is not that of ``now``."""
    same_day = nominal // 10**9 // 86400 == now // 10**9 // 86400
    return f"since {clock(nominal) if same_day else day_and_clock(nominal)}"


def trouble(generator: str, device: str, cause: Cause, began: int, now: int) -> str:
    """``card 3 of core7 silent since 12:00:05``."""
    return _SENTENCES[cause].format(
        card=card(generator), device=clean(device), since=since(began, now)
    )


def recovery(generator: str, device: str, back: int, cause: Cause, began: int, now: int) -> str:
    """``card 3 of core7 delivers again since 12:00:35 (silent since 12:00:05)``."""
    return (
        f"{card(generator)} of {clean(device)} delivers again {since(back, now)}"
        f" ({_word(cause)} {since(began, now)})"
    )


def late(generator: str, device: str, nominal: int, now: int) -> str:
    """The only period in trouble came after all."""
    moment = since(nominal, now).removeprefix("since ")
    return f"{card(generator)} of {clean(device)} delivered the period of {moment} after all, late"


def past(generator: str, device: str, cause: Cause, nominal: int, now: int) -> str:
    """One period that is over already: ``card 3 of core7 was silent in the period of 12:00:05``."""
    moment = since(nominal, now).removeprefix("since ")
    return f"{card(generator)} of {clean(device)} was {_word(cause)} in the period of {moment}"


def farewell(generator: str, device: str, gone: int, cause: Cause, began: int, now: int) -> str:
    """The list changed while something was wrong: nobody waits for it any longer."""
    return (
        f"{card(generator)} of {clean(device)} is no longer expected {since(gone, now)}"
        f" ({_word(cause)} {since(began, now)})"
    )


def flapping(generator: str, device: str, now: int) -> str:
    """Too many changes: they are not told one by one."""
    return (
        f"{card(generator)} of {clean(device)} keeps coming and going;"
        f" nothing more is said until it is steady ({since(now, now)})"
    )


def steady(generator: str, device: str, now: int) -> str:
    """After ``flapping``, well again."""
    return f"{card(generator)} of {clean(device)} is steady again {since(now, now)}"


def _word(cause: Cause) -> str:
    return cause.value.replace("_", " ")
