"""The daemon and the one-shot in this process: signals, durations, what is said when it fails."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from collector import fast
from collector.config import Config, read_config_table
from collector.core.on_change.patch_ids import Patched, PatchIds
from collector.core.on_change.sync_state import Missed
from collector.core.subscriptions.never_sent import Waiting
from collector.core.views import Declaration, OriginatorState
from collector.errors import PeerError, UsageError
from collector.model import SECOND, CollectorTime, DeviceTime, NotificationKind
from collector.service import device_rows, memory, running
from collector.service.gauges import refresh
from collector.service.printing import PrintingSink
from collector.service.silence import Silence
from collector.subscriber.states import DevicePhase, SubscriptionPhase, SubscriptionState
from tests.helpers import changed, terms, update
from tests.unit.test_service_whole import config_in, served


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Log levels and the cycle collector are the process's: put them back."""
    names = ("asyncssh", "ncclient", "collector.subscriber")
    levels = {name: logging.getLogger(name).level for name in names}
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def signal_when(condition: Any, number: signal.Signals = signal.SIGTERM) -> threading.Thread:
    """Send ourselves a signal once ``condition()`` holds and somebody listens to it.

    A signal that nobody handles would end the whole test process.
    """
    nobody = signal.getsignal(number)

    def wait() -> None:
        pause = threading.Event()
        while signal.getsignal(number) is nobody or not condition():
            pause.wait(0.01)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def test_the_daemon_runs_until_a_signal(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    config = config_in(tmp_path)
    signal_when(lambda: "Listening on" in caplog.text)
    assert running.run(config, reload_from=lambda: config) == 0
    assert "Stopped; everything" in caplog.text
    assert f"The hot functions are {fast.PATH}." in caplog.text


def test_a_signal_before_the_start_is_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)

    async def endless(self: Any) -> int:
        await asyncio.Event().wait()
        return 0

    monkeypatch.setattr("collector.service.lifecycle.Service._recover", endless)
    signal_when((tmp_path / "data" / "store").is_dir, signal.SIGINT)
    assert running.run(config_in(tmp_path)) == 0
    assert "Listening on" not in caplog.text
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    signal_when(lambda: any(tmp_path.glob("collector-*/store")))
    assert running.subscribe_once(config_in(tmp_path), duration_seconds=60, json_output=True) == 0


def test_the_memory_settings_are_large(tmp_path: Path) -> None:
    memory.settle()
    assert gc.get_threshold()[0] == memory.YOUNG
    assert gc.get_freeze_count() > 0


def test_a_c_library_without_such_a_heap_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_ARENA_MAX", "7")  # whoever set it knows why
    memory.one_heap()
    monkeypatch.setattr("ctypes.CDLL", lambda name: SimpleNamespace())
    memory.one_heap()
    assert os.environ["MALLOC_ARENA_MAX"] == "7"


# --------------------------------------------------------------------------- one shot
def one_device(tmp_path: Path, port: int) -> Config:
    device = {
        "name": "core7",
        "sources": ["192.0.2.7"],
        "netconf": {"host": "127.0.0.1", "port": port, "username": "u", "password_env": "PATH"},
    }
    wanted = {"name": "s", "xpath": "/ietf-interfaces:interfaces", "period_seconds": 1}
    table: dict[str, Any] = {
        "collector": {"data_dir": str(tmp_path / "data")},
        "udp_notif": {"port": 0},
        "metrics": {"enabled": False},
        "device": [device],
        "subscription": [wanted],
    }
    return read_config_table(table, file="one.toml")


def test_the_one_shot_ends_when_its_time_is_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = config_in(tmp_path)
    assert running.subscribe_once(config, duration_seconds=0.3, json_output=False) == 0
    assert "Listening on 127.0.0.1" in capsys.readouterr().err
    assert not (tmp_path / "data").exists(), "nothing is kept"


def test_the_one_shot_ends_at_a_signal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = config_in(tmp_path)
    heard: list[str] = []

    def listening() -> bool:
        heard.append(capsys.readouterr().err)
        return any("Listening" in text for text in heard)

    signal_when(listening)
    assert running.subscribe_once(config, duration_seconds=None, json_output=False) == 0


def test_the_one_shot_ends_when_nobody_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PrintingSink, "write", lambda self, _: setattr(self, "unread", True))
    config = one_device(tmp_path, 1)
    assert running.subscribe_once(config, duration_seconds=None, json_output=True) == 0


