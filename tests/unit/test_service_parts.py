"""The small parts of the running collector, with fakes: clock, intake, ticker, printing, watch."""

from __future__ import annotations

import asyncio
import io
import json
from array import array
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from collector.errors import IntakeFullError, SinkError
from collector.interfaces import Said
from collector.journal import Journal, JournalReader, JournalSettings
from collector.metrics import Counters
from collector.model import (
    SECOND,
    ClockNote,
    CollectorTime,
    EditRow,
    Octets,
    OutOfSync,
    PauseNote,
    ReceivedBatch,
    RecordKind,
    Transport,
    numbers,
)
from collector.pipeline import Pipeline
from collector.service.alertness import STILL, Alertness
from collector.service.clock import CollectorClock
from collector.service.intake import LiveIntake
from collector.service.plugged import PluggedReceiver
from collector.service.printing import PrintingSink
from collector.service.sources import keep_times
from collector.service.ticker import IDLE, Ticker
from collector.service.waiting import Waiting
from collector.service.watch import SubscriptionWatch
from collector.store.said import update_rows
from collector.store.writer import StoreWriter
from tests.columns import update_row_columns
from tests.unit.journal_batches import batch_of
from tests.unit.verdict_maker import Batch, event, subscription, verdict

HOUR = 3600 * SECOND
NOW = 1_800_000_000 * SECOND


class Hands:
    """Two clocks moved by the test."""

    def __init__(self) -> None:
        self.wall = NOW
        self.monotonic = 7

    def pass_(self, ns: int) -> None:
        self.wall += ns
        self.monotonic += ns

    def clock(self, not_before: int = 0) -> CollectorClock:
        return CollectorClock(
            not_before=not_before, wall=lambda: self.wall, monotonic=lambda: self.monotonic
        )


# --------------------------------------------------------------------------- the clock
def test_the_clock_begins_with_the_wall_and_follows_monotonic_time() -> None:
    hands = Hands()
    clock = hands.clock()
    assert clock.now() == NOW
    hands.pass_(SECOND)
    hands.wall -= HOUR
    assert clock.now() == NOW + SECOND


def test_the_clock_does_not_undercut_the_journal() -> None:
    assert Hands().clock(not_before=NOW + HOUR).now() == NOW + HOUR + 1


def test_a_small_drift_is_no_news() -> None:
    hands = Hands()
    clock = hands.clock()
    hands.wall += SECOND
    assert clock.drifted() == 0


def test_a_clock_that_is_behind_moves_forward_once_it_is_said() -> None:
    hands = Hands()
    clock = hands.clock()
    hands.wall += HOUR
    assert clock.drifted() == HOUR
    assert clock.now() == NOW, "only follow() moves it"
    clock.follow(HOUR)
    assert clock.now() == NOW + HOUR
    assert clock.drifted() == 0


def test_a_clock_that_is_ahead_stays_and_says_it_once() -> None:
    hands = Hands()
    clock = hands.clock()
    hands.wall -= HOUR
    assert clock.drifted() == -HOUR
    clock.follow(-HOUR)
    assert clock.now() == NOW
    assert clock.drifted() == 0
    hands.wall -= HOUR
    assert clock.drifted() == -2 * HOUR
    clock.follow(-2 * HOUR)
    hands.wall += 2 * HOUR
    assert clock.drifted() == 0
    hands.wall -= HOUR
    assert clock.drifted() == -HOUR, "it was well in between, so it is news again"


# --------------------------------------------------------------------------- the intake
class Output:
    """A sink that fails as the test wants."""

    name = "output"

    def __init__(self) -> None:
        self.problem: Exception | None = None
        self.said: list[Said] = []

    def start(self) -> None: ...

    def write(self, said: Said) -> None:
        if self.problem is not None:
            raise self.problem
        self.said.append(said)

    def flush(self) -> None: ...

    def stop(self) -> None: ...


