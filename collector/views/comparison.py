"""The end of a demo: verdicts against what the simulator really sent."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from collector.comparison import Comparison
from collector.model import Outcome
from collector.views.tables import OUTCOME_STYLES, print_table
from collector.views.text import clean, day_and_clock

DIFFERENCES_SHOWN = 50
"""Rows of differences that are printed (ours)."""
_COLUMNS = ("period", "device", "subscription", "row", "what", "collector said", "truth is")


def print_comparison(console: Console, comparison: Comparison) -> None:
    """The summary: what was judged, what was not compared, and every difference."""
    console.print(_outcomes(comparison), soft_wrap=True)
    if comparison.skipped:
        console.print(f"Not compared: the first {comparison.skipped} periods", soft_wrap=True)
    if comparison.uncertain:
        periods = _count(comparison.uncertain, "period")
        console.print(
            f"Not compared: {periods} in which the simulator itself was late", soft_wrap=True
        )
    console.print(_result(comparison), soft_wrap=True)
    if comparison.differences:
        _print_differences(console, comparison)


def _outcomes(comparison: Comparison) -> Text:
    line = Text("Periods by outcome: ")
    shown = [o for o in Outcome if comparison.outcomes.get(o.value)]
    for number, outcome in enumerate(shown):
        line.append(", " if number else "")
        line.append(
            f"{comparison.outcomes[outcome.value]} {outcome.value}", OUTCOME_STYLES[outcome]
        )
    return line if shown else line.append("none")


def _result(comparison: Comparison) -> Text:
    if not comparison.compared:
        return Text("Nothing could be compared with what was really sent.", "bold red")
    text = f"Compared with what was really sent: {_count(comparison.compared, 'period')}, "
    if comparison.differences:
        return Text(text + _count(len(comparison.differences), "difference") + ".", "bold red")
    if not comparison.agrees:
        return Text(text + "no difference, but too many that could not be compared.", "bold red")
    return Text(text + "no difference.", "bold green")


def _print_differences(console: Console, comparison: Comparison) -> None:
    rows = (
        (
            day_and_clock(d.nominal_time, digits=2),
            clean(d.device),
            d.subscription_id,
            d.row,
            d.column,
            clean(d.verdict),
            clean(d.truth),
        )
        for d in comparison.differences[:DIFFERENCES_SHOWN]
    )
    print_table(console, _COLUMNS, rows, whole=_COLUMNS[:1])
    more = len(comparison.differences) - DIFFERENCES_SHOWN
    if more > 0:
        console.print(f"... and {more} more")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
