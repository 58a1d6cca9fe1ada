"""The originators of one subscription as a table: what is missing of each, arcs, lag, clocks, ids.

Does: choose and format what was learned of them. Does not: learn or count it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from rich.console import Console
from rich.text import Text

from collector.core.views import OriginatorState
from collector.model import SECOND
from collector.views.tables import print_table
from collector.views.text import card, natural

COLUMNS = (
    "generator",
    "missing",
    "degraded",
    "usual",
    "arc",
    "lag",
    "clock",
    "restarts",
    "ids per",
)
SHOWN = 64
"""Originators of one subscription that are printed (ours)."""
NOT_LISTED = Text("not on the list", style="cyan")
_SCOPES = {"header": "header id", "subscription": "subscription"}
"""What one run of Message IDs covers -> how it is said."""


class _Counted(Protocol):
    """The counts of one subscription."""

    device: str
    id: int
    missing: Counter[tuple[str, str]]
    degraded: Counter[tuple[str, str]]

    @property
    def listed(self) -> bool:
        """Whether a list of generators is known."""
        ...


def print_originators(
    console: Console,
    one: _Counted,
    states: Iterable[OriginatorState],
    about: Counter[tuple[str, str, str]],
) -> None:
    """A row for each originator that was required or heard.

    Args:
        console: where to.
        one: the subscription's periods by generator and cause.
        states: what is known of its originators at the end.
        about: (device, subject, kind of event) -> how many.
    """
    mine = sorted(states, key=lambda state: natural(state.generator))
    if not any(state.last_arrival is not None for state in mine) and not one.missing:
        return
    rows = [_row(one, state, about) for state in mine[:SHOWN]]
    kept = [n for n in range(len(COLUMNS)) if n < 2 or any(str(row[n]) != "-" for row in rows)]
    print_table(
        console,
        [COLUMNS[n] for n in kept],
        ([row[n] for n in kept] for row in rows),
        right=("usual", "lag", "restarts"),
        whole=("generator", "arc", "lag", "ids per"),
    )
    if len(mine) > SHOWN:
        console.print(f"and {len(mine) - SHOWN} more generators")


def _row(
    one: _Counted, state: OriginatorState, about: Counter[tuple[str, str, str]]
) -> list[str | Text]:
    steps = about[one.device, state.generator, "clock_step"]
    clock = [f"{state.clock_shift / SECOND:+.3f} s"] if state.clock_shift else []
    clock += [_times(steps, "step")] if steps else []
    clock += [f"{state.odd_times} odd"] if state.odd_times else []
    clock += [f"{state.absurd_times} absurd"] if state.absurd_times else []
    heard = state.last_arrival is not None
    required = state.required or not one.listed
    arc = "-"
    if state.arc_start is not None and state.arc_end is not None:
        start, end = f"{state.arc_start / SECOND:+.2f}", f"{state.arc_end / SECOND:+.2f}"
        arc = f"{start} s" if start == end else f"{start} to {end} s"
    return [
        card(state.generator),
        _causes(one.missing, state.generator, "red") if required else NOT_LISTED,
        _causes(one.degraded, state.generator, "yellow"),
        "-" if state.usual_count is None else str(state.usual_count),
        arc if heard else "never heard",
        f"{state.lag / SECOND:.3f} s" if heard else "-",
        ", ".join(clock) or "-",
        str(about[one.device, state.counter, "restart"] or "-"),
        _SCOPES[state.scope] if state.counter else "-",
    ]


def _causes(counts: Counter[tuple[str, str]], generator: str, style: str) -> str | Text:
    found = [f"{n} {cause}" for (name, cause), n in counts.items() if name == generator and n > 0]
    return Text(", ".join(sorted(found)), style=style) if found else "-"


def _times(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
