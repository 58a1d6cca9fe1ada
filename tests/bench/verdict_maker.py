"""Verdict rows as a large network gives them, made in columns: 20,000 a minute in 40 ms.

10,000 devices with two subscriptions of one minute and eight line cards each. The ticks of a
device lie where its name puts them in the minute, so rows come evenly. One row in 200 misses a
card at first and is amended a little later; one in 500 has a loss. Times have all their
nanoseconds, as real ones have: they are what does not compress.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from collector.store.tables import TIME, VERDICTS

DEVICES = 10_000
SUBSCRIPTIONS = ("interface-counters", "optics")
CARDS = 8
MINUTE = 60_000_000_000
ROWS_A_MINUTE = DEVICES * len(SUBSCRIPTIONS)
"""First verdicts; the amendments come on top."""
_CAUSES = VERDICTS.field("missing").type


def device_name(number: int) -> str:
    """Names as people give them; in another order than the numbers."""
    return f"{('fra', 'ber', 'muc', 'zrh')[number % 4]}{number % 97:02d}-edge{number:05d}"


NAMES = sorted(device_name(number) for number in range(DEVICES))


def verdict_table(first_minute: int, minutes: int) -> pa.Table:
    """All verdicts of periods that begin in these minutes since 1970, sorted as the store does."""
    random = np.random.default_rng(first_minute)
    shape = (DEVICES, minutes, len(SUBSCRIPTIONS))
    device, minute, subscription = (axis.ravel() for axis in np.indices(shape, np.int64))
    minute += first_minute
    count = len(device)
    phase = device * 7919 % DEVICES * (MINUTE // DEVICES)
    nominal = minute * MINUTE + phase
    missing = np.where(random.random(count) < 0.005, random.integers(0, CARDS, count), -1)
    lossy = (random.random(count) < 0.002) & (missing < 0)
    deadline = nominal + 3_000_000_000 + random.integers(0, 400_000_000, count)
    early = nominal + random.integers(600_000_000, 1_400_000_000, count)
    judged = np.where(missing >= 0, deadline + random.integers(0, 1_000_000, count), early)
    first = np.zeros(count, np.int64)
    amended = np.flatnonzero(missing >= 0)
    every = np.concatenate([np.arange(count), amended])
    values = {
        "device": device, "subscription": subscription, "minute": minute, "nominal": nominal,
        "missing": missing, "lossy": lossy, "deadline": deadline, "judged": judged,
        "amendment": first,
    }  # fmt: skip
    rows = {name: column[every] for name, column in values.items()}
    rows["amendment"][count:] = 1
    rows["judged"][count:] += 20_000_000_000
    order = np.lexsort((rows["judged"], rows["device"]))
    return _table({name: column[order] for name, column in rows.items()})


def _table(rows: dict[str, Any]) -> pa.Table:
    missing, lossy, amended = rows["missing"], rows["lossy"], rows["amendment"]
    count = len(missing)
    subscription = rows["subscription"]
    outcome = np.where(missing >= 0, 2, np.where(lossy, 1, 0))
    cards = np.array([str(card + 1) for card in range(CARDS)])
    required = np.tile(np.arange(CARDS, dtype=np.int32), count)
    kept = required != np.repeat(missing, CARDS)
    here = np.where(missing >= 0, CARDS - 1, CARDS)
    cause = np.where(amended[missing >= 0] > 0, 1, 0)
    none = _lists(np.zeros(count, np.int32), pa.array([], pa.string()))
    columns = {
        "device": _words(NAMES, rows["device"]),
        "subscription_name": _words(SUBSCRIPTIONS, subscription),
        "subscription_id": pa.array((101 + subscription).astype(np.uint32)),
        "revision": pa.array(1_000_000 + 2 * rows["device"] + subscription),
        "period_index": pa.array(rows["minute"]),
        "period_to": pa.array(rows["minute"]),
        "nominal_time": pa.array(rows["nominal"]).view(TIME),
        "amendment": pa.array(amended.astype(np.int32)),
        "final": pa.array(amended > 0),
        "outcome": _words(("COMPLETE", "DEGRADED", "INCOMPLETE"), outcome),
        "reason": pa.nulls(count, pa.string()),
        "required": _lists(np.full(count, CARDS), _words(cards, required)),
        "received": _lists(here, _words(cards, required[kept])),
        "missing": _causes(missing >= 0, missing[missing >= 0], cause, ("silent", "lost")),
        "degraded": _causes(lossy, np.zeros(lossy.sum(), np.int64), None, ("loss",)),
        "unexpected": none,
        "late_generators": none,
        "provenance": _words(("declared",), np.zeros(count, np.int32)),
        "period_source": _words(("declared",), np.zeros(count, np.int32)),
        "deadline": pa.array(rows["deadline"]).view(TIME),
        "judged_at": pa.array(rows["judged"]).view(TIME),
    }
    return pa.table(columns, schema=VERDICTS)


def _words(words: Any, numbers: Any) -> pa.Array:
    return pa.array(words, pa.string()).take(pa.array(numbers))


def _lists(lengths: Any, values: pa.Array) -> pa.Array:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def _causes(where: Any, cards: Any, cause: Any, words: tuple[str, ...]) -> pa.Array:
    numbers = np.zeros(len(cards), np.int64) if cause is None else cause
    names = [str(card + 1) for card in range(CARDS)]
    pairs = [_words(names, cards), _words(words, numbers)]
    values = pa.StructArray.from_arrays(pairs, names=["generator", "cause"])
    return _lists(where.astype(np.int32), values).cast(_CAUSES)
