"""A truth that cannot be kept: said while the device runs, and how the run ends."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from publisher_sim.cli import status_of
from publisher_sim.device import truth_keeping
from publisher_sim.device.service import DeviceService
from publisher_sim.device.truth_keeping import TruthKeeper
from publisher_sim.fleet.service import Fleet
from publisher_sim.scenario import Scenario
from publisher_sim.truth.accounts import Killed

CARD = '[[card]]\nname = "lc1"\npublisher_id = 101\ninterfaces = ["eth1/0"]\n'


@pytest.fixture
def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PUBLISHER_SIM_PASSWORD", "x")
    path = tmp_path / "device.toml"
    path.write_text('name = "core7"\nperiods = 12\n[netconf]\nport = 0\n' + CARD)
    return str(path)


def test_a_folder_that_goes_and_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    said: list[str] = []
    keeper = TruthKeeper(Scenario(), folder / "truth", progress=said.append, on_full=lambda: None)
    keeper.write(1, [])
    assert not keeper.troubles
    shutil.rmtree(folder)
    keeper.write(2, [])
    keeper.write(3, [])
    gone = f"{folder / 'truth'} cannot be written: No such file or directory"
    assert keeper.troubles == [gone]
    folder.mkdir()
    keeper.write(4, [])
    assert not keeper.troubles
    assert said == [gone, f"{folder / 'truth'} is written again"]
    assert [path.name for path in folder.iterdir()] == ["truth"]


def test_a_truth_that_is_full_is_not_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth_keeping, "MAX_FACTS", 2)
    ends: list[bool] = []
    keeper = TruthKeeper(
        Scenario(), tmp_path / "truth", progress=print, on_full=lambda: ends.append(True)
    )
    for at in range(4):
        keeper.note(Killed(at, "101"))
    assert ends == [True]
    keeper.write(9, [])
    assert keeper.troubles == [
        f"{tmp_path / 'truth'} holds 2 facts, all it can: the run was cut short"
    ]


def test_a_run_whose_truth_cannot_be_written_has_failed(
    scenario: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder = tmp_path / "lab"
    folder.mkdir()

    async def wait(_device: DeviceService, _seconds: float | None = None) -> None:
        shutil.rmtree(folder)

    monkeypatch.setattr(DeviceService, "wait", wait)
    assert status_of(["run", scenario, "--in-process", "--truth", str(folder / "truth")]) == 2
    told = capsys.readouterr()
    assert told.out.startswith('{"ready": true')
    assert told.err == (
        f"publisher-sim: {folder / 'truth'} cannot be written: No such file or directory\n"
    )


def test_a_fleet_whose_truths_cannot_be_written_has_failed(
    scenario: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder = tmp_path / "lab"

    async def wait(_fleet: Fleet, _seconds: float | None = None) -> None:
        shutil.rmtree(folder)

    monkeypatch.setattr(Fleet, "wait", wait)
    hosts = ["--known-hosts", str(tmp_path / "hosts"), "--receiver", "127.0.0.1:9"]
    assert status_of(["fleet", scenario, "--devices", "3", "--truth", str(folder), *hosts]) == 2
    first = folder / "core7-0001.jsonl"
    assert capsys.readouterr().err == (
        f"publisher-sim: {first} cannot be written: No such file or directory (and 2 more)\n"
    )


def test_a_fleet_whose_figures_nobody_takes_ends(
    scenario: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    async def full(_figures: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("publisher_sim.fleet.running._look_again", full)
    hosts = ["--known-hosts", str(tmp_path / "hosts"), "--receiver", "127.0.0.1:9"]
    assert status_of(["fleet", scenario, "--devices", "2", "--metrics", *hosts]) == 2
    assert capsys.readouterr().err == (
        "publisher-sim: the output cannot be written: No space left on device\n"
    )


def test_what_is_no_file_is_not_replaced(
    scenario: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    device = Path("/dev/null")
    assert status_of(["run", scenario, "--truth", str(device)]) == 2
    assert status_of(["simulate", scenario, "--pcap", str(device)]) == 2
    assert capsys.readouterr().err == 2 * (
        "publisher-sim: /dev/null cannot be written: it is no regular file\n"
    )
    assert device.is_char_device()
    both = str(tmp_path / "one")
    assert status_of(["simulate", scenario, "--pcap", both, "--truth", both]) == 2
    assert "name the same file" in capsys.readouterr().err
    assert not Path(both).exists()
