"""Cross-check, resync and expectations end to end: simulated devices, real sessions, one run.

Tolerances and holds are those of seconds instead of minutes; all else is as in operation.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collector.comparison import Comparison
from collector.core.originators import life
from collector.core.subscriptions import cross_check
from collector.journal.reader import JournalReader
from collector.model import SECOND, Event, RecordKind, RpcNote
from collector.service import commands
from collector.service.gauges import refresh
from tests.calm import calmest, equal
from tests.lab import Collecting, Facts, Lab, fault, lab, scenario_toml

pytestmark = pytest.mark.integration

PERIODS = 30
"""Of half a second."""
USUAL = {"period_seconds": 0.5, "grace_seconds": 0.2}
FAST = "[period]\nseconds = 0.5\n"


def device(number: int, faults: str = "", head: str = "", **more: Any) -> str:
    more = {"periods": PERIODS, "cards": 2, "grace": 0.2} | more
    return scenario_toml(f"core{number}", 60 + number, faults, head=head + FAST, **more)


LIMITED = '[netconf]\naccess = "limited"\n'
SCENARIOS = {
    # for some seconds four of five messages never arrive, though the device counts them
    "core1": device(1, fault("drop", 7, 14, probability=0.8)),
    "core2": device(2, fault("pull", 8, card="linecard2")),
    "core3": device(3, fault("drop", 6, 9, card="linecard1", probability=0.6)).replace(
        "[[card]]", "[changes]\nstatus_seconds = 0.4\n[[card]]", 1
    ),
    "core4": device(4, head=LIMITED),
}
COLLECTING = Collecting(
    sections={"cross_check": {"interval_seconds": 0.5}},
    subscriptions={
        "core1": USUAL,
        "core2": USUAL | {"expect": ["1", "101", "102"]},
        "core3": {"period_seconds": None, "on_change": True, "xpath": "/", "grace_seconds": None},
        "core4": USUAL,
    },
    netconf={"core2": {"session": "ncclient"}},
)


class Ran:
    """What is left of the run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.facts = Facts()
        self.rows: list[dict[str, Any]] = []
        """Of ``collector devices``, shortly before the end."""
        self.on_change: list[dict[str, Any]] = []
        self.alerts: list[dict[str, Any]] = []
        self.looks: dict[str, int] = {}
        self.not_declared = 0
        self.agrees: dict[str, Comparison] = {}

    def events(self, device: str, *kinds: str) -> list[Event]:
        return [one for one in self.facts.events if one.device == device and one.kind in kinds]

    def requests(self, device: str) -> list[RpcNote]:
        found = []
        for frame in JournalReader(self.folder / "data").read():
            batch = frame.batch()
            for row, kind in enumerate(batch.kind):
                if kind == RecordKind.REQUEST:
                    note = msgspec.json.decode(batch.payload[row], type=RpcNote)
                    found += [note] if note.device == device else []
        return found


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    def check(ran: Ran) -> None:
        for comparison in ran.agrees.values():
            equal(comparison)

    return calmest(tmp_path_factory.mktemp("life"), whole, check)


def whole(folder: Path) -> Ran:
    """One run of all four devices."""
    done = Ran(folder)
    alerts = folder / "alerts.jsonl"
    sections = dict(COLLECTING.sections) | {"alerts": {"log": False, "file": str(alerts)}}
    collecting = COLLECTING._replace(sections=sections)

    async def look(running: Lab) -> None:
        wanted = {"in_sync", "records_agree", "declares_less"}
        try:
            async with asyncio.timeout(30):
                while not wanted <= {one.kind for one in running.facts.events}:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError([one.text for one in running.facts.events]) from None
        answer = commands.devices(running.service)
        done.rows, done.on_change = answer["devices"], answer["on_change"]  # type: ignore[assignment]
        refresh(running.service)
        counters = running.service.counters
        done.looks = {word: number for (word,), number in counters.cross_checks.items()}
        done.not_declared = counters.generators_not_declared["core2", "lab-core2"]

    async def main() -> None:
        async with lab(folder, SCENARIOS, together=1, collecting=collecting) as running:
            done.facts = running.facts
            await look(running)
            await running.finished()
        done.agrees = {name: running.comparison(name) for name in ("core1", "core4")}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cross_check, "SHORTEST", SECOND // 2)
        patch.setattr(life, "amendable", lambda period: SECOND)
        asyncio.run(main())
    done.alerts = [msgspec.json.decode(line) for line in alerts.read_bytes().splitlines()]
    return done


def test_a_loss_shows_in_the_counters_and_its_end_too(ran: Ran) -> None:
    said = ran.events("core1", "records_differ", "records_agree")
    assert [one.kind for one in said] == ["records_differ", "records_agree"]
    assert said[0].text.startswith("core1 says that it sent ")
    equal(ran.agrees["core1"], "core1")


@pytest.mark.parametrize("name", ["core2", "core4"])
def test_a_device_that_lost_nothing_agrees_and_so_does_its_list(ran: Ran, name: str) -> None:
    kinds = [kind for pair in cross_check._KINDS.values() for kind in pair]
    assert ran.events(name, *kinds) == []
    if name != "core2":  # of which the operator expects more
        equal(ran.agrees[name], name)


def test_looks_are_asked_for_on_both_kinds_of_session(ran: Ran) -> None:
    for name in SCENARIOS:
        looks = [note for note in ran.requests(name) if note.subscription == "cross-check"]
        assert len(looks) > 5
        assert all("<sent-event-records/>" in note.request for note in looks)
    assert ran.looks["ok"] > 20
    assert set(ran.looks) <= {"ok", "nothing", "closed", "lost"}


def test_what_the_device_does_not_declare_any_more_is_an_alert(ran: Ran) -> None:
    (removed,) = ran.events("core2", "originator_removed")
    assert removed.subject == "102"
    (less,) = ran.events("core2", "declares_less")
    assert less.text == (
        "core2 declares 2 of the 3 generators that are expected for lab-core2; not 102."
    )
    (alert,) = [one for one in ran.alerts if one["kind"] == "not_declared"]
    assert alert["text"] == less.text.rstrip(".")
    (row,) = [one for one in ran.rows if one["device"] == "core2"]
    assert (row["declared"], row["not_declared"]) == (2, ["102"])
    assert ran.not_declared == 1


def test_lost_changes_are_asked_for_once_more_by_itself(ran: Ran) -> None:
    said = ran.events("core3", "out_of_sync", "in_sync")
    assert {one.subject for one in said} == {"101"}
    assert [one.kind for one in said][:2] == ["out_of_sync", "in_sync"]
    operations = [note.operation for note in ran.requests("core3")]
    assert 1 <= operations.count("resync-subscription") <= 5
    words = {one["generator"]: one["sync"] for one in ran.on_change}
    assert {"1", "101", "102"} <= set(words)
