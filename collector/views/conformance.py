"""What ``collector conformance`` prints: rules broken, kept, and not checked.

Rules: nothing is hidden. What could not be checked is named with what it would need, an example
names the message, and a rule that is ours says so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from collector.conformance import RULES, DeviceReport, Level, Report, Rule, Tally
from collector.sinks.rows import encode_row
from collector.views.console import make_console
from collector.views.tables import print_table
from collector.views.text import clean, day_and_clock
from collector.wire.values.timestamps import format_date_and_time

STYLES: Final = {Level.MUST: "bold red", Level.SHOULD: "yellow", Level.MAY: "cyan"}
RESULTS: Final = ("broken", "kept", "not checked")
COLUMNS: Final = (
    "device", "result", "level", "rule", "broken", "checked", "clause", "sentence", "example",
)  # fmt: skip
_BEGINNINGS: Final = re.compile(r"draft-(ietf|zhou)-netconf-")
DIALOUT: Final = "messages of a vendor's gRPC dial-out, of which no standard speaks"
NO_MESSAGE: Final = "no notification message of it could be taken, so it may be something else"


def print_report(
    report: Report, *, as_json: bool = False, every: bool = False, out: TextIO | None = None
) -> None:
    """Print everything.

    Args:
        report: what came of the rules.
        as_json: one object a device, and one a rule of it.
        every: the rules that are kept one by one, too.
        out: standard output.
    """
    console = make_console(out)
    if as_json:
        rows = (row for device in report.devices for row in _json_rows(device))
        console.file.write(b"".join(map(encode_row, rows)).decode())
        return
    if not console.is_terminal:
        lines = (_line(d, t) for d in report.devices for r in RESULTS for t in d.with_result(r))
        print_table(console, COLUMNS, lines)
        return
    for device in report.devices:
        _print_device(console, device, every)
    if report.left_out:
        console.print(
            f"\n{report.left_out:,} messages and datagrams were not looked at: of no device, or of"
            " too many"
        )


# --------------------------------------------------------------------------- JSON and lines
def _json_rows(device: DeviceReport) -> Iterator[dict[str, Any]]:
    yield {
        "row": "device",
        "device": device.device,
        "messages": device.messages,
        "datagrams": device.datagrams,
        "dialout": device.dialout,
        **{result.replace(" ", "_"): len(device.with_result(result)) for result in RESULTS},
    }
    for result in RESULTS:
        for tally in device.with_result(result):
            yield {
                "row": "rule",
                "device": device.device,
                "result": result,
                **_rule_fields(tally.topic, tally.rule),
                "checked": tally.checked,
                "broken": tally.broken,
                "example": _json_example(tally),
            }


def _rule_fields(topic: str, rule: Rule[Any]) -> dict[str, Any]:
    return {
        "rule": rule.name,
        "topic": topic,
        "level": rule.level.value,
        "clause": rule.clause,
        "sentence": rule.sentence,
        "needs": rule.needs or None,
    }


def _json_example(tally: Tally) -> dict[str, Any] | None:
    one = tally.example
    if one is None:
        return None
    time = format_date_and_time(one.time) if one.time > 0 else None
    return {"time": time, "where": one.where or None, "text": _utf8(one.text)}


def _utf8(text: str) -> str:
    return text.encode(errors="replace").decode()


def _line(device: DeviceReport, tally: Tally) -> tuple[object, ...]:
    rule = tally.rule
    example = "" if tally.example is None else f"{tally.example.text} ({_when(tally)})"
    return (
        device.device, tally.result, rule.level.value, rule.name, tally.broken, tally.checked,
        rule.clause, rule.sentence, example,
    )  # fmt: skip


def _when(tally: Tally) -> str:
    one = tally.example
    assert one is not None
    time = day_and_clock(one.time, digits=3) if one.time > 0 else "the whole of it"
    return f"{time}, {clean(one.where)}" if one.where else time


# --------------------------------------------------------------------------- for people
def _print_device(console: Console, device: DeviceReport, every: bool) -> None:
    datagrams = f" in {device.datagrams:,} datagrams" if device.datagrams else ""
    title = Text(f"\n{clean(device.device)}", "bold")
    title.append(f"  {device.messages:,} messages{datagrams}  ", "not bold")
    counts = {result: len(device.with_result(result)) for result in RESULTS}
    styles = ("bold red" if counts["broken"] else "dim", "green", "dim")
    for number, (result, style) in enumerate(zip(RESULTS, styles, strict=True)):
        title.append(", " if number else "", "not bold")
        title.append(f"{counts[result]} {result}", style)
    console.print(title)
    if not device.messages:
        console.print(Text(NO_MESSAGE, style="yellow"))
    if device.dialout:
        console.print(Text(f"{device.dialout:,} {DIALOUT}", style="yellow"))
    if counts["broken"]:
        console.print(_broken_table(device.with_result("broken")))
    if every:
        console.print(_kept_table(device.with_result("kept")))
    else:
        _print_names(console, "kept", device.with_result("kept"), "green")
    _print_not_checked(console, device.with_result("not checked"))


def _broken_table(tallies: Iterable[Tally]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("broken", no_wrap=True)
    table.add_column("times", justify="right", no_wrap=True)
    table.add_column("rule and first example", overflow="fold")
    for tally in tallies:
        rule = tally.rule
        about = Text(rule.sentence).append(f"  {_short(rule.clause)}", "dim")
        about.append(f"\n{clean(tally.example.text, 400)}" if tally.example else "", "bold")
        about.append(f"\n{_when(tally)}" if tally.example else "", "dim")
        name = Text(f"{rule.level.value}\n", STYLES.get(rule.level, "blue"))
        name.append(rule.name, "default not bold")
        times = Text(f"{tally.broken:,}", "bold")
        times.append(f"\nof {tally.checked:,}", "dim not bold")
        table.add_row(name, times, about)
    return table


def _short(clause: str) -> str:
    """Names of drafts without what they all have in common."""
    return _BEGINNINGS.sub("", clause)


def _kept_table(tallies: Iterable[Tally]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in ("kept", "level", "times", "rule"):
        justify: Any = "right" if column == "times" else "left"
        table.add_column(column, justify=justify, no_wrap=column != "rule", overflow="fold")
    for tally in tallies:
        rule = tally.rule
        about = Text(rule.sentence).append(f"  {_short(rule.clause)}", "dim")
        table.add_row(Text(rule.name, "green"), rule.level.value, f"{tally.checked:,}", about)
    return table


def _print_names(console: Console, word: str, tallies: list[Tally], style: str) -> None:
    levels = Counter(tally.rule.level for tally in tallies)
    if not levels:
        return
    counts = ", ".join(f"{levels[level]} {level.value}" for level in Level if levels[level])
    line = Text(f"{word} ({counts}): ", "bold")
    line.append(", ".join(tally.rule.name for tally in tallies), style)
    console.print(line)


def _print_not_checked(console: Console, tallies: list[Tally]) -> None:
    if not tallies:
        return
    console.print(Text("not checked, since nothing of the kind was seen:", "bold"))
    needs: dict[str, list[str]] = {}
    for tally in tallies:
        needs.setdefault(tally.rule.needs or "single datagrams", []).append(tally.rule.name)
    for need, names in needs.items():
        console.print(Text(f"  {need}: ").append(", ".join(names), "dim"))


def print_rules(*, as_json: bool = False, out: TextIO | None = None) -> None:
    """All rules that there are."""
    console = make_console(out)
    if as_json:
        rows = ({"row": "rule", **_rule_fields(topic, rule)} for topic, rule in RULES)
        console.file.write(b"".join(map(encode_row, rows)).decode())
        return
    shown = _short if console.is_terminal else str
    print_table(
        console,
        ("topic", "rule", "level", "clause", "sentence", "needs"),
        (
            (topic, one.name, one.level.value, shown(one.clause), one.sentence, one.needs)
            for topic, one in RULES
        ),
        whole=("rule", "level"),
    )