def test_a_device_that_cannot_be_reached_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = one_device(tmp_path, 1)
    with pytest.raises(PeerError, match=r"127\.0\.0\.1:1 refused the connection"):
        running.subscribe_once(config, duration_seconds=1.0, json_output=False)
    said = [line for line in capsys.readouterr().err.splitlines() if "tried again" in line]
    assert len(said) == 1
    assert said[0].startswith("collector: 127.0.0.1:1 refused the connection")


def state(phase: str, *subscriptions: str) -> SimpleNamespace:
    ones = [SimpleNamespace(phase=word, reason="no such filter") for word in subscriptions]
    return SimpleNamespace(name="core7", phase=phase, reason="why", subscriptions=ones)


@pytest.mark.parametrize(
    ("states", "problem"),
    [
        ([], ("", True)),
        ([state("up", "active")], ("", True)),
        ([state("waiting")], ("why", True)),
        ([state("refused")], ("why", False)),
        (
            [state("up", "active", "refused")],
            ("core7 refused the subscription: no such filter", False),
        ),
        ([state("up", "terminated")], ("core7: no such filter", True)),
        ([state("up", "suspended", "completed")], ("", True)),
    ],
)
def test_what_keeps_a_subscription_from_being_there(
    states: list[SimpleNamespace], problem: tuple[str, bool]
) -> None:
    service: Any = SimpleNamespace(manager=SimpleNamespace(states=lambda: states))
    assert running._problem(service) == problem


def test_a_refusal_ends_the_one_shot_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    service: Any = SimpleNamespace(manager=SimpleNamespace(states=lambda: [state("refused")]))
    assert asyncio.run(running._wait(service, asyncio.Event(), None, PrintingSink())) == "why"


def test_what_is_doubted_of_a_subscription_is_said_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    service: Any = SimpleNamespace(manager=SimpleNamespace(states=lambda: [state("up", "active")]))
    assert asyncio.run(running._wait(service, asyncio.Event(), 0.5, PrintingSink())) == ""
    assert capsys.readouterr().err == "collector: core7: no such filter\n"
    service = SimpleNamespace(manager=SimpleNamespace(states=lambda: [state("up", "pending")]))
    assert running._remarks(service) == frozenset()


# --------------------------------------------------------------------------- what is shown
def test_generators_are_shown_with_what_is_known_of_them(tmp_path: Path) -> None:
    heard = OriginatorState(
        device="core7",
        subscription_name="",
        subscription_id=9,
        generator="101",
        last_arrival=CollectorTime(1_800_000_000 * SECOND),
        lag=1_234_567_890,
        clock_shift=0,
        arc_start=0,
        arc_end=1,
        usual_count=3,
        counter="192.0.2.7 101",
        scope="header",
        required=True,
        missing=False,
        odd_times=0,
        absurd_times=0,
    )
    row = device_rows._generator(heard)
    assert row["subscription"] == 9
    assert row["last_arrival"] == "2027-01-15T08:00:00.000Z"
    assert row["lag_seconds"] == 1.235
    json.dumps(row)


def test_devices_with_and_without_subscriptions(tmp_path: Path) -> None:
    async def step() -> None:
        async with served(one_device(tmp_path, 1)) as service:
            rows = device_rows.devices(service)["devices"]
            assert [row["device"] for row in rows] == ["core7"]
            session = SimpleNamespace(
                name="core7",
                phase=DevicePhase.UP,
                reason="",
                last_failure="it fell silent",
                since=0,
                next_try=None,
                subscriptions=[
                    SubscriptionState(
                        *("s", SubscriptionPhase.ACTIVE, 7, "every 60 s", CollectorTime(0)),
                        *(None, DeviceTime(0)),
                    ),
                    SubscriptionState(
                        *("t", SubscriptionPhase.PENDING, None, "", CollectorTime(0)),
                        *(CollectorTime(10**9), None),
                    ),
                ],
            )
            lists = device_rows._Lists([Declaration("core7", "s", 7, 2, ("3",), ())])
            row, other = device_rows._subscriptions(
                session, lists, Silence(service, 0), 600 * SECOND
            )  # type: ignore[arg-type]  # shape
            assert (row["declared"], row["not_declared"]) == (2, ["3"])
            assert (other["declared"], other["not_declared"]) == (None, [])
            assert (row["subscription"], row["state"], row["id"]) == ("s", "active", 7)
            assert row["why"] == "every 60 s; ends at 1970-01-01T00:00:00Z"
            assert other["why"] == "asked again at 1970-01-01T00:00:01Z"
            assert row["reason"] == "before: it fell silent"
            del session.subscriptions[1]
            after = device_rows._subscriptions(session, lists, Silence(service, 0), 600 * SECOND)  # type: ignore[arg-type]  # shape
            assert after[0]["reason"] == ""
            session.phase, session.reason = DevicePhase.WAITING, "core7 refused the connection"
            session.next_try = CollectorTime(10**9)
            for calls, again in ((False, "; tried again at 1970-01-01T00:00:01Z"), (True, "")):
                (row, *_) = device_rows._subscriptions(
                    session, lists, Silence(service, 0), 0, calls
                )  # type: ignore[arg-type]  # shape
                assert row["reason"] == f"core7 refused the connection{again}"
            service.pipeline.counts.rejected["bad-json"] = 4
            refresh(service)
            assert service.counters.messages_rejected[("bad-json",)] == 4
            assert service.counters.sessions_up[("core7",)] == 0

    asyncio.run(step())


