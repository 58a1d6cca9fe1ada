"""``publisher-sim``: what people see, and how it says no."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from collector import __version__
from collector.command_line import LazyGroup
from publisher_sim.cli import COMMANDS, HIDDEN, cli, status_of
from publisher_sim.cli.scenario_argument import packaged
from publisher_sim.device.run import override
from publisher_sim.scenario import Scenario

CARD = '[[card]]\nname = "lc1"\npublisher_id = 101\ninterfaces = ["eth1/0"]\n'


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    path = tmp_path / "device.toml"
    path.write_text('name = "core7"\nperiods = 12\n' + CARD)
    return str(path)


@pytest.mark.parametrize("command", [*COMMANDS, *HIDDEN])
def test_every_command_has_help_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert "Example:" in out
    assert "Usage: publisher-sim" in out


def test_the_overview_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in COMMANDS)
    assert "agent " not in out
    assert set(cli.list_commands(cli.make_context("x", ["run", "y"]))) == set(COMMANDS)


def test_check_says_what_it_is(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["check", scenario]) == 0
    assert capsys.readouterr().out == (
        "core7: 1 card, 12 periods of 1 s, 0 faults, grace 0.5 s; dynamic, over udp-notif: "
        "encode-json, encode-xml, encode-cbor, losses show by message-id\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "no-such"], "publisher-sim: there is no scenario 'no-such'"),
        (["check", "./none.toml"], "none.toml: cannot be read: No such file"),
        (["scenarios", "no-such"], "there is no scenario 'no-such'"),
        (["burn"], "publisher-sim: there is no command burn; see publisher-sim --help"),
        (["chek"], "there is no command chek, did you mean check?"),
        (["run"], "Missing argument 'SCENARIO'; see publisher-sim run --help"),
        (["run", "four-cards", "--duration", "nan"], '"nan" is no number'),
        (["run", "four-cards", "--duration", "inf"], "--duration"),
        (["run", "four-cards", "--receiver", "nowhere"], "--receiver: 'nowhere' is no receiver"),
        (["run", "four-cards", "--receiver", "nowhere:1"], "receiver.address: 'nowhere' is no"),
        (["run", "four-cards", "--duration", "long"], '"long" is no number'),
        (["run", "four-cards", "--netconf-port", "70000"], "is no whole number from 0 to 65535"),
        (["run", "four-cards", "--seed", "one"], '"one" is no whole number of 0 or more'),
        (["run", "four-cards"], "netconf: nobody could log in (allowed: a password in"),
    ],
)
def test_no_is_one_sentence_and_status_2(
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PUBLISHER_SIM_PASSWORD", raising=False)
    assert status_of(arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith("publisher-sim: ")
    assert error.count("\n") == 1


def test_an_unexpected_error_is_still_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def burst() -> None:
        raise RuntimeError("nobody\x1b[2J thought of it")

    monkeypatch.setattr(LazyGroup, "get_command", lambda *_: burst)
    monkeypatch.delenv("PUBLISHER_SIM_DEBUG", raising=False)
    assert status_of(["check"]) == 2
    assert capsys.readouterr().err == (
        "publisher-sim: unexpected RuntimeError: nobody [2J thought of it"
        " (set PUBLISHER_SIM_DEBUG=1 for where, and please report it)\n"
    )
    burst.callback = lambda: open("/no/such")  # noqa: SIM115
    assert status_of(["check"]) == 2
    said = capsys.readouterr().err
    assert said == "publisher-sim: /no/such cannot be used: No such file or directory\n"
    monkeypatch.setenv("PUBLISHER_SIM_DEBUG", "1")
    with pytest.raises(OSError, match="such"):
        status_of(["check"])


@pytest.mark.integration
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_who_has_seen_enough_is_no_error(unbuffered: str) -> None:
    done = subprocess.run(
        f"{sys.executable} -m publisher_sim scenarios | :; exit ${{PIPESTATUS[0]}}",
        shell=True, executable="/bin/bash", capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_run_begins_only_when_the_truth_can_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "no" / "where"
    assert status_of(["run", "quiet", "--truth", str(path)]) == 2
    assert f"{path} cannot be written: " in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_simulate_writes_the_truth(
    scenario: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "truth.jsonl"
    assert status_of(["simulate", scenario, "--truth", str(path), "--seed", "9"]) == 0
    assert capsys.readouterr().out == "12 datagrams, 1 notification\n12 COMPLETE\n"
    header, *rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert header["format"] == "publisher-sim-truth"
    assert (header["seed"], header["rows"], len(rows)) == (9, 12, 12)
    assert status_of(["simulate", scenario, "--truth", str(tmp_path / "no" / "where")]) == 2


def test_simulate_says_what_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "truth.jsonl"
    assert status_of(["simulate", "on-change", "--truth", str(path)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"on-change: \d+ push-updates, \d+ push-change-updates", said[1])
    assert len(said) == 2  # there are no periods
    header, *records = [json.loads(line) for line in path.read_text().splitlines()]
    assert (header["rows"], header["records"]) == (0, len(records))
    assert {one["fate"] for one in records} == {"good", "lost"}
    assert any(one["incomplete"] for one in records)
    assert {one["generator"] for one in records} == {"1", "101", "102", "103"}


def test_simulate_over_the_session(
    scenario: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(scenario)
    path.write_text(path.read_text() + "\n[receiver]\ntransport = 'netconf'\n")
    assert status_of(["simulate", scenario]) == 0
    assert capsys.readouterr().out == "13 notifications\n12 COMPLETE\n"
    assert status_of(["simulate", scenario, "--pcap", str(tmp_path / "x.pcap")]) == 2
    assert "over netconf is no capture" in capsys.readouterr().err
    path.write_text(path.read_text().replace("netconf", "https-notif"))
    assert status_of(["simulate", scenario]) == 0
    assert capsys.readouterr().out == "12 messages, 1 notification\n12 COMPLETE\n"


def test_packaged_scenarios_are_listed_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["scenarios"]) == 0
    assert "four-cards" in capsys.readouterr().out
    assert status_of(["scenarios", "four-cards"]) == 0
    assert 'name = "core7"' in capsys.readouterr().out


def test_the_list_of_scenarios_keeps_whole_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_: os.terminal_size((60, 24)))
    assert status_of(["scenarios"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 60
    words = " ".join(line[14:].strip() for line in lines)
    for name, text in packaged().items():
        first = text.split("\n", 1)[0].lstrip("# ")
        assert first in words, name
        assert first.endswith("."), name


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["--version"]) == 0
    assert capsys.readouterr().out == f"publisher-sim {__version__}, of the collector\n"


def test_overrides() -> None:
    changes = {"netconf_port": 0, "address": "::1", "seed": 3, "call_home": "[::1]:4000"}
    scenario = override(Scenario(), receiver="[2001:db8::1]:99", **changes)  # type: ignore[arg-type]
    assert scenario.netconf.collector == ("::1", 4000)
    assert scenario.receiver.address == "2001:db8::1"
    assert scenario.receiver.port == 99
    assert scenario.netconf.port == 0
    assert (scenario.address, scenario.seed) == ("::1", 3)
    assert override(Scenario()) == Scenario()


def test_simulate_of_a_device_that_nobody_may_subscribe_to(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert status_of(["simulate", "configurable", "--periods", "10"]) == 2
    said = capsys.readouterr().err
    assert "refuses what simulate subscribes to" in said
    assert "unexpected" not in said
