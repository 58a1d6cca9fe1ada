"""``collector replay``: options, exit status, what is printed for people and for programs."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from collector.cli import status_of
from collector.cli.replaying import given_terms
from collector.core.views import OriginatorState, UnknownSubscription
from collector.journal import Journal, JournalSettings
from collector.model import Coded, CollectorTime, Event, Outcome
from collector.pipeline import Replayed
from collector.store.said import Said
from collector.views.replay_summary import (
    EVENTS_SHOWN,
    ROWS_KEPT,
    SERIES_SHOWN,
    ReplaySummary,
    advices,
    read_lines,
)
from collector.wire.captures.packets import UdpPacket
from tests.unit.capture_maker import (
    capture,
    cards,
    judged,
    packets,
    push_update,
    started,
    verdicts,
    write,
)
from tests.unit.pipeline_records import Story
from tests.unit.verdict_maker import verdict

START = packets(0.0, started(0.0, ["1", "2"]), header=9)


@pytest.fixture
def lossy(tmp_path: Path) -> str:
    """Card 2 lost in one period."""
    lost = cards(12, first=1.0, lost=lambda card, index: (card, index) == ("2", 5))
    return str(write(tmp_path / "lossy.pcap", [*START, *lost]))


@pytest.fixture
def well(tmp_path: Path) -> str:
    return str(write(tmp_path / "well.pcap", [*START, *cards(60, first=1.0)]))


# --------------------------------------------------------------------------- options
def test_terms_of_the_command_line() -> None:
    told = given_terms(
        ("1=60", "core7/1=0.5", "2001:db8::7/4294967295=900"), ("1=101, 102,101", "7=linecard 1")
    )
    assert [(one.id, one.devices, one.period_seconds, one.expect) for one in told] == [
        (1, ("*",), 60.0, ("101", "102")),
        (1, ("core7",), 0.5, ()),
        (4294967295, ("2001:db8::7",), 900.0, ()),
        (7, ("*",), None, ("linecard 1",)),
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--period", "60"], '--period "60" is not a subscription id and a value, as 1=60'),
        (["--period", "1="], '--period "1=" is not'),
        (["--period", "x=1"], '--period "x=1" is not'),
        (["--period", "4294967296=1"], '--period "4294967296=1" is not'),
        (["--period", "1=x"], '--period: "x" is no period'),
        (["--period", "1=0"], '--period: "0" is no period'),
        (["--period", "1=nan"], '--period: "nan" is no period'),
        (["--period", "1=0.015"], '--period: "0.015" is no period'),
        (["--expect", "1"], '--expect "1" is not a subscription id and a value, as 1=101,102'),
        (["--period", "1=60", "--period", "01=30"], "--period is given twice for subscription 1"),
        (
            ["--expect", "c/7=1", "--expect", "7=2", "--expect", "c/7=1"],
            "--expect is given twice for subscription 7 of c",
        ),
        (["--expect", "1=,"], '--expect: "," names no generator'),
        (["--port", "0"], "Invalid value for '--port'"),
        (["--fail-on", "x"], "Invalid value for '--fail-on'"),
        (["-c", "/no/such"], "Invalid value for '-c'"),
        (["/no/such.pcap"], "a capture is named twice"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(["replay", "/no/such.pcap", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"collector: {sentence}")
    assert err.count("\n") == 1


def test_captures_and_folders_do_not_mix(
    tmp_path: Path, well: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(["replay", well, str(tmp_path)]) == 2
    assert "replay takes one journal, or captures" in capsys.readouterr().err
    assert status_of(["replay", str(tmp_path), "--port", "10003"]) == 2
    assert "--port is for captures" in capsys.readouterr().err
    assert status_of(["replay", str(tmp_path)]) == 2
    assert "there is no journal in" in capsys.readouterr().err


# --------------------------------------------------------------------------- exit status
@pytest.mark.parametrize(
    ("arguments", "status"),
    [([], 0), (["--fail-on", "incomplete"], 1), (["--fail-on", "degraded"], 1)],
)
def test_fail_on(lossy: str, well: str, arguments: list[str], status: int) -> None:
    assert status_of(["replay", lossy, *arguments]) == status
    assert status_of(["replay", well, *arguments]) == 0


def test_a_loss_fails_only_where_degraded_is_asked(tmp_path: Path) -> None:
    """Three updates a period; one of card 2 is lost."""
    frames = [
        one
        for index in range(12)
        for number in range(3)
        for card in ("1", "2")
        if (card, index, number) != ("2", 8, 1)
        for one in packets(
            1.01 + index + number / 50,
            push_update(1.0 + index + number / 50, card),
            header=int(card),
            message_id=3 * index + number,
        )
    ]
    path = str(write(tmp_path / "a.pcap", [*START, *frames]))
    assert status_of(["replay", path, "--fail-on", "incomplete"]) == 0
    assert status_of(["replay", path, "--fail-on", "degraded"]) == 1


def test_a_broken_file_is_status_2_after_all_that_was_readable(
    tmp_path: Path, lossy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    octets = Path(lossy).read_bytes()
    half = tmp_path / "half.pcap"
    half.write_bytes(octets[:-10])
    assert status_of(["replay", str(half), "--json", "--fail-on", "incomplete"]) == 2
    out, err = capsys.readouterr()
    assert len(out.splitlines()) > 10
    assert err.startswith(f"collector: {half}: the file ends inside a packet at octet")
    assert err.endswith("; what came before was judged\n")
    assert err.count("\n") == 1


def test_what_is_no_capture_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.txt"
    path.write_text("hello, this is no capture")
    assert status_of(["replay", str(path)]) == 2
    assert capsys.readouterr() == (
        "",
        f"collector: {path}: neither a pcap nor a pcapng file at octet 0, draft-ietf-opsawg-pcap\n",
    )


@pytest.mark.parametrize("frames", [[], packets(0.0, push_update(0.0, "1"), header=1)])
def test_nothing_judged_is_no_green(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], frames: list[UdpPacket]
) -> None:
    path = str(write(tmp_path / "a.pcap", frames))
    assert status_of(["replay", path, "--fail-on", "incomplete"]) == 1
    assert capsys.readouterr().err == (
        "collector: no period could be judged, so --fail-on cannot pass\n"
    )
    assert status_of(["replay", path]) == 0


# --------------------------------------------------------------------------- for programs
def test_json_is_the_verdicts_in_the_order_in_which_they_were_said(
    lossy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(["replay", lossy, "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    _, said = judged(lossy)
    key = ("device", "revision", "period_index", "amendment", "outcome")
    assert [tuple(row[k] for k in key) for row in rows] == [
        tuple(getattr(one, k) for k in key) for one in verdicts(said)
    ]
    assert {row["row"] for row in rows} == {"verdict"}
    assert any(row["amendment"] for row in rows)


def test_terms_for_a_subscription_that_is_not_there_are_said(
    well: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--period", "1=1", "--period", "7=60", "--expect", "192.0.2.99/1=4"]
    assert status_of(["replay", well, "--json", *given]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "Subscription 7, for which terms were given, is not in what was read",
        "Subscription 1 of 192.0.2.99, for which terms were given, is not in what was read",
    ]


def test_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    octets = capture([*START, *cards(12, first=1.0)])
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(octets)))
    assert status_of(["replay", "-", "--json"]) == 0
    assert len(capsys.readouterr().out.splitlines()) >= 12


def test_the_store_serves_the_other_commands(
    tmp_path: Path, lossy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path / "kept")
    assert status_of(["replay", lossy, "--store", folder]) == 0
    assert f"collector query --store {folder} SQL" in capsys.readouterr().out
    assert status_of(["verdicts", "--store", folder, "--outcome", "incomplete"]) == 0
    assert "missing: card 2 lost" in capsys.readouterr().out
    assert status_of(["replay", folder]) == 0
    assert "1 INCOMPLETE" in capsys.readouterr().out
    again = str(tmp_path / "again")
    assert status_of(["replay", folder, "--store", again, "--expect", "1=1"]) == 0
    assert "INCOMPLETE" not in capsys.readouterr().out
    assert status_of(["replay", lossy, "--store", folder]) == 2
    assert "is not empty" in capsys.readouterr().err


def test_a_configuration_names_devices(
    tmp_path: Path, lossy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "c.toml"
    config.write_text(
        '[[device]]\nname = "core7"\nsources = ["192.0.2.7"]\n'
        '[[known_subscription]]\nid = 1\ndevices = ["core7"]\nname = "power"\nexpect = ["1"]\n'
    )
    assert status_of(["replay", lossy, "-c", str(config), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {(row["device"], row["subscription_name"]) for row in rows} == {("core7", "power")}
    assert {tuple(row["required"]) for row in rows} == {("1",)}
    assert status_of(["replay", lossy, "-c", str(config), "--expect", "core7/1=2,1", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {tuple(row["required"]) for row in rows} == {("2", "1")}  # the option counts


def test_a_configuration_names_devices_of_a_journal_that_did_not_know_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who sent was unknown; what came is all in the journal, and can be judged once it is known."""
    with Journal.open(tmp_path / "data", JournalSettings(free_space_reserve=0)) as journal:
        story = Story()
        story.configured()
        story.started()
        story.periods(1, 6)
        peers = [peer and "198.51.100.7" for peer in story.batch.peer]
        story.batch.peer = Coded.of(peers)
        journal.append(story.batch)
    folder = str(tmp_path / "data")
    status_of(["replay", folder, "--json"])
    assert capsys.readouterr().out == ""
    config = tmp_path / "c.toml"
    config.write_text('[[device]]\nname = "found"\nsources = ["198.51.100.7"]\n')
    assert status_of(["replay", folder, "-c", str(config), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["device"] for row in rows} == {"found"}
    assert "COMPLETE" in {row["outcome"] for row in rows}


# --------------------------------------------------------------------------- for people
def summary_of(path: str, width: int = 100, terminal: bool = False) -> str:
    summary = ReplaySummary()
    replayed, said = judged(path)
    for one in said:
        summary.receive(one)
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None)
    summary.print(console, replayed)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