class Bench:
    """An intake on real files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hands = Hands()
        self.clock = self.hands.clock()
        self.counters = Counters()
        self.output, self.second = Output(), Output()
        self.journal = Journal.open(folder, JournalSettings(free_space_reserve=0))
        self.store = StoreWriter(folder)
        self.pipeline = Pipeline()
        self.intake = LiveIntake(
            journal=self.journal,
            pipeline=self.pipeline,
            store=self.store,
            sinks=[self.output, self.second],
            clock=self.clock,
            counters=self.counters,
        )

    def close(self) -> None:
        self.journal.close()
        self.store.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def test_a_record_is_journalled_then_judged_then_told(bench: Bench) -> None:
    assert bench.intake.note(RecordKind.TICK) == 1
    assert bench.journal.next_offset == 1
    assert bench.intake.last_arrival == NOW
    assert bench.counters.journal_records == 1
    assert [said.next_offset for said in bench.output.said] == [1]


def test_committed_waits_for_the_disk(bench: Bench) -> None:
    offset = bench.intake.note(RecordKind.TICK)
    asyncio.run(bench.intake.committed(offset))
    assert bench.journal.committed_offset == 1


def test_a_batch_that_waited_for_room_arrives_now(bench: Bench) -> None:
    bench.intake.note(RecordKind.TICK)
    late = batch_of(2)
    late.received_at = numbers([NOW - SECOND, NOW + SECOND])
    bench.intake.take(late)
    assert list(late.received_at) == [NOW, NOW + SECOND]


def test_nothing_else_moves_the_time_on_while_datagrams_wait(bench: Bench) -> None:
    first = batch_of(1)
    first.received_at = numbers([NOW - 5 * SECOND])
    bench.intake.take(first)
    bench.intake.behind = lambda: True
    bench.intake.note(RecordKind.SESSION_UP, b'{"device":"d"}')
    assert bench.intake.last_arrival == NOW - 5 * SECOND
    waited = batch_of(1)
    waited.received_at = numbers([NOW - 4 * SECOND])
    bench.intake.take(waited)
    assert list(waited.received_at) == [NOW - 4 * SECOND], "as it came"
    bench.intake.note(RecordKind.CLOCK, msgspec.json.encode(ClockNote(CollectorTime(NOW), 7)))
    assert bench.intake.last_arrival == NOW
    bench.intake.behind = lambda: False
    bench.hands.pass_(SECOND)
    bench.intake.note(RecordKind.SESSION_UP, b'{"device":"d"}')
    assert bench.intake.last_arrival == NOW + SECOND


TERMINATED = b"<notification><subscription-terminated><id>7</id></subscription-terminated>"


@pytest.mark.parametrize(
    ("kind", "payload", "is_first"),
    [
        (RecordKind.SESSION_DOWN, b'{"device": "d", "reason": ""}', True),
        (RecordKind.DATA, TERMINATED, True),
        (RecordKind.DATA, b"<notification><push-update/></notification>", False),
        (RecordKind.SESSION_UP, b'{"device": "d", "reason": ""}', False),
    ],
)
def test_no_end_overtakes_the_datagrams_that_wait(
    bench: Bench, kind: RecordKind, payload: bytes, is_first: bool
) -> None:
    """While we stood still both came, and the loop looked at the session first."""

    def drain() -> None:
        bench.intake.take(datagrams)

    datagrams = batch_of(2)
    datagrams.transport = array("B", [Transport.UDP_NOTIF]) * 2
    datagrams.received_at = numbers([NOW - 3 * SECOND, NOW - 2 * SECOND])
    bench.intake.drain = drain
    told = ReceivedBatch()
    told.append(NOW, kind, payload, transport=Transport.NETCONF, session="d/1")
    assert bench.intake.take(told) == (3 if is_first else 1)
    assert list(datagrams.received_at) == [NOW - 3 * SECOND, NOW - 2 * SECOND]
    assert bench.intake.last_arrival == NOW


@pytest.mark.parametrize("why", ["reads_ahead", "refused"])
def test_what_was_read_ahead_goes_before_what_others_bring(bench: Bench, why: str) -> None:
    class Waits:
        behind = True

        def drain(self) -> int:
            self.behind = False  # as while it hands over
            bench.intake.take(kept)
            return len(kept)

    bench.intake.note(RecordKind.TICK)
    kept, others = batch_of(1), batch_of(1)
    kept.received_at = numbers([NOW + SECOND])
    others.received_at = numbers([NOW + 9 * SECOND])
    for batch in (kept, others):
        batch.transport = array("B", [Transport.GRPC_DIALOUT])
    waits = Waits()
    setattr(waits, why, True)
    bench.intake.behind = Waiting([waits], bench.clock)  # type: ignore[list-item]  # all it looks at
    bench.intake.take(others)
    assert list(kept.received_at) == [NOW + SECOND]
    assert list(others.received_at) == [NOW + 9 * SECOND]
    assert bench.intake.last_arrival == NOW + 9 * SECOND


def test_what_came_while_we_stood_still_is_read_before_others_hand_over(bench: Bench) -> None:
    class Socket:
        """With a datagram that the kernel stamped; as a plug-in that does not say more."""

        behind = False

        def drain(self) -> int:
            return bench.intake.take(waits.pop()) if waits else 0

    datagram = batch_of(1)
    datagram.received_at = numbers([NOW + SECOND])
    waits = [datagram]
    bench.intake.note(RecordKind.TICK)
    bench.intake.behind = Waiting([Socket()], bench.clock)  # type: ignore[list-item]  # likewise
    bench.hands.pass_(5 * SECOND)
    bench.intake.note(RecordKind.SESSION_UP, b'{"device":"d"}')
    assert list(datagram.received_at) == [NOW + SECOND]
    assert bench.intake.last_arrival == NOW + 5 * SECOND


def test_sockets_are_looked_at_now_and_then_and_left_alone_when_too_much_waits() -> None:
    class Counted:
        behind = False
        drained = 0

        def drain(self) -> int:
            self.drained += 1
            return 0

    hands, one = Hands(), Counted()
    waiting = Waiting([one], hands.clock())  # type: ignore[list-item]  # likewise
    assert (waiting(), waiting(), one.drained) == (False, False, 1)
    hands.pass_(SECOND // 10)
    assert (waiting(), one.drained) == (False, 2)
    one.behind = True
    hands.pass_(SECOND)
    assert (waiting(), one.drained) == (True, 2)


def test_a_full_disk_is_said_once_counted_each_time_and_over_when_there_is_room(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    good = bench.journal.append

    def refuse(batch: ReceivedBatch) -> Any:
        raise IntakeFullError("no room at all")

    monkeypatch.setattr(bench.journal, "append", refuse)
    for _ in range(3):
        with pytest.raises(IntakeFullError):
            bench.intake.note(RecordKind.TICK)
    assert bench.counters.intake_refused == 3
    assert bench.intake.full_since == NOW
    assert bench.intake.full_why == "no room at all"
    assert [one.message for one in caplog.records] == [
        "Nothing more is taken for now: no room at all"
    ]
    monkeypatch.setattr(bench.journal, "append", good)
    bench.intake.note(RecordKind.TICK)
    assert not bench.intake.full_since
    assert "room again" in caplog.records[-1].message


def test_a_stall_is_journalled_before_what_was_read_late(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    kinds: list[str] = []
    bench.intake.alertness = Alertness(lambda: bench.hands.monotonic)
    bench.intake.note(RecordKind.TICK)
    bench.intake.alertness.awake(SECOND)
    bench.hands.pass_(SECOND + STILL)
    bench.intake.note(RecordKind.TICK)
    bench.hands.pass_(3 * SECOND)
    bench.hands.wall += HOUR  # no stall, whatever the clock says
    late = batch_of(2)
    late.received_at = numbers([bench.clock.now()] * 2)
    bench.intake.take(late)
    asyncio.run(bench.intake.committed(bench.intake.note(RecordKind.TICK)))
    for frame in JournalReader(bench.folder).read(0):
        batch = frame.batch()
        kinds += [RecordKind(kind).name for kind in batch.kind]
        if RecordKind.PAUSE in batch.kind:
            note = msgspec.json.decode(batch.payload[0], type=PauseNote)
            assert list(batch.received_at) == [NOW + SECOND + STILL], "where it began to be late"
            assert (note.since, note.until, note.refused) == (NOW, NOW + 4 * SECOND + STILL, False)
    assert kinds == ["TICK", "TICK", "PAUSE", "DATA", "DATA", "TICK"]
    assert [one.message for one in caplog.records] == ["The collector stood still for 4.2 s."]
    bench.hands.pass_(HOUR)
    bench.intake.alertness.asleep()
    assert not bench.intake.alertness.stalled_for(), "nobody gives signs of life any more"


def test_a_timer_with_nothing_to_do_hides_no_stall_from_what_is_read_behind_it(
    bench: Bench,
) -> None:
    bench.intake.alertness = Alertness(lambda: bench.hands.monotonic)
    bench.intake.note(RecordKind.TICK)
    bench.intake.alertness.awake()
    bench.hands.pass_(SECOND // 2)  # too short for a tick of its own

    async def fire() -> None:
        ticker = Ticker(bench.intake, bench.clock, [], lambda: None)
        ticker.start()
        ticker.stop()

    before = bench.journal.next_offset
    asyncio.run(fire())
    assert bench.journal.next_offset == before + 1
    bench.intake.alertness.awake()
    bench.hands.pass_(SECOND // 2)
    bench.intake.full_since = bench.clock.now()
    bench.intake.notice_stall()
    assert bench.journal.next_offset == before + 1, "the word on the full disk says it"


def test_a_stall_that_a_full_disk_met_is_told_once_there_is_room(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.intake.stamped = False
    bench.intake.alertness = Alertness(lambda: bench.hands.monotonic)
    bench.intake.alertness.awake()
    bench.hands.pass_(SECOND)
    with monkeypatch.context() as patch:
        patch.setattr(StoreWriter, "has_room", False)
        with pytest.raises(IntakeFullError):
            bench.intake.note(RecordKind.TICK)
    asyncio.run(bench.intake.committed(bench.intake.note(RecordKind.TICK)))
    notes = [
        msgspec.json.decode(payload, type=PauseNote)
        for frame in JournalReader(bench.folder).read(0)
        for kind, payload in zip(frame.batch().kind, frame.batch().payload, strict=True)
        if kind == RecordKind.PAUSE
    ]
    assert [(note.refused, note.stamped) for note in notes] == [(True, False), (False, False)]
    assert notes[1].since == NOW


def test_one_socket_keeps_the_times_at_which_datagrams_came() -> None:
    class Socket:
        stamps = True

    streams: Any = object()
    plugged = PluggedReceiver.__new__(PluggedReceiver)
    socket: Any = Socket()
    assert keep_times([socket, streams])
    assert keep_times([streams])
    assert not keep_times([socket, streams, socket])
    assert not keep_times([socket, plugged])


def test_a_store_that_is_behind_stops_the_intake_before_the_journal(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StoreWriter, "has_room", False)
    with pytest.raises(IntakeFullError, match="behind"):
        bench.intake.note(RecordKind.TICK)
    assert bench.journal.next_offset == 0


def test_a_fault_in_judging_is_counted_and_the_journal_keeps_the_records(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Said:
        raise ZeroDivisionError

    monkeypatch.setattr(bench.pipeline, "receive", fail)
    bench.intake.take(batch_of(3))
    assert bench.counters.messages_rejected[("internal-error",)] == 3
    assert bench.journal.next_offset == 3


@pytest.mark.parametrize(
    ("problem", "labels"),
    [
        (SinkError("no", retryable=True), ("output", "true")),
        (SinkError("no", retryable=False), ("output", "false")),
        (ZeroDivisionError(), ("output", "false")),
    ],
)
def test_an_output_that_fails_is_logged_once_and_hinders_no_other(
    bench: Bench,
    caplog: pytest.LogCaptureFixture,
    problem: Exception,
    labels: tuple[str, str],
) -> None:
    bench.output.problem = problem
    bench.intake.note(RecordKind.TICK)
    bench.intake.note(RecordKind.TICK)
    assert bench.counters.sink_errors[labels] == 2
    assert len(caplog.records) == 1
    assert len(bench.second.said) == 2


def test_rows_are_counted_by_output(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    said = Batch(verdict(1), event(1))
    said.first_offset, said.next_offset = 0, 0
    monkeypatch.setattr(bench.pipeline, "receive", lambda *_: said)
    bench.intake.note(RecordKind.TICK)
    rows = dict(bench.counters.sink_rows_written.items())
    assert rows == {("store",): 2, ("output",): 4}, "two outputs of one name"


# --------------------------------------------------------------------------- the ticker
class Engine:
    deadline: int | None = None

    def next_deadline(self) -> CollectorTime | None:
        return None if self.deadline is None else CollectorTime(self.deadline)


class Notes:
    """What the ticker asks of the intake."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.pipeline = self
        self.last_arrival = 0
        self.full_since: int | None = None
        self.noted: list[RecordKind] = []
        self.full = False
        self.alertness = Alertness()

    def notice_stall(self) -> None:
        if self.full:
            raise IntakeFullError("full")

    def take(self, batch: ReceivedBatch) -> int:
        if self.full:
            raise IntakeFullError("full")
        self.noted += [RecordKind(kind) for kind in batch.kind]
        return 0


