"""Configured subscriptions that a device has lost, put back by the running collector, or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collector.config import parse_config
from collector.model import SECOND
from collector.service import putting_back
from collector.service.configured_ids import load_ids, save_ids
from collector.service.configured_watch import ConfiguredWatch
from collector.service.putting_back import FIRST_WAIT, MOST, PuttingBack
from collector.service.ways import Ways
from collector.subscriber.configured.states import ConfiguredPhase
from collector.wire.netconf.rpc import RUNNING, EditConfig
from collector.wire.subscriptions.config import Edit, write_edits
from tests.unit.test_configuring import CONFIG, SimSession, do, refusal, theirs

RESTORED = parse_config(
    CONFIG.replace("configured_id = 100", "configured_id = 100\nconfigured_restore = true")
)
"""Of its two subscriptions ``counters`` (100) is to be put back, ``first`` (7) is not."""


class Opened(SimSession):
    """One that can be opened more than once."""

    async def open(self) -> None:
        return

    async def close(self) -> None:
        return


class Clock:
    """Stands where it is put."""

    def __init__(self) -> None:
        self.at = 1_800_000_000 * SECOND

    def now(self) -> int:
        return self.at


class Running:
    """A service as far as it is used, with one device that was configured."""

    def __init__(self, folder: Path) -> None:
        self.config = RESTORED
        self.configured = ConfiguredWatch(
            lambda: self.config, lambda event: None, lambda device: ()
        )
        self.clock: Any = Clock()
        self.folder = folder
        self.session = Opened()
        do(self.session)

    @property
    def states(self) -> Any:
        return self.configured.states

    def remove(self, *ids: int) -> None:
        """Another manager does it."""
        found = {one.id: one for one in self.session.running().subscriptions}
        edits = write_edits([Edit(found[number], None) for number in ids])
        reply = self.session.device.ask(EditConfig(RUNNING, edits), "2")
        assert reply.ok, reply.error

    def look(self, times: int = 2) -> None:
        """What the cross-check does."""
        for _ in range(times):
            self.clock.at += 300 * SECOND
            entries = list(self.session.device.master.configured.states())
            self.configured.looked("core7", entries, self.clock.at)


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    one = Running(tmp_path)
    monkeypatch.setenv("CORE7_PASSWORD", "not-asked-for")

    class Given(Ways, frozen=True):
        @asynccontextmanager
        async def sessions(self, devices: Any) -> AsyncIterator[Any]:
            assert self.data_folder("core7") == tmp_path
            yield lambda device, kind: one.session

    monkeypatch.setattr(putting_back, "Ways", Given)
    return one


def consider(running: Running, back: PuttingBack | None = None) -> PuttingBack:
    """Once, to its end."""

    async def main() -> PuttingBack:
        found = back or PuttingBack(running)
        found.consider("core7")
        found.consider("core7")  # nobody begins twice
        await asyncio.gather(*found._tasks.values())
        await found.stop()
        return found

    return asyncio.run(main())


def test_what_was_lost_is_put_back(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    save_ids(running.folder, {"core7": {"counters": 55, "first": 66}, "core8": {"counters": 5}})
    running.remove(100)
    running.look(1)
    consider(running)
    assert running.session.ids() == [7]  # it may be about to come
    running.look(1)
    consider(running)
    assert sorted(running.session.ids()) == [7, 100]
    assert running.states.of("core7", "counters").phase is ConfiguredPhase.UNKNOWN
    assert "Configured subscription counters of device core7 was put back." in caplog.text
    assert load_ids(running.folder) == {"core7": {"first": 66}, "core8": {"counters": 5}}
    running.look(1)
    assert running.states.of("core7", "counters").phase is ConfiguredPhase.ACTIVE


def test_only_what_the_operator_wants(running: Running) -> None:
    running.remove(7)
    running.look()
    assert running.states.lost("core7") == ["first"]
    assert consider(running).notes == {}
    running.remove(100)
    running.look()
    consider(running)
    assert running.session.ids() == [100]


def test_nothing_else_is_changed(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    """Its receiver was moved meanwhile: putting back would take it away from there."""
    running.remove(100)
    (there,) = (one for one in running.session.running().instances if one.name == "here")
    moved = msgspec.structs.replace(there, port=9999)
    change = EditConfig(RUNNING, write_edits([Edit(there, moved)]))
    assert running.session.device.ask(change, "2").ok
    running.look()
    back = consider(running)
    assert "more would have to be changed there" in back.notes["core7", "counters"]
    assert running.session.ids() == [7]
    consider(running, back)
    assert caplog.text.count("is not put back") == 1


def test_the_id_is_taken_by_somebody_else(running: Running) -> None:
    running.remove(100)
    running.look()
    noc = EditConfig(RUNNING, theirs(100).replace(">noc<", ">there<"))
    assert running.session.device.ask(noc, "2").ok
    assert "belongs to somebody else" in consider(running).notes["core7", "counters"]


def test_a_device_that_hides_it_has_it_all_the_same(running: Running) -> None:
    for _ in range(2):
        running.configured.looked("core7", [], running.clock.at)
    assert "in the configuration of the device" in consider(running).notes["core7", "counters"]


def test_after_a_failure_it_waits_longer_each_time(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def closed() -> None:
        raise ValueError("a fault of ours")

    running.remove(100)
    running.look()
    good = running.session.open
    monkeypatch.setattr(running.session, "open", closed)
    back = consider(running)
    assert "fault of the collector's own" in back.notes["core7", "counters"]
    monkeypatch.setattr(running.session, "open", good)
    consider(running, back)
    assert running.session.ids() == [7]
    running.clock.at += FIRST_WAIT
    consider(running, back)
    assert sorted(running.session.ids()) == [7, 100]
    assert back.notes == {}


def test_a_refusal_is_said(running: Running) -> None:
    running.remove(100)
    running.look()
    running.session.answers["edit-config"] = [refusal("operation-failed", "the disk is full")]
    assert "the disk is full" in consider(running).notes["core7", "counters"]
    running.session.answers["get-config"] = [refusal("access-denied", "not for you")]
    assert "not for you" in consider(running).notes["core7", "counters"]


def test_what_goes_again_and_again_is_left_to_whoever_wants_that(running: Running) -> None:
    back = PuttingBack(running)
    for _ in range(MOST):
        running.remove(100)
        running.look()
        consider(running, back)
        assert 100 in running.session.ids()
        running.look(1)
    running.remove(100)
    running.look()
    consider(running, back)
    assert running.session.ids() == [7]
    assert back.notes["core7", "counters"] == "it was put back 3 times within a day, so no more"
    running.clock.at += 86_400 * SECOND
    consider(running, back)
    assert 100 in running.session.ids()


def test_the_end_of_the_collector(running: Running) -> None:
    """It is given up in the middle; a device takes back what was not confirmed."""
    running.remove(100)
    running.look()

    async def never() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        back = PuttingBack(running)
        running.session.open = never  # type: ignore[method-assign]  # it does not answer
        back.consider("core7")
        await asyncio.sleep(0)
        await back.stop()
        assert back._tasks == {}

    asyncio.run(main())
    assert running.session.ids() == [7]
