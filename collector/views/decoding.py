"""What ``collector decode`` prints: each message when its turn comes, and a summary at the end.

Does: choose what is wanted, put messages and verdicts into the order of their times, print them as
a table or as JSON lines. Does not: read or judge.

Rules: the summary counts what was read of the wanted devices, whatever else was chosen: holes in
ids could not be told from messages that nobody wanted to see.
"""

from __future__ import annotations

import heapq
import sys
from collections.abc import Callable
from typing import TextIO

from msgspec import Struct
from rich.text import Text

from collector.conformance.summary import CounterIds, TrafficSummary, generator_of
from collector.interfaces import Said
from collector.model import Observed, ObservedDatagram, ObservedMessage, Verdict
from collector.pipeline import Replayed
from collector.schema.tree import NO_SCHEMA, Schema
from collector.sinks.rows import encode_row, fact_to_row
from collector.views.console import error_console, make_console
from collector.views.decoded_rows import (
    COLUMNS,
    RIGHT,
    Shown,
    cells,
    contents_lines,
    ids_row,
    json_row,
    kind_of,
    originator_row,
)
from collector.views.replay_summary import ReplaySummary, advices, read_lines
from collector.views.streamed_table import StreamedTable
from collector.views.tables import OUTCOME_STYLES, print_table
from collector.views.text import clean, day_and_clock, verdict_line

ROWS_SHOWN = 200
"""Rows of each table of the summary (ours)."""


class Enough(Exception):  # noqa: N818 - the wanted number of messages was shown
    """Ends the reading early."""


class Wanted(Struct, frozen=True):
    """Which messages are shown; empty means all."""

    devices: frozenset[str] = frozenset()
    """Names or source addresses."""
    subscriptions: frozenset[int] = frozenset()
    generators: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    limit: int | None = None

    def of_device(self, one: Observed) -> bool:
        """Whether its device is wanted."""
        wanted = self.devices
        return not wanted or one.origin.device in wanted or one.origin.source in wanted

    def wants(self, one: Shown) -> bool:
        """Whether it is one of these; its device is looked at apart."""
        if self.kinds and kind_of(one) not in self.kinds:
            return False
        if not self.subscriptions and not self.generators:
            return True
        if not isinstance(one, ObservedMessage) or one.said is None:
            return False
        if self.subscriptions and one.said.subscription_id not in self.subscriptions:
            return False
        return not self.generators or generator_of(one) in self.generators


