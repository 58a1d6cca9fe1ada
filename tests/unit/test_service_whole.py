"""The whole ``Service`` in one process, without devices: order of start and stop, what breaks a
start, commands, gauges, housekeeping, health, the disk that is full.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collector import control
from collector.config import Config, read_config_table
from collector.errors import ConfigError, IntakeFullError, SinkError, UsageError
from collector.journal import Disk, Journal, JournalReader, JournalSettings
from collector.metrics import METRICS
from collector.model import (
    SECOND,
    ClockNote,
    ReceivedBatch,
    RecordKind,
    SessionNote,
    Transport,
)
from collector.pipeline import Pipeline
from collector.service import Service, lifecycle, recovering, running, signals
from collector.service.gauges import refresh
from collector.service.recovering import recover
from collector.store.manifest import load_manifest, store_folder
from collector.store.open_rows import decode_open_rows
from collector.store.snapshots import SnapshotStore, SnapshotUnderWay
from collector.store.writer import StoreWriter
from tests.unit.journal_batches import batch_of
from tests.unit.verdict_maker import Batch, event, verdict


def config_in(folder: Path, **sections: Any) -> Config:
    """No device, free ports."""
    table: dict[str, Any] = {
        "collector": {"data_dir": str(folder / "data")},
        "udp_notif": {"port": 0},
        "metrics": {"port": 0},
    }
    return read_config_table(table | sections, file="test.toml")


@contextlib.asynccontextmanager
async def served(config: Config, **more: Any) -> AsyncIterator[Service]:
    service = Service(config, **more)
    try:
        await service.start()
        yield service
    finally:
        await service.stop()


def run(step: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(step())


def kinds(folder: Path) -> list[RecordKind]:
    found: list[RecordKind] = []
    for frame in JournalReader(folder / "data").read(0):
        found += [RecordKind(kind) for kind in frame.batch().kind]
    return found


async def get(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer


# --------------------------------------------------------------------------- start and stop
def test_a_run_begins_and_ends_with_its_records(tmp_path: Path) -> None:
    async def step() -> None:
        async with served(config_in(tmp_path)) as service:
            assert service.health() == (True, "ok")
            assert control.SOCKET_NAME in os.listdir(service.folder)
        await service.stop()
        assert control.SOCKET_NAME not in os.listdir(service.folder)

    run(step)
    found = kinds(tmp_path)
    assert found[:2] == [RecordKind.COLLECTOR_START, RecordKind.CONFIG]
    assert found[-1] == RecordKind.COLLECTOR_STOP
    assert load_manifest(store_folder(tmp_path / "data")).stored_offset == len(found)


def test_stop_without_start_is_nothing(tmp_path: Path) -> None:
    run(Service(config_in(tmp_path)).stop)
    assert not (tmp_path / "data").exists()


def test_receiver_and_metrics_can_be_switched_off(tmp_path: Path) -> None:
    config = config_in(tmp_path, udp_notif={"enabled": False}, metrics={"enabled": False})

    async def step() -> None:
        async with served(config) as service:
            assert service.receivers == []
            assert service.metrics is None
            assert running.listening(service) == "nothing"

    run(step)


def test_two_collectors_on_one_folder(tmp_path: Path) -> None:
    async def step() -> None:
        async with served(config_in(tmp_path)) as service:
            with pytest.raises(ConfigError, match="in use by process"):
                async with served(config_in(tmp_path)):
                    pass
            assert service.health()[0]

    run(step)


def test_a_data_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(ConfigError) as refused:
        run(Service(config_in(tmp_path)).start)
    assert refused.value.key == "collector.data_dir"
    assert refused.value.allowed


def taken_port(kind: socket.SocketKind) -> socket.socket:
    holder = socket.socket(socket.AF_INET, kind)
    holder.bind(("127.0.0.1", 0))
    if kind == socket.SOCK_STREAM:
        holder.listen()
    return holder


@pytest.mark.parametrize(
    ("kind", "section"), [(socket.SOCK_DGRAM, "udp_notif"), (socket.SOCK_STREAM, "metrics")]
)
def test_a_port_in_use_names_its_key_and_leaves_nothing_behind(
    tmp_path: Path, kind: socket.SocketKind, section: str
) -> None:
    async def step() -> None:
        with taken_port(kind) as holder:
            config = config_in(tmp_path, **{section: {"port": holder.getsockname()[1]}})
            with pytest.raises(ConfigError) as refused:
                async with served(config):
                    pass
            assert refused.value.key == f"{section}.port"
        async with served(config):
            pass  # lock, socket and ports are free again

    run(step)


def test_a_store_that_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_folder(*_: Any, **__: Any) -> None:
        raise SinkError("the store folder cannot be made", retryable=False)

    monkeypatch.setattr(lifecycle, "StoreWriter", no_folder)

    async def step() -> None:
        with pytest.raises(SinkError):
            async with served(config_in(tmp_path)):
                pass
        monkeypatch.undo()
        async with served(config_in(tmp_path)):
            pass

    run(step)


def test_a_control_socket_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "data" / control.SOCKET_NAME / "x").mkdir(parents=True)

    async def step() -> None:
        with pytest.raises(ConfigError, match="control socket"):
            async with served(config_in(tmp_path)):
                pass

    run(step)


def test_a_part_that_cannot_be_ended_keeps_no_other_from_its_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Stubborn:
        name = "stubborn"

        def start(self) -> None: ...

        def write(self, said: Any) -> None: ...

        def flush(self) -> None:
            raise ZeroDivisionError

        def stop(self) -> None: ...

    async def step() -> None:
        async with served(config_in(tmp_path), sinks=[Stubborn()]):
            pass
        async with served(config_in(tmp_path)):
            pass  # the lock is free

    run(step)
    assert "could not be ended" in caplog.text


def test_a_start_that_is_given_up_while_the_journal_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def endless(*_: Any, given_up: Callable[[], bool]) -> int:
        while not given_up():
            time.sleep(0.005)
        asked.append(True)
        return 0

    async def step() -> None:
        service = Service(config_in(tmp_path))
        stopping = asyncio.Event()
        asyncio.get_running_loop().call_later(0.05, stopping.set)
        assert await signals.started(service.start(), stopping) is False
        await service.stop()

    monkeypatch.setattr(lifecycle, "recover", endless)
    run(step)
    assert asked == [True]
    assert kinds(tmp_path) == []


def test_recovery_gives_up_between_frames_and_the_next_start_is_whole(tmp_path: Path) -> None:
    async def live() -> None:
        async with served(config_in(tmp_path)) as service:
            for _ in range(5):
                service.intake.note(RecordKind.TICK)

    run(live)
    data = tmp_path / "data"
    for path in (*store_folder(data).iterdir(), *data.glob("snapshots/*")):
        path.unlink()
    journal = Journal.open(data)
    store = StoreWriter(data)
    try:
        recovered = recover(data, journal, Pipeline(), store, given_up=lambda: True)
        assert recovered == 0
        assert store.stored_offset == 0
    finally:
        journal.close()
        store.close()
    run(live)
    assert load_manifest(store_folder(data)).stored_offset == len(kinds(tmp_path))


def test_a_record_that_cannot_be_judged_does_not_keep_the_collector_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    good = Pipeline.receive

    def poisoned(self: Pipeline, first: int, batch: Any, records: Any) -> Any:
        if RecordKind.DROPS in batch.kind:
            raise ZeroDivisionError
        return good(self, first, batch, records)

    monkeypatch.setattr(Pipeline, "receive", poisoned)

    async def live() -> None:
        async with served(config_in(tmp_path)) as service:
            service.intake.note(RecordKind.DROPS, b"{}")
            service.intake.note(RecordKind.TICK)
            assert service.counters.messages_rejected[("internal-error",)] == 1
            assert service.health()[0]

    run(live)
    for path in store_folder(tmp_path / "data").iterdir():
        path.unlink()
    run(live)
    assert "could not be judged" in caplog.text


def test_a_long_recovery_is_said_and_waits_for_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(recovering, "SAY_AFTER_SECONDS", 0.0)

    async def live() -> None:
        async with served(config_in(tmp_path)) as service:
            for _ in range(8):
                service.intake.note(RecordKind.TICK)
                service.journal.seal()
                assert await asyncio.to_thread(service.store.flush, 10)

    run(live)
    data = tmp_path / "data"
    for path in (*store_folder(data).iterdir(), *data.glob("snapshots/*")):
        path.unlink()
    run(live)
    assert "left." in caplog.text
    assert load_manifest(store_folder(data)).stored_offset == len(kinds(tmp_path))


def test_a_start_waits_for_a_store_that_has_many_segments_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal.open(tmp_path / "data", JournalSettings(free_space_reserve=0)) as journal:
        for _ in range(8):
            journal.append(batch_of(3))
            journal.seal()
    good = StoreWriter._store

    def slowly(self: StoreWriter, job: Any) -> None:
        time.sleep(0.1)
        good(self, job)

    monkeypatch.setattr(StoreWriter, "_store", slowly)

    async def live() -> None:
        async with served(config_in(tmp_path)) as service:
            assert service.health() == (True, "ok")

    run(live)
    assert kinds(tmp_path)[-1] == RecordKind.COLLECTOR_STOP


@pytest.mark.parametrize("turns", [0, 2])
def test_a_recovery_that_waits_for_a_store_without_room_can_be_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    async def live() -> None:
        async with served(config_in(tmp_path)) as service:
            service.intake.note(RecordKind.TICK)

    run(live)
    data = tmp_path / "data"
    for path in (*store_folder(data).iterdir(), *data.glob("snapshots/*")):
        path.unlink()
    asked_for: list[int] = []

    def given_up() -> bool:
        asked_for.append(1)
        return len(asked_for) > 1 + turns

    journal, store = Journal.open(data), StoreWriter(data)
    monkeypatch.setattr(StoreWriter, "has_room", False)
    monkeypatch.setattr(StoreWriter, "flush", lambda self, seconds: False)
    try:
        assert recover(data, journal, Pipeline(), store, given_up=given_up) > 0
    finally:
        journal.close()
        store.close()
    assert store.stored_offset == 0


def test_snapshots_are_taken_a_few_devices_a_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def step() -> None:
        async with served(config_in(tmp_path)) as service:
            names = [f"device {number}" for number in range(150)]
            monkeypatch.setattr(service.pipeline, "snapshot_names", lambda: names)
            monkeypatch.setattr(service.pipeline, "snapshot_part", lambda name: name.encode())
            await service.housekeeping._take_snapshot()
            parts = SnapshotStore(service.folder).load(1 << 60)
            assert parts is not None
            assert [part.device for part in parts] == names
            monkeypatch.undo()
            (path,) = (service.folder / "snapshots").iterdir()
            path.unlink()

    run(step)


# --------------------------------------------------------------------------- damage
def test_damage_in_the_journal_is_said_and_the_rest_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def live() -> None:
        async with served(config_in(tmp_path)) as service:
            for _ in range(20):
                service.intake.note(RecordKind.TICK)

    run(live)
    data = tmp_path / "data"
    segment = sorted((data / "journal").iterdir())[0]
    octets = bytearray(segment.read_bytes())
    octets[len(octets) // 2] ^= 0xFF
    segment.write_bytes(octets)
    for path in (*store_folder(data).iterdir(), *data.glob("snapshots/*")):
        path.unlink()
    run(live)
    assert caplog.records
    assert kinds(tmp_path)[-1] == RecordKind.COLLECTOR_STOP


def test_a_damaged_snapshot_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def live() -> None:
        async with served(config_in(tmp_path)) as service:
            await service.housekeeping._take_snapshot()
            await service.housekeeping._take_snapshot()  # nothing new: no second one

    run(live)
    snapshots = list((tmp_path / "data" / "snapshots").iterdir())
    assert len(snapshots) == 1
    snapshots[0].write_bytes(b"YPSNAPSH junk")
    run(live)
    assert "left out" in caplog.text


def test_folders_taken_away_while_running_are_made_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import shutil

    async def step() -> None:
        config = config_in(tmp_path, journal={"segment_seconds": 0.5})
        async with served(config) as service:
            await asyncio.to_thread(service.store.flush, 5)
            service.journal.seal()
            assert await asyncio.to_thread(service.store.flush, 5)
            shutil.rmtree(store_folder(service.folder))
            shutil.rmtree(service.folder / "journal")
            service.intake.note(RecordKind.TICK)
            service.journal.seal()
            service.intake.note(RecordKind.TICK)
            assert await asyncio.to_thread(service.store.flush, 10)
            assert service.health() == (True, "ok")

    run(step)
    assert "taken away" in caplog.text
    assert kinds(tmp_path)[-1] == RecordKind.COLLECTOR_STOP
    files = load_manifest(store_folder(tmp_path / "data")).files
    assert all((store_folder(tmp_path / "data") / file.name).exists() for file in files)


# --------------------------------------------------------------------------- full disk
class SmallDisk(Disk):
    """No room while the test says so."""

    full = False

    def write(self, fd: int, parts: Sequence[Any]) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(fd, parts)


def test_a_full_disk_stops_taking_and_goes_on_when_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk = SmallDisk()

    async def step() -> None:
        async with served(config_in(tmp_path), disk=disk) as service:
            taken = service.intake.note(RecordKind.TICK)
            await service.intake.committed(taken)
            disk.full = True
            with pytest.raises(IntakeFullError):
                service.intake.note(RecordKind.TICK)
            healthy, sentence = service.health()
            assert not healthy
            assert "No space left" in sentence
            assert service.metrics is not None
            answer = await get(service.metrics.port, "/healthz")
            assert answer.startswith(b"HTTP/1.1 503")
            port = service.receivers[0].local_port  # type: ignore[attr-defined]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"kept in the kernel meanwhile", ("127.0.0.1", port))
            await asyncio.sleep(0.3)
            assert service.counters.intake_refused > 1
            disk.full = False
            async with asyncio.timeout(10):
                while not service.health()[0]:
                    await asyncio.sleep(0.02)
            async with asyncio.timeout(10):
                while not service.receivers[0].stats()["rejected/unknown-version"]:  # type: ignore[attr-defined]
                    await asyncio.sleep(0.02)

    run(step)
    assert caplog.text.count("Nothing more is taken") == 1
    assert caplog.text.count("room again") == 1
    found = kinds(tmp_path)
    assert found.index(RecordKind.PAUSE) < found.index(RecordKind.REJECTED), "it came meanwhile"
    assert found[-1] == RecordKind.COLLECTOR_STOP


def test_the_end_of_a_session_does_not_overtake_what_waits_in_the_socket(tmp_path: Path) -> None:
    async def step() -> None:
        async with served(config_in(tmp_path)) as service:
            port = service.receivers[0].local_port  # type: ignore[attr-defined]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"it came before", ("127.0.0.1", port))
            told = ReceivedBatch()
            note = msgspec.json.encode(SessionNote("core7", "lost"))
            told.append(
                service.clock.now(), RecordKind.SESSION_DOWN, note, transport=Transport.NETCONF
            )
            service.intake.take(told)

    run(step)
    found = kinds(tmp_path)
    assert found.index(RecordKind.REJECTED) < found.index(RecordKind.SESSION_DOWN)


def test_a_stop_while_the_disk_is_full_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk = SmallDisk()

    async def step() -> None:
        async with served(config_in(tmp_path), disk=disk):
            disk.full = True

    run(step)
    assert "The stop is not in the journal" in caplog.text
    assert kinds(tmp_path)[0] == RecordKind.COLLECTOR_START


# --------------------------------------------------------------------------- health
def test_health_names_what_stands_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def step() -> None:
        async with served(config_in(tmp_path)) as service:
            service.store._troubles |= {"storing"}
            assert service.health() == (False, "the store cannot be written (storing)")
            service.store._troubles = frozenset()
            await service.receivers[0].stop()
            assert service.health() == (False, "the receiver udp-notif does not listen")
            await service.receivers[0].start()
            service.ticker.stop()
            assert not service.health()[0]
            assert "timer" in service.health()[1]
        assert service.health() == (False, "it is starting or stopping")

    run(step)


# --------------------------------------------------------------------------- commands
async def asked(service: Service, command: str) -> dict[str, Any]:
    return await asyncio.to_thread(control.ask, service.folder, command)


def test_status_devices_and_open_rows(tmp_path: Path) -> None:
    netconf = {"host": "127.0.0.1", "port": 1, "username": "u", "password_env": "NOWHERE"}
    config = config_in(
        tmp_path,
        device=[{"name": "core7", "sources": ["192.0.2.7"], "netconf": netconf}],
        subscription=[],
    )

    async def step() -> None:
        async with served(config) as service:
            service.counters.periods.add(("core7", "COMPLETE"), 2)
            status = await asked(service, "status")
            assert status["healthy"] is True
            assert status["periods"] == {"COMPLETE": 2}
            assert status["listening"][0]["port"] == service.receivers[0].local_port  # type: ignore[attr-defined]
            service.pipeline._unknown_source("198.51.100.1")
            devices = await asked(service, "devices")
            assert [one["address"] for one in devices["unknown_senders"]] == ["198.51.100.1"]
            assert devices["generators"] == []
            rows = await asyncio.to_thread(control.ask_bytes, service.folder, "open_rows")
            assert decode_open_rows(rows)

    run(step)


def test_a_collector_that_stops_answers_no_more(tmp_path: Path) -> None:
    """What is left of it would be half an answer."""

    async def step() -> None:
        async with served(config_in(tmp_path)) as service:
            service.running = False
            for command in ("status", "devices", "resync"):
                with pytest.raises(UsageError, match=r"^the collector is stopping$"):
                    await asked(service, command)

    run(step)


def test_every_metric_is_on_the_page(tmp_path: Path) -> None:
    async def step() -> None:
        async with served(config_in(tmp_path)) as service:
            counted = service.receivers[0].counters  # type: ignore[attr-defined]
            counted.unknown_options[9] = 4
            counted.unknown_media_types = 3
            assert service.metrics is not None
            page = (await get(service.metrics.port, "/metrics")).decode()
            for metric in METRICS:
                assert f"# TYPE {metric.name.removesuffix('_total')}" in page, metric.name
            assert 'options_unknown_total{type="9"} 4.0' in page
            assert "media_types_unknown_total 3.0" in page
            refresh(service)

    run(step)


def test_followers_get_facts_and_are_told_what_they_missed(tmp_path: Path) -> None:
    async def step() -> None:
        async with served(config_in(tmp_path)) as service:
            reader, writer = await asyncio.open_unix_connection(
                str(service.folder / control.SOCKET_NAME)
            )
            writer.write(b'{"command":"follow"}\n')
            assert b'"stream":true' in await reader.readline()
            await asyncio.sleep(0)
            async with asyncio.timeout(10):
                while not service.live._followers:
                    await asyncio.sleep(0.01)
            service.live.write(Batch(*(verdict(n) for n in range(5000)), event(1)))
            first = msgspec.json.decode(await reader.readline())
            assert first == {"row": "lost", "facts": 5001 - 4096}
            assert msgspec.json.decode(await reader.readline())["device"] == "core7"
            writer.close()
            async with asyncio.timeout(10):
                while service.live._followers:
                    await asyncio.sleep(0.01)

    run(step)


def test_a_follower_that_does_not_read_hinders_nobody(tmp_path: Path) -> None:
    async def step() -> None:
        async with served(config_in(tmp_path)) as service:
            _, writer = await asyncio.open_unix_connection(
                str(service.folder / control.SOCKET_NAME)
            )
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(b'{"command":"follow"}\n')
            async with asyncio.timeout(10):
                while not service.live._followers:
                    await asyncio.sleep(0.01)
            for _ in range(20):
                service.live.write(Batch(*(verdict(n) for n in range(2000))))
                await asyncio.sleep(0.01)
            assert service.live.followers_dropped > 0
            refresh(service)
            assert service.counters.queue_dropped[("followers",)] > 0
            assert (await asked(service, "status"))["healthy"] is True
            writer.close()

    run(step)


# --------------------------------------------------------------------------- alerts
def test_a_command_that_hangs_and_a_webhook_that_never_answers_hold_up_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def step() -> None:
        with taken_port(socket.SOCK_STREAM) as mute:
            webhook = f"http://127.0.0.1:{mute.getsockname()[1]}/"
            alerts = {
                "command": ["sleep", "60"],
                "webhook": webhook,
                "timeout_seconds": 0.5,
                "max_queued": 2,
            }
            async with served(config_in(tmp_path, alerts=alerts)) as service:
                sinks = {sink.name: sink for sink in service._sinks}
                for number in range(40):
                    causes = {"3": "silent"} if number % 2 else {}
                    rows: Any = Batch(verdict(number, missing=causes))
                    sinks["alerts"].write(rows)
                counted = service.counters.alerts
                assert counted[("queue", "dropped")] > 0
                assert service.health() == (True, "ok")
                async with asyncio.timeout(20):
                    while not counted[("webhook", "failed")]:
                        await asyncio.sleep(0.05)
                assert counted[("command", "failed")] > 0
            assert not service.running

    run(step)
    assert caplog.text.count("alerts cannot be delivered by command") == 1


# --------------------------------------------------------------------------- configuration
def test_reload_takes_over_and_a_broken_file_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    good = config_in(tmp_path)
    answers: list[Any] = [good, ConfigError("broken", file="c.toml", key="x"), ZeroDivisionError()]

    def read() -> Config:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Config)
        return answer

    async def step() -> None:
        async with served(config_in(tmp_path)) as service:
            with pytest.raises(UsageError, match="no configuration file"):
                await asked(service, "reload")
            service.reload_from = read
            signals.reload_on_signal(service.reload_now)
            answer = await asked(service, "reload")
            assert answer == {"reloaded": True, "devices": 0, "at_next_start": []}
            assert service.reloads == 1
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGHUP)
                await asyncio.sleep(0.1)
            assert service.reloads == 1
            assert service.config is good
            assert service.health()[0]
        with pytest.raises(UsageError, match="already stopping"):
            await service.reload(good)

    run(step)
    assert "c.toml: x: broken" in caplog.text
    assert "was not taken over" in caplog.text


def test_a_long_file_is_read_beside_the_loop_and_never_overtaken_by_an_older_one(
    tmp_path: Path,
) -> None:
    one, other = config_in(tmp_path), config_in(tmp_path, verdicts={"grace_seconds": 3})
    reading, read = threading.Event(), threading.Event()
    answers = [one, other]

    def slowly() -> Config:
        answer = answers.pop(0)
        reading.set()
        assert read.wait(30)
        return answer

    async def step() -> None:
        async with served(config_in(tmp_path)) as service:
            service.reload_from = slowly
            first = asyncio.create_task(service.reload_now())
            await asyncio.to_thread(reading.wait, 30)
            second = asyncio.create_task(service.reload_now())
            assert (await asked(service, "status"))["config_reloads"] == 0
            assert answers == [other], "the second is read when its turn has come"
            read.set()
            await asyncio.gather(first, second)
            assert service.config is other
            assert service.reloads == 2

    run(step)


def test_what_only_the_next_start_heeds_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    strict = {"name": "core7", "sources": ["192.0.2.7"], "strict": True}

    async def step() -> None:
        async with served(config_in(tmp_path)) as service:
            await service.reload(config_in(tmp_path, journal={"retention_seconds": 5}))
            assert service.at_restart == []
            await service.reload(
                config_in(
                    tmp_path,
                    journal={"segment_seconds": 1},
                    alerts={"file": str(tmp_path / "alerts.jsonl")},
                    device=[strict],
                )
            )
            named = ["journal.segment_seconds", "alerts.file"]
            assert service.at_restart == named
            service.reload_from = lambda: service.config
            answer = await asked(service, "reload")
            assert answer == {"reloaded": True, "devices": 1, "at_next_start": named}
            await service.reload(config_in(tmp_path))
            assert service.at_restart == []
            await service.reload(config_in(tmp_path / "moved"))
            assert service.at_restart == ["collector.data_dir"]
            assert service.folder == tmp_path / "data", "it is still the one that is written"

    run(step)
    assert caplog.text.count("Only the next start heeds") == 3
    assert "journal.segment_seconds, alerts.file" in caplog.text


# --------------------------------------------------------------------------- housekeeping
def test_snapshots_and_retention_come_by_themselves(tmp_path: Path) -> None:
    config = config_in(tmp_path, journal={"snapshot_seconds": 1})

    async def step() -> None:
        async with served(config) as service:
            for _ in range(10):
                service.intake.note(RecordKind.TICK)
                service.housekeeping.each_second()
            assert service.housekeeping._snapshot is not None
            await service.housekeeping._snapshot
            assert SnapshotStore(service.folder).load(1 << 60) is not None

    run(step)


def test_trouble_with_snapshots_and_retention_is_only_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def step() -> None:
        async with served(config_in(tmp_path)) as service:
            keeper = service.housekeeping

            def no_save(*_: Any, **__: Any) -> None:
                raise SinkError("no room for it", retryable=True)

            def no_apply(*_: Any, **__: Any) -> None:
                raise OSError(errno.EACCES, "not allowed")

            monkeypatch.setattr(SnapshotUnderWay, "add", no_save)
            monkeypatch.setattr(keeper._retention, "apply", no_apply)
            await keeper._take_snapshot()
            await keeper._let_go()
            assert service.health()[0]

    run(step)
    assert "No snapshot: no room for it" in caplog.text
    assert "could not be deleted" in caplog.text


def test_a_moved_clock_is_in_the_journal_even_if_the_disk_was_full(tmp_path: Path) -> None:
    disk = SmallDisk()
    moved = [0]

    async def step() -> None:
        def wall() -> int:
            return time.time_ns() + moved[0]

        async with served(config_in(tmp_path), disk=disk, wall=wall) as service:
            disk.full = True
            moved[0] = 3600 * SECOND
            service.housekeeping.each_second()
            disk.full = False
            service.housekeeping.each_second()
            moved[0] = 0
            service.housekeeping.each_second()
            service.housekeeping.each_second()

    run(step)
    notes = [
        msgspec.json.decode(batch.payload[row], type=ClockNote)
        for batch in (frame.batch() for frame in JournalReader(tmp_path / "data").read(0))
        for row, kind in enumerate(batch.kind)
        if kind == RecordKind.CLOCK
    ]
    assert [round(note.moved / SECOND) for note in notes] == [3600, -3600]
