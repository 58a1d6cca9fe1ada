"""``collector devices`` in a terminal, narrow and wide."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from collector.cli import talking
from collector.views.devices import print_devices

ID = 2_147_483_649


def row(device: str, subscription: str | None = None, **more: Any) -> dict[str, Any]:
    """As ``service.device_rows`` has them."""
    known = {
        "device": device, "session": "up", "reason": "", "since": "2026-11-21T20:00:01Z",
        "subscription": subscription, "state": subscription and "active",
        "id": ID if subscription else None, "declared": None, "not_declared": [], "why": "",
    }  # fmt: skip
    return known | more


def generator(name: str, subscription: str | int = "counters", **more: Any) -> dict[str, Any]:
    known = {
        "device": "core7", "subscription": subscription, "generator": name, "required": True,
        "missing": False, "declared": True, "expected": False,
        "last_arrival": "2026-11-21T20:00:05.123Z", "lag_seconds": 0.0034, "usual_count": 3,
    }  # fmt: skip
    return known | more


def sync(name: str, **more: Any) -> dict[str, Any]:
    known = {"device": "core7", "subscription": "changes", "generator": name, "sync": "whole"}
    return known | {"whole_at": None, "losses": 0, "why": ""} | more


ANSWER: dict[str, Any] = {
    "devices": [
        row("core10", session="refused", reason="the password is wrong"),
        row("core7", "counters", declared=2, not_declared=["105"], why="will bring nothing"),
        row("core7", "changes", state="pending", id=None, why="asked again at noon"),
        row("edge1", session=None, reason="listened to only", since=None),
    ],
    "configured": [
        {"device": "edge1", "subscription": "ports", "id": 101, "state": "absent",
         "since": "2026-11-21T19:00:01Z", "generators": 0, "why": "the device does not show it"},
        {"device": "edge1", "subscription": "fans", "id": 102, "state": "unknown",
         "since": None, "generators": 0, "why": ""},
    ],
    "generators": [
        generator("10", last_arrival="2026-11-20T20:00:05.123Z"),
        generator("9"),
        generator("105", missing=True, declared=False, expected=True, last_arrival=None,
                  lag_seconds=None, usual_count=None),
        generator("lc\x1b[2J", "changes", required=False, declared=None),
        generator("7", 4711),
    ],
    "on_change": [
        sync("lc\x1b[2J", losses=2),
        sync("", sync="lost", losses=1, why="a message from id 9 on did not come"),
        sync("102", sync="changes"),
    ],
    "unknown_senders": [],
}  # fmt: skip


def drawn(width: int, answer: dict[str, Any] = ANSWER) -> str:
    out = io.StringIO()
    print_devices(
        Console(file=out, force_terminal=True, no_color=True, width=width, highlight=False,
                markup=False), answer,
    )  # fmt: skip
    return re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())


def test_each_device_with_its_subscriptions_and_generators() -> None:
    lines = [re.sub(r"(?<=\S) {2,}", "  ", line.rstrip()) for line in drawn(120).splitlines()]
    assert lines == [
        "core7  session up since 20:00:01",
        f"  counters  active  id {ID}  2 declared  not declared: card 105",
        "    will bring nothing",
        "    card 9  required  20:00:05.123  lag 0.003 s  3 a period",
        "    card 10  required  2026-11-20 20:00:05.123  lag 0.003 s  3 a period",
        "    card 105  missing, not declared, expected  never heard",
        "  changes  pending",
        "    asked again at noon",
        "    lc\ufffd[2J  not required  20:00:05.123  lag 0.003 s  3 a period  whole, lost 2 times",
        "    somebody  lost: a message from id 9 on did not come",
        "    card 102  changes",
        "  id 4711",
        "    card 7  required  20:00:05.123  lag 0.003 s  3 a period",
        "",
        "core10  session refused since 20:00:01",
        "  the password is wrong",
        "",
        "edge1",
        "  listened to only",
        "  ports  absent since 19:00:01  configured  id 101",
        "    the device does not show it",
        "  fans  unknown  configured  id 102",
        "",
        "2026-11-21, times are UTC",
        "",
        "unknown senders: none",
    ]


@pytest.mark.parametrize("width", [30, 60])
def test_in_a_narrow_terminal_nothing_is_cut_off(width: int) -> None:
    said = re.sub(r"\s+", " ", drawn(width))
    for words in ("not declared: card 105", "the password is wrong", "will bring nothing"):
        assert words in said


def test_lanes_and_devices_that_nobody_configured() -> None:
    answer = {"devices": [row("core7", lane=1)], "generators": [generator("9") | {"device": "x"}]}
    said = drawn(100, answer)
    assert "core7  lane 1  session up" in said
    assert re.search(r"^x *\n  counters *\n    card 9 ", said, re.MULTILINE)
    assert drawn(100, {"devices": [], "unknown_senders": []}) == "unknown senders: none\n"


def test_what_is_known_of_a_card_is_whole_in_a_narrow_terminal() -> None:
    answer = {"devices": [row("core7", "counters")], "generators": [generator("9")]}
    lines = [line.rstrip() for line in drawn(40, answer).splitlines()]
    at = lines.index("    card 9  required  20:00:05.123  lag")
    assert lines[at + 1] == "    0.003 s  3 a period"
    assert "card 9  required  20:00:05.123  lag 0.003 s  3 a period" in drawn(80, answer)


def test_in_a_pipe_the_answer_stays_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(talking.control, "ask", lambda folder, command: ANSWER)
    talking.show_answer(Path(), "devices", False, print_devices)
    said = capsys.readouterr().out
    assert "device\tsession\treason\tsince\tsubscription\tstate\tid\tdeclared" in said
    monkeypatch.setattr(talking, "make_console", lambda: Console(force_terminal=True, width=100))
    talking.show_answer(Path(), "devices", False, print_devices)
    assert "session\t" not in capsys.readouterr().out
