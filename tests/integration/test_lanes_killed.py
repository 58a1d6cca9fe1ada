"""``kill -9`` of one lane under load, then the end of the supervisor: what is lost, and for whom.

The senders know every message that they sent; the journals are the judges of what was taken.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from collector import control
from collector.journal import JournalReader
from collector.lanes.folders import lane_folder
from collector.model import RecordKind
from collector.pipeline import replay
from collector.receivers.sockets.steering import lane_of
from collector.store.query import open_query
from tests.calm import none_wrong
from tests.lanes_lab import Card, Collector, collector
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

DEVICES = {f"dev{n}": [f"127.0.4.{n}", f"127.0.5.{n}"] for n in range(1, 9)}
"""Two source addresses each, a card on each of them."""
LANES = {name: lane_of(sources[0], 2) for name, sources in DEVICES.items()}
KILLED = 0
SUBSCRIPTION = """
[[known_subscription]]
id = 7
name = "counters"
period_seconds = 1
expect = ["1", "2"]
"""
PER_SECOND = 20
"""Messages of a card."""


def toml() -> str:
    return (
        "".join(
            f'[[device]]\nname = "{name}"\nsources = {sources}\n'
            for name, sources in DEVICES.items()
        ).replace("'", '"')
        + SUBSCRIPTION
    )


class Seen:
    def __init__(self) -> None:
        self.away: dict[str, Any] = {}
        self.pages: list[tuple[int, str]] = []
        self.rows_while_away: set[str] = set()
        self.back: dict[str, Any] = {}
        self.log = ""
        self.data = Path()
        self.sent: dict[str, set[int]] = {}
        self.sent_while_away: dict[str, set[int]] = {}
        self.notes: list[str] = []


async def _send(cards: list[Card]) -> None:
    while True:
        for card in cards:
            card.send()
        await asyncio.sleep(1 / PER_SECOND)


async def _follow(running: Collector, seen: Seen) -> None:
    reader, writer = await asyncio.open_unix_connection(running.data / "control.sock")
    writer.write(b'{"command": "follow"}\n')
    while line := await reader.readline():
        if b'"note"' in line:
            seen.notes.append(line.decode())
    writer.close()


async def _run(folder: Path) -> Seen:
    seen = Seen()
    async with collector(folder) as running:
        running.configure(lanes=2, more=toml())
        await running.start()
        cards = [
            Card(source, generator, [running.port])
            for sources in DEVICES.values()
            for generator, source in enumerate(sources, start=1)
        ]
        following = asyncio.create_task(_follow(running, seen))
        sending = asyncio.create_task(_send(cards))
        await asyncio.sleep(6)
        pid = running.lane(KILLED)["process"]
        os.kill(pid, signal.SIGKILL)
        before = {card.source: len(card.sent) for card in cards}
        await running.until(lambda: running.lane(KILLED)["state"] != "running")
        await asyncio.sleep(0.25)
        still = {card.source: len(card.sent) for card in cards}
        seen.away = running.ask("status")
        seen.pages.append(await asyncio.to_thread(running.page, "/healthz"))
        seen.pages.append(await asyncio.to_thread(running.page, "/metrics"))
        seen.rows_while_away = {row["device"] for row in running.rows("SELECT * FROM verdicts")}
        await running.until(lambda: running.lane(KILLED)["state"] == "running")
        await asyncio.sleep(5)
        seen.back = running.ask("status")
        sending.cancel()
        await asyncio.sleep(0.5)
        await running.stop()
        await asyncio.wait_for(following, PATIENCE)
        for card in cards:
            card.close()
            seen.sent[card.source] = set(card.sent)
            seen.sent_while_away[card.source] = set(
                card.sent[before[card.source] : still[card.source]]
            )
        seen.log, seen.data = running.log(), running.data
    return seen


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return asyncio.run(_run(Path(tmp_path_factory.mktemp("killed"))))


def journalled(data: Path, lane: int) -> dict[str, list[int]]:
    """source address -> message ids in the journal, in its order."""
    found: dict[str, list[int]] = defaultdict(list)
    for frame in JournalReader(lane_folder(data, lane)).read(0):
        batch = frame.batch()
        for kind, peer, number in zip(batch.kind, batch.peer, batch.message_id, strict=True):
            if kind == RecordKind.DATA:
                found[peer].append(number)
    return found


def test_the_senders_are_in_both_lanes_and_some_against_their_own_hash() -> None:
    assert set(LANES.values()) == {0, 1}
    assert any(lane_of(DEVICES[name][1], 2) != lane for name, lane in LANES.items())


def test_both_addresses_of_a_device_are_in_its_lane(seen: Seen) -> None:
    for lane in (0, 1):
        wanted = {s for name, where in LANES.items() if where == lane for s in DEVICES[name]}
        assert set(journalled(seen.data, lane)) == wanted


def test_the_other_lane_loses_nothing_and_does_not_pause(seen: Seen) -> None:
    for source, numbers in journalled(seen.data, 1 - KILLED).items():
        assert numbers == sorted(seen.sent[source])
    names = [name for name, lane in LANES.items() if lane != KILLED]
    with open_query(lane_folder(seen.data, 1 - KILLED)) as session:
        rows = session.run("SELECT * FROM verdicts_last ORDER BY period_index").to_pylist()
    for name in names:
        outcomes = [row["outcome"] for row in rows if row["device"] == name]
        assert len(outcomes) >= 10
        mine = [row for row in rows if row["device"] == name][1:-1]
        blamed = [row for row in mine if row["outcome"] not in ("COMPLETE", "NOT_JUDGED")]
        times = [int(row["nominal_time"].timestamp() * 1e9) for row in blamed]
        none_wrong(times, "the other lane goes on", blamed)
        reasons = {row["reason"] for row in rows if row["outcome"] == "NOT_JUDGED"}
        assert "collector_down" not in reasons


def test_what_came_while_the_lane_was_away_waited_in_its_socket(seen: Seen) -> None:
    found = journalled(seen.data, KILLED)
    waited = 0
    for source, numbers in found.items():
        assert len(set(numbers)) == len(numbers)
        assert seen.sent_while_away[source] <= set(numbers)
        waited += len(seen.sent_while_away[source])
        # read, but not in the journal file yet when the kill came: one batch at most
        assert len(seen.sent[source] - set(numbers)) <= 3
    assert waited > 8


def test_everything_journalled_before_the_kill_is_in_the_store(seen: Seen, tmp_path: Path) -> None:
    for lane in (0, 1):
        replay(lane_folder(seen.data, lane), tmp_path / str(lane))
        with (
            open_query(lane_folder(seen.data, lane)) as kept,
            open_query(tmp_path / str(lane)) as said,
        ):
            for table in ("updates", "verdicts", "subscriptions"):
                rows = [
                    sorted(map(str, one.run(f"SELECT * FROM {table}").to_pylist()))
                    for one in (kept, said)
                ]
                assert rows[0] == rows[1], table
                assert rows[0], table


def test_nobody_is_blamed_for_the_time_that_the_lane_was_away(seen: Seen) -> None:
    with open_query(lane_folder(seen.data, KILLED)) as session:
        rows = session.run("SELECT * FROM verdicts_last").to_pylist()
    assert not [row for row in rows if row["outcome"] in ("INCOMPLETE", "DEGRADED")]


def test_only_that_lane_is_said_to_be_away(seen: Seen) -> None:
    first, second = seen.away["lanes"]
    assert first["state"] in ("waiting", "starting")
    assert second["state"] == "running"
    assert seen.away["healthy"] is False
    assert seen.away["health"] == "lane 0: was ended by SIGKILL"
    assert seen.pages[0] == (503, "lane 0: was ended by SIGKILL\n")
    assert 'yang_push_lane_up{lane="0"} 0' in seen.pages[1][1]
    assert 'yang_push_lane_up{lane="1"} 1' in seen.pages[1][1]
    assert 'yang_push_datagrams_received_total{lane="0"}' not in seen.pages[1][1]
    assert seen.rows_while_away == set(DEVICES)


def test_it_comes_back_by_itself_and_says_so(seen: Seen) -> None:
    assert [lane["restarts"] for lane in seen.back["lanes"]] == [1, 0]
    assert seen.back["healthy"] is True
    assert "Lane 0 was ended by SIGKILL; it is started again in 0.5 s." in seen.log
    assert "Lane 0 runs again." in seen.log
    assert seen.log.count("everything that was taken is on disk") == 3
    assert [note for note in seen.notes if "lane 0 does not answer" in note]
    assert [note for note in seen.notes if "lane 0 is back" in note]


def test_lanes_whose_supervisor_is_killed_end_in_good_order(tmp_path: Path) -> None:
    async def step() -> None:
        async with collector(tmp_path) as running:
            running.configure(lanes=2, more=toml())
            await running.start()
            lanes = [lane_folder(running.data, number) for number in (0, 1)]
            running_before = [control.is_running(lane) for lane in lanes]
            await running.end()
            while any(control.is_running(lane) for lane in lanes):
                await asyncio.sleep(0.05)
            assert running_before == [True, True]
            while running.log().count("everything that was taken is on disk") < 2:
                await asyncio.sleep(0.05)
            assert running.log().count("The supervisor is gone.") == 2
            await running.start()
            await running.stop()

    asyncio.run(asyncio.wait_for(step(), 60))
