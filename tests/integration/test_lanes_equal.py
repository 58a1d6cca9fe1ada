"""The same datagrams to a collector of one lane and to one of three, at the same time: the same
rows. And changes between starts and at a reload: what is kept, what is said."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path
from typing import Any

import pytest

from collector.journal import JournalReader
from collector.lanes.folders import lane_folder
from collector.model import RecordKind
from collector.receivers.sockets.steering import lane_of
from collector.store.query import open_query
from tests.lanes_lab import Card, Collector, collector

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

DEVICES = {f"dev{n}": [f"127.0.6.{n}", f"127.0.7.{n}", f"127.0.8.{n}"] for n in range(1, 8)}
"""Three cards each, all with an address of their own."""
PER_PERIOD = 4
PERIODS = 11
GRACE = 1.5
"""Seconds; wide, since the senders share a machine with two collectors."""


def toml(devices: dict[str, list[str]]) -> str:
    text = "".join(
        f'[[device]]\nname = "{name}"\nsources = {sources}\n' for name, sources in devices.items()
    ).replace("'", '"')
    return (
        text
        + '\n[[known_subscription]]\nid = 7\nname = "counters"\nperiod_seconds = 1\n'
        + 'expect = ["1", "2", "3"]\n'
        + f"[verdicts]\ngrace_seconds = {GRACE}\n"
    )


def cards_of(devices: dict[str, list[str]], ports: list[int]) -> list[Card]:
    return [
        Card(source, generator, ports)
        for sources in devices.values()
        for generator, source in enumerate(sources, start=1)
    ]


async def _send(cards: list[Card], periods: int, *, faulty: bool = True) -> None:
    """Losses and silences by a fixed chance; every card in the first part of each second."""
    chance = random.Random(4)
    loop = asyncio.get_running_loop()
    start = loop.time()
    for period in range(periods):
        for part in range(PER_PERIOD):
            await asyncio.sleep(max(0.0, start + period + 0.1 * part - loop.time()))
            for card in cards:
                now = faulty and 4 <= period < periods - 2
                silent = now and (number_of(card) + period) % 7 == 0
                lost = now and chance.random() < 0.1
                card.send(lose=silent or lost)
    await asyncio.sleep(max(0.0, start + periods - loop.time()))


def number_of(card: Card) -> int:
    return sum(map(int, card.source.split("."))) + card.generator


def rows_of(running: Collector) -> list[tuple[Any, ...]]:
    """What each row says, without what names a place in a journal or a moment of judging; up to the
    last period in which anything came, for the two do not end at the same instant."""
    last = max(row.period_index for row in running.verdicts() if row.received)
    found = [
        (
            row.device,
            row.period_index,
            row.outcome.value,
            row.reason,
            tuple(sorted(row.required)),
            tuple(sorted(row.received)),
            tuple(sorted((one.generator, one.cause.value) for one in row.missing)),
            tuple(sorted((one.generator, one.cause.value) for one in row.degraded)),
            row.amendment,
            row.final,
        )
        for row in running.verdicts()
        if row.period_index <= last
    ]
    return sorted(found, key=str)


def test_one_lane_and_three_say_the_same(tmp_path: Path) -> None:
    async def step() -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], set[int]]:
        (tmp_path / "one").mkdir()
        (tmp_path / "three").mkdir()
        async with collector(tmp_path / "one") as one, collector(tmp_path / "three") as three:
            one.configure(lanes=1, more=toml(DEVICES))
            three.configure(lanes=3, more=toml(DEVICES))
            await one.start()
            await three.start()
            cards = cards_of(DEVICES, [one.port, three.port])
            await _send(cards, PERIODS)
            await asyncio.sleep(GRACE + 0.6)
            await asyncio.gather(one.stop(), three.stop())
            for card in cards:
                card.close()
            lanes = {row["lane"] for row in three.rows("SELECT DISTINCT lane FROM verdicts")}
            return rows_of(one), rows_of(three), lanes

    alone, together, lanes = asyncio.run(step())
    assert together == alone
    assert lanes == {0, 1, 2}
    outcomes = [row[2] for row in alone]
    assert outcomes.count("INCOMPLETE") > 10
    assert outcomes.count("DEGRADED") > 10
    assert outcomes.count("COMPLETE") > 20


def test_another_number_of_lanes_keeps_what_is_stored_and_says_who_is_learned_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    periods = 5

    async def step() -> tuple[list[int], str, dict[str, set[Any]], list[Any]]:
        counts = []
        async with collector(tmp_path) as running:
            for lanes in (1, 2, 3):
                running.configure(lanes=lanes, more=toml(DEVICES))
                await running.start()
                cards = cards_of(DEVICES, [running.port])
                await _send(cards, periods, faulty=False)
                counts.append(running.rows("SELECT count(*) AS n FROM updates")[0]["n"])
                await running.stop()
                for card in cards:
                    card.close()
            counts.append(running.rows("SELECT count(*) AS n FROM updates")[0]["n"])
            assert (
                await running.command("query", "SELECT 1 AS one", "--store", "data") == "one\n1\n"
            )
            lanes_of: dict[str, set[Any]] = {}
            for row in running.rows("SELECT DISTINCT device, lane FROM updates"):
                lanes_of.setdefault(row["device"], set()).add(row["lane"])
            running.configure(lanes=1, more=toml(DEVICES))
            await running.start()
            await running.stop()
            return counts, running.log(), lanes_of, running.verdicts()

    counts, log, lanes_of, verdicts = asyncio.run(step())
    each = len(DEVICES) * 3 * PER_PERIOD * periods
    assert counts == [each, 2 * each, 3 * each, 3 * each]
    assert {row.outcome.value for row in verdicts} == {"COMPLETE", "NOT_JUDGED"}
    for name, sources in DEVICES.items():
        assert lanes_of[name] == {None, lane_of(sources[0], 2), lane_of(sources[0], 3)}
    for before, now in ((1, 2), (2, 3), (3, 1)):
        assert f"The number of lanes was {before} and is {now} now" in log
    assert "learned anew as if seen for the first time: 7 devices (dev1, dev2," in log
    assert "lane-2 is of an earlier run" in log
    assert capsys.readouterr().err == ""


def test_what_killed_lanes_left_open_is_closed_by_a_start_without_them(tmp_path: Path) -> None:
    async def step() -> tuple[int, str]:
        async with collector(tmp_path) as running:
            running.configure(lanes=2, more=toml(DEVICES))
            await running.start()
            cards = cards_of(DEVICES, [running.port])
            await _send(cards, 2, faulty=False)
            pids = [lane["process"] for lane in running.ask("status")["lanes"]]
            assert running.child is not None
            for pid in (running.child.pid, *pids):
                os.kill(pid, signal.SIGKILL)
            await running.child.wait()
            sent = sum(len(card.sent) for card in cards)
            running.configure(lanes=1, more=toml(DEVICES))
            await running.start()
            await running.stop()
            for card in cards:
                card.close()
            rows = running.rows("SELECT count(*) AS n FROM updates")
            assert sent - rows[0]["n"] <= len(cards)
            running.configure(lanes=3, more=toml(DEVICES))
            await running.start()
            await running.stop()
            return running.log().count("Closing what"), running.log()

    closed, log = asyncio.run(step())
    for lane in (0, 1):
        folder = lane_folder(tmp_path / "data", lane)
        *_, last = JournalReader(folder).read(0)
        assert last.batch().kind[-1] == RecordKind.COLLECTOR_STOP
    assert closed == 2, log
    with open_query(lane_folder(tmp_path / "data", 1)) as session:
        rows = session.run("SELECT * FROM subscriptions WHERE state = 'ended'").to_pylist()
    assert {row["reason"] for row in rows} == {"not-configured"}
    assert "Traceback" not in log


def test_a_reload_moves_a_device_with_its_first_address_and_says_so(tmp_path: Path) -> None:
    first, second = DEVICES["dev1"][0], "127.0.6.99"
    while lane_of(second, 2) == lane_of(first, 2):
        second = second[:-1] + str(int(second[-1]) - 1)
    quiet = {"dev1": [first], "dev2": DEVICES["dev2"]}
    moved = {"dev1": [second, first], "dev2": DEVICES["dev2"]}

    async def step() -> tuple[list[dict[str, Any]], str]:
        async with collector(tmp_path) as running:
            running.configure(lanes=2, more=toml(quiet))
            await running.start()
            card = Card(first, 1, [running.port])
            card.send()
            await running.until(lambda: running.ask("status")["datagrams_received"] == 1)
            running.configure(lanes=4, more=toml(moved))
            answer = running.ask("reload")
            assert answer == {"reloaded": True, "devices": 2, "at_next_start": ["collector.lanes"]}
            card.send()
            await running.until(lambda: running.ask("status")["datagrams_received"] == 2)
            rows = running.rows("SELECT device, lane FROM updates ORDER BY received_at")
            assert len(running.ask("status")["lanes"]) == 2
            (tmp_path / "collector.toml").write_text("[nonsense]\n")
            with pytest.raises(Exception, match="nonsense"):
                running.ask("reload")
            assert running.child is not None
            running.child.send_signal(signal.SIGHUP)
            await running.until_logged("The configuration was not taken over")
            running.configure(lanes=2, more=toml(moved))
            running.child.send_signal(signal.SIGHUP)
            await running.until(lambda: running.ask("status")["config_reloads"] == 2)
            await running.stop()
            card.close()
            return rows, running.log()

    rows, log = asyncio.run(step())
    assert rows == [
        {"device": "dev1", "lane": lane_of(first, 2)},
        {"device": "dev1", "lane": lane_of(second, 2)},
    ]
    assert "In another lane than before" in log
    assert "1 device (dev1)" in log
    assert "Only the next start heeds what changed in collector.lanes." in log


def test_a_lane_that_cannot_start_is_the_reason_why_nothing_does(tmp_path: Path) -> None:
    async def step() -> tuple[int, str]:
        async with collector(tmp_path) as running:
            running.configure(lanes=2, more=toml({"dev1": DEVICES["dev1"]}))
            (tmp_path / "data").mkdir()
            (tmp_path / "data" / "lane-1").write_text("a file, no folder")
            with pytest.raises(AssertionError):
                await running.start()
            assert running.child is not None
            return await running.child.wait(), running.log()

    status, log = asyncio.run(step())
    assert status == 2
    assert "lane 1:" in log
    assert "Traceback" not in log
