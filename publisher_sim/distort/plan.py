"""What is to go wrong with a capture: values, and how they are spelled.

An originator is named by its id; ``any`` takes one by the seed, ``all`` takes every one. Faults
begin not before ``begin`` periods of the slowest subscription and end ``end`` periods before the
last message, so that a collector can know the device before and has a chance to see it after.
"""

from __future__ import annotations

from msgspec import Struct

ANY = "any"
ALL = "all"


class Span(Struct, frozen=True):
    """Some consecutive periods of one originator."""

    generator: str
    periods: int


class Moved(Struct, frozen=True):
    """One originator and a number of ns: a clock's step, or how late."""

    generator: str
    by: int


class Plan(Struct, frozen=True):
    """Everything that may go wrong, several at once; the default changes nothing."""

    seed: int = 0
    begin: float = 5.0
    end: float = 2.0

    drop: float = 0.0
    """Share of datagrams lost on the way."""
    lose: float = 0.0
    """Share of messages lost whole on the way."""
    duplicate: float = 0.0
    """Share of messages that come twice, the second within 50 ms."""
    garbage_time: float = 0.0
    """Share of messages with a nonsense record time."""
    no_time: bool = False
    reorder: int = 0
    """ns within which the order of up to 8 messages is shuffled."""
    jitter: int = 0
    """ns, mean of an exponential delay of each message."""
    outage: int = 0
    """ns of which nothing arrives."""
    silent: tuple[Span, ...] = ()
    """Never sent; ids go on as if there had been nothing to send."""
    lost: tuple[Span, ...] = ()
    """Sent, and lost on the way."""
    clock: tuple[Moved, ...] = ()
    """Record times move from one moment on."""
    late: tuple[Moved, ...] = ()
    """All of one period comes later, by at most 0.8 periods."""
    restart: tuple[str, ...] = ()
    """The ids of this originator's publisher begin at 0 again."""
    restart_missed: tuple[str, ...] = ()
    """The same, and its originators miss a period."""
    leave: tuple[str, ...] = ()
    join: tuple[str, ...] = ()


class Window(Struct, frozen=True):
    """When faults may happen, by arrival; ns."""

    since: int
    until: int

    def moment(self, share: float, length: int = 0) -> int:
        """A moment in it from which ``length`` ns still fit, ``share`` of the way (0 to 1)."""
        return self.since + round(share * max(0, self.until - self.since - length))


def span(text: str) -> Span:
    """``GEN:PERIODS``. Raises ValueError."""
    generator, number = _parts(text, "GEN:PERIODS")
    if not number.isdecimal() or int(number) < 1:
        raise ValueError(f"{text!r}: PERIODS is a whole number from 1 on")
    return Span(generator, int(number))


def moved(text: str) -> Moved:
    """``GEN:SECONDS``, with a sign or without. Raises ValueError."""
    generator, number = _parts(text, "GEN:SECONDS")
    try:
        seconds = float(number)
    except ValueError:
        raise ValueError(f"{text!r}: SECONDS is a number") from None
    if not abs(seconds) < 1e9:
        raise ValueError(f"{text!r}: SECONDS is below 1000000000")
    return Moved(generator, round(seconds * 1_000_000_000))


def _parts(text: str, form: str) -> tuple[str, str]:
    generator, colon, rest = text.rpartition(":")
    if not (generator and colon and rest):
        raise ValueError(f"{text!r} is not {form}")
    return generator, rest
