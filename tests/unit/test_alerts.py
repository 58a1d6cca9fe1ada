"""Alerts: what is said, how often, and that delivery never stands in the way."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from collector.alerts import AlertDecider, AlertKind, AlertSink, decision
from collector.alerts.sentences import _SENTENCES
from collector.config import AlertSettings
from collector.errors import SinkError
from collector.metrics import Counters
from collector.model import (
    SECOND,
    Cause,
    CollectorTime,
    Event,
    NotJudgedReason,
    Outcome,
    Verdict,
)
from tests.unit.verdict_maker import NOON, Batch, event, verdict

SILENT = {"3": "silent"}


def texts(verdicts: Iterable[Verdict]) -> list[str]:
    return [alert.text.removesuffix(" [counters]") for alert in AlertDecider().receive(verdicts)]


# --------------------------------------------------------------------------- decision
def test_a_card_falls_silent_and_comes_back() -> None:
    rows = [
        *(verdict(n) for n in range(5)),
        *(verdict(n, missing=SILENT) for n in range(5, 35)),
        *(verdict(n) for n in range(35, 40)),
    ]
    assert texts(rows) == [
        "card 3 of core7 silent since 12:00:05",
        "card 3 of core7 delivers again since 12:00:35 (silent since 12:00:05)",
    ]


def test_all_well_says_nothing() -> None:
    assert texts(verdict(n) for n in range(100)) == []


def test_the_parts_of_an_alert_are_there_for_programs() -> None:
    (alert,) = AlertDecider().receive([verdict(5, missing={"linecard 1": "silent"},
                                               required=("linecard 1",))])  # fmt: skip
    assert alert.row() == {
        "row": "alert",
        "time": "2026-01-01T12:00:05.25Z",
        "kind": "missing",
        "device": "core7",
        "subscription_name": "counters",
        "subscription_id": 7,
        "generator": "linecard 1",
        "cause": "silent",
        "since": "2026-01-01T12:00:05Z",
        "text": "linecard 1 of core7 silent since 12:00:05 [counters]",
    }


def test_a_cause_that_sharpens_is_said_once() -> None:
    rows = [
        verdict(5, missing=SILENT),
        verdict(5, missing={"3": "lost"}, amendment=1),
        verdict(6, missing={"3": "silent"}),
        verdict(6, missing={"3": "lost"}, amendment=1),
    ]
    assert texts(rows) == [
        "card 3 of core7 silent since 12:00:05",
        "messages of card 3 of core7 lost on the way since 12:00:05",
    ]


def test_a_late_arrival_takes_the_alert_back() -> None:
    rows = [
        verdict(5, missing=SILENT),
        verdict(5, degraded={"3": "loss"}, amendment=1, late_generators=("3",)),
        verdict(5, amendment=2, late_generators=("3",)),
    ]
    assert texts(rows) == [
        "card 3 of core7 silent since 12:00:05",
        "card 3 of core7 delivered the period of 12:00:05 after all, late",
    ]
    assert AlertDecider().receive(rows)[1].kind is AlertKind.RECOVERED


def test_what_came_late_in_part_is_told_when_all_is_well_again() -> None:
    rows = [
        verdict(5, missing=SILENT),
        verdict(5, degraded={"3": "loss"}, amendment=1),
        verdict(6),
    ]
    assert texts(rows) == [
        "card 3 of core7 silent since 12:00:05",
        "card 3 of core7 delivers again since 12:00:06 (silent since 12:00:05)",
    ]


def test_from_degraded_to_missing_and_back() -> None:
    rows = [verdict(1, degraded={"2": "loss"}), verdict(2, missing={"2": "lost"}), verdict(3)]
    assert texts(rows) == [
        "card 2 of core7 loses messages since 12:00:01",
        "messages of card 2 of core7 lost on the way since 12:00:02",
        "card 2 of core7 delivers again since 12:00:03 (lost since 12:00:02)",
    ]


def test_periods_that_were_not_judged_change_nothing() -> None:
    rows = [
        verdict(5, missing=SILENT),
        verdict(6, outcome=Outcome.NOT_JUDGED, reason=NotJudgedReason.COLLECTOR_DOWN),
        verdict(7, outcome=Outcome.UNKNOWN, required=()),
        verdict(8, missing=SILENT),
    ]
    assert texts(rows) == ["card 3 of core7 silent since 12:00:05"]


def test_a_verdict_on_an_older_period_is_told_as_past() -> None:
    rows = [verdict(6), verdict(5, missing=SILENT), verdict(4, missing=SILENT, amendment=1)]
    assert texts(rows) == ["card 3 of core7 was silent in the period of 12:00:05"]


def test_a_card_that_leaves_the_list_in_trouble_gets_a_last_word() -> None:
    rows = [
        verdict(5, missing=SILENT),
        verdict(6, required=("1", "2", "4")),
        verdict(7, required=("1", "2", "4")),
        verdict(8),
    ]
    assert texts(rows) == [
        "card 3 of core7 silent since 12:00:05",
        "card 3 of core7 is no longer expected since 12:00:06 (silent since 12:00:05)",
    ]


def test_a_card_that_is_said_to_have_left_is_not_said_goodbye_twice() -> None:
    rows = [
        verdict(5, missing=SILENT),
        verdict(5, missing={"3": "left"}, amendment=1),
        verdict(6, required=("1", "2", "4")),
    ]
    assert texts(rows) == [
        "card 3 of core7 silent since 12:00:05",
        "card 3 of core7 left since 12:00:05",
    ]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device may give its subscriptions another id at every turn, and no name."""
    monkeypatch.setattr(decision, "STATES_KEPT", 50)
    decider = AlertDecider()
    for number in range(400):
        one = msgspec.structs.replace(verdict(number), subscription_name="", subscription_id=number)
        assert decider.receive([one]) == []
    assert len(decider._all) == 50
    for number in range(400):
        one = verdict(number, missing=SILENT)
        one = msgspec.structs.replace(one, subscription_name="", subscription_id=number)
        assert len(decider.receive([one])) == 1
    assert len(decider._states) == len(decider._all) == 50