class DecodeShow:
    """Prints while a capture is read."""

    def __init__(
        self,
        wanted: Wanted,
        *,
        as_json: bool = False,
        contents: bool = False,
        verdicts: bool = False,
        out: TextIO | None = None,
    ) -> None:
        """``schema_of``, set later: the modules of a device, for contents."""
        self.schema_of: Callable[[str], Schema] = lambda device: NO_SCHEMA
        self._wanted = wanted
        self._as_json = as_json
        self.contents = contents
        self._verdicts = verdicts
        self._out = out or sys.stdout
        self._console = make_console(self._out)
        self._table = None if as_json else StreamedTable(self._console, COLUMNS, RIGHT)
        self._batch: list[Shown] = []
        self._day = 0
        self.shown = 0
        self.traffic = TrafficSummary()
        self.judged = ReplaySummary()

    # ------------------------------------------------------------------ while it is read
    def observe(self, one: Observed) -> None:
        """Something came; it is shown with the verdicts of its batch (``receive``)."""
        if isinstance(one, ObservedDatagram) or not self._wanted.of_device(one):
            return
        self.traffic.receive(one)
        if self._wanted.wants(one):
            self._batch.append(one)
        if self._wanted.limit is not None and (self.shown + len(self._batch) >= self._wanted.limit):
            self._show_batch([])
            raise Enough

    def receive(self, said: Said) -> None:
        """What was said about the batch: now it can be shown."""
        verdicts: list[Verdict] = []
        if self._verdicts:
            self.judged.receive(said)
            wanted = self._wanted.devices
            verdicts = [row for row in said.verdicts if not wanted or row.device in wanted]
        self._show_batch(verdicts)

    def _show_batch(self, verdicts: list[Verdict]) -> None:
        messages = [(one.arrival, 0, number, one) for number, one in enumerate(self._batch)]
        said = [(one.judged_at, 1, number, one) for number, one in enumerate(verdicts)]
        self._batch = []
        for _, _, _, one in heapq.merge(messages, sorted(said, key=lambda item: item[:3])):
            if isinstance(one, Verdict):
                self._show_verdict(one)
            else:
                self.shown += 1
                self._show_message(one)

    def _show_message(self, one: Shown) -> None:
        if self._table is None:
            self._out.write(encode_row(json_row(one, contents=self.contents)).decode())
            return
        self._say_day(one.arrival)
        self._table.add(cells(one, whole_time=not self._console.is_terminal))
        if self.contents and isinstance(one, ObservedMessage):
            for line in contents_lines(one, self.schema_of(one.origin.device)):
                self._table.line(Text(line, style="dim"))

    def _say_day(self, arrival: int) -> None:
        day = arrival // 86_400_000_000_000
        if self._table is not None and self._console.is_terminal and day != self._day:
            self._day = day
            self._table.line(Text(f"{day_and_clock(arrival)[:10]} (times are UTC)", style="dim"))

    def _show_verdict(self, verdict: Verdict) -> None:
        if self._table is None:
            self._out.write(encode_row(fact_to_row(verdict)).decode())
            return
        style = OUTCOME_STYLES[verdict.outcome]
        self._table.line(Text(f"verdict  {verdict_line(verdict)}", style=style))

    # ------------------------------------------------------------------ at the end
    def finish(self, replayed: Replayed | None) -> None:
        """The summary; ``replayed``: None when the reading was ended early."""
        if self._table is None:
            self._finish_json(replayed)
            return
        self._table.flush()
        self._out.flush()
        if replayed is not None and replayed.damage and not replayed.records:
            return  # nothing was read, and why is said by who reads the damage
        console = self._console
        console.print()
        if replayed is None:
            console.print(Text(f"stopped after {self.shown} messages", style="bold"))
        elif self._verdicts:
            self._print_originators()
            console.print()
            self.judged.print(console, replayed)
            return
        else:
            for line in read_lines(replayed):
                console.print(line, soft_wrap=True)
        self._print_originators()
        if replayed is not None and not replayed.messages:
            for advice in advices(replayed):
                console.print(Text(advice, style="yellow"), soft_wrap=True)

    def _finish_json(self, replayed: Replayed | None) -> None:
        rows = [originator_row(one) for one in self.traffic.originators()]
        rows += [ids_row(one) for one in self.traffic.counters()]
        self._out.write(b"".join(map(encode_row, rows)).decode())
        self._out.flush()
        if replayed is not None and not replayed.messages:
            for advice in advices(replayed):
                error_console().print(advice, soft_wrap=True)

    def _print_originators(self) -> None:
        console, originators = self._console, self.traffic.originators()
        if not originators:
            return
        console.print(Text("\noriginators", style="bold"))
        print_table(
            console,
            ("device", "subscription", "generator", "messages", "segmented", "segments",
             "octets", "kinds"),
            (
                (
                    clean(one.device),
                    one.subscription_id,
                    clean(one.generator),
                    f"{one.messages:,}",
                    f"{one.segmented:,}",
                    f"{one.segments:,}",
                    f"{one.octets:,}",
                    ", ".join(f"{count:,} {kind}" for kind, count in one.kinds.most_common()),
                )
                for one in originators[:ROWS_SHOWN]
            ),
            right=("messages", "segmented", "segments", "octets"),
            whole=("device", "subscription", "generator", "messages"),
        )  # fmt: skip
        more = len(originators) - ROWS_SHOWN + self.traffic.left_out
        if more > 0:
            console.print(f"and {more:,} more originators or messages of others")
        self._print_ids()

    def _print_ids(self) -> None:
        console, counters = self._console, self.traffic.counters()
        if counters:
            console.print(Text("\nMessage IDs", style="bold"))
            print_table(
                console,
                ("device", "publisher id", "one run for", "generators", "ids", "messages",
                 "missing", "duplicates", "overtaken", "restarts", "half built"),
                (_ids_cells(one) for one in counters[:ROWS_SHOWN]),
                right=("messages", "missing", "duplicates", "overtaken", "restarts", "half built"),
                whole=("device", "publisher id", "ids", "messages", "missing"),
                all_columns=False,
            )  # fmt: skip
        if len(counters) > ROWS_SHOWN:
            console.print(f"and {len(counters) - ROWS_SHOWN:,} more")


def _ids_cells(one: CounterIds) -> tuple[str | Text, ...]:
    run = one.run
    covers = "the header id" if one.scope == "header" else f"subscription {one.subscription_id}"
    numbers = (run.missing, run.repeated, run.overtaken, run.restarts, one.half_built)
    styles = ("bold red", "yellow", "yellow", "yellow", "bold red")
    return (
        clean(one.device),
        str(one.publisher_id),
        covers,
        ", ".join(map(clean, one.generators)),
        "-" if run.first is None else f"{run.first} to {run.newest}",
        f"{run.messages:,}",
        *(
            Text(f"{number:,}", style=style) if number else "-"
            for number, style in zip(numbers, styles, strict=True)
        ),
    )
