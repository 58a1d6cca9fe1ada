"""``collector decode`` and ``collector conformance``: options, what is printed, bad input."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cbor2
import pytest
from click.shell_completion import ShellComplete
from rich.console import Console

from collector.cli import cli, status_of
from collector.journal import Journal, JournalSettings
from collector.model import MediaType, RecordKind, Transport
from collector.views import conformance as report_view
from collector.views import decoding
from collector.views.streamed_table import LOOK, StreamedTable
from collector.wire.values.timestamps import format_date_and_time, parse_date_and_time
from tests.unit.capture_maker import (
    capture,
    cards,
    judged,
    packets,
    push_update,
    raw,
    started,
    text_of,
    write,
)
from tests.unit.conformance_maker import SN, YP, envelope, update
from tests.unit.pipeline_records import DEVICE, Story, ns, rpc, session

BEGIN = packets(0.0, started(0.0, ["1", "2"]), header=9, message_id=815)


@pytest.fixture
def two_cards(tmp_path: Path) -> str:
    """Two cards, segments among them; one message of card 2 is lost, one is doubled."""
    lost = cards(12, first=1.0, size=3000, lost=lambda card, index: (card, index) == ("2", 5))
    frames = list(lost)
    return str(write(tmp_path / "cards.pcap", [*BEGIN, *frames, *frames[-3:]]))


def run(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert status_of(list(arguments)) == status
    return capsys.readouterr().out


def rows(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> list[Any]:
    return [json.loads(line) for line in run(capsys, *arguments, status=status).splitlines()]


def messages(found: list[Any]) -> list[Any]:
    return [row for row in found if row["row"] == "message"]


# --------------------------------------------------------------------------- decode
def test_a_line_for_each_message_and_the_summary(
    capsys: pytest.CaptureFixture[str], two_cards: str
) -> None:
    out = run(capsys, "decode", two_cards)
    lines = out.splitlines()
    assert lines[0].split("\t") == list(decoding.COLUMNS)
    first = dict(zip(lines[0].split("\t"), lines[1].split("\t"), strict=True))
    assert first["kind"] == "subscription-started"
    assert first["note"] == "every 1 s; list: 1, 2"
    assert first["time"] == "2023-11-14 22:14:00.000000"
    assert sum("\tpush-update\t" in line for line in lines) == 23
    assert "24 messages in 73 datagrams to port 10003" in out
    second = next(line for line in lines if line.startswith("192.0.2.7\t2\tthe header id"))
    assert second.split("\t")[3:] == ["2", "0 to 11", "11", "1", "-", "-", "-", "-"]


def test_filters(capsys: pytest.CaptureFixture[str], two_cards: str, tmp_path: Path) -> None:
    other = cards(3, ["7"], source="192.0.2.8", subscription=5, first=0.5)
    both = str(write(tmp_path / "both.pcap", [*BEGIN, *other]))
    for options, expected in (
        (["--generator", "2"], 11),
        (["--kind", "subscription-started"], 1),
        (["--subscription", "1", "--kind", "push-update"], 23),
        (["--subscription", "2"], 0),
        (["--device", "192.0.2.99"], 0),
        (["--source", "192.0.2.7"], 24),
        (["--limit", "5"], 5),
    ):
        assert len(messages(rows(capsys, "decode", two_cards, "--json", *options))) == expected
    found = rows(capsys, "decode", both, "--json", "--device", "192.0.2.8")
    assert {row["device"] for row in found} == {"192.0.2.8"}
    assert [row["row"] for row in found] == ["message"] * 3 + ["originator", "ids"]


def test_a_limit_ends_the_reading(capsys: pytest.CaptureFixture[str], two_cards: str) -> None:
    out = run(capsys, "decode", two_cards, "--limit", "2")
    assert "stopped after 2 messages" in out
    assert len([line for line in out.splitlines() if line.startswith("2023")]) == 2


def test_contents_as_leaves_and_as_values(
    capsys: pytest.CaptureFixture[str], two_cards: str
) -> None:
    out = run(capsys, "decode", two_cards, "--contents", "--limit", "2")
    assert "    /ietf-yang-push:periodic/period = 100" in out.splitlines()
    assert "    /ietf-interfaces:interfaces/pad = xxx" in out
    found = messages(rows(capsys, "decode", two_cards, "--contents", "--json", "--limit", "2"))
    assert found[1]["contents"] == {"ietf-interfaces:interfaces": {"pad": "x" * 3000}}


def test_verdicts_among_messages_by_time(
    capsys: pytest.CaptureFixture[str], two_cards: str
) -> None:
    found = rows(capsys, "decode", two_cards, "--verdicts", "--json")
    outcomes = [row["outcome"] for row in found if row["row"] == "verdict"]
    assert "INCOMPLETE" in outcomes
    times = [
        row["ts"] if row["row"] == "message" else _seconds(row["judged_at"])
        for row in found
        if row["row"] in ("message", "verdict")
    ]
    assert times == sorted(times)
    out = run(capsys, "decode", two_cards, "--verdicts")
    assert "verdict  2023-11-14" in out
    assert "periods  " in out  # the summary of replay
    assert outcomes == [row["outcome"] for row in rows(capsys, "replay", two_cards, "--json")]


def _seconds(text: str) -> float:
    return round(parse_date_and_time(text) / 1e9, 6)


def test_what_is_no_message_has_a_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    frames = [
        *BEGIN,
        raw(0.2, b"\x21\x0c\x00\xff" + bytes(8)),  # a wrong length
        *packets(0.3, b"{not json", header=1, message_id=1),
        *packets(0.4, push_update(0.4, "1", size=3000), header=1, message_id=2)[:1],
        *packets(2.0, push_update(2.0, "1"), header=1, message_id=3),
    ]
    path = str(write(tmp_path / "a.pcap", frames))
    found = messages(rows(capsys, "decode", path, "--json"))
    assert [row["kind"] for row in found] == [
        "subscription-started", "refused", "refused", "half-built", "push-update",
    ]  # fmt: skip
    assert "message length 255 in a datagram of 12 octets" in found[1]["parse_error"]
    assert found[2]["note"] == "bad-json"
    assert (found[2]["publisher_id"], found[2]["message_id"]) == (1, 1)
    assert found[3]["note"] == "1 segments after the time to wait for the rest"
    only = rows(capsys, "decode", path, "--json", "--kind", "refused", "--kind", "half-built")
    assert len(messages(only)) == 3
    out = run(capsys, "decode", path)
    assert "refused: 1 bad-json, 1 bad-message-length" in out


def holding(value: Any) -> Any:
    """A push-update with this in its contents."""
    return envelope(update(datastore_contents={"a:b": value}))


HOSTILE = {
    "NaN and octets in CBOR": (
        MediaType.YANG_DATA_CBOR,
        cbor2.dumps(holding({"n": float("nan"), "o": b"\xff", "t": None})),
    ),
    "half a surrogate pair": (
        MediaType.YANG_DATA_JSON,
        json.dumps(holding({"x": "\ud800", "\ud801": 1})).encode(),
    ),
    "a number without end": (
        MediaType.YANG_DATA_JSON,
        json.dumps(holding({"x": 10**40})).encode(),
    ),
    "an escape sequence": (
        MediaType.YANG_DATA_JSON,
        json.dumps(holding({"x": "\x1b[2J\n\t"})).encode(),
    ),
    "a member twice in the contents": (
        MediaType.YANG_DATA_JSON,
        json.dumps(envelope(update())).replace('"name": "eth0"', '"name": 1, "name": 2').encode(),
    ),
    "the patch is a text": (
        MediaType.YANG_DATA_JSON,
        json.dumps(
            envelope({"ietf-yang-push:push-change-update": {"id": 1, "datastore-changes": "x"}})
        ).encode(),
    ),
    "contents are a list": (
        MediaType.YANG_DATA_JSON,
        json.dumps(envelope(update(datastore_contents=[[1, [2]], {"a": {}}]))).encode(),
    ),
    "an unknown media type": (9, b"\x00\x01"),
    "deep": (MediaType.YANG_DATA_JSON, b'{"a":' * 5000 + b"1" + b"}" * 5000),
    "XML": (
        MediaType.YANG_DATA_XML,
        b'<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0"><eventTime>'
        + text_of(0.0).encode()
        + b'</eventTime><push-update xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push"><id>1</id>'
        b"<datastore-contents><i xmlns='urn:x'><a>1</a><a>2</a></i></datastore-contents>"
        b"</push-update></notification>",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_messages_end_in_no_error(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    media_type, payload = HOSTILE[name]
    frames = [*BEGIN, *packets(0.5, payload, header=1, message_id=1, media_type=media_type)]
    path = str(write(tmp_path / "a.pcap", [*frames, *packets(1.0, push_update(1.0, "1"))]))
    found = messages(rows(capsys, "decode", path, "--json", "--contents"))
    assert len(found) == 3
    out = run(capsys, "decode", path, "--contents")
    assert "\x1b" not in out
    assert len(rows(capsys, "conformance", path, "--json")) > 70
    assert "\x1b" not in run(capsys, "conformance", path)


def test_a_header_of_another_kind(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The private space, and options that nobody knows."""
    payload = push_update(0.5, "1")
    octets = b"\x33\x10" + (16 + len(payload)).to_bytes(2) + bytes(8) + b"\x07\x04ab" + payload
    path = str(write(tmp_path / "a.pcap", [*BEGIN, raw(0.5, octets)]))
    (_, row) = messages(rows(capsys, "decode", path, "--json"))
    assert (row["private_space"], row["options"], row["note"]) == (
        True, "07046162", "unknown-media-type",
    )  # fmt: skip
    assert "private 3" in run(capsys, "decode", path)