class Drained:
    name = "drained"
    behind = False
    drains = 0
    problem: Exception | None = None

    def drain(self) -> int:
        self.drains += 1
        if self.problem is not None:
            raise self.problem
        return 0


def run_ticker(
    step: Callable[[Ticker, Notes, Drained, Hands, list[int]], Coroutine[Any, Any, None]],
) -> None:
    async def whole() -> None:
        hands, notes, receiver = Hands(), Notes(), Drained()
        kept: list[int] = []
        ticker = Ticker(
            notes,  # type: ignore[arg-type]  # a part of it is enough
            hands.clock(),
            [receiver],  # type: ignore[list-item]
            lambda: kept.append(hands.wall),
        )
        assert not ticker.alive
        try:
            await step(ticker, notes, receiver, hands, kept)
        finally:
            ticker.stop()
            ticker.stop()
        assert not ticker.alive

    asyncio.run(whole())


def test_a_tick_while_idle_and_housekeeping_once_a_second() -> None:
    async def step(
        t: Ticker, notes: Notes, receiver: Drained, hands: Hands, kept: list[int]
    ) -> None:
        t.start()
        assert t.alive
        assert notes.noted == [RecordKind.TICK]
        assert kept == [NOW]
        notes.last_arrival = hands.wall
        t._look()
        assert len(notes.noted) == 1
        hands.pass_(IDLE)
        t._look()
        assert len(notes.noted) == 2
        assert len(kept) == 2
        assert receiver.drains == 2, "before each tick, and not for nothing"

    run_ticker(step)


