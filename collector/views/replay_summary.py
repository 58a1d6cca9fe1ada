"""What a replay came to: for each subscription and originator, the picture, what happened, advice.

Does: count verdicts by their last row while they are said, and print. Does not: judge, read files.
Rules: memory is bounded by series x originators, and by the periods that may still be amended
(``ROWS_KEPT``); a row amended after that counts as it was. Numbers that are not known are a dash.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from itertools import islice

from rich.console import Console
from rich.text import Text

from collector.core.views import OriginatorState
from collector.interfaces import Said
from collector.model import Event, Outcome, Provenance, SubscriptionRow, Verdict
from collector.pipeline import Replayed
from collector.views.originators import print_originators
from collector.views.periods import PeriodGrid
from collector.views.tables import OUTCOME_STYLES
from collector.views.text import clean, day_and_clock, members, series

ROWS_KEPT = 1024
SERIES_KEPT = 1000
"""Bounds (ours): periods of one subscription whose last row is remembered, subscriptions."""
EVENTS_SHOWN = 40
"""Events that are printed; of the others only the number (ours)."""
ADVICES_SHOWN = 10
"""Subscriptions without terms that are named (ours)."""
SERIES_SHOWN = 200
"""Subscriptions that are printed; of the others only the number (ours)."""
FAILURES = {
    "incomplete": frozenset({Outcome.INCOMPLETE}),
    "degraded": frozenset({Outcome.INCOMPLETE, Outcome.DEGRADED}),
}
"""Word of ``--fail-on`` -> outcomes that fail."""
_FAIR = frozenset({Outcome.COMPLETE, Outcome.DEGRADED, Outcome.INCOMPLETE})
_SOURCES = {"declared": "said by the device", "configured": "given", "learned": "learned"}


class SeriesCount:
    """One subscription of one device: its periods by the newest row of each."""

    def __init__(self, first: Verdict | SubscriptionRow, name: str) -> None:
        self.device = first.device
        self.name = name
        self.id = first.subscription_id if isinstance(first, Verdict) else first.id
        self.outcomes: Counter[str] = Counter()
        """``COMPLETE`` ..., with its reason where it has one -> periods."""
        self.missing: Counter[tuple[str, str]] = Counter()
        self.degraded: Counter[tuple[str, str]] = Counter()
        """(generator, cause) -> periods."""
        self.amendments = 0
        self.revisions: set[int] = set()
        self.newest: SubscriptionRow | None = None
        self.last: Verdict | None = None
        self._rows: OrderedDict[tuple[int, int], Verdict] = OrderedDict()

    def receive(self, row: Verdict) -> None:
        """Count a first row, or an amendment in the place of the row before it."""
        key = row.revision, row.period_index
        before = self._rows.pop(key, None)
        if row.amendment:
            self.amendments += 1
            if before is None:
                return
            self._count(before, -1)
        self._count(row, 1)
        self._rows[key] = self.last = row
        self.revisions.add(row.revision)
        if len(self._rows) > ROWS_KEPT:
            self._rows.popitem(last=False)
            self.revisions = set(sorted(self.revisions)[-ROWS_KEPT:])

    def _count(self, row: Verdict, sign: int) -> None:
        number = sign * (row.period_to - row.period_index + 1)
        reason = "" if row.reason is None else f" ({row.reason.value.replace('_', ' ')})"
        self.outcomes[row.outcome.value + reason] += number
        if row.outcome is Outcome.INCOMPLETE:
            for pair in row.missing:
                self.missing[pair.generator, pair.cause.value] += number
        if row.outcome in (Outcome.INCOMPLETE, Outcome.DEGRADED):
            for pair in row.degraded:
                self.degraded[pair.generator, pair.cause.value] += number

    @property
    def listed(self) -> bool:
        """Whether a list of generators is known."""
        return self.last is not None and self.last.provenance is not None

    def periods(self, outcomes: frozenset[Outcome]) -> int:
        """Periods with one of ``outcomes``."""
        return sum(n for word, n in self.outcomes.items() if word.split(" ")[0] in outcomes)


class ReplaySummary:
    """Gathers what is said during a replay, and prints it at the end."""

    def __init__(self) -> None:
        self.grid = PeriodGrid()
        self.series: dict[tuple[str, str], SeriesCount] = {}
        """(device, name) -> its count, in the order in which they were first heard of."""
        self.kinds: Counter[str] = Counter()
        self.about: Counter[tuple[str, str, str]] = Counter()
        """(device, subject, kind) of clock steps and restarts -> events."""
        self._events: list[Event] = []

    def receive(self, said: Said) -> None:
        """Take in what one batch said."""
        for row in said.subscriptions:
            if (found := self._series(row, _name(row))) is not None:
                found.newest = row
        for event in said.events:
            self._take(event)
        for verdict in said.verdicts:
            if (found := self._series(verdict, series(verdict))) is not None:
                found.receive(verdict)
        self.grid.receive(said.verdicts)

    def _series(self, row: Verdict | SubscriptionRow, name: str) -> SeriesCount | None:
        found = self.series.get((row.device, name))
        if found is None and len(self.series) < SERIES_KEPT:
            found = self.series[row.device, name] = SeriesCount(row, name)
        return found

    def _take(self, event: Event) -> None:
        self.kinds[event.kind] += 1
        if len(self._events) < EVENTS_SHOWN:
            self._events.append(event)
        if event.kind in ("clock_step", "clock_offset", "restart") and len(self.about) < 100_000:
            self.about[event.device, event.subject, event.kind] += 1

    @property
    def judged(self) -> bool:
        """Whether any period got a verdict that says who delivered."""
        return any(one.periods(_FAIR) for one in self.series.values())

    def failed(self, word: str) -> bool:
        """Whether a period has one of the outcomes that ``--fail-on`` names."""
        return any(one.periods(FAILURES[word]) for one in self.series.values())

    # ------------------------------------------------------------------ print
    def print(self, console: Console, replayed: Replayed) -> None:
        """Everything, for people."""
        wrap = not console.is_terminal  # a line in a pipe stays one line
        for line in read_lines(replayed):
            console.print(line, soft_wrap=wrap)
        states: dict[tuple[str, int], list[OriginatorState]] = {}
        for state in replayed.states:
            states.setdefault((state.device, state.subscription_id), []).append(state)
        for one in islice(self.series.values(), SERIES_SHOWN):
            console.print()
            for line in series_lines(one):
                console.print(line, soft_wrap=wrap)
            print_originators(console, one, states.get((one.device, one.id), []), self.about)
        if len(self.series) > SERIES_SHOWN:
            console.print(f"\nand {len(self.series) - SERIES_SHOWN} more subscriptions")
        if self.grid.series:
            console.print()
            console.print(self.grid.render_whole(console, most=SERIES_SHOWN))
        self._print_events(console)
        told = list(advices(replayed))
        console.print(end="\n" if told else "")
        for advice in told:
            console.print(Text(advice, style="yellow"), soft_wrap=wrap)

    def _print_events(self, console: Console) -> None:
        if not self._events:
            return
        console.print()
        console.print(Text("events", style="bold"))
        for event in self._events:
            console.print(Text(_sentence(event)), soft_wrap=not console.is_terminal)
        more = self.kinds.total() - len(self._events)
        if more:
            kinds = ", ".join(f"{count} {kind}" for kind, count in self.kinds.most_common())
            console.print(Text(f"and {more} more; all: {kinds}", style="dim"), soft_wrap=True)


def _sentence(event: Event) -> str:
    # the subject of a counter begins with the device's address
    device, subject = clean(event.device), clean(event.subject)
    who = subject if device in subject else f"{device} {subject}".strip()
    return f"{day_and_clock(event.time)}  {who}  {event.kind}: {clean(event.text, 1000)}"


def _name(row: SubscriptionRow) -> str:
    return f"id {row.id}" if row.name in ("", str(row.id)) else clean(row.name)


# --------------------------------------------------------------------------- lines
def read_lines(replayed: Replayed) -> Iterator[Text]:
    """What was read, and what was not taken."""
    span = ""
    if replayed.last_arrival:
        since, until = day_and_clock(replayed.first_arrival), day_and_clock(replayed.last_arrival)
        span = f", {since} to {until if until[:10] != since[:10] else until[11:]} UTC"
    if replayed.ports:
        ports = ", ".join(map(str, replayed.ports))
        what = (
            f"{_number(replayed.messages, 'message')} in {_number(replayed.datagrams, 'datagram')}"
            f" to port {ports}"
        )
    else:
        what = f"{_number(replayed.records, 'record')} read"
    yield Text(what + span, style="bold")
    for title, counts in (
        ("refused", replayed.rejected),
        ("segments thrown away", replayed.discarded),
        ("quirks needed", replayed.quirks_needed),
        ("left out", replayed.left_out),
        ("odd time stamps", replayed.odd_stamps),
    ):
        if counts:
            words = ", ".join(f"{count:,} {word}" for word, count in sorted(counts.items()))
            yield Text(f"{title}: {words}")


def series_lines(one: SeriesCount) -> Iterator[Text]:
    """The head of one subscription: its terms, its list, its periods by outcome."""
    title = Text(clean(one.device), style="bold")
    title.append(f"  {one.name}", "not bold")
    newest, last = one.newest, one.last
    if newest is not None and newest.period_cs is not None:
        source = _SOURCES.get(last.period_source, "") if last is not None else ""
        title.append(f"  every {newest.period_cs / 100:g} s", "not bold")
        title.append(f" ({source})" if source else "", "not bold dim")
    elif newest is not None:
        title.append("  no period", "not bold dim")
    if len(one.revisions) > 1:
        title.append(f"  {len(one.revisions)} starts", "not bold dim")
    if newest is not None and newest.period_cs is None and last is None:
        yield title.append(", so there is nothing to judge", "not bold dim")
        return
    yield title
    line = Text("  periods  ")
    for number, (word, count) in enumerate(sorted(one.outcomes.items(), key=_order)):
        if count:
            line.append(", " if number else "")
            line.append(f"{count} {word}", OUTCOME_STYLES[Outcome(word.split(" ")[0])])
    line.append("" if +one.outcomes else "none judged", "dim")
    amended = f"; {_number(one.amendments, 'amendment')}" if one.amendments else ""
    yield line.append(amended, "dim")
    yield Text(f"  list     {_list(one)}")


def _order(item: tuple[str, int]) -> tuple[int, str]:
    return list(Outcome).index(Outcome(item[0].split(" ")[0])), item[0]


def _list(one: SeriesCount) -> str:
    newest, last = one.newest, one.last
    if last is not None and last.provenance is not None:
        return f"{members(last.required)} ({_provenance(last.provenance)})"
    if newest is not None and newest.provenance is not None:
        return f"{members(newest.generators)} ({_provenance(newest.provenance)})"
    return "none said, none learned yet"


def _provenance(provenance: Provenance) -> str:
    return {"configured": "given by the operator"}.get(provenance.value, provenance.value)


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def advices(replayed: Replayed) -> Iterator[str]:
    """What the operator can do about what was not judged; one sentence each."""
    if not replayed.messages and not replayed.records and not replayed.damage:
        # a packet with a stamp is ours or other-udp; others take the time of a neighbour
        if "no-stamp" in replayed.odd_stamps and "other-udp" not in replayed.left_out:
            yield (
                "No packet has a time stamp, and without times there are no periods to judge; use"
                " a capture that was written with its stamps."
            )
        else:
            yield "No UDP-notif was found; name its port with --port N if it is there."
    devices: dict[int, list[str]] = {}
    for one in replayed.unknown:
        devices.setdefault(one.subscription_id, []).append(one.device)
    for number, names in list(devices.items())[:ADVICES_SHOWN]:
        more = f" and {_number(len(names) - 1, 'more device')}" if len(names) > 1 else ""
        yield (
            f"Subscription {number} of {clean(names[0])}{more} is UNKNOWN: nobody said its period"
            " and the arrivals do not show one; if it is periodic, give"
            f" --period {number}=SECONDS."
        )
    if len(devices) > ADVICES_SHOWN:
        yield f"{len(devices) - ADVICES_SHOWN} more subscriptions are UNKNOWN for the same reason."
