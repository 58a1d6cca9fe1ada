"""``receivers.dtls`` on real loopback sockets, and against ``openssl s_client``."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("OpenSSL", reason="pyOpenSSL is not installed (extra dtls)")

from collector.core.assembly.segments import ReassemblyLimits
from collector.errors import ConfigError
from collector.model import SECOND, Quirk, ReceivedBatch, RecordKind
from collector.receivers.dtls import DtlsReceiver
from collector.wire.udp_notif.datagrams import encode_message
from collector.wire.udp_notif.dtls import frame
from tests.certificates import Authority
from tests.dtls_ends import SocketClient, client_context
from tests.receiver_ends import Clock, Intake
from tests.vectors import udp_notif as vectors
from tests.waiting import until

pytestmark = pytest.mark.integration


class Place:
    """An authority, and what the receiver and a publisher show."""

    def __init__(self, folder: Path) -> None:
        self.ours = Authority(folder, "Our authority")
        self.server = self.ours.issue("collector", dns=["collector.example"])
        self.client = self.ours.issue("core7", dns=["core7.example"])
        self.intake = Intake()

    @contextlib.asynccontextmanager
    async def listening(self, **options: Any) -> AsyncIterator[DtlsReceiver]:
        given = {
            "port": 0,
            "certificate_file": str(self.server.certificate),
            "key_file": str(self.server.key),
            "client_ca_file": str(self.ours.file),
        } | options
        receiver = DtlsReceiver(self.intake, Clock(), **given)
        await receiver.start()
        try:
            yield receiver
        finally:
            await receiver.stop()

    def connect(self, receiver: DtlsReceiver) -> SocketClient:
        made = SocketClient(client_context(self.ours.file, self.client), receiver.local_port)
        made.shake_hands()
        return made


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def message(number: int, payload: bytes = b"{}", **options: Any) -> list[bytes]:
    return encode_message(payload, media_type=1, publisher_id=3, message_id=number, **options)


# --------------------------------------------------------------------------- messages
def test_every_column_of_a_message(place: Place) -> None:
    async def run() -> None:
        async with place.listening() as receiver:
            client = await asyncio.to_thread(place.connect, receiver)
            with client:
                client.send(vectors.A3)
                await until(lambda: bool(place.intake.batches))
                assert receiver.stats()["connections"] == 1
                port = client.socket.getsockname()[1]
        (batch,) = place.intake.batches
        row = {name: list(getattr(batch, name)) for name in ReceivedBatch.__slots__}
        assert abs(row.pop("received_at")[0] - time.time_ns()) < 60 * SECOND
        assert row == {
            "kind": [RecordKind.DATA], "transport": [1], "session": ["certificate:core7.example"],
            "peer": ["127.0.0.1"], "port": [port], "version": [1], "flags": [2],
            "media_type": [1], "publisher_id": [2], "message_id": [1563], "segments": [1],
            "options": [b""], "payload": [vectors.A3_PAYLOAD],
        }  # fmt: skip
        assert receiver.refusals.counts == {}

    asyncio.run(run())


def test_what_one_read_decrypts_is_one_batch(place: Place) -> None:
    async def run() -> None:
        async with place.listening() as receiver:
            clients = [await asyncio.to_thread(place.connect, receiver) for _ in range(3)]
            parts = [message(n, b"x" * 90, max_segment_size=60) for n in range(3)]
            for segments in zip(*parts, strict=True):
                for client, segment in zip(clients, segments, strict=True):
                    client.send(segment)
            receiver.drain()
            (batch,) = place.intake.batches
            assert list(batch.message_id) == [0, 1, 2]
            assert list(batch.segments) == [3, 3, 3]
            assert len(set(batch.port)) == 3
            for client in clients:
                client.socket.close()

    asyncio.run(run())


@pytest.mark.parametrize("framing", ["auto", "counted"])
def test_several_messages_in_a_record_behind_their_lengths(place: Place, framing: str) -> None:
    async def run() -> None:
        async with place.listening(framing=framing) as receiver:
            client = await asyncio.to_thread(place.connect, receiver)
            with client:
                (record,) = frame([message(n)[0] for n in range(4)], "counted")
                client.send(record)
                client.send(b"99 " + vectors.EMPTY)
                await until(lambda: RecordKind.REJECTED in place.intake.column("kind"))
        assert place.intake.column("message_id") == [0, 1, 2, 3, 0]
        assert place.intake.column("session") == ["certificate:core7.example"] * 5
        assert receiver.stats()["rejected/bad-framing"] == 1

    asyncio.run(run())


def test_half_built_messages_and_refused_ones_name_the_certificate(place: Place) -> None:
    async def run() -> None:
        limits = ReassemblyLimits(notice=SECOND // 20, window=SECOND)
        async with place.listening(limits=limits) as receiver:
            client = await asyncio.to_thread(place.connect, receiver)
            with client:
                client.send(vectors.SEGMENT_0)
                client.send(b"?")
                await until(lambda: len(place.intake.column("kind")) == 2)
        assert sorted(place.intake.column("kind")) == [1, 2]
        assert place.intake.column("session") == ["certificate:core7.example"] * 2
        assert place.intake.column("peer") == ["127.0.0.1"] * 2

    asyncio.run(run())


def test_quirks_go_by_certificate(place: Place) -> None:
    async def run() -> None:
        quirks = {"certificate:core7.example": {Quirk.LAST_FLAG_IN_TOP_BIT}}
        strict = {"certificate:core7.example"}
        async with place.listening(quirks=quirks, strict_sources=strict) as receiver:
            client = await asyncio.to_thread(place.connect, receiver)
            with client:
                for one in (vectors.OPTIONS, vectors.ARRCUS_0, vectors.ARRCUS_1):
                    client.send(one)
                client.send(vectors.ARRCUS_2_LAST)
                await until(lambda: len(place.intake.column("kind")) == 2)
        assert sorted(place.intake.column("kind")) == [0, 2]
        assert b"abc" in place.intake.column("payload")
        assert receiver.stats()["rejected/unknown-option"] == 1

    asyncio.run(run())


# --------------------------------------------------------------------------- sessions
def test_a_stop_says_good_bye(place: Place) -> None:
    async def run() -> None:
        async with place.listening() as receiver:
            client = await asyncio.to_thread(place.connect, receiver)
            client.send(message(1)[0])
        with client:
            assert client.closed()
        assert place.intake.column("message_id") == [1], "what waited was handed over"
        await receiver.stop()
        assert receiver.drain() == 0

    asyncio.run(run())


def test_handshakes_survive_a_lost_datagram(place: Place) -> None:
    """The receiver's first answer with state is lost; its timer says it again after a second."""

    async def run() -> None:
        async with place.listening() as receiver:
            lost = []
            send = receiver._send

            def lossy() -> None:
                assert receiver._sessions is not None
                if receiver._sessions.half_open and not lost:
                    lost.extend(receiver._sessions.take_outgoing())
                send()

            receiver._send = lossy  # type: ignore[method-assign]  # the network of a test
            client = await asyncio.to_thread(place.connect, receiver)
            assert lost
            client.socket.close()

    asyncio.run(run())