def test_the_summary_says_what_happened(lossy: str) -> None:
    lines = summary_of(lossy).splitlines()
    assert lines[0].startswith(
        "24 messages in 24 datagrams to port 10003, 2023-11-14 22:14:00 to 22:"
    )
    assert "192.0.2.7  id 1  every 1 s (said by the device)" in lines
    assert "  periods  11 COMPLETE, 1 INCOMPLETE; 1 amendment" in lines
    assert "  list     cards 1, 2 (declared)" in lines
    assert "generator\tmissing\tusual\tarc\tlag\tids per" in lines
    assert "card 2\t1 lost\t1\t+0.10 s\t0.010 s\theader id" in lines


def test_the_picture_is_there_without_colour_in_a_pipe(lossy: str) -> None:
    text = summary_of(lossy)
    assert "\x1b" not in text
    (row,) = [line for line in text.splitlines() if line.startswith("card 2  ")]
    assert row.split()[2:] == [*"●●●●●✖●●●●●●"]


def test_the_picture_is_as_wide_as_the_terminal_and_skips_what_is_well(well: str) -> None:
    text = summary_of(well, width=48, terminal=True)
    picture = text[text.index("every 1 s\n") :]
    assert max(map(len, picture.splitlines())) <= 48
    assert "periods, all complete" in picture


