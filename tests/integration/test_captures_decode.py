"""``collector decode`` and ``collector conformance`` on captures of real publishers.

What decode prints is compared with an independent decoder, field by field; a conformance report
with what people found in these captures by hand.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.cli import status_of
from collector.cli.checking import Asked, check
from collector.cli.decoding import decode_captures
from collector.conformance import Level, Report
from collector.schema.flatten import Leaf, flatten
from collector.views.decoded_rows import contents_of
from collector.views.decoding import DecodeShow, Wanted
from collector.wire.notifications.nodes import guess_key

CAPTURES = Path(
    os.environ.get("YANG_PUSH_CAPTURES", Path(__file__).parents[3] / "shared" / "captures")
)
FILES = sorted(CAPTURES.glob("*.pcap"))

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not FILES, reason=f"no captures in {CAPTURES} (set YANG_PUSH_CAPTURES)"),
]
each_capture = pytest.mark.parametrize("capture", FILES, ids=lambda path: path.stem)


def decoded(capture: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[Any]:
    assert status_of(["decode", str(capture), "--json", *options]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def named(part: str) -> Path:
    return next(path for path in FILES if part in path.name)


# --------------------------------------------------------------------------- decode
@each_capture
def test_every_field_of_every_message(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = Path(f"{capture}.expected.jsonl").read_text().splitlines()
    expected = [json.loads(line) for line in lines]
    rows = decoded(capture, capsys)
    got = [row for row in rows if row["row"] == "message" and row["kind"] != "refused"]
    assert len(got) == len(expected)
    for row, line in zip(got, expected, strict=True):
        assert {name: row[name] for name in line} == line


def test_what_is_no_message_has_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """A datagram of another protocol went to the port of UDP-notif."""
    (row,) = [row for row in decoded(named("n7-sa1"), capsys) if row.get("kind") == "refused"]
    assert (row["src"], row["note"]) == ("80.156.126.88", "bad-message-length")
    assert "message length 261 in a datagram of 265 octets" in row["parse_error"]


def test_originators_and_ids(capsys: pytest.CaptureFixture[str]) -> None:
    rows = decoded(named("ipf-zbl1243"), capsys)
    originators = [row for row in rows if row["row"] == "originator"]
    assert {(row["subscription_id"], row["generator"]): row["messages"] for row in originators} == {
        (1, "16974853"): 264,
        (1, "16973828"): 171,
        (1, "16974839"): 98,
        (5, "16974841"): 6,
    }
    assert sum(row["segmented"] for row in originators) == 157
    runs = [row for row in rows if row["row"] == "ids"]
    assert [(row["scope"], row["subscription_id"]) for row in runs] == [
        ("subscription", 1),
        ("subscription", 5),
    ]
    lost = [row for row in decoded(named("NE8000"), capsys) if row["row"] == "ids"]
    assert sum(row["missing"] for row in lost) == 14  # 5 to 18 of subscription 1, and no other


def test_verdicts_stand_between_the_messages(capsys: pytest.CaptureFixture[str]) -> None:
    rows = decoded(named("ipf-zbl1243"), capsys, "--verdicts", "--period", "1=60")
    kinds = [row["row"] for row in rows]
    assert kinds.index("verdict") < len(kinds) - 1 - kinds[::-1].index("message")
    last = {row["period_index"]: row["outcome"] for row in rows if row["row"] == "verdict"}
    assert "".join(one[0] for one in last.values()).replace("U", "u") == "uuuICCCCCCCC"[: len(last)]


def leaves_of(capture: Path) -> Iterator[Leaf]:
    """Leaves of the first push-update."""
    show = DecodeShow(Wanted(kinds=frozenset(("push-update",)), limit=1), as_json=True)
    found: list[Any] = []
    show.observe = found.append  # type: ignore[method-assign]  # to look at what came
    decode_captures((str(capture),), None, (), (), show)
    update = next(one for one in found if one.said.kind.value == "push-update")
    return iter(flatten(contents_of(update), guess_key=lambda entry: guess_key(entry, True)).leaves)


def test_leaves_of_one_device_are_equal_in_json_and_cbor() -> None:
    in_json, in_cbor = (list(leaves_of(named(part))) for part in ("0304-0811", "0305-1133"))
    assert [leaf.path for leaf in in_json] == [leaf.path for leaf in in_cbor]
    for one, other in zip(in_json, in_cbor, strict=True):
        # another day: of numbers only that they are some; names are the same
        if one.path.endswith("/name"):
            assert one.text == other.text
        else:
            assert (one.text + other.text).isdecimal(), one.path


# --------------------------------------------------------------------------- conformance
BROKEN = {
    "n7-sa1": {"update-has-publisher-id", "marked-cs2", "clocks-agree"},
    "ipf-zbl1243": {
        "stream-starts-with-started", "message-id-starts-random", "message-id-not-reused",
        "message-id-scope", "publisher-id-is-one-process", "header-id-is-payload-id",
        "sequence-number-starts-at-1", "patch-ids-are-texts", "patch-id-counts", "marked-cs2",
        "one-update-per-period",
    },
    "20250304-0811": {
        "contents-member-name", "list-leaf-name", "module-version-leaf-names",
        "data-has-started-id", "marked-cs2", "patch-id-counts", "observed-before-event-time",
    },
    "20250305-1133": {
        "message-id-starts-random", "sequence-number-starts-at-1", "contents-member-name",
        "list-leaf-name", "module-version-leaf-names", "data-has-started-id", "marked-cs2",
        "observed-before-event-time",
    },
    "MA5800T": {
        "message-id-starts-random", "sequence-number-starts-at-1", "sequence-number-increments",
        "identities-by-module", "started-has-list", "ephemeral-source-port", "marked-cs2",
        "module-versions-present", "observed-before-event-time", "one-update-per-period",
    },
    "NE8000": {
        "message-id-not-reused", "message-id-scope", "publisher-id-is-one-process",
        "header-id-is-payload-id", "sequence-number-starts-at-1", "list-leaf-name",
        "reason-is-defined", "module-version-leaf-names", "sender-is-on-list",
        "everybody-on-list-sends", "update-in-every-period", "marked-cs2",
        "module-versions-present", "one-update-per-period",
    },
}  # fmt: skip
"""Part of the file name -> every rule that its publisher breaks."""


def report_of(part: str) -> Report:
    report, damage = check((str(named(part)),), Asked())
    assert damage == ()
    return report


@pytest.mark.parametrize("part", BROKEN)
def test_what_a_publisher_breaks(part: str) -> None:
    device = next(one for one in report_of(part).devices if one.messages)
    assert {tally.rule.name for tally in device.with_result("broken")} == BROKEN[part]
    assert len(device.with_result("kept")) >= 30


def tallies(part: str) -> dict[str, tuple[int, int, str]]:
    device = next(one for one in report_of(part).devices if one.messages)
    return {
        tally.rule.name: (tally.broken, tally.checked, tally.example.text if tally.example else "")
        for tally in device.tallies
    }


def test_the_two_kinds_of_huawei() -> None:
    """One numbers per subscription and carries three originators behind one id; the other has an
    id per publisher, starts at 0, and sends no list."""
    router, olt = tallies("NE8000"), tallies("MA5800T")
    assert router["message-id-scope"][:2] == (1, 1)
    assert router["everybody-on-list-sends"][2].startswith("16974828 never sent")
    assert router["sender-is-on-list"][2].startswith("16974853 sends in subscription 1")
    assert router["reason-is-defined"] == (
        3,
        3,
        "subscription-terminated with receiver-unavailable",
    )
    assert olt["message-id-scope"][:2] == (0, 1)
    assert olt["started-has-list"][:2] == (4, 4)
    assert olt["header-id-is-payload-id"][:2] == (0, 105)
    assert olt["sequence-number-starts-at-1"][0] == 5


def test_a_clock_ahead() -> None:
    assert tallies("n7-sa1")["clocks-agree"] == (4, 4, "arrived 9.931 s before its event time")


def test_who_only_sends_something_else_fails_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    report = report_of("n7-sa1")
    assert [one.messages for one in report.devices] == [4, 0]
    assert report.devices[0].fails(Level.MUST)
    capture = str(named("n7-sa1"))
    assert status_of(["conformance", capture, "--fail-on", "must", "--json"]) == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["row"] for row in rows} == {"device", "rule"}
    assert {row["result"] for row in rows if row["row"] == "rule"} == {
        "broken", "kept", "not checked",
    }  # fmt: skip