def test_a_receiver_that_counts_other_things(tmp_path: Path) -> None:
    async def step() -> None:
        async with served(config_in(tmp_path)) as service:
            other: Any = SimpleNamespace(
                name="other",
                stats=lambda: {"datagrams": 5, "rejected/odd": 2, "discarded/late": 3, "odd/": 1},
                drain=lambda: 0,
                stop=lambda: None,
            )
            service.receivers.append(other)
            refresh(service)
            assert service.counters.datagrams_received == 5
            assert service.counters.datagrams_rejected[("odd",)] == 2
            assert service.counters.segments_discarded[("late",)] == 3
            service.receivers.remove(other)

    asyncio.run(step())


def test_a_device_that_only_sends_is_listed_before_it_was_heard(tmp_path: Path) -> None:
    table: dict[str, Any] = {
        "collector": {"data_dir": str(tmp_path / "data")},
        "udp_notif": {"port": 0},
        "metrics": {"enabled": False},
        "device": [{"name": "edge1", "sources": ["192.0.2.8"]}],
    }

    async def step() -> None:
        async with served(read_config_table(table, file="one.toml")) as service:
            (row,) = device_rows.devices(service)["devices"]
            assert (row["device"], row["session"]) == ("edge1", None)
            assert row["reason"] == "nothing was heard of it yet"
            heard = update(1.0, device="edge1")
            service.pipeline.engine.receive(heard, heard.arrival)
            (row,) = device_rows.devices(service)["devices"]
            assert row["reason"] == "listened to only"

    asyncio.run(step())


def test_what_is_expected_and_not_declared_is_shown(tmp_path: Path) -> None:
    table: dict[str, Any] = {
        "collector": {"data_dir": str(tmp_path / "data")},
        "udp_notif": {"port": 0},
        "metrics": {"enabled": False},
        "device": [{"name": "edge1", "sources": ["192.0.2.8"]}],
        "known_subscription": [{"id": 1, "name": "ports", "expect": ["1", "3"]}],
    }

    async def step() -> None:
        async with served(read_config_table(table, file="one.toml")) as service:
            start = changed(
                1.0, NotificationKind.SUBSCRIPTION_STARTED, generators=("1", "2"), terms=terms(10),
                device="edge1",
            )  # fmt: skip
            service.pipeline.engine.receive(start, start.arrival)
            answer = device_rows.devices(service)
            (row,) = answer["devices"]
            assert (row["declared"], row["not_declared"]) == (2, ["3"])
            assert [
                (one["generator"], one["required"], one["declared"], one["expected"])
                for one in answer["generators"]
            ] == [("1", True, True, True), ("2", False, True, False), ("3", True, False, True)]
            refresh(service)
            assert service.counters.generators_not_declared["edge1", "ports"] == 1
            assert service.counters.generators_unannounced["edge1", "ports"] == 0
            end = changed(2.0, NotificationKind.SUBSCRIPTION_TERMINATED, device="edge1")
            service.pipeline.engine.receive(end, end.arrival)
            refresh(service)
            assert not service.counters.generators_not_declared.items()

    asyncio.run(step())


def test_the_cycle_collector_looks_at_everything_when_it_is_calm_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[int] = []
    monkeypatch.setattr(gc, "collect", lambda *_: looks.append(records))
    tidying, records = memory.Tidying(), 0

    def pass_seconds(seconds: int, each: int) -> None:
        nonlocal records
        for _ in range(seconds):
            records += each
            tidying.each_second(records)

    pass_seconds(memory.CALM_SECONDS + 100, memory.CALM)
    assert not looks  # never a second with less
    pass_seconds(1, memory.CALM - 1)
    assert looks == [records]
    pass_seconds(memory.BUSY_SECONDS, memory.CALM)
    assert looks[1:] == [records]
    del looks[:]
    tidying.each_second(records + memory.CALM, memory.SESSIONS)
    assert not looks
    tidying.each_second(records + memory.CALM, memory.SESSIONS)
    assert len(looks) == 1
    tidying.each_second(records + 2 * memory.CALM, memory.SESSIONS + memory.SESSIONS_ANYWAY)
    assert len(looks) == 2