def test_ipv4_publishers_reach_a_socket_for_both(place: Place) -> None:
    async def run() -> None:
        try:
            async with place.listening(address="::") as receiver:
                client = await asyncio.to_thread(place.connect, receiver)
                with client:
                    client.send(message(7)[0])
                    await until(lambda: bool(place.intake.batches))
        except ConfigError as error:
            pytest.skip(f"no IPv6 here: {error}")
        assert place.intake.column("peer") == ["127.0.0.1"]

    asyncio.run(run())


def test_files_that_cannot_be_used_are_named_at_the_start(place: Place) -> None:
    async def run() -> None:
        with pytest.raises(ConfigError, match=r"dtls\.client_ca_file"):
            async with place.listening(client_ca_file=str(place.server.key)):
                pass

    asyncio.run(run())


# --------------------------------------------------------------------------- an outside judge
@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command here")
def test_s_client_delivers_a_message(place: Place) -> None:
    payload = b'{"by":"s_client"}\n'
    (datagram,) = message(42, payload)

    def client(port: int, *shown: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{port}", "-quiet",
             "-verify_return_error", "-no_ign_eof", "-CAfile", str(place.ours.file), *shown],
            input=datagram, capture_output=True, timeout=20, check=False,
        )  # fmt: skip

    async def run() -> None:
        async with place.listening() as receiver:
            shown = ("-cert", str(place.client.certificate), "-key", str(place.client.key))
            await asyncio.to_thread(client, receiver.local_port, *shown)
            await until(lambda: bool(place.intake.batches))
            assert place.intake.column("payload") == [payload]
            assert place.intake.column("session") == ["certificate:core7.example"]
            await until(lambda: receiver.stats()["connections"] == 0)
            await asyncio.to_thread(client, receiver.local_port)
            assert receiver.refusals.counts == {"no-client-certificate": 1}
        assert len(place.intake.batches) == 1

    asyncio.run(run())
