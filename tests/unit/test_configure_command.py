"""`collector configure`: what is asked, shown and returned; the devices are made up."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from collector import control
from collector.cli import cli
from collector.cli import configuring as command
from collector.config import Config
from collector.errors import UsageError
from collector.model import SubscriptionTerms
from collector.service.configured_ids import load_ids
from collector.service.configuring import DeviceLook
from collector.service.ways import Ways
from collector.subscriber.configured.configuring import Look
from collector.subscriber.configured.plan import Plan
from collector.subscriber.configured.saving import Saving
from collector.subscriber.configured.writing import How
from collector.wire.subscriptions.config import ConfiguredSubscription, Edit
from tests.unit.test_config_configured import CONFIG

EDIT = Edit(None, ConfiguredSubscription(100, SubscriptionTerms(stream="NETCONF")))


class Devices:
    """What the devices would say."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *plans: Plan, fails: str = "") -> None:
        self.looks = [
            DeviceLook(f"core{7 + number}", Look(one, "running"))
            for number, one in enumerate(plans)
        ]
        self.fails = fails
        self.written: list[str] = []
        monkeypatch.setattr(command, "Configuring", self._as_configured)
        monkeypatch.setattr(
            command,
            "devices_to_configure",
            lambda config, names, **how: [one.device for one in self.looks],
        )

    def _as_configured(self, config: Config, how: How, ways: Ways) -> Devices:
        self.how = how
        return self

    async def look(self, devices: Iterable[str]) -> list[DeviceLook]:
        return self.looks

    async def write(self, shown: Iterable[DeviceLook]) -> tuple[DeviceLook, ...]:
        done = tuple(
            DeviceLook(one.device, one.look, self.fails, written=not self.fails) for one in shown
        )
        self.written += [one.device for one in done]
        return done


def run(folder: Path, *options: str, say: str | None = None) -> Result:
    path = folder / "c.toml"
    path.write_text(f'[collector]\ndata_dir = "{folder}"\n{CONFIG}')
    return CliRunner().invoke(
        cli, ["configure", *options, "-c", str(path)], input=say, standalone_mode=False
    )


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.cli.configuring._is_terminal", lambda: True)


def test_it_shows_asks_and_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: None
) -> None:
    devices = Devices(monkeypatch, Plan((EDIT,), {"counters": 42}), Plan((), {"counters": 100}))
    result = run(tmp_path, say="y\n")
    assert result.return_value == 0, result.output
    assert devices.written == ["core7"]
    assert "core7: 1 change to write in running\n  + subscription 100" in result.output
    assert "core8: as wanted" in result.output
    assert "Write this to 1 device? [y/N]" in result.output
    assert "core7: 1 change written in running" in result.output
    assert load_ids(tmp_path) == {"core7": {"counters": 42}}


def test_a_no_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: None
) -> None:
    devices = Devices(monkeypatch, Plan((EDIT,)), Plan((EDIT,)))
    result = run(tmp_path, say="n\n")
    assert "Write this to 2 devices?" in result.output
    assert isinstance(result.exception, click.Abort)
    assert devices.written == []


def test_nothing_to_write_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    devices = Devices(monkeypatch, Plan())
    result = run(tmp_path)
    assert (result.return_value, devices.written) == (0, [])
    assert result.output == "core7: as wanted\n"


@pytest.mark.parametrize(
    ("plan", "status"),
    [(Plan(), 0), (Plan((EDIT,)), 1), (Plan(conflicts=("belongs to somebody else",)), 1)],
)
def test_a_dry_run_says_by_its_status_whether_something_is_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plan: Plan, status: int
) -> None:
    devices = Devices(monkeypatch, plan)
    assert run(tmp_path, "--dry-run").return_value == status
    assert devices.written == []


def test_a_device_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    devices = Devices(monkeypatch, Plan((EDIT,), {"counters": 42}), fails="lock-denied")
    result = run(tmp_path, "--yes")
    assert (result.return_value, devices.written) == (1, ["core7"])
    assert "  ! lock-denied" in result.output
    assert load_ids(tmp_path) == {}


def test_a_running_collector_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(folder: Path, what: str) -> None:
        asked.append(what)
        if len(asked) > 1:
            raise UsageError("it does not answer")

    monkeypatch.setattr(control, "is_running", lambda folder: True)
    monkeypatch.setattr(control, "ask", ask)
    Devices(monkeypatch, Plan((EDIT,), {"counters": 42}))
    assert run(tmp_path, "--yes").return_value == 0
    assert asked == ["reload"]
    Devices(monkeypatch, Plan((EDIT,), {"counters": 43}))
    result = run(tmp_path, "--yes")
    assert "say `collector reload` for the new ids" in result.output
    assert run(tmp_path, "--yes").return_value == 0
    assert asked == ["reload", "reload"]


def test_what_is_removed_and_will_be_put_back_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "counters has configured_restore = true, so that a collector that runs puts it back"
    Devices(monkeypatch, Plan((EDIT,)))
    assert words not in run(tmp_path, "--yes", "--remove").output
    restored = CONFIG.replace("configured_id", "configured_restore = true\nconfigured_id", 1)
    monkeypatch.setattr("tests.unit.test_configure_command.CONFIG", restored)
    assert words not in run(tmp_path, "--yes").output
    assert words in run(tmp_path, "--yes", "--remove").output


def test_json_is_never_asked_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Devices(monkeypatch, Plan((EDIT,)))
    result = run(tmp_path, "--json")
    assert result.exception is not None
    assert "say --yes, or --dry-run" in str(result.exception)


@pytest.mark.parametrize(
    ("options", "how"),
    [
        ((), How()),
        (("--no-confirm", "--no-startup"), How(confirm=False, startup=False)),
        (("--startup",), How(startup=True)),
        (("--remove", "--prune"), How(remove=True, prune=True)),
    ],
)
def test_how_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], how: How
) -> None:
    devices = Devices(monkeypatch, Plan((EDIT,)))
    assert run(tmp_path, "--yes", *options).return_value == 0
    assert devices.how == how


def test_what_is_only_to_be_saved_is_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    devices = Devices(monkeypatch, Plan())
    devices.looks = [
        DeviceLook("core7", Look(Plan(), "running", startup=True, saving=Saving(unsaved=True)))
    ]
    result = run(tmp_path, "--dry-run")
    assert (result.return_value, devices.written) == (1, [])
    assert "as wanted, but not in startup" in result.output
    assert run(tmp_path, "--yes").return_value == 0
    assert devices.written == ["core7"]