@pytest.mark.parametrize("command", ["decode", "conformance"])
def test_files_that_are_none(
    command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, two_cards: str
) -> None:
    empty, text, half = (tmp_path / name for name in ("empty", "text", "half"))
    empty.write_bytes(b"")
    text.write_text("hello, this is no capture")
    half.write_bytes(Path(two_cards).read_bytes()[:-7])
    for path, words in (
        (empty, "the file is empty"),
        (text, "neither a pcap nor a pcapng file"),
        (half, "the file ends inside a packet"),
    ):
        assert status_of([command, str(path)]) == 2
        out, err = capsys.readouterr()
        assert words in err
        assert err.count("\n") == 1
        assert bool(out) == (path is half)
    assert status_of([command, str(tmp_path / "nowhere.pcap")]) == 2
    assert capsys.readouterr().out == ""


def test_nothing_of_udp_notif(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = str(write(tmp_path / "a.pcap", [raw(0.0, b"hello")]))
    assert "No UDP-notif was found" in run(capsys, "decode", path)
    assert status_of(["decode", path, "--json"]) == 0
    assert "No UDP-notif was found" in capsys.readouterr().err
    assert status_of(["conformance", path]) == 2
    assert "no UDP-notif was found; name its port" in capsys.readouterr().err


def test_standard_input_and_head(two_cards: str) -> None:
    """A reader that has seen enough is no error."""
    command = [sys.executable, "-m", "collector", "decode", "-"]
    with Path(two_cards).open("rb") as file:
        done = subprocess.run(
            f"{' '.join(command)} | head -2",
            stdin=file,
            capture_output=True,
            shell=True,
            check=True,
        )
    assert done.stderr == b""
    assert len(done.stdout.splitlines()) == 2


# --------------------------------------------------------------------------- terminal
def on_a_terminal(monkeypatch: pytest.MonkeyPatch, module: Any, width: int = 200) -> io.StringIO:
    """What a person sees, without colours."""
    out = io.StringIO()
    console = Console(
        file=out, force_terminal=True, width=width, color_system=None, markup=False, highlight=False
    )
    monkeypatch.setattr(module, "make_console", lambda *_: console)
    return out


def test_a_table_for_people(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], two_cards: str
) -> None:
    out = on_a_terminal(monkeypatch, decoding)
    assert status_of(["decode", two_cards, "--contents", "--limit", "3"]) == 0
    lines = out.getvalue().splitlines()
    assert lines[0].split()[:4] == ["time", "device", "publisher", "id"]
    assert lines[1] == "2023-11-14 (times are UTC)"
    assert lines[2].startswith("22:14:00.000000  192.0.2.7")
    capsys.readouterr()


