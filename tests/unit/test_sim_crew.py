"""Agent processes: accounts are read whole and in pieces; how they are started and left."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from publisher_sim.device import crew, service
from publisher_sim.publishers.agent_loop import AccountFile
from publisher_sim.scenario import Card, Scenario
from publisher_sim.truth.accounts import Killed, encode_fact


def test_accounts_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "_CHUNK", 100)
    path = tmp_path / "account.jsonl"
    one = crew.ProcessCrew(Scenario(), lambda message: None, lambda card, run: None)
    one._all.append(crew._Process("lc1", None, path))  # type: ignore[arg-type]  # none is needed
    assert list(one.facts()) == []
    facts = [Killed(number, "101") for number in range(50)]
    file = AccountFile(path)
    for fact in facts[:20]:
        file.note(fact)
    assert list(one.facts()) == facts[:20]
    for fact in facts[20:]:
        file.note(fact)
    file.close()
    with path.open("ab") as torn:
        torn.write(encode_fact(facts[0])[:10])
    assert list(one.facts()) == facts[20:]
    assert list(one.facts()) == []
    one.remove()


class _NobodyComes(crew.ProcessCrew):
    """Agents that are started and never register."""

    started = 0

    async def _spawn(self, card: Card, into: object) -> None:
        type(self).started += 1


def test_a_stop_does_not_wait_for_agents_that_never_register(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "ProcessCrew", _NobodyComes)
    monkeypatch.setattr(service, "REGISTRATION_SECONDS", 3600.0)
    monkeypatch.setenv("PUBLISHER_SIM_PASSWORD", "x")
    scenario = Scenario(card=(Card(name="lc1", publisher_id=101, interfaces=("eth1/0",)),))

    async def whole() -> bool:
        device = service.DeviceService(scenario)
        asyncio.get_running_loop().call_soon(device.request_stop)
        await asyncio.wait_for(device.start(), 30)
        await device.stop()
        return device.stopping

    assert asyncio.run(whole())
    assert _NobodyComes.started == 1


def test_a_ctrl_c_in_the_terminal_is_not_for_the_agents(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []

    async def started(*_arguments: object, **options: object) -> None:
        asked.append(options)
        raise OSError(11, "enough for a test")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", started)
    card = Card(name="lc1", publisher_id=101, interfaces=("eth1/0",))

    async def whole() -> None:
        one = crew.ProcessCrew(Scenario(), lambda message: None, lambda card, run: None)
        await one.open()
        await one._spawn(card, {})
        await one.close()
        one.remove()
        assert one.troubles == ["lc1: no process: enough for a test"]

    asyncio.run(whole())
    assert [options["start_new_session"] for options in asked] == [True]


def test_a_process_that_ends_by_itself_is_a_trouble() -> None:
    class Ended:
        def __init__(self, status: int | None) -> None:
            self.returncode = status

    one = crew.ProcessCrew(Scenario(), lambda message: None, lambda card, run: None)
    for number, status in enumerate([0, -9, -15, None, 1]):
        process = crew._Process(f"lc{number}", Ended(status), Path("x"))  # type: ignore[arg-type]
        one._all.append(process)
    assert one.troubles == ["the process of lc4 ended with 1"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_what_cannot_be_accounted_for_ends_the_process() -> None:
    file = AccountFile(Path("/dev/full"))
    with pytest.raises(SystemExit, match="/dev/full: No space left on device"):
        file.note(Killed(1, "101"))
    file.close()
