"""Many ``date-and-time`` texts at once: the same values as ``timestamps``, an eighth of the cost.

Does: read the texts that look like the first one (same minute, same zone, same digits) as one table
of octets; hand every other one to ``parse_date_and_time``. Does not: know more forms than that one.

Rules: the result of each text is what ``parse_date_and_time`` says of it alone, errors included.
The texts are joined with line ends, so that a text that itself holds one, or has another length,
makes a table that is not looked at: nothing shifts from one text into the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from collector.errors import WireError
from collector.model import SECOND
from collector.wire.values.plain import INT64_MAX, kept_time
from collector.wire.values.timestamps import parse_date_and_time

_FEW: Final = 24
"""Below this many one by one is cheaper."""
_TO_MINUTE: Final = 16
"""Characters of ``YYYY-MM-DDThh:mm``."""
_DIGIT_0: Final = ord("0")


def parse_many(texts: Sequence[str | None]) -> tuple[list[int | None], list[int]]:
    """ns since 1970 of each text, None for no text or a time beyond int64; never raises.

    Returns:
        The times, and the rows whose text is no time: their entries mean nothing.
    """
    if len(texts) >= _FEW and texts[0] is not None:
        if texts.count(texts[0]) == len(texts):
            (time,), odd = _parse_each(texts[:1])
            return [time] * len(texts), list(range(len(texts))) if odd else []
        found = _parse_alike(texts)
        if found is not None:
            return found
    return _parse_each(texts)


def _parse_each(texts: Sequence[str | None]) -> tuple[list[int | None], list[int]]:
    times: list[int | None] = [None] * len(texts)
    odd: list[int] = []
    for row, text in enumerate(texts):
        if text is None:
            continue
        try:
            times[row] = kept_time(parse_date_and_time(text))
        except WireError:
            odd.append(row)
    return times, odd


def _parse_alike(texts: Sequence[str | None]) -> tuple[list[int | None], list[int]] | None:
    """All of them, read as a table; None when they make none."""
    first = texts[0]
    assert first is not None
    zone = 1 if first.endswith("Z") else 6
    width = len(first)
    digits = width - zone - 20
    try:
        minute = parse_date_and_time(first[:_TO_MINUTE] + ":00" + first[-zone:])
        table = _table(texts, width)
    except (WireError, TypeError, UnicodeEncodeError):
        return None
    if table is None or not 1 <= digits <= 9:
        return None
    alike = (table[:, :_TO_MINUTE] == table[0, :_TO_MINUTE]).all(axis=1)
    alike &= (table[:, width - zone :] == table[0, width - zone :]).all(axis=1)
    alike &= (table[:, _TO_MINUTE] == ord(":")) & (table[:, 19] == ord("."))
    numbers = np.concatenate((table[:, 17:19], table[:, 20 : 20 + digits]), axis=1) - _DIGIT_0
    alike &= (numbers < 10).all(axis=1)  # of unsigned octets: what is no digit wraps around
    alike &= numbers[:, 0] < 6  # :60 is left to the reader of one text
    if not abs(minute) < INT64_MAX - 60 * SECOND:
        return None
    times: list[int | None] = (minute + numbers @ _weights(digits)).tolist()
    others = np.flatnonzero(~alike).tolist()
    if not others:
        return times, []
    each, odd = _parse_each([texts[row] for row in others])
    for row, time in zip(others, each, strict=True):
        times[row] = time
    return times, [others[row] for row in odd]


def _table(texts: Sequence[str | None], width: int) -> Any:
    """One row of octets for each text; None when one has another length."""
    joined = "\n".join(texts).encode("ascii")  # type: ignore[arg-type]  # None: a TypeError
    rows = len(texts)
    if len(joined) != rows * (width + 1) - 1:
        return None
    table = np.frombuffer(joined + b"\n", np.uint8).reshape(rows, width + 1)
    ends = np.count_nonzero(table == ord("\n"))
    if ends != rows or not (table[:, width] == ord("\n")).all():
        return None
    return table[:, :width]


def _weights(digits: int) -> Any:
    """ns of one unit of each digit: two of seconds, ``digits`` of the fraction."""
    fraction = [SECOND // 10 ** (place + 1) for place in range(digits)]
    return np.array([10 * SECOND, SECOND, *fraction], np.int64)