def test_advice_where_nobody_said_a_period(tmp_path: Path) -> None:
    text = summary_of(str(write(tmp_path / "a.pcap", cards(2))))
    assert "Subscription 1 of 192.0.2.7 is UNKNOWN" in text
    assert "give --period 1=SECONDS." in text


def test_what_was_not_taken_is_said() -> None:
    replayed = empty(
        rejected={"bad-json": 2}, discarded={"duplicate": 1}, left_out={"not-udp": 1234},
        odd_stamps={"out-of-order": 3}, ports=[10003], messages=1, datagrams=1,
    )  # fmt: skip
    assert [line.plain for line in read_lines(replayed)] == [
        "1 message in 1 datagram to port 10003",
        "refused: 2 bad-json",
        "segments thrown away: 1 duplicate",
        "left out: 1,234 not-udp",
        "odd time stamps: 3 out-of-order",
    ]


def empty(**changes: object) -> Replayed:
    values: dict[str, object] = {
        "records": 0, "first_arrival": 0, "last_arrival": 0, "states": [], "unknown": [],
        "rejected": {},
    }  # fmt: skip
    return Replayed(**(values | changes))  # type: ignore[arg-type]


def said(verdicts: list[object] | None = None, events: list[Event] | None = None) -> Said:
    return Said(0, 1, None, verdicts or [], events or [], [])  # type: ignore[arg-type]


def printed(summary: ReplaySummary, replayed: Replayed) -> str:
    file = io.StringIO()
    summary.print(Console(file=file, width=200, color_system=None), replayed)
    return file.getvalue()