def test_of_cards_that_are_well_again_nothing_is_remembered() -> None:
    decider = AlertDecider()
    rows = [verdict(0), verdict(1, missing=SILENT), *(verdict(n) for n in range(2, 100))]
    assert len(decider.receive(rows)) == 2
    assert decider._states == {}
    assert decider.receive([verdict(50, missing=SILENT)])[0].kind is decision.AlertKind.PAST


def test_a_card_that_leaves_in_good_health_leaves_quietly() -> None:
    assert texts([verdict(5), verdict(6, required=("1", "2", "4"))]) == []


def test_a_flapping_card_does_not_flood() -> None:
    rows = [verdict(n, missing=SILENT if n % 2 else {}) for n in range(1000)]
    said = texts(rows)
    assert len(said) == 7
    assert "keeps coming and going" in said[-1]


def test_after_flapping_the_end_is_said() -> None:
    flapping = [verdict(n, missing=SILENT if n % 2 else {}) for n in range(20)]
    well = texts([*flapping, *(verdict(n) for n in range(20, 400))])
    assert well[-1].startswith("card 3 of core7 is steady again since 12:0")
    gone = texts([*flapping, *(verdict(n, missing=SILENT) for n in range(20, 400))])
    assert gone[-1] == "card 3 of core7 silent since 12:00:19"


def test_a_silence_over_midnight_names_the_day() -> None:
    late = verdict(86_400, nominal_time=verdict(86_400).nominal_time)
    rows = [verdict(5, missing=SILENT), late]
    assert texts(rows)[-1] == (
        "card 3 of core7 delivers again since 12:00:00 (silent since 2026-01-01 12:00:05)"
    )


