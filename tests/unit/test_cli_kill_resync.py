"""``collector kill`` and ``collector resync`` without a device: what they ask and say."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from collector import control
from collector.cli import status_of
from collector.errors import ProtocolError
from collector.service import killing
from collector.subscriber.sessions.session import SessionSettings

HOST = ["--user", "u", "--key-file", "/k"]


def run(*words: str) -> int:
    return status_of(list(words))


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int]]:
    """What would be ended: host, client, id."""
    found: list[tuple[str, str, int]] = []

    def kill(settings: SessionSettings, session: str, number: int, **how: object) -> None:
        found.append((settings.host, session, number))

    monkeypatch.setattr(killing, "kill_subscription", kill)
    return found


def test_nobody_can_be_asked(
    killed: list[Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: False))
    assert run("kill", "192.0.2.7", "7", *HOST) == 2
    assert capsys.readouterr().err == (
        "collector: nobody can be asked whether that is meant; say --yes\n"
    )
    assert killed == []


@pytest.mark.parametrize("number", ["seven", "-1", str(2**32), "7.5"])
def test_an_id_that_is_none_is_a_sentence(
    killed: list[Any], capsys: pytest.CaptureFixture[str], number: str
) -> None:
    assert run("kill", "--yes", *HOST, "192.0.2.7", "--", number) == 2
    assert capsys.readouterr().err == (
        f"collector: Invalid value for 'ID': \"{number}\" is no whole number from 0 to 4294967295;"
        " see collector kill --help\n"
    )
    assert killed == []


@pytest.mark.parametrize(("answer", "status"), [(True, 0), (False, 130)])
def test_it_asks_before(
    killed: list[Any], monkeypatch: pytest.MonkeyPatch, answer: bool, status: int
) -> None:
    import click

    def confirm(text: str, abort: bool) -> None:
        assert text == "End subscription 7 of 192.0.2.7, whoever receives it?"
        if not answer:
            raise click.Abort

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(click, "confirm", confirm)
    assert run("kill", "192.0.2.7", "7", *HOST) == status
    assert len(killed) == int(answer)


def test_yes_and_json(killed: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("kill", "192.0.2.7", "4294967295", *HOST, "--yes", "--json") == 0
    assert capsys.readouterr().out == '{"killed":4294967295}\n'
    assert run("kill", "192.0.2.7", "0", *HOST, "--yes", "--session", "ncclient") == 0
    assert capsys.readouterr().out == "192.0.2.7 ended subscription 0\n"
    assert killed == [("192.0.2.7", "asyncssh", 4294967295), ("192.0.2.7", "ncclient", 0)]
    assert run("kill", "192.0.2.7", "4294967296", *HOST, "--yes") == 2


@pytest.mark.parametrize(
    ("error", "more"),
    [
        (ProtocolError("no", tag="access-denied"), "without a rule that allows it nobody may"),
        (ProtocolError("no", identity="no-such-subscription"), "a configured one ends when it"),
        (ProtocolError("no", tag="operation-not-supported"), ""),
    ],
)
def test_refusals_are_explained(error: ProtocolError, more: str) -> None:
    assert more in killing._cause(error)
    assert bool(killing._cause(error)) is bool(more)


# --------------------------------------------------------------------------- resync
def answered(
    monkeypatch: pytest.MonkeyPatch, *rows: dict[str, Any]
) -> list[tuple[Path, str, dict[str, Any]]]:
    """The running collector; returns what it was asked."""
    found: list[tuple[Path, str, dict[str, Any]]] = []

    def ask(folder: Path, command: str, **arguments: Any) -> dict[str, Any]:
        found.append((folder, command, arguments))
        return {"device": "core7", "subscriptions": list(rows)}

    monkeypatch.setattr(control, "ask", ask)
    return found


GOOD = {"subscription": "a", "id": 7, "resynced": True, "why": ""}
BAD = {"subscription": "b", "id": 8, "resynced": False, "why": "it is not on-change"}


def test_resync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = answered(monkeypatch, GOOD)
    assert run("resync", "core7", "--store", str(tmp_path)) == 0
    assert capsys.readouterr().out == "a: is sent as a whole\n"
    assert asked == [(tmp_path, "resync", {"device": "core7", "name": ""})]
    asked = answered(monkeypatch, GOOD, BAD)
    assert run("resync", "core7", "b", "--store", str(tmp_path)) == 1
    assert capsys.readouterr().out == "a: is sent as a whole\nb: it is not on-change\n"
    assert asked[0][2] == {"device": "core7", "name": "b"}
    assert run("resync", "core7", "--store", str(tmp_path), "--json") == 1
    assert capsys.readouterr().out.startswith('{"device":"core7","subscriptions":[{')


def test_nobody_is_running(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("resync", "core7", "--store", str(tmp_path)) == 2
    assert capsys.readouterr().err == f"collector: no collector is running on {tmp_path}\n"