def test_amendments_count_in_the_place_of_the_row_before() -> None:
    summary = ReplaySummary()
    summary.receive(said([verdict(1, outcome=Outcome.INCOMPLETE)]))
    assert summary.failed("incomplete")
    summary.receive(said([verdict(1, amendment=1)]))
    assert not summary.failed("degraded")
    (series,) = summary.series.values()
    assert (+series.outcomes, series.amendments) == ({"COMPLETE": 1}, 1)


def test_memory_is_bounded_and_late_amendments_still_counted() -> None:
    summary = ReplaySummary()
    for number in range(ROWS_KEPT + 10):
        summary.receive(said([verdict(number)]))
    summary.receive(said([verdict(0, amendment=1)]))
    (series,) = summary.series.values()
    assert (series.outcomes.total(), series.amendments) == (ROWS_KEPT + 10, 1)


def test_only_so_many_events_are_printed() -> None:
    summary = ReplaySummary()
    told = [Event(CollectorTime(n), "core7", "2", "clock_step", f"Step {n}.") for n in range(100)]
    summary.receive(said(events=told))
    text = printed(summary, empty())
    assert text.count("Step ") == EVENTS_SHOWN
    assert f"and {100 - EVENTS_SHOWN} more; all: 100 clock_step" in text


def test_what_is_known_of_an_originator() -> None:
    summary = ReplaySummary()
    row = verdict(1)
    summary.receive(said([row]))
    events = [Event(CollectorTime(1), row.device, "101", "clock_step", "It moved.")]
    events += [Event(CollectorTime(1), row.device, "192.0.2.7 1", "restart", "Anew.")] * 2
    summary.receive(said(events=events))
    state = OriginatorState(
        device=row.device, subscription_name=row.subscription_name,
        subscription_id=row.subscription_id, generator="101", last_arrival=CollectorTime(5),
        lag=1_500_000, clock_shift=10_000_000_000, arc_start=0, arc_end=0, usual_count=None,
        counter="192.0.2.7 1", scope="subscription", required=False, missing=False, odd_times=3,
        absurd_times=1,
    )  # fmt: skip
    lines = printed(summary, empty(states=[state])).splitlines()
    assert "generator\tmissing\tarc\tlag\tclock\trestarts\tids per" in lines
    assert (
        "card 101\tnot on the list\t+0.00 s\t0.002 s\t+10.000 s, 1 step, 3 odd, 1 absurd\t2"
        "\tsubscription"
    ) in lines


def test_a_peers_names_cannot_reach_the_terminal() -> None:
    unknown = [UnknownSubscription("core\x1b[31m7", 1, ())]
    text = printed(ReplaySummary(), empty(unknown=unknown, records=1))
    assert "\x1b" not in text


def test_a_capture_without_stamps_is_told_from_one_without_udp_notif() -> None:
    (stampless,) = advices(empty(odd_stamps={"no-stamp": 924}))
    assert stampless.startswith("No packet has a time stamp")
    for others in (
        {}, {"left_out": {"other-udp": 1}},
        {"left_out": {"other-udp": 1}, "odd_stamps": {"no-stamp": 1}},
    ):  # fmt: skip
        (nothing,) = advices(empty(**others))
        assert nothing.startswith("No UDP-notif was found")


def test_many_devices_without_terms_are_one_advice() -> None:
    unknown = [
        UnknownSubscription(f"192.0.2.{n}", number, ()) for number in range(20) for n in (1, 2)
    ]
    told = list(advices(empty(unknown=unknown, records=1)))
    assert len(told) == 11
    assert told[0].startswith("Subscription 0 of 192.0.2.1 and 1 more device is UNKNOWN")
    assert told[-1] == "10 more subscriptions are UNKNOWN for the same reason."


def test_only_so_many_subscriptions_are_printed() -> None:
    summary = ReplaySummary()
    summary.receive(said([verdict(1, device=f"core{n}") for n in range(SERIES_SHOWN + 5)]))
    text = printed(summary, empty(records=1))
    assert "and 5 more subscriptions" in text
    assert text.count("list     ") == SERIES_SHOWN


def test_periods_that_are_let_go_are_said() -> None:
    summary = ReplaySummary()
    for number in range(250):
        summary.receive(said([verdict(number)]))
    assert "10 earlier periods are not drawn" in printed(summary, empty(records=1))
