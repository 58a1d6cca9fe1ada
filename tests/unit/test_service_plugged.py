"""Receivers and sinks of other packages between ours, and what they do wrong."""

from __future__ import annotations

import asyncio
import logging
from array import array
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Struct

from collector.config import Config, parse_config
from collector.errors import ConfigError, SinkError, UsageError
from collector.interfaces import Receiver, Sink
from collector.model import Coded, Octets, ReceivedBatch, RecordKind
from collector.service import plugged, sources
from collector.service.at_restart import at_restart
from collector.service.plugged import PluggedIntake, PluggedReceiver, PluggedSink
from tests.receiver_ends import Clock, Intake


def batch(count: int = 2) -> ReceivedBatch:
    made = ReceivedBatch()
    for number in range(count):
        made.append(1000 + number, RecordKind.DATA, b"x", peer="192.0.2.7")
    return made


def between() -> tuple[PluggedIntake, Intake]:
    intake = Intake()
    return PluggedIntake(intake, Clock(), "acme", 130), intake


# --------------------------------------------------------------------------- what is handed over
def test_records_get_their_transport_and_are_counted() -> None:
    plug, intake = between()
    plug.take(batch())
    assert intake.column("transport") == [130, 130]
    assert plug.messages == 2
    assert plug.unreadable == {}
    asyncio.run(plug.committed(2))


def test_nothing_is_from_the_future() -> None:
    plug, intake = between()
    late = batch()
    late.received_at = array("q", [5, 2**62])
    plug.take(late)
    first, second = intake.column("received_at")
    assert first == 5
    assert second < 2**62


SPOILED: dict[str, Callable[[ReceivedBatch], object]] = {
    "it has no records": lambda one: one.__init__(),  # type: ignore[misc]
    "column port": lambda one: one.port.append(1),
    "column flags": lambda one: setattr(one, "flags", [0, 0]),
    "column media_type has numbers": lambda one: setattr(one, "media_type", array("I", [1, 1])),
    "column peer holds": lambda one: setattr(one, "peer", Coded.of([None, "x"])),
    "column session has codes": lambda one: setattr(
        one, "session", Coded(["x"], array("I", [0, 1]))
    ),
    "column payload is": lambda one: setattr(one, "payload", Octets.of([b"x"])),
    "kind DATA": lambda one: setattr(one, "kind", array("B", [RecordKind.DATA, RecordKind.CONFIG])),
    "times go back": lambda one: setattr(one, "received_at", array("q", [2, 1])),
}


@pytest.mark.parametrize("words", SPOILED)
def test_what_is_no_batch_does_not_reach_the_journal(words: str) -> None:
    plug, intake = between()
    spoiled = batch()
    SPOILED[words](spoiled)
    with pytest.raises(UsageError, match=f"receiver acme handed over what is no batch.*{words}"):
        plug.take(spoiled)
    assert not intake.batches
    assert plug.messages == 0


# --------------------------------------------------------------------------- a receiver
class Wild:
    """Does whatever ``how`` says."""

    def __init__(self, **how: Any) -> None:
        self.how = how

    def _go(self, what: str) -> Any:
        found = self.how.get(what)
        if isinstance(found, Exception):
            raise found
        return found

    async def start(self) -> None:
        self._go("start")

    def drain(self) -> Any:
        return self._go("drain")

    async def stop(self) -> None:
        if self._go("stop") == "never":
            await asyncio.Event().wait()

    def stats(self) -> Any:
        return self._go("stats")

    @property
    def behind(self) -> bool:
        return bool(self.how.get("behind"))

    local_port = 77


def guarded(**how: Any) -> PluggedReceiver:
    return PluggedReceiver(Wild(**how), "wild", between()[0])


def test_it_is_a_receiver_as_ours() -> None:
    one = guarded(behind=True, drain=3, stats={"connections": 2, "messages": 99, "odd": "x"})
    assert one.behind
    assert one.listening
    assert one.local_port == 77
    assert one.drain() == 3
    assert one.stats() == {"connections": 2, "messages": 0}
    assert not getattr(one, "reads_ahead", False)
    assert not hasattr(one, "reload_certificates")
    contract: Any = guarded()
    contract._receiver.reads_ahead = False
    assert isinstance(contract, Receiver)


def test_a_start_that_fails_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r"receiver\.wild: it cannot start: KeyError: 'a'"):
        asyncio.run(guarded(start=KeyError("a")).start())
    with pytest.raises(ConfigError, match=r"^mine$"):
        asyncio.run(guarded(start=ConfigError("mine")).start())
    asyncio.run(guarded().start())


def test_a_drain_that_fails_is_said_once_and_heals(caplog: pytest.LogCaptureFixture) -> None:
    one = guarded(drain=OSError("no\nwire"), behind=True)
    with caplog.at_level(logging.ERROR):
        assert [one.drain() for _ in range(5)] == [0] * 5
    assert caplog.text.count("Receiver wild failed: OSError: no wire") == 1
    assert not one.behind, "it keeps nobody from going on"
    assert not one.listening
    one._receiver.how["drain"] = None
    assert one.drain() == 0
    assert one.listening