def test_a_tick_when_a_deadline_is_due_and_not_before() -> None:
    async def step(
        t: Ticker, notes: Notes, receiver: Drained, hands: Hands, kept: list[int]
    ) -> None:
        notes.last_arrival = hands.wall
        notes.engine.deadline = hands.wall + 5
        t._look()
        assert notes.noted == []
        hands.pass_(5)
        t._look()
        assert notes.noted == [RecordKind.TICK]

    run_ticker(step)


def test_no_tick_overtakes_what_a_receiver_had_no_time_to_read() -> None:
    async def step(
        t: Ticker, notes: Notes, receiver: Drained, hands: Hands, kept: list[int]
    ) -> None:
        receiver.behind = True
        hands.pass_(IDLE)
        t._look()
        assert (notes.noted, receiver.drains, len(kept)) == ([], 1, 1)
        receiver.behind = False
        t._look()
        assert notes.noted == [RecordKind.TICK]

    run_ticker(step)


def test_a_full_intake_is_asked_again_and_deadlines_wait() -> None:
    async def step(
        t: Ticker, notes: Notes, receiver: Drained, hands: Hands, kept: list[int]
    ) -> None:
        notes.full, notes.full_since = True, 1
        t.start()
        assert t.alive
        assert notes.noted == []

    run_ticker(step)


