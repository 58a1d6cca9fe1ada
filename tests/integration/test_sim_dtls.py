"""``publisher_sim.publishers.dtls``: the simulator's sender against the receiver, and alone."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("OpenSSL", reason="pyOpenSSL is not installed (extra dtls)")

from collector.errors import ConfigError
from collector.wire.udp_notif.dtls import MAX_DATA
from publisher_sim.publishers import dtls
from publisher_sim.publishers.dtls import DtlsPublisher
from publisher_sim.scenario import Receiver, Tls
from tests.integration.test_dtls_receiver import Place, message
from tests.waiting import until

pytestmark = pytest.mark.integration


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def publisher(place: Place, framing: Any = "single", **changed: str) -> DtlsPublisher:
    values = {
        "ca": str(place.ours.file),
        "certificate": str(place.client.certificate),
        "key": str(place.client.key),
        "server_name": "Collector.example",
    } | changed
    receiver = Receiver(transport="dtls", tls=Tls(**values), framing=framing)
    return DtlsPublisher("127.0.0.1", receiver)


@pytest.mark.parametrize("framing", ["single", "counted"])
def test_what_is_sent_before_the_handshake_waits_for_it(place: Place, framing: str) -> None:
    async def run() -> None:
        async with place.listening() as receiver:
            sender = publisher(place, framing)
            for number in range(50):
                sender.send("127.0.0.1", receiver.local_port, message(number)[0])
            await until(lambda: len(place.intake.column("kind")) == 50)
            sender.send("127.0.0.1", receiver.local_port, message(50)[0])
            sender.close()
            sender.close()
            await until(lambda: receiver.stats()["connections"] == 0)
            assert sender.refused == 0
        assert place.intake.column("message_id") == list(range(51))
        assert set(place.intake.column("session")) == {"certificate:core7.example"}

    asyncio.run(run())


@pytest.mark.clause("8639-2.3-a")
def test_datagrams_are_marked_one_by_one(place: Place) -> None:
    async def run() -> None:
        async with place.listening() as receiver:
            sender = publisher(place)
            for number, dscp in enumerate((0, 46, 16)):
                sender.send("127.0.0.1", receiver.local_port, message(number)[0], 1, dscp)
                await until(lambda: len(place.intake.column("kind")) == number + 1)  # noqa: B023
                (road,) = sender._roads.values()
                octet = road._socket.getsockopt(socket.IPPROTO_IP, socket.IP_TOS)
                assert octet >> 2 == dscp
            sender.close()
            assert sender.refused == 0

    asyncio.run(run())


def test_after_a_good_bye_of_the_receiver_there_is_another_handshake(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dtls, "PAUSE_SECONDS", 0.05)

    async def run() -> None:
        async with place.listening(idle_timeout_seconds=0.01) as receiver:
            sender = publisher(place)
            for number in range(2):
                sender.send("127.0.0.1", receiver.local_port, message(number)[0])
                await until(lambda: len(place.intake.column("kind")) == number + 1)  # noqa: B023
                (road,) = sender._roads.values()
                await until(lambda: not road._established)  # noqa: B023
            sender.close()
            assert sender.refused == 0
            assert receiver.refusals.counts == {}

    asyncio.run(run())


@pytest.mark.parametrize("name", ["other.example", "127.0.0.1", "192.0.2.1"])
def test_a_receiver_of_another_name_gets_nothing(place: Place, name: str) -> None:
    async def run() -> None:
        async with place.listening() as receiver:
            sender = publisher(place, server_name=name)
            for number in range(3):
                sender.send("127.0.0.1", receiver.local_port, message(number)[0])
            await until(lambda: sender.refused == 3)
            sender.close()
        assert place.intake.batches == []

    asyncio.run(run())


def test_who_is_not_admitted_gives_up_what_waits(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dtls, "PAUSE_SECONDS", 0.05)

    async def run() -> None:
        async with place.listening() as receiver:
            sender = publisher(place, certificate="", key="")
            sender.send("127.0.0.1", receiver.local_port, message(1)[0])
            await until(lambda: sender.refused == 1)
            sender.send("127.0.0.1", receiver.local_port, message(2)[0])
            await until(lambda: sender.refused == 2)
            sender.close()
            assert receiver.refusals.counts["no-client-certificate"] == 2

    asyncio.run(run())


def test_nobody_listens(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dtls, "HANDSHAKE_SECONDS", 0.0)
    monkeypatch.setattr(dtls, "MOST_QUEUED", 2)

    async def run() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            port = silent.getsockname()[1]
            sender = publisher(place)
            for number in range(4):
                sender.send("127.0.0.1", port, message(number)[0])
            assert sender.refused == 2, "only so many wait"
            await until(lambda: sender.refused == 4)
            sender.send("127.0.0.1", port, message(9)[0])
            sender.close()
            assert sender.refused == 5
            sender.send("::1", port, b"x")
            assert sender.refused == 6, "an address of another family"
            sender.close()

    asyncio.run(run())


def test_what_no_record_can_hold_is_refused(place: Place) -> None:
    async def run() -> None:
        async with place.listening() as receiver:
            sender = publisher(place)
            sender.send("127.0.0.1", receiver.local_port, b"x" * (MAX_DATA + 1))
            sender.send("127.0.0.1", receiver.local_port, message(1)[0])
            await until(lambda: bool(place.intake.batches))
            assert sender.refused == 1
            sender.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("changed", "key"),
    [({"ca": ""}, "ca"), ({"ca": "/nowhere"}, "ca"), ({"certificate": "/nowhere"}, "certificate"),
     ({"key": "/nowhere"}, "key")],
)  # fmt: skip
def test_files_that_cannot_be_used(place: Place, changed: dict[str, str], key: str) -> None:
    with pytest.raises(ConfigError, match=f"receiver.tls.{key}"):
        publisher(place, **changed)