def test_a_streamed_table_keeps_its_columns_and_every_cell() -> None:
    from rich.text import Text

    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=60, color_system=None)
    table = StreamedTable(console, ("a", "empty", "n"), {"n"})
    for number in range(LOOK + 1):
        table.add([Text("x" * (number % 3)), Text(""), Text(str(number))])
    table.add([Text("wider than all before"), Text("late"), Text("1")])
    table.line(Text("between"))
    table.flush()
    table.flush()
    lines = out.getvalue().splitlines()
    assert lines[0].split() == ["a", "n"]
    assert lines[1] == "     0"
    assert lines[-2] == "wider than all before  late   1"
    assert lines[-1] == "between"


# --------------------------------------------------------------------------- conformance
def test_the_report_for_people(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    snmp = raw(0.5, b"\x30" * 40, source="192.0.2.77", source_port=161)
    path = str(write(tmp_path / "a.pcap", [*BEGIN, snmp, *cards(3, first=1.0)]))
    out = on_a_terminal(monkeypatch, report_view, 160)
    assert status_of(["conformance", path]) == 0
    text = " ".join(out.getvalue().split())
    assert "192.0.2.7 7 messages in 7 datagrams" in text
    assert "marked-cs2" in text
    assert "udp-notif-26 §5.1" in text
    assert "draft-ietf" not in text
    assert "not checked, since nothing of the kind was seen:" in text
    assert "--max-segment-size: max-segment-size" in text
    assert report_view.NO_MESSAGE in text
    assert status_of(["conformance", path, "--all"]) == 0
    assert "header-version MUST" in " ".join(out.getvalue().split())
    capsys.readouterr()


def test_the_report_as_lines_and_objects(
    capsys: pytest.CaptureFixture[str], two_cards: str
) -> None:
    lines = [line.split("\t") for line in run(capsys, "conformance", two_cards).splitlines()]
    assert lines[0] == list(report_view.COLUMNS)
    results = [line[1] for line in lines[1:]]
    assert results == sorted(results, key=report_view.RESULTS.index)
    found = rows(capsys, "conformance", two_cards, "--json")
    device, *rules = found
    assert device["broken"] + device["kept"] + device["not_checked"] == len(rules)
    assert {row["result"] for row in rules} == set(report_view.RESULTS)
    marked = next(row for row in rules if row["rule"] == "marked-cs2")
    assert marked["example"]["text"] == "DSCP 0"
    assert marked["clause"].startswith("draft-ietf-netconf-udp-notif-26")
    silent = next(row for row in rules if row["rule"] == "update-in-every-period")
    assert silent["broken"] == 0  # what the network lost is not blamed


def test_list_rules(capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(capsys, "conformance", "--list-rules", "--json")
    assert len(found) > 75
    assert all(row["clause"] and row["sentence"] for row in found)
    assert len(run(capsys, "conformance", "--list-rules").splitlines()) == len(found) + 1


@pytest.mark.parametrize(
    ("options", "status"),
    [([], 0), (["--fail-on", "must"], 1), (["--fail-on", "should"], 1)],
)
def test_fail_on(two_cards: str, options: list[str], status: int) -> None:
    """The cards send no observation time, no DSCP, and begin at Message ID 0."""
    assert status_of(["conformance", two_cards, *options]) == status


def test_fail_on_should_where_no_must_is_broken(tmp_path: Path) -> None:
    frames = [
        one
        for number in range(4)
        for one in packets(
            20.0 * number,
            json.dumps(envelope(update(20.0 * number), 20.0 * number)).encode(),
            header=1, message_id=815 + number, source_port=50000,
        )
    ]  # fmt: skip
    path = str(write(tmp_path / "a.pcap", frames))
    assert status_of(["conformance", path, "--fail-on", "must"]) == 0
    assert status_of(["conformance", path, "--fail-on", "should"]) == 1


def test_options_of_conformance(capsys: pytest.CaptureFixture[str], two_cards: str) -> None:
    found = rows(capsys, "conformance", two_cards, "--json", "--max-segment-size", "1000")
    assert next(row for row in found if row.get("rule") == "max-segment-size")["broken"] > 0
    assert status_of(["conformance", two_cards, "--device", "192.0.2.99"]) == 2
    assert "no UDP-notif was found of this device" in capsys.readouterr().err
    assert status_of(["conformance"]) == 2
    assert "name a capture, or a device" in capsys.readouterr().err


def test_a_device_of_a_collector(
    capsys: pytest.CaptureFixture[str], two_cards: str, tmp_path: Path
) -> None:
    """Its journal gives what the capture gave, but for what only datagrams show."""
    data = tmp_path / "data"
    judged(two_cards, folder=data)
    stored = ["--store", str(data)]
    device, *from_journal = rows(capsys, "conformance", "192.0.2.7", "--json", *stored)
    assert (device["messages"], device["datagrams"]) == (24, 0)
    _, *from_capture = rows(capsys, "conformance", two_cards, "--json")

    def counts(found: list[Any]) -> dict[str, Any]:
        return {
            row["rule"]: (row["checked"], row["broken"])
            for row in found
            if row["topic"] != "datagrams" and row["rule"] != "dscp-as-declared"
        }

    assert counts(from_journal) == counts(from_capture)
    sound = next(row for row in from_journal if row["rule"] == "datagrams-can-be-used")
    assert (sound["result"], sound["checked"]) == ("kept", 24)
    for arguments, words in (
        (["192.0.2.8", *stored], "(messages there are of: 192.0.2.7)"),
        (["192.0.2.7", "--port", "1", *stored], "--port and --device are for captures"),
        (["nix", "core7", *stored], "there is no file nix"),
        (["nix"], "there is no file nix, and there is no data folder"),
    ):
        assert status_of(["conformance", *arguments]) == 2
        assert words in capsys.readouterr().err


def test_a_capture_of_nothing_is_no_green(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(capture([]))
    assert status_of(["conformance", str(path), "--fail-on", "must"]) == 2


def over_netconf() -> Story:
    """A dynamic subscription on a session that is lost later; its reply names one card."""
    sn, yp = (f"urn:ietf:params:xml:ns:yang:{name}" for name in (SN, YP))
    request = (
        f'<establish-subscription xmlns="{sn}" xmlns:yp="{yp}"><yp:datastore'
        ' xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores">ds:operational</yp:datastore>'
        "<yp:periodic><yp:period>1000</yp:period></yp:periodic></establish-subscription>"
    )
    reply = (
        f'<id xmlns="{sn}">1</id><message-publisher-id'
        ' xmlns="urn:ietf:params:xml:ns:yang:ietf-distributed-notif">1</message-publisher-id>'
    )
    story = Story()
    story.configured()
    columns = {"session": "s1", "transport": Transport.NETCONF}
    story.note(1, RecordKind.SESSION_UP, session(), **columns)
    story.note(2, RecordKind.REPLY, rpc("establish-subscription", request, reply))
    for number in range(1, 6):
        time = format_date_and_time(ns(10 * number))
        story.over_netconf(
            10 * number + 0.1,
            b'<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0"><eventTime>'
            + time.encode()
            + f'</eventTime><push-update xmlns="{yp}"><id>1</id></push-update>'.encode()
            + b"</notification>",
            "s1",
        )
    story.note(60, RecordKind.SESSION_DOWN, session("lost"), **columns)
    return story


def test_a_dynamic_subscription_over_netconf(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with Journal.open(tmp_path / "data", JournalSettings(free_space_reserve=0)) as journal:
        journal.append(over_netconf().batch)
    found = rows(capsys, "conformance", DEVICE, "--json", "--store", str(tmp_path / "data"))
    assert found[0]["messages"] == 5
    results = {row["rule"]: (row["result"], row["checked"]) for row in found[1:]}
    assert results["reply-has-list"] == ("kept", 1)
    assert results["root-form"] == ("kept", 5)
    assert results["one-update-per-period"] == ("kept", 4)
    assert results["header-version"] == ("not checked", 0)
    assert results["message-id-increments"] == ("not checked", 0)
    assert results["update-has-publisher-id"] == ("broken", 5)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["decode"], "--verdicts"),
        (["decode", "--kind"], "half-built"),
        (["conformance"], "--list-rules"),
        (["conformance", "--fail-on"], "must"),
    ],
)
def test_completion(words: list[str], wanted: str) -> None:
    completed = ShellComplete(cli, {}, "collector", "_COLLECTOR_COMPLETE")
    found = completed.get_completions(words, wanted[:4])
    assert wanted in [item.value for item in found]
    files = completed.get_completions(words[:1], "")
    assert [item.type for item in files] == ["file"]


def test_headers_of_version_0(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Typed from the layout of udp-notif -04 to -06: version 0, JSON is 1."""
    payload = push_update(0.5, "1")
    octets = b"\x01\x0c" + (12 + len(payload)).to_bytes(2) + b"\0\0\0\7" + b"\0\0\0\5" + payload
    path = str(write(tmp_path / "a.pcap", [raw(0.5 + number, octets) for number in range(3)]))
    row = messages(rows(capsys, "decode", path, "--json"))[0]
    assert (row["version"], row["publisher_id"], row["message_id"]) == (0, 7, 5)
    assert row["kind"] == "push-update"
    found = rows(capsys, "conformance", path, "--json")
    version = next(row for row in found if row.get("rule") == "header-version")
    assert (version["broken"], version["checked"]) == (3, 3)
