"""``collector replay`` on captures of real routers: the letters of their README, by the command.

The command plays an orderly stop at the last packet, so a period that had begun is said as well:
COMPLETE where everybody had delivered, else not judged.
"""

from __future__ import annotations

import json
import os
from itertools import groupby
from pathlib import Path

import pytest

from collector.cli import status_of
from tests.figures.draw_capture import draw

CAPTURES = Path(
    os.environ.get(
        "YANG_PUSH_CAPTURES", Path(__file__).resolve().parents[2].parent / "shared" / "captures"
    )
)
LETTERS = {
    "COMPLETE": "C", "DEGRADED": "D", "INCOMPLETE": "I", "UNKNOWN": "u", "NOT_JUDGED": "n",
}  # fmt: skip
IPF = "ipf-zbl1243-*.pcap"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not CAPTURES.is_dir(), reason=f"no captures in {CAPTURES}"),
]


def capture_file(pattern: str) -> str:
    (path,) = CAPTURES.glob(pattern)
    return str(path)


def letters(out: str) -> dict[int, list[str]]:
    """subscription id -> letters of the last rows, one text for each revision."""
    last: dict[tuple[int, int, int], str] = {}
    for line in out.splitlines():
        row = json.loads(line)
        key = row["subscription_id"], row["revision"], row["period_index"]
        last[key] = LETTERS[row["outcome"]] * (row["period_to"] - row["period_index"] + 1)
    found: dict[int, list[str]] = {}
    for (number, _), keys in groupby(sorted(last), key=lambda key: key[:2]):
        found.setdefault(number, []).append("".join(last[key] for key in keys))
    return found


@pytest.mark.parametrize(
    ("pattern", "options", "expected"),
    [
        # the twelfth period is complete when the capture ends
        (IPF, ["--period", "1=60"], {1: ["uuuICCCCCCC" + "C"]}),
        ("n7-*.pcap", ["--period", "0=30"], {0: ["uuCC"]}),
        (IPF, [], {1: ["uuuCCC"]}),  # learned behind the period that everybody missed
        ("n7-*.pcap", [], {0: ["uu"]}),  # 4 messages: the period is learned with the last of them
        ("6wind*json.pcap", [], {12345678: ["C" * 40, "C" * 10]}),
        ("6wind*cbor.pcap", [], {12345678: ["C" * 10]}),
        ("*MA5800T*.pcap", [], {1: ["uu" + 32 * "C"], 2: ["uu" + 33 * "C"]}),
        ("*NE8000*.pcap", ["--period", "1=60"], {1: ["uu", "uu", "nIIIIIIII"], 6: ["C"]}),
    ],
)  # fmt: skip
def test_the_letters_of_a_capture(
    pattern: str,
    options: list[str],
    expected: dict[int, list[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert status_of(["replay", capture_file(pattern), *options, "--json"]) == 0
    assert letters(capsys.readouterr().out) == expected


def test_updates_held_before_a_start_belong_to_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Without the operator's word nothing is judged before the start; the end cuts the last one."""
    assert status_of(["replay", capture_file("*NE8000*.pcap"), "--json"]) == 0
    found = letters(capsys.readouterr().out)
    assert found[6] == ["C"]
    (text,) = found[1]
    assert text.startswith("nnIIIIIII")
    assert text.endswith("n")
    assert len(text) == 11


def test_what_ipf_prints(capsys: pytest.CaptureFixture[str]) -> None:
    path = capture_file(IPF)
    assert status_of(["replay", path, "--period", "1=60", "--fail-on", "incomplete"]) == 1
    out = capsys.readouterr().out
    assert "  periods  8 COMPLETE, 1 INCOMPLETE, 3 UNKNOWN" in out
    assert "  list     cards 16973828, 16974839, 16974853 (learned)" in out
    assert "card 16974839\t1 restarted\t10\t-12.00 to -8.00 s" in out
    assert out.count("\tsubscription\n") == 3
    rows = [line.split()[2:] for line in out.splitlines() if line.startswith("card 169")]
    assert [row[-9:] for row in rows[-3:]] == [[*"●●●●●●●●●"], [*"✖●●●●●●●●"], [*"●●●●●●●●●"]]


def test_a_capture_without_terms_says_which_option_to_give(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert status_of(["replay", capture_file(IPF)]) == 0
    out = capsys.readouterr().out
    assert "every 60 s (learned)" in out
    assert "Subscription 5 of 203.0.113.21 is UNKNOWN" in out
    assert "--period 5=SECONDS" in out


def test_the_picture_of_a_capture_can_be_drawn(tmp_path: Path) -> None:
    picture = tmp_path / "ipf.svg"
    draw(capture_file(IPF), ("1=60",), picture)
    text = picture.read_text()
    assert text.startswith("<svg")
    assert "✖" in text
    assert "16974839" in text
