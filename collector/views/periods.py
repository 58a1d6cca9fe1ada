"""The picture of periods: a column for each period, the newest on the right, a row for each
generator.

Does: remember the last periods of each series and draw them as wide as the terminal allows.
Does not: judge, or read anything but verdicts.
Rules: a column stands for a nominal time, so that it survives a new revision; a later row for the
same time (an amendment) replaces the earlier one; a symbol differs in shape as well as in colour.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from itertools import islice

from rich.console import Console, Group, RenderableType
from rich.text import Text

from collector.model import Fact, Outcome, Verdict
from collector.views.console import has_unicode
from collector.views.tables import OUTCOME_STYLES
from collector.views.text import card, clean, clock, natural, series

PERIODS_KEPT = 240
SERIES_KEPT = 1000
GENERATORS_KEPT = 512
"""Bounds of the picture (ours)."""
_LABEL_WIDTH = 22
_NOTE_WIDTH = 30
_WIDTH_FOR_NOTES = 72
_TICK_EVERY = 10
"""Columns between two times on the axis (ours)."""
_HEIGHTS = {
    Outcome.COMPLETE: "▇",
    Outcome.DEGRADED: "▅",
    Outcome.INCOMPLETE: "▂",
    Outcome.NOT_JUDGED: "·",
    Outcome.UNKNOWN: "?",
}
"""Of the row ``all``: the more came, the higher; in ASCII the first letter of the outcome."""


class State(enum.Enum):
    """What a cell of the picture says: symbol, the same in ASCII, style, word of the legend."""

    COMPLETE = ("●", "#", "green", "delivered")
    DEGRADED = ("◐", "~", "yellow", "some lost")
    MISSING = ("✖", "X", "bold red", "missing")
    NOT_JUDGED = ("·", ".", "dim", "not judged")
    UNKNOWN = ("?", "?", "blue", "list unknown")
    UNEXPECTED = ("+", "+", "cyan", "not on the list")
    ABSENT = (" ", " ", "", "")


def state_of(verdict: Verdict, generator: str) -> State:
    """What became of ``generator`` in the period of ``verdict``."""
    if verdict.outcome is Outcome.NOT_JUDGED:
        known = generator in verdict.required or generator in verdict.received
        return State.NOT_JUDGED if known else State.ABSENT
    if verdict.outcome is Outcome.UNKNOWN:
        return State.UNKNOWN if generator in verdict.received else State.ABSENT
    if any(pair.generator == generator for pair in verdict.missing):
        return State.MISSING
    if any(pair.generator == generator for pair in verdict.degraded):
        return State.DEGRADED
    if generator in verdict.required:
        # not missed although absent: it may still be starting
        return State.COMPLETE if generator in verdict.received else State.NOT_JUDGED
    return State.UNEXPECTED if generator in verdict.received else State.ABSENT


class Series:
    """The last periods of one subscription of one device."""

    def __init__(self, device: str, name: str) -> None:
        self.device = device
        self.name = name
        self.verdicts: dict[int, Verdict] = {}
        """nominal time -> its newest row, rising."""
        self.generators: list[str] = []
        """Everybody seen, in natural order."""
        self.period: int | None = None
        """ns between columns, None until two were seen."""
        self.forgotten = 0
        """Periods that were let go."""
        self._last: Verdict | None = None

    def receive(self, verdict: Verdict) -> None:
        """Take a verdict, or a range of periods with one verdict, in."""
        last = verdict.period_to - verdict.period_index if self.period else 0
        for step in range(max(0, last - PERIODS_KEPT + 1), last + 1):
            self.verdicts[verdict.nominal_time + step * (self.period or 0)] = verdict
        times = sorted(self.verdicts)[-PERIODS_KEPT:]
        self.forgotten += len(self.verdicts) - len(times)
        self.verdicts = {time: self.verdicts[time] for time in times}
        self._measure(verdict)
        self._add_generators(verdict)

    def _measure(self, verdict: Verdict) -> None:
        """Two periods of one revision tell how long a period is; those of two need not."""
        before, self._last = self._last, verdict
        if before is not None and before.revision == verdict.revision:
            steps = verdict.period_index - before.period_index
            if steps:
                self.period = (verdict.nominal_time - before.nominal_time) // steps

    def _add_generators(self, verdict: Verdict) -> None:
        named = {*verdict.required, *verdict.received, *verdict.unexpected}
        new = named.difference(self.generators)
        if new and len(self.generators) + len(new) <= GENERATORS_KEPT:
            self.generators = sorted([*self.generators, *new], key=natural)

    def is_well(self) -> bool:
        """Whether its newest period is complete."""
        return next(reversed(self.verdicts.values())).outcome is Outcome.COMPLETE

    def worst(self, number: int) -> list[str]:
        """So many generators in natural order, those that were not well last time included."""
        newest = next(reversed(self.verdicts.values()))
        well = {one: state_of(newest, one) is State.COMPLETE for one in self.generators}
        chosen = set(sorted(self.generators, key=well.__getitem__)[:number])
        return [one for one in self.generators if one in chosen]

    def trouble(self, generator: str) -> tuple[str, str]:
        """``silent since 12:00:05`` and a style; nothing when its newest judged period is well."""
        since, cause, style = 0, "", ""
        for nominal in reversed(self.verdicts):
            verdict = self.verdicts[nominal]
            state = state_of(verdict, generator)
            if state not in (State.MISSING, State.ABSENT):
                if state is State.NOT_JUDGED:
                    continue
                break
            word = _cause(verdict, generator) if state is State.MISSING else "not expected"
            if cause and (style == "dim") != (state is State.ABSENT):
                break
            since, cause = nominal, cause or word
            style = "dim" if state is State.ABSENT else "red"
        return (f" {cause} since {clock(since)}", style) if cause else ("", "")


def _cause(verdict: Verdict, generator: str) -> str:
    pairs = {pair.generator: pair.cause.value for pair in verdict.missing}
    return pairs.get(generator, "missing")


class PeriodGrid:
    """All series, and how to draw them."""

    def __init__(self) -> None:
        self.series: dict[tuple[str, str], Series] = {}
        """(device, subscription) -> its periods, in the order in which they were first seen."""

    def receive(self, facts: Iterable[Fact]) -> None:
        """Take facts in; only verdicts matter."""
        for fact in facts:
            if isinstance(fact, Verdict):
                self._series_of(fact).receive(fact)

    def _series_of(self, verdict: Verdict) -> Series:
        key = (verdict.device, series(verdict))
        if key not in self.series:
            if len(self.series) >= SERIES_KEPT:
                del self.series[next(iter(self.series))]
            self.series[key] = Series(*key)
        return self.series[key]

    def render_whole(self, console: Console, *, most: int = SERIES_KEPT) -> RenderableType:
        """All periods that are remembered, in as many blocks as the console's width asks for.

        Blocks in which all is well are said in a line, but for the last one. At most ``most``
        series are drawn.
        """
        width, ascii_only = console.width, not has_unicode(console)
        lines: list[Text] = []
        for one in islice(self.series.values(), most):
            lines += [*_draw(one, width, ascii_only, whole=True), Text("")]
        return Group(*lines, *_legend(ascii_only, width))

    def render(self, console: Console, *, height: int | None = None) -> RenderableType:
        """The picture, as wide as the console and at most ``height`` lines high.

        Where not all series fit, those that are not well come first.
        """
        width, ascii_only = console.width, not has_unicode(console)
        legend = _legend(ascii_only, width)
        room = None if height is None else height - 1 - len(legend)
        lines: list[Text] = []
        left_out = list(self.series.values())
        if room is not None and sum(len(one.generators) + 4 for one in left_out) > room:
            left_out.sort(key=Series.is_well)
        if left_out and room is not None and len(left_out[0].generators) + 4 > room:
            lines += _draw(left_out.pop(0), width, ascii_only, max(1, room - 4))
        while left_out and (room is None or len(lines) + len(left_out[0].generators) + 4 <= room):
            lines += [*_draw(left_out.pop(0), width, ascii_only), Text("")]
        if not self.series:
            lines = [Text("waiting for the first period to be judged", style="dim"), Text("")]
        elif left_out:
            lines.append(_rest(left_out))
        return Group(*lines, *legend)


def _rest(left_out: list[Series]) -> Text:
    ill = sum(not one.is_well() for one in left_out)
    text = f"and {len(left_out)} more, {ill or 'none'} of them not complete"
    return Text(text, style="bold red" if ill else "dim")


def _draw(
    one: Series,
    width: int,
    ascii_only: bool,
    rows: int = GENERATORS_KEPT,
    *,
    whole: bool = False,
) -> Iterator[Text]:
    label = min(_LABEL_WIDTH, max((len(card(g)) for g in one.generators), default=6) + 2)
    note = _NOTE_WIDTH if width >= _WIDTH_FOR_NOTES and not whole else 0
    shown = max(1, (width - label - note) // 2)
    columns = list(one.verdicts.items())
    yield _title(one, newest=not whole)
    if not whole:
        yield from _block(one, columns[-shown:], label, note, ascii_only, rows)
        return
    if one.forgotten:
        yield Text(f"{one.forgotten} earlier periods are not drawn", style="dim")
    well = 0
    for start in range(0, len(columns), shown):
        block = columns[start : start + shown]
        last = start + shown >= len(columns)
        if not last and all(verdict.outcome is Outcome.COMPLETE for _, verdict in block):
            well += len(block)
            continue
        if well:
            yield Text(f"{well} periods, all complete", style="green")
            well = 0
        yield from _block(one, block, label, note, ascii_only, rows)


def _block(
    one: Series,
    columns: list[tuple[int, Verdict]],
    label: int,
    note: int,
    ascii_only: bool,
    rows: int,
) -> Iterator[Text]:
    yield Text(_axis([nominal for nominal, _ in columns], label), style="dim")
    shown_generators = one.worst(rows)
    for generator in shown_generators:
        line = Text(f"{card(generator)[: label - 1]:<{label}}")
        for _, verdict in columns:
            line.append(*_symbol(state_of(verdict, generator), ascii_only))
        if note:
            line.append(*one.trouble(generator))
        yield line
    if len(shown_generators) < len(one.generators):
        yield Text(f"and {len(one.generators) - len(shown_generators)} more", style="dim")
    yield _verdict_row([verdict for _, verdict in columns], label, ascii_only)


def _symbol(state: State, ascii_only: bool) -> tuple[str, str]:
    symbol, plain, style, _ = state.value
    return (plain if ascii_only else symbol) + " ", style


def _title(one: Series, *, newest: bool) -> Text:
    title = Text(clean(one.device), style="bold")
    title.append(f"  {clean(one.name)}", "not bold")
    if one.period:
        title.append(f"  every {one.period / 1e9:g} s", "not bold dim")
    if newest:
        outcome = next(reversed(one.verdicts.values())).outcome
        title.append(f"  {outcome.value}", OUTCOME_STYLES[outcome])
    return title


def _axis(times: list[int], label: int) -> str:
    """Times of day, each ending over its column, counted from the newest."""
    line = ""
    for number, nominal in enumerate(times):
        end, text = label + 2 * number + 1, clock(nominal)
        if (len(times) - 1 - number) % _TICK_EVERY == 0 and end - len(text) > len(line):
            line = line.ljust(end - len(text)) + text
    return line


def _verdict_row(verdicts: list[Verdict], label: int, ascii_only: bool) -> Text:
    line = Text(f"{'all':<{label}}")
    for verdict in verdicts:
        block = verdict.outcome.value[0] if ascii_only else _HEIGHTS[verdict.outcome]
        line.append(block + " ", OUTCOME_STYLES[verdict.outcome])
    return line


def _legend(ascii_only: bool, width: int) -> list[Text]:
    """What the symbols mean, in as many lines as it takes; an entry stays in one piece."""
    entries = []
    for state in State:
        if state is not State.ABSENT:
            entry = Text()
            entry.append(*_symbol(state, ascii_only))
            entries.append(entry.append(state.value[3], "dim"))
    entries.append(Text("UTC", "dim"))
    lines = [entries[0]]
    for entry in entries[1:]:
        if len(lines[-1]) + 2 + len(entry) <= width:
            lines[-1].append("  ").append_text(entry)
        else:
            lines.append(entry)
    return lines