def test_a_fault_does_not_end_the_ticker_and_floods_no_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def step(
        t: Ticker, notes: Notes, receiver: Drained, hands: Hands, kept: list[int]
    ) -> None:
        receiver.problem = ZeroDivisionError()
        for _ in range(5):
            t._fire()
        assert t.alive

    run_ticker(step)
    assert len(caplog.records) == 3


def test_the_ticker_fires_by_itself() -> None:
    async def step(
        t: Ticker, notes: Notes, receiver: Drained, hands: Hands, kept: list[int]
    ) -> None:
        notes.engine.deadline = hands.wall
        t.start()
        async with asyncio.timeout(10):
            while len(notes.noted) < 3:
                await asyncio.sleep(0)

    run_ticker(step)


def test_a_ticker_that_does_not_fire_is_not_alive() -> None:
    async def step(
        t: Ticker, notes: Notes, receiver: Drained, hands: Hands, kept: list[int]
    ) -> None:
        t.start()
        hands.pass_(HOUR)
        assert not t.alive

    run_ticker(step)


# --------------------------------------------------------------------------- printing
def test_rows_are_printed_as_lines_of_text() -> None:
    out = io.StringIO()
    sink = PrintingSink(out)
    sink.start()
    sink.write(Batch(verdict(1, missing={"3": "silent"}), event(1), subscription(1)))
    sink.write(Batch())
    sink.flush()
    sink.stop()
    lines = out.getvalue().splitlines()
    assert len(lines) == 3
    assert any("INCOMPLETE" in line and "3" in line for line in lines)