def test_nothing_but_that_makes_it_look_at_everything() -> None:
    memory.settle()
    assert gc.get_threshold()[2] == 2**31 - 1


def test_a_stop_time_in_the_past_is_refused_before_anybody_is_asked() -> None:
    """What was kept can still be asked for."""
    wanted = {"name": "s", "devices": ["*"], "stream": "NETCONF"}
    wanted["stop_time"] = "2020-01-01T00:00:00Z"
    kept = read_config_table({"subscription": [wanted | {"replay_seconds": 60}]}, file="test")
    running._refuse_what_is_over(kept)
    over = read_config_table({"subscription": [wanted]}, file="test")
    with pytest.raises(UsageError, match=r"--stop-time 2020-01-01T00:00:00Z has passed"):
        running.subscribe_once(over, duration_seconds=1.0, json_output=False)


def test_a_loss_of_nobody_in_particular_is_a_row_only_while_it_is_one() -> None:
    """A sender that was never heard in the subscription: its row would say nothing once healed."""
    ids = PatchIds()
    lost = Missed(CollectorTime(SECOND), 1, "core7", 7, 3, "lc1", -1, "Message IDs began anew")
    engine = SimpleNamespace(devices=list, running=lambda name: [])
    pipeline = SimpleNamespace(engine=engine, patches=SimpleNamespace(ids=ids))
    parts: Any = SimpleNamespace(pipeline=pipeline)
    ids.receive([lost], 9 * SECOND)
    assert [row["generator"] for row in device_rows._on_change(parts)] == [""]
    ids.receive([Patched(CollectorTime(10 * SECOND), 2, "core7", 7, 3, "lc1", None, 10 * SECOND)])
    assert [row["generator"] for row in device_rows._on_change(parts)] == ["lc1"]


def silent_service(**unknown: int) -> Any:
    """A service with subscription 7 of core7 that never sent, and 8 that sends empty updates."""
    waiting = [
        Waiting("core7", "s", 7, 1, 0, 20 * SECOND, None, said="never_sent"),
        Waiting("core7", "t", 8, 2, 0, 20 * SECOND, None, said="never_sent", empty=3),
        Waiting("core7", "u", 9, 3, 0, 20 * SECOND, 20 * SECOND),
        Waiting("core7", "n", 10, 4, 0, 20 * SECOND, None, said="never_sent"),
    ]
    wanted = {"name": "n", "stream": "NETCONF", "transport": "netconf"}
    never = SimpleNamespace(waiting={one.revision: one for one in waiting})
    counts = SimpleNamespace(unknown_sources=unknown)
    pipeline = SimpleNamespace(hearing=SimpleNamespace(never=never), counts=counts)
    return SimpleNamespace(pipeline=pipeline, config=read_config_table({"subscription": [wanted]}))


def test_what_never_sent_is_said_with_the_likely_reason() -> None:
    silence = Silence(silent_service(), 60 * SECOND)
    assert silence.of("core7", 7) == (
        "never sent, for 60 s: does its filter select nothing there, or does it push to another"
        " address or port than the collector listens on?"
    )
    assert silence.of("core7", 8).startswith("empty updates only, for 60 s: its filter selects")
    assert silence.of("core7", 10).endswith("does its filter select nothing there?")
    assert silence.at_the_end()[0].startswith("core7: nothing came in 60 s: does its filter")
    assert len(silence.at_the_end()) == 3, "one of four sends empty updates"
    assert [silence.of("core7", None), silence.of("core7", 9), silence.of("core8", 7)] == [""] * 3


def test_unknown_senders_are_the_likely_reason() -> None:
    one = Silence(silent_service(**{"192.0.2.9": 3}), 60 * SECOND).of("core7", 7)
    assert one.endswith("send from 192.0.2.9? No device has this address in its sources")
    senders = {"192.0.2.1": 1, "192.0.2.2": 5, "192.0.2.3": 3, "192.0.2.4": 4}
    more = Silence(silent_service(**senders), 60 * SECOND).of("core7", 7)
    assert "send from 192.0.2.2, 192.0.2.4, 192.0.2.3? No device has these addresses" in more
    in_session = Silence(silent_service(**senders), 60 * SECOND).of("core7", 10)
    assert "192.0.2" not in in_session
