"""``collector devices`` in a terminal: each device with its subscriptions, and who sends for them.

Does: draw what the running collector answered; whatever it does not know is a table of its own.
Does not: ask. In a pipe the answer stays what it is: lists as lines with tabs (``tables``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from collector.views.tables import is_table, print_facts, print_objects
from collector.views.text import card, clean, natural

_GOOD = ("up", "active", "whole")
_BAD = ("refused", "terminated", "lost", "absent", "invalid")
_DRAWN = ("devices", "configured", "generators", "on_change")
"""Lists of the answer that have a place in the picture."""
_LONGEST = 2000
"""Characters of a sentence (ours)."""
_SENTENCE = 20
"""Cells beside the others in which a sentence can still be read (ours)."""
Row = Mapping[str, Any]


def print_devices(console: Console, answer: Mapping[str, Any]) -> None:
    """What the running collector says of its devices."""
    generators, syncs = (
        _grouped(answer.get("generators", ())),
        _grouped(answer.get("on_change", ())),
    )
    devices: dict[str, list[Row]] = {}
    for row in answer.get("devices", ()):
        devices.setdefault(row["device"], []).append(row)
    configured: dict[str, list[Row]] = {}
    for row in answer.get("configured", ()):
        configured.setdefault(row["device"], []).append(row)
    for name in (*configured, *generators):  # heard, and not in the configuration
        devices.setdefault(name, [])
    picture = _Picture(console, _newest_day(answer))
    for name in sorted(devices, key=natural):
        left = dict(generators.get(name, {}))
        own = configured.get(name, ())
        picture.device(name, devices[name], own, left, syncs.get(name, {}))
    if picture.day:
        console.print(Text(f"{picture.day}, times are UTC\n", style="dim"))
    rest = {name: value for name, value in answer.items() if name not in _DRAWN}
    facts = {name: value for name, value in rest.items() if not is_table(value)}
    for name, rows in rest.items():
        if name not in facts:
            console.print(Text(name.replace("_", " "), style="bold"))
            print_objects(console, rows)
    print_facts(console, facts)


def _grouped(rows: Iterable[Row]) -> dict[str, dict[Any, list[Row]]]:
    """device -> subscription -> rows."""
    found: dict[str, dict[Any, list[Row]]] = {}
    for row in rows:
        found.setdefault(row["device"], {}).setdefault(row["subscription"], []).append(row)
    return found


def _newest_day(answer: Mapping[str, Any]) -> str:
    """The date of the latest moment that the answer names; empty where it names none."""
    names = ("since", "last_arrival", "whole_at")
    rows = (row for name in _DRAWN for row in answer.get(name, ()))
    return max((row[name] for row in rows for name in names if row.get(name)), default="")[:10]


class _Picture:
    """Draws one device after the other."""

    def __init__(self, console: Console, day: str) -> None:
        self._console = console
        self.day = day
        """Of moments on this day only the time is said."""

    def device(
        self,
        name: str,
        rows: Sequence[Row],
        configured: Sequence[Row],
        generators: dict[Any, list[Row]],
        syncs: Mapping[Any, list[Row]],
    ) -> None:
        """One device: ``rows`` of its subscriptions, those that it is configured with, and the
        others by subscription."""
        first: Row = rows[0] if rows else {}
        head = Text(clean(name), style="bold")
        if "lane" in first:
            head.append(f"  lane {first['lane']}", style="dim")
        if first.get("session"):
            head.append("  session ", style="not bold").append_text(_word(first["session"]))
            head.append(f" since {self._moment(first.get('since'))}", style="not bold")
        self._console.print(head)
        if first.get("reason"):
            self._indented(2, Text(clean(first["reason"], _LONGEST), style="yellow"))
        for row in (*rows, *configured):
            if row.get("subscription") is not None:
                known = row["subscription"]
                self._subscription(row)
                self._generators(generators.pop(known, ()), syncs.get(known, ()))
        for number, others in generators.items():
            self._indented(2, Text(f"id {number}" if isinstance(number, int) else clean(number)))
            self._generators(others, syncs.get(number, ()))
        self._console.print()

    def _indented(self, cells: int, what: Text | Table) -> None:
        self._console.print(Padding(what, (0, 0, 0, cells)))

    def _subscription(self, row: Row) -> None:
        line = Text(clean(row["subscription"])).append("  ").append_text(_word(row.get("state")))
        if "session" not in row:  # it is configured there, and has a moment of its own
            line.append(f" since {self._moment(row['since'])}" if row.get("since") else "")
            line.append("  configured")
        if row.get("id") is not None:
            line.append(f"  id {row['id']}")
        if row.get("declared") is not None:
            line.append(f"  {row['declared']} declared")
        if row.get("not_declared"):
            absent = ", ".join(map(card, row["not_declared"]))
            line.append(f"  not declared: {absent}", style="bold red")
        self._indented(2, line)
        if row.get("why"):
            self._indented(4, Text(clean(row["why"], _LONGEST), style="yellow"))

    def _generators(self, rows: Iterable[Row], syncs: Iterable[Row]) -> None:
        """A line for each, of those of one subscription."""
        sync = {one["generator"]: one for one in syncs}
        lines = [
            (
                Text(card(row["generator"])),
                _standing(row),
                Text(self._moment(row.get("last_arrival"), "never heard")),
                Text(_number(row.get("lag_seconds"), "lag {:.3f} s"), justify="right"),
                Text(_number(row.get("usual_count"), "{} a period")),
                _sync(sync.pop(row["generator"], None)),
            )
            for row in sorted(rows, key=lambda row: natural(str(row["generator"])))
        ]
        for one in sync.values():  # what was lost belongs to nobody that is known
            who = card(one["generator"]) if one["generator"] else "somebody"
            lines.append((Text(who), Text(), Text(), Text(), Text(), _sync(one)))
        if _width(lines) > self._console.width - 4:
            for line in lines:  # columns of a few cells cannot be read
                self._indented(4, Text("  ").join(cell for cell in line if cell.plain))
        elif lines:
            table = Table.grid(padding=(0, 2))
            for line in lines:
                table.add_row(*line)
            self._indented(4, table)

    def _moment(self, text: str | None, otherwise: str = "?") -> str:
        """Date and time as in the answer, without the letters that only programs need."""
        if text is None:
            return otherwise
        day, _, time = clean(text).removesuffix("Z").partition("T")
        return time if day == self.day else f"{day} {time}"


def _width(lines: Sequence[Sequence[Text]]) -> int:
    """Cells that they need below each other, of which only the last of a line is broken."""
    widths: list[int] = [max(one.cell_len for one in column) for column in zip(*lines, strict=True)]
    last = min(max(widths[-1:], default=0), _SENTENCE)
    return sum(width + 2 for width in widths[:-1]) + last


def _standing(row: Row) -> Text:
    """What it is to this subscription."""
    words = [("missing", "bold red")] if row.get("missing") else []
    if not row.get("missing"):
        words.append(("required", "") if row.get("required") else ("not required", "dim"))
    if row.get("declared") is False:
        words.append(("not declared", "yellow"))
    if row.get("expected"):
        words.append(("expected", ""))
    return Text(", ").join(Text(word, style=style) for word, style in words)


def _sync(row: Row | None) -> Text:
    if row is None:
        return Text()
    said = _word(row["sync"])
    if row.get("losses") and row["sync"] != "lost":
        said.append(f", lost {row['losses']} times" if row["losses"] > 1 else ", lost once")
    if row.get("why"):
        said.append(f": {clean(row['why'])}")
    return said


def _word(word: Any) -> Text:
    text = str(word)
    style = "green" if text in _GOOD else "red" if text in _BAD else "yellow"
    return Text(text, style=style)


def _number(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)