def one_update(
    payload: bytes, kind: str = "push-update", media_type: int = 1, event_time: int | None = None
) -> Any:
    """What the pipeline says of one update, and a verdict with it."""
    from collector.journal import to_arrow

    batch = batch_of(1)
    batch.received_at, batch.payload = numbers([SECOND + 7]), Octets.of([payload])
    batch.media_type[0] = media_type
    said: Any = Batch(verdict(1))
    said.updates = update_rows(
        to_arrow(batch),
        0,
        rows=None,
        **update_row_columns(
            device=["d"],
            generator=["7"],
            subscription_id=[1],
            revision=[0],
            period_index=[1],
            kind=[kind],
            event_time=[event_time],
            observation_time=[None],
        ),
    )
    return said


def test_updates_are_printed_cut_and_without_control_characters() -> None:
    out = io.StringIO()
    PrintingSink(out).write(one_update(b'{"a":"\x1b[31m' + b"x" * 1000))
    line = out.getvalue().splitlines()[0]
    assert "push-update from" in line
    assert "\x1b" not in line
    assert len(line) < 300


def test_of_an_update_its_contents_are_printed() -> None:
    for inner, shown in (
        ('"datastore-contents":{"a:b":{"c":[1,null]}}', '{"a:b":{"c":[1,null]}}'),
        ('"id":1', '{"id":1}'),
    ):
        out = io.StringIO()
        update = f'{{"ietf-yang-push:push-update":{{{inner}}}}}'
        header = f'"eventTime":"2026-11-21T00:00:00Z",{update[1:-1]}'
        payload = f'{{"ietf-https-notif:notification":{{{header}}}}}'.encode()
        PrintingSink(out).write(one_update(payload))
        assert out.getvalue().splitlines()[0] == f"00:00:01.000  push-update from card 7: {shown}"


