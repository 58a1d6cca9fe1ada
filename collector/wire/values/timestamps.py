"""Times as text and as centiseconds <-> whole nanoseconds since 1970-01-01T00:00:00Z.

Does: ``yang:date-and-time`` (RFC 9911 §3, which is RFC 3339 §5.6) both ways, and the centiseconds
of ``period`` and ``dampening-period`` (RFC 8641 §4.2) both ways. Does not: read a clock, or say
whose clock a time is of (see ``model.DeviceTime``, ``model.CollectorTime``).

Rules: up to nine digits of a fraction are kept exactly, further ones are cut off. ``-00:00`` and a
missing zone mean UTC. A leap second (``:60``) is the first instant of the next minute, as in POSIX
time. Everything malformed is one ``WireError`` with the reason ``bad-timestamp``.

The decoder runs once or twice for each message: messages of one second share their first 19
characters, so only these are remembered (a bounded cache of a pure function).
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Final

from collector.errors import WireError
from collector.model import CENTISECOND, SECOND

_CLAUSE: Final = "RFC 3339 §5.6"
_LONGEST: Final = 64
"""Characters of the longest text that is looked at; ours. A sane one has at most 35."""
_EPOCH: Final = date(1970, 1, 1).toordinal()
_SCALE: Final[tuple[int, ...]] = tuple(10 ** (9 - digits) for digits in range(10))
"""ns of one unit of the last digit, by the number of digits of a fraction."""
_UINT32_MAX: Final = 0xFFFF_FFFF

_TO_SECOND: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)", re.ASCII)
_ZONE: Final = re.compile(r"([+-])(\d\d):(\d\d)", re.ASCII)
_AFTER_SECOND: Final = re.compile(r"(?:\.(\d+))?(?:[Zz]|([+-]\d\d:\d\d))?", re.ASCII)


# --------------------------------------------------------------------------- decode
def parse_date_and_time(text: str | bytes) -> int:
    """Return ns since 1970 of a ``date-and-time``; white space around it is ignored.

    Raises:
        WireError: reason ``bad-timestamp``.
    """
    if isinstance(text, bytes):
        text = text.decode("latin-1")  # never fails; what is not ASCII fails below
    try:
        whole: int = _ns_of_second(text[:19])
        if text[19:] == "Z":
            return whole
        if text[-1] == "Z":
            fraction = text[20:-1]
        else:
            whole -= _offset(text[-6:])
            fraction = text[20:-6]
        # int() alone would take "1_0" and "+1" and digits of other scripts
        if text[19] == "." and fraction.isdecimal() and fraction.isascii():
            return whole + int(fraction) * _SCALE[len(fraction)]
    except (ValueError, IndexError):
        pass
    return _parse_slowly(text)


def _parse_slowly(text: str) -> int:
    """All forms, and the error for what is none of them."""
    if len(text) > _LONGEST:
        raise _bad(text[:_LONGEST] + "...")
    stripped = text.strip()
    try:
        whole: int = _ns_of_second(stripped[:19])
    except ValueError:
        raise _bad(stripped) from None
    rest = _AFTER_SECOND.fullmatch(stripped, 19)
    if rest is None:
        raise _bad(stripped)
    fraction, zone = rest.groups()
    if fraction:
        digits = fraction[:9]
        whole += int(digits) * _SCALE[len(digits)]
    if zone:
        try:
            whole -= _offset(zone)
        except ValueError:
            raise _bad(stripped) from None
    return whole


@lru_cache(maxsize=1024)
def _ns_of_second(text: str) -> int:
    """ns of ``YYYY-MM-DDThh:mm:ss`` taken as UTC. Raises ValueError."""
    match = _TO_SECOND.fullmatch(text)
    if match is None:
        raise ValueError(text)
    year, month, day, hour, minute, second = map(int, match.groups())
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError(text)
    days = date(year, month, day).toordinal() - _EPOCH
    return (days * 86400 + hour * 3600 + minute * 60 + second) * SECOND


@lru_cache(maxsize=64)
def _offset(zone: str) -> int:
    """ns that ``+hh:mm`` is ahead of UTC. Raises ValueError."""
    match = _ZONE.fullmatch(zone)
    if match is None or match[2] > "23" or match[3] > "59":
        raise ValueError(zone)
    offset = (int(match[2]) * 60 + int(match[3])) * 60 * SECOND
    return -offset if match[1] == "-" else offset


def _bad(text: str) -> WireError:
    message = f"{text!r} is not a date-and-time"
    return WireError("bad-timestamp", message, field="date-and-time", clause=_CLAUSE)


def centiseconds_to_ns(centiseconds: int) -> int:
    """ns of a ``centiseconds`` value as read.

    Raises:
        WireError: reason ``bad-centiseconds``, outside uint32 (RFC 8641 §5, typedef centiseconds).
    """
    if not 0 <= centiseconds <= _UINT32_MAX:
        message = f"{centiseconds} is not a number of centiseconds"
        raise WireError("bad-centiseconds", message, field="period", clause="RFC 8641 §5")
    return centiseconds * CENTISECOND


# --------------------------------------------------------------------------- encode
def format_date_and_time(ns: int, digits: int | None = None) -> str:
    """Return the ``date-and-time`` of ``ns``, in UTC with ``Z``.

    Args:
        ns: ns since 1970; years 1 to 9999.
        digits: of the fraction, 0 to 9, the rest cut off; None: as many as are needed, none for a
            whole second.

    Raises:
        ValueError: a year or a number of digits outside these ranges.
    """
    if digits is not None and not 0 <= digits <= 9:
        raise ValueError(f"digits is 0 to 9, not {digits}")
    second, part = divmod(ns, SECOND)
    text = _text_of_second(second)
    fraction = f"{part:09d}"
    fraction = fraction.rstrip("0") if digits is None else fraction[:digits]
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"


@lru_cache(maxsize=1024)
def _text_of_second(second: int) -> str:
    days, left = divmod(second, 86400)
    minutes, seconds = divmod(left, 60)
    day = date.fromordinal(_EPOCH + days).isoformat()
    return f"{day}T{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"


def ns_to_centiseconds(ns: int) -> int:
    """Centiseconds of ``ns``, exact.

    Raises:
        ValueError: not a whole number of centiseconds, or outside uint32.
    """
    centiseconds, rest = divmod(ns, CENTISECOND)
    if rest or not 0 <= centiseconds <= _UINT32_MAX:
        raise ValueError(f"{ns} ns is not a number of centiseconds (0.01 s, uint32)")
    return centiseconds