def test_counts_that_cannot_be_said_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    assert guarded(stats=RuntimeError()).stats() == {"messages": 0}
    assert guarded(stats=5).stats() == {"messages": 0}
    assert "cannot say what it counts: RuntimeError" in caplog.text


def test_a_stop_that_fails_or_never_ends(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugged, "STOP_SECONDS", 0.01)
    for how in (OSError("gone"), "never"):
        asyncio.run(guarded(stop=how).stop())
    assert "did not stop in good order: OSError: gone" in caplog.text
    assert "did not stop in good order: TimeoutError" in caplog.text


# --------------------------------------------------------------------------- a sink
class Loud:
    """Raises what it is given."""

    name = "loud"

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.calls = error, list[str]()

    def start(self) -> None:
        self.calls.append("start")
        if self.error is not None:
            raise self.error

    def write(self, said: Any) -> None:
        self.calls.append("write")

    def flush(self) -> None:
        self.calls.append("flush")

    def stop(self) -> None:
        self.calls.append("stop")


def test_a_sink_is_passed_through_and_its_start_said() -> None:
    loud = Loud()
    one = PluggedSink(loud, "loud")
    said: Any = None
    one.start()
    one.write(said)
    one.flush()
    one.stop()
    assert loud.calls == ["start", "write", "flush", "stop"]
    assert isinstance(one, Sink)
    with pytest.raises(SinkError, match="output loud cannot start: ValueError: x"):
        PluggedSink(Loud(ValueError("x")), "loud").start()
    with pytest.raises(SinkError, match=r"^mine$"):
        PluggedSink(Loud(SinkError("mine", retryable=False)), "loud").start()


# --------------------------------------------------------------------------- what is built
class Keys(Struct, frozen=True):
    """Of both."""

    fails: bool = False


class Made:
    """A plug-in of either kind."""

    settings = Keys
    name = "made"

    def __init__(self, *given: Any, fails: bool, **wanted: Any) -> None:
        if fails:
            raise ValueError("as asked")
        self.given, self.wanted = given, wanted


@pytest.fixture(autouse=True)
def _made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.sections.plugins.load", lambda kind, name: Made)
    monkeypatch.setattr(sources, "receiver_class", lambda name: Made)
    monkeypatch.setattr(sources, "sink_class", lambda name: Made)


def receivers(text: str) -> list[Any]:
    config = parse_config("[udp_notif]\nenabled = false\n" + text)
    return list(sources.receivers_of(config, Intake(), Clock(), opened="socket"))


def test_receivers_get_what_they_want_and_a_number_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Made, "wants", {"quirks", "opened"}, raising=False)
    text = "[receiver.b]\n[receiver.a]\n[receiver.c]\nenabled = false\n"
    first, second = receivers(text)
    assert (first.name, second.name) == ("a", "b")
    assert first.wanted == {"quirks": {}, "opened": "socket"}
    assert sources.transports_of(parse_config(text)) == {128: "a", 129: "b"}
    assert sources.where(parse_config("[receiver.a]\naddress = 'x'"), first) == "a"
    first._receiver.local_port, first._receiver.title = 5, "A"
    assert sources.where(parse_config("[receiver.a]\naddress = 'x'"), first) == "x port 5 (A)"


def test_one_that_wants_what_nobody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Made, "wants", {"journal"}, raising=False)
    with pytest.raises(ConfigError, match=r"receiver made wants journal .*strict_sources"):
        receivers("[receiver.a]")


def test_one_that_cannot_be_made_says_its_section() -> None:
    with pytest.raises(ConfigError, match=r"receiver\.a: it cannot be made: ValueError: as asked"):
        receivers("[receiver.a]\nfails = true")
    with pytest.raises(ConfigError, match=r"sink\.s: it cannot be made: ValueError: as asked"):
        list(sources.sinks_of(parse_config("[sink.s]\nfails = true")))
    assert [one.name for one in sources.sinks_of(parse_config("[sink.s]"))] == ["s"]


def test_there_are_so_many_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    most = Config(receivers={f"r{number}": {} for number in range(sources.MOST)})
    assert max(sources.transports_of(most)) <= 255
    one_more = Config(receivers=most.receivers | {"x": {}})
    with pytest.raises(ConfigError, match="more than"):
        sources.transports_of(one_more)


def test_a_reload_says_what_waits_for_the_next_start() -> None:
    before = parse_config("[receiver.a]\nx = 1\ny = 2\n[sink.s]\n")
    after = parse_config("[receiver.a]\nx = 1\ny = 3\n[receiver.b]\n")
    assert at_restart(before, after) == ["receiver.a.y", "receiver.b", "sink.s"]