def test_devices_and_subscriptions_do_not_touch_each_other() -> None:
    rows = [
        verdict(5, missing=SILENT),
        verdict(5, device="core8"),
        verdict(6, subscription_name="other"),
        verdict(6, missing=SILENT),
    ]
    assert len(texts(rows)) == 1


def test_a_nameless_subscription_is_known_by_its_id() -> None:
    rows = [verdict(5, missing=SILENT, subscription_name=""), event()]
    (alert,) = AlertDecider().receive(rows)
    assert alert.text == "card 3 of core7 silent since 12:00:05"


def test_a_name_of_a_peer_cannot_write_to_the_terminal() -> None:
    (alert,) = AlertDecider().receive(
        [verdict(5, missing={"a\x1b[2Jb": "silent"}, required=("a\x1b[2Jb",))]
    )
    assert "\x1b" not in alert.text


def test_what_the_operator_misses_in_the_list_is_an_alert_and_its_end_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    less = "core7 declares 2 of the 3 generators that are expected for counters; not 3."
    enough = "core7 declares all 3 generators that are expected for counters again."
    events = (
        Event(CollectorTime(NOON), "core7", "counters", "declares_less", less),
        Event(CollectorTime(NOON + SECOND), "core7", "counters", "declares_enough", enough),
    )
    first, last = AlertDecider().receive(events)
    assert (first.kind, last.kind) == (AlertKind.NOT_DECLARED, AlertKind.DECLARED)
    assert first.row() == {
        "row": "alert",
        "time": "2026-01-01T12:00:00Z",
        "kind": "not_declared",
        "device": "core7",
        "subscription_name": "counters",
        "subscription_id": None,
        "generator": "",
        "cause": None,
        "since": "2026-01-01T12:00:00Z",
        "text": less.rstrip("."),
    }
    silent = Event(CollectorTime(NOON), "core7", "counters", "never_sent", "Nothing came.")
    sends = Event(CollectorTime(NOON + SECOND), "core7", "counters", "began_to_send", "It came.")
    never, now = AlertDecider().receive((silent, sends))
    assert (never.kind, now.kind) == (AlertKind.NEVER_SENT, AlertKind.SENDS)
    sink = AlertSink(AlertSettings())
    with caplog.at_level(logging.INFO, "collector.alerts"):
        sink.write(Batch(*events, silent, sends))  # type: ignore[arg-type]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"] * 2


def test_every_cause_has_a_sentence() -> None:
    assert set(_SENTENCES) == set(Cause)


# --------------------------------------------------------------------------- delivery
def batch(*verdicts: Verdict) -> Batch:
    return Batch(*verdicts)


def run(settings: AlertSettings, *verdicts: Verdict) -> Counters:
    """One start, the verdicts, one stop."""
    counters = Counters()
    sink = AlertSink(settings, counters)
    sink.start()
    sink.start()
    sink.write(batch(*verdicts))  # type: ignore[arg-type]
    sink.flush()
    sink.stop()
    sink.stop()
    return counters


def test_the_log_gets_a_sentence(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "collector.alerts"):
        counters = run(AlertSettings(), verdict(5, missing=SILENT), verdict(6))
    assert [(record.levelname, record.message[:29]) for record in caplog.records] == [
        ("WARNING", "card 3 of core7 silent since "),
        ("INFO", "card 3 of core7 delivers agai"),
    ]
    assert counters.alerts["log", "sent"] == 2


def test_the_file_gets_one_object_a_line(tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    counters = run(AlertSettings(log=False, file=str(file)), verdict(5, missing=SILENT), verdict(6))
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["kind"] for row in rows] == ["missing", "recovered"]
    assert counters.alerts["file", "sent"] == 2


def test_a_file_that_was_moved_away_is_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    sink = AlertSink(AlertSettings(log=False, file=str(file)))
    sink.start()
    sink.write(batch(verdict(5, missing=SILENT)))  # type: ignore[arg-type]
    file.rename(tmp_path / "old")
    sink.write(batch(verdict(6)))  # type: ignore[arg-type]
    sink.stop()
    sink.write(batch(verdict(7, missing=SILENT)))  # type: ignore[arg-type]
    kinds = [json.loads(one.read_text())["kind"] for one in (tmp_path / "old", file)]
    assert kinds == ["missing", "recovered"]


