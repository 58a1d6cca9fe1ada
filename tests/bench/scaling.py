"""How the cost of a message grows: one thing at a time changes, all else stays as it is.

Does: run the whole way once for each value of an axis, and draw what came of it (``charts``). Does
not: search; every point is the cost at a rate that the collector takes easily.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from tests.bench.charts import Panel, draw
from tests.bench.end_to_end import EndToEnd
from tests.bench.load import Load, Plan

RATE: Final = 20_000
"""Messages a second at every point, but for large messages and costly encodings."""
ENCODING_RATE: Final = 5_000
OCTETS_A_SECOND: Final = 50_000_000
"""Of payload, at most."""
COMPARABLE_OCTETS: Final = 1_380
"""What a message of every encoding can be filled up to, and still goes in one datagram."""

AXES: Final[dict[str, tuple[Any, ...]]] = {
    "rate": (5_000, 10_000, 20_000, 40_000, 80_000),
    "devices": (100, 300, 1_000, 3_000, 10_000),
    "cards": (1, 2, 4, 8, 16, 32),
    "octets": (900, 1_380, 2_700, 4_000, 8_950, 30_000),
    "encoding": ("json", "xml", "cbor"),
    "loss": (0.0, 0.001, 0.01, 0.05),
    "lanes": tuple(sorted({1, len(os.sched_getaffinity(0))})),
}
TITLES: Final = {
    "rate": "messages a second",
    "devices": "devices",
    "cards": "line cards of a device",
    "octets": "octets of a message",
    "encoding": f"encoding, {COMPARABLE_OCTETS:,} octets each",
    "loss": "share of the datagrams that are lost",
    "lanes": "lanes",
}

REMARKS: Final = {
    "devices": "the more there are the less each sends",
    "cards": "the more there are the less each sends",
    "octets": "above 1,388 in segments",
}


class Point(Struct, frozen=True):
    """One value of an axis."""

    axis: str
    value: Any
    run: EndToEnd


Runner = Callable[[Plan, int], EndToEnd]
"""(plan, lanes) -> what came of it."""


def measure(
    base: Load, axes: tuple[str, ...], run: Runner, *, lanes: int, seconds: float,
    quick: bool = False, tell: Callable[[Point], None] = lambda point: None,
) -> list[Point]:  # fmt: skip
    """All points of these axes; with ``quick`` the first two of each."""
    found = []
    for axis in axes:
        for value in AXES[axis][: 2 if quick else None]:
            load = load_of(base, axis, value, rate=2_000 if quick else RATE)
            plan = Plan.of_seconds(load, seconds)
            plan = replace(plan, ramp=1 if quick else 3, learning=2)
            point = Point(axis, value, run(plan, value if axis == "lanes" else lanes))
            found.append(point)
            tell(point)
    return found


def load_of(base: Load, axis: str, value: Any, *, rate: int = RATE) -> Load:
    """The load of a point."""
    load = base
    if axis in ("devices", "cards", "octets", "encoding", "loss"):
        load = replace(load, **{axis: value})
    if axis == "encoding":
        load = replace(load, octets=max(COMPARABLE_OCTETS, load.octets))
        rate = min(rate, ENCODING_RATE)
    if axis == "rate":
        rate = value
    return load.at_rate(min(rate, OCTETS_A_SECOND // load.octets))


def plot(points: list[Point], folder: Path) -> list[Path]:
    """One SVG an axis; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for axis in dict.fromkeys(point.axis for point in points):
        files.append(folder / f"scaling-{axis}.svg")
        files[-1].write_text(_picture(axis, [point for point in points if point.axis == axis]))
    return files


def _picture(axis: str, points: list[Point]) -> str:
    runs = [point.run for point in points]
    first = runs[0].load
    fixed = [
        REMARKS.get(axis, ""),
        f"{first.devices:,} devices" if axis != "devices" else "",
        f"{first.cards} cards each" if axis != "cards" else "",
        f"{first.octets:,} octets" if axis != "octets" else "",
        first.encoding.upper() if axis != "encoding" else "",
        f"about {round(first.rate, -3):,} messages/s" if axis not in ("rate", "octets") else "",
    ]
    costs = [run.running_microseconds for run in runs]
    panels = [
        Panel("CPU µs a message, until the last one is done", costs),
        Panel("CPU seconds of the stop", [run.stop_cpu_seconds for run in runs]),
        Panel("peak memory, MiB", [run.peak_rss / 2**20 for run in runs]),
    ]
    if axis == "octets":
        speeds = [run.load.octets / max(cost, 1e-9) for run, cost in zip(runs, costs, strict=True)]
        panels.insert(1, Panel("MB/s a core", speeds))
    return draw(
        f"Cost of a message by {TITLES[axis]}",
        ", ".join(one for one in fixed if one),
        [_label(point.value) for point in points],
        panels,
    )


def _label(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.1%}"
    return f"{value:,}" if isinstance(value, int) else str(value).upper()