def test_records_of_event_streams_are_printed_by_name() -> None:
    out = io.StringIO()
    for inner in ("<name>psu2</name>", ""):
        payload = (
            '<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
            f'<eventTime>2026-11-21T00:00:00Z</eventTime><gone xmlns="urn:x">{inner}</gone>'
            "</notification>"
        ).encode()
        PrintingSink(out).write(one_update(payload, "other", 2))
    shown = [line for line in out.getvalue().splitlines() if "gone" in line]
    assert shown == [
        '00:00:01.000  gone from card 7: {"name":"psu2"}',
        "00:00:01.000  gone from card 7: {}",
    ]


def test_a_replayed_event_says_when_it_happened() -> None:
    """All of them come at once."""
    out = io.StringIO()
    for seconds in (-4, -3600):
        PrintingSink(out).write(one_update(b"{}", "other", event_time=(1 + seconds) * SECOND))
    PrintingSink(out).write(one_update(b"{}", event_time=-3600 * SECOND))
    assert [line for line in out.getvalue().splitlines() if "from card 7" in line] == [
        "00:00:01.000  other from card 7: {}",
        "00:00:01.000  other from card 7, of 1969-12-31 23:00:01: {}",
        "00:00:01.000  push-update from card 7: {}",
    ]


def test_edits_are_printed_one_a_line() -> None:
    out = io.StringIO()
    said = one_update(b"{}")
    edit = EditRow(
        CollectorTime(SECOND), "d", "7", 1, 0, 0, "4", 0, "e1", "replace",
        "/if:interfaces/if:oper-status", None, None, '"down"',
    )  # fmt: skip
    gone = replace(edit, position=1, operation="delete", target="/if:\x1b[2J", value=None)
    said.edits = [edit, gone]
    PrintingSink(out).write(said)
    assert out.getvalue().splitlines()[:3] == [
        "00:00:01.000  push-update from card 7, patch 4",
        '    replace /if:interfaces/if:oper-status "down"',
        "    delete /if:\N{REPLACEMENT CHARACTER}[2J",
    ]


def test_updates_are_in_the_lines_of_json_too() -> None:
    out = io.StringIO()
    sink = PrintingSink(out, as_json=True)
    said = one_update(b'{"a":"' + b"x" * 1000 + b'"}')
    said.events = [event(1)]
    sink.write(said)
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [row["row"] for row in rows] == ["event", "update", "verdict"]
    update = rows[1]
    assert update["received_at"] == "1970-01-01T00:00:01.000000007Z"
    assert (update["device"], update["generator"], update["period_index"]) == ("d", "7", 1)
    assert json.loads(update["payload"]) == {"a": "x" * 1000}, "whole, unlike in text"


def test_nothing_more_is_printed_when_nobody_reads() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    sink = PrintingSink(Gone())
    assert not sink.unread
    for _ in range(2):
        sink.write(Batch(event(1)))
        assert sink.unread


def test_printing_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    PrintingSink().write(Batch(event(1)))
    assert capsys.readouterr().out


# --------------------------------------------------------------------------- the watch
def test_ends_that_the_subscriber_does_not_know_are_told_and_suspensions() -> None:
    told: list[tuple[str, int, str]] = []
    paused: list[tuple[int, bool, str]] = []
    lost: list[tuple[object, ...]] = []
    watch = SubscriptionWatch(
        lambda *ended: told.append(ended),
        lambda device, *rest: paused.append(rest),
        lambda *lost_: lost.append(lost_) is None,
    )
    watch.start()
    batch = Batch(
        subscription(1),
        subscription(1, state="suspended", reason="unsupportable-volume"),
        subscription(1, state="ended", reason="deleted"),
        subscription(1, id=9, state="ended", reason="no-such-subscription"),
    )
    batch.out_of_sync = [OutOfSync(CollectorTime(1), "core7", 8, "3", "no patch 5 came")]  # type: ignore[attr-defined]  # the pipeline's has it
    watch.write(batch)
    assert lost == [("core7", 8, "no patch 5 came")]
    watch.flush()
    watch.stop()
    assert [(number, reason) for _, number, reason in told] == [(9, "no-such-subscription")]
    assert [one[1:] for one in paused] == [(False, ""), (True, "unsupportable-volume")]