def test_a_file_that_cannot_be_opened_is_the_operators_fault(tmp_path: Path) -> None:
    sink = AlertSink(AlertSettings(file=str(tmp_path / "no" / "alerts")))
    with pytest.raises(SinkError, match=r"alerts\.file .* cannot be written: No such file"):
        sink.start()


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_the_command_gets_the_alert_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORE7_PASSWORD", "hunter2")
    out = tmp_path / "out"
    code = f"import sys, os; open({str(out)!r}, 'w').write(sys.stdin.read() + str(os.environ))"
    counters = run(AlertSettings(log=False, command=python(code)), verdict(5, missing=SILENT))
    content = out.read_text()
    assert json.loads(content.splitlines()[0])["generator"] == "3"
    assert "hunter2" not in content
    assert counters.alerts["command", "sent"] == 1


@pytest.mark.parametrize(
    "command",
    [python("raise SystemExit(3)"), ("/no/such/program",), python("import os; os.abort()")],
)
def test_a_command_that_fails_is_counted_and_logged_once(
    command: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    rows = [verdict(5, missing=SILENT), verdict(6)]
    counters = run(AlertSettings(log=False, command=command), *rows)
    assert counters.alerts["command", "failed"] == 2
    assert len(caplog.records) == 1


def test_a_command_that_hangs_is_ended() -> None:
    command = python("import time; time.sleep(600)")
    settings = AlertSettings(log=False, command=command, timeout_seconds=0.2)
    assert run(settings, verdict(5, missing=SILENT)).alerts["command", "failed"] == 1


def test_a_full_queue_drops_and_counts() -> None:
    counters = Counters()
    sink = AlertSink(AlertSettings(log=False, command=("true",), max_queued=2), counters)
    # never started, so nobody empties the queue
    sink.write(batch(*(verdict(5, missing={c: "silent"}) for c in "1234")))  # type: ignore[arg-type]
    assert counters.alerts["queue", "dropped"] == 5
    sink.stop()


class Hook(BaseHTTPRequestHandler):
    """A webhook that remembers what it was sent."""

    got: ClassVar[list[bytes]] = []
    answer: ClassVar[int] = 204

    def do_POST(self) -> None:
        self.got.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.answer)
        if self.answer == 302:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def hook() -> Iterator[str]:
    Hook.got.clear()
    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook?token=t0ken"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.integration
@pytest.mark.parametrize(
    ("answer", "result"), [(204, "sent"), (500, "failed"), (302, "failed"), (404, "failed")]
)
def test_the_webhook_gets_the_alert(
    hook: str, answer: int, result: str, caplog: pytest.LogCaptureFixture
) -> None:
    Hook.answer = answer
    counters = run(AlertSettings(log=False, webhook=hook), verdict(5, missing=SILENT))
    assert [json.loads(body)["text"] for body in Hook.got] == [
        "card 3 of core7 silent since 12:00:05 [counters]"
    ]
    assert counters.alerts["webhook", result] == 1
    assert "t0ken" not in caplog.text


def test_a_webhook_that_is_not_there_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    settings = AlertSettings(log=False, webhook="http://127.0.0.1:1/x", timeout_seconds=2)
    counters = run(settings, verdict(5, missing=SILENT))
    assert counters.alerts["webhook", "failed"] == 1
    assert "not reached" in caplog.text


def test_recovery_of_a_channel_is_logged(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    code = f"import os; p = {str(flag)!r}; os.path.exists(p) or (open(p, 'w'), os._exit(1))"
    with caplog.at_level(logging.INFO, "collector.alerts"):
        run(AlertSettings(log=False, command=python(code)), verdict(5, missing=SILENT), verdict(6))
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
