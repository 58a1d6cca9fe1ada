"""The gRPC dial-out receiver with a real client: methods, chunks, TLS, flow control."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from collector.errors import ConfigError
from collector.model import MediaType, Transport
from collector.receivers.dialout import front as grpc_front
from collector.receivers.dialout import read_ahead
from collector.receivers.grpc_dialout import GrpcDialoutReceiver
from collector.wire.dialout import streams as dialout
from tests.certificates import Authority, Issued
from tests.grpc_client import channel, framed, publish, send
from tests.receiver_ends import Clock, Intake
from tests.waiting import until

pytestmark = pytest.mark.integration
GPB = b"\x0a\x02r1\x1a\x017"
"""Cisco ``Telemetry`` of node r1, subscription 7."""


@asynccontextmanager
async def receiving(
    intake: Intake, **options: Any
) -> AsyncIterator[tuple[GrpcDialoutReceiver, str]]:
    """A receiver, and its address."""
    given: dict[str, Any] = {"plaintext": True} | options
    receiver = GrpcDialoutReceiver(intake, Clock(), port=0, **given)
    await receiver.start()
    try:
        yield receiver, f"127.0.0.1:{receiver.local_port}"
    finally:
        await receiver.stop()


def test_every_method_and_encoding() -> None:
    async def run() -> Intake:
        intake = Intake()
        async with receiving(intake) as (receiver, target):
            assert receiver.listening
            await asyncio.to_thread(publish, target, [GPB, b'{"node_id_str":"r1"}'])
            for method in (dialout.DATA_PUBLISH, dialout.DATA_PUBLISH_OLD):
                huawei = [b"\x12\x03\x0a\x01h", b"\x22\x02{}"]
                await asyncio.to_thread(send, target, huawei, method=method)
            assert receiver.stats()["messages"] == 6
        assert not receiver.listening
        return intake

    intake = asyncio.run(run())
    assert intake.column("payload") == [
        GPB, b'{"node_id_str":"r1"}', *[b"\x0a\x01h", b"{}"] * 2,
    ]  # fmt: skip
    assert intake.column("media_type") == [
        MediaType.CISCO_GPB, MediaType.CISCO_JSON,
        *[MediaType.HUAWEI_GPB, MediaType.HUAWEI_JSON] * 2,
    ]  # fmt: skip
    assert set(intake.column("transport")) == {Transport.GRPC_DIALOUT}
    assert set(intake.column("peer")) == {"127.0.0.1"}
    assert set(intake.column("session")) == {""}
    assert set(intake.column("flags")) == {0}
    assert all(intake.column("port"))


def test_ipv6() -> None:
    async def run() -> list[Any]:
        intake = Intake()
        async with receiving(intake, address="::1") as (receiver, _):
            await asyncio.to_thread(publish, f"[::1]:{receiver.local_port}", [GPB])
        return intake.column("peer")

    assert asyncio.run(run()) == ["::1"]


def test_another_method_is_not_implemented() -> None:
    async def run() -> None:
        async with receiving(Intake()) as (_, target):
            with pytest.raises(grpc.RpcError) as refused:
                await asyncio.to_thread(publish, target, [GPB], method="/gnmi.gNMI/Subscribe")
            assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED

    asyncio.run(run())


def test_chunks_are_put_together() -> None:
    payload = b"{" + b"x" * 3000 + b"}"

    async def run() -> Intake:
        intake = Intake()
        async with receiving(intake) as (_, target):
            pieces = dialout.encode_cisco(payload, 1, piece=700)
            assert len(pieces) == 5
            await asyncio.to_thread(send, target, [*pieces, *pieces])
        return intake

    assert asyncio.run(run()).column("payload") == [payload] * 2


def test_what_is_no_telemetry_ends_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> tuple[Intake, dict[str, int]]:
        intake = Intake()
        async with receiving(intake, max_message_bytes=98_304) as (receiver, target):
            with pytest.raises(grpc.RpcError) as refused:
                await asyncio.to_thread(send, target, [framed(GPB), b"\xff\xff"])
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            await asyncio.to_thread(
                send, target,
                [framed(b"x" * 98_305), b"\x12\x01a\x20\x09", framed(GPB), b"\x1a\x04oops"],
            )  # fmt: skip
            with pytest.raises(grpc.RpcError) as refused:
                await asyncio.to_thread(send, target, [framed(b"x" * 200_000)])
            assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            return intake, receiver.stats()

    intake, stats = asyncio.run(run())
    assert intake.column("payload") == [GPB]
    assert stats["rejected/bad-gpb"] == stats["rejected/too-long"] == 1
    assert stats["rejected/bad-chunk"] == stats["rejected/device-error"] == 1
    assert "'oops'" in caplog.text


def test_streams_are_bounded() -> None:
    async def run() -> dict[str, int]:
        async with receiving(Intake(), max_streams=1) as (receiver, target):
            stay = threading.Event()

            def first() -> Iterator[bytes]:
                yield framed(GPB)
                stay.wait(20)

            staying = asyncio.create_task(asyncio.to_thread(send, target, first()))
            await until(lambda: receiver.streams == 1)
            with pytest.raises(grpc.RpcError) as refused:
                await asyncio.to_thread(publish, target, [GPB])
            assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            stay.set()
            await staying
            return receiver.stats()

    assert asyncio.run(run())["refused/too-many-streams"] == 1


# --------------------------------------------------------------------------- flow control
class Flood:
    """A stream of 4,000 messages of 10,000 octets; counts what the library took from it."""

    def __init__(self) -> None:
        self.sent = 0
        self.stop = False

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(4000):
            if self.stop:
                return
            self.sent += 1
            yield framed(GPB + b"\x72" + b"\x90\x4e" + b"x" * 10_000)


async def still(flood: Flood) -> int:
    """How much was sent when nothing more goes."""
    async with asyncio.timeout(20):
        while True:
            before = flood.sent
            await asyncio.sleep(0.3)
            if before and flood.sent == before:
                return before


def test_a_full_intake_stops_the_device() -> None:
    async def run() -> None:
        intake, flood = Intake(), Flood()
        intake.full = True
        async with receiving(intake) as (receiver, target):
            sending = asyncio.create_task(asyncio.to_thread(send, target, flood))
            sent = await still(flood)
            assert sent < 2000, "windows of sockets and of the library are all that is filled"
            assert receiver.behind
            intake.full = False
            await until(lambda: flood.sent > sent)
            flood.stop = True
            await sending
            assert not receiver.behind
        assert len(intake) == flood.sent

    asyncio.run(run())


def test_no_more_than_the_window_is_ahead_of_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead, "AHEAD_RECORDS", 50)

    async def run() -> None:
        intake, flood = Intake(), Flood()
        intake.gate.clear()
        async with receiving(intake) as (_, target):
            sending = asyncio.create_task(asyncio.to_thread(send, target, flood))
            await still(flood)
            assert len(intake) == 50
            flood.stop = True
            intake.gate.set()
            await sending
        assert len(intake) == flood.sent

    asyncio.run(run())


def test_a_stream_ends_when_all_of_it_is_safe() -> None:
    async def run() -> None:
        intake = Intake()
        intake.gate.clear()
        async with receiving(intake) as (_, target):
            sending = asyncio.create_task(asyncio.to_thread(publish, target, [GPB]))
            await until(lambda: len(intake) == 1)
            await asyncio.sleep(0.2)
            assert not sending.done()
            intake.gate.set()
            await sending

    asyncio.run(run())


def test_many_streams_make_one_batch() -> None:
    async def run() -> Intake:
        intake = Intake()
        async with receiving(intake) as (_, target):
            with channel(target) as opened:
                calls = [
                    opened.stream_stream(dialout.MDT_DIALOUT)(iter([framed(GPB)] * 20), timeout=20)
                    for _ in range(20)
                ]
                for call in calls:
                    assert await asyncio.to_thread(list, call) == []
        return intake

    intake = asyncio.run(run())
    assert len(intake) == 400
    assert len(intake.batches) < 200


# --------------------------------------------------------------------------- TLS
@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(Path(tmp_path_factory.mktemp("certificates")))


@pytest.fixture(scope="module")
def shown(authority: Authority) -> Issued:
    return authority.issue("receiver", dns=["receiver"])


def tls(authority: Authority, shown: Issued, **more: Any) -> dict[str, Any]:
    return {
        "plaintext": False, "certificate_file": str(shown.certificate),
        "key_file": str(shown.key), "client_ca_file": str(authority.file),
    } | more  # fmt: skip


def test_a_certificate_says_who_it_is(authority: Authority, shown: Issued) -> None:
    own = authority.issue("core7", dns=["core7.example.net"])
    big = b"{" + b"x" * 300_000 + b"}"

    async def run() -> tuple[Intake, dict[str, int]]:
        intake = Intake()
        async with receiving(intake, **tls(authority, shown)) as (receiver, target):
            await asyncio.to_thread(
                publish, target, [GPB, big], authority=authority.file, own=own
            )  # fmt: skip
            return intake, receiver.stats()

    intake, stats = asyncio.run(run())
    assert intake.column("payload") == [GPB, big]
    assert set(intake.column("session")) == {"certificate:core7.example.net"}
    assert set(intake.column("peer")) == {"127.0.0.1"}
    assert all(intake.column("port"))
    assert stats["certificate-expiry"] > time.time()


def test_a_certificate_that_is_not_demanded(authority: Authority, shown: Issued) -> None:
    async def run() -> Intake:
        intake = Intake()
        options = tls(authority, shown, client_certificates="optional")
        async with receiving(intake, **options) as (_, target):
            await asyncio.to_thread(publish, target, [GPB], authority=authority.file)
            own = authority.issue("core8", dns=["core8"])
            await asyncio.to_thread(publish, target, [GPB], authority=authority.file, own=own)
        return intake

    assert asyncio.run(run()).column("session") == ["", "certificate:core8"]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("none", "no-client-certificate"),
        ("stranger", "unknown-authority"),
        ("expired", "expired-certificate"),
        ("name", "name-not-allowed"),
        ("plaintext", "no-tls"),
        ("distrust", "broken-off"),  # the library goes without a word
    ],
)
def test_who_is_refused_and_why(
    authority: Authority, shown: Issued, tmp_path: Path, kind: str, reason: str
) -> None:
    other = Authority(tmp_path, "Other authority")
    own = {
        "stranger": other.issue("core7", dns=["core7"]),
        "expired": authority.issue("old", dns=["core7"], days=(-3, -2)),
        "name": authority.issue("core9", dns=["core9"]),
        "distrust": authority.issue("core7", dns=["core7"]),
    }.get(kind)
    trusted = {"plaintext": None, "distrust": other.file}.get(kind, authority.file)

    async def run() -> tuple[Intake, dict[str, int]]:
        intake = Intake()
        options = tls(authority, shown, client_names=["core7"])
        async with receiving(intake, **options) as (receiver, target):
            with pytest.raises(grpc.RpcError):
                await asyncio.to_thread(publish, target, [GPB], authority=trusted, own=own)
            await until(lambda: f"refused/{reason}" in receiver.stats())
            return intake, receiver.stats()

    intake, stats = asyncio.run(run())
    assert not len(intake)
    assert stats[f"refused/{reason}"] >= 1
    assert {word for word in stats if word.startswith("refused/")} <= {
        f"refused/{reason}", "refused/broken-off"
    }  # fmt: skip


def test_new_certificates_without_a_restart(authority: Authority, tmp_path: Path) -> None:
    first = authority.issue("old-one", dns=["receiver"])
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"

    def put(issued: Issued) -> None:
        key.write_bytes(issued.key.read_bytes())
        key.chmod(0o600)
        cert.write_bytes(issued.certificate.read_bytes())

    other = Authority(tmp_path, "New authority")
    put(first)

    async def run() -> int:
        intake = Intake()
        options = tls(authority, Issued(cert, key), client_certificates="none")
        async with receiving(intake, **options) as (receiver, target):
            stay = threading.Event()

            def stream() -> Iterator[bytes]:
                yield framed(GPB)
                stay.wait(20)
                yield framed(GPB)

            staying = asyncio.create_task(
                asyncio.to_thread(send, target, stream(), authority=authority.file)
            )
            await until(lambda: len(intake) == 1)
            put(other.issue("new-one", dns=["receiver"]))
            receiver.reload_certificates()
            await asyncio.to_thread(publish, target, [GPB], authority=other.file)
            stay.set()
            await staying
            return len(intake)

    assert asyncio.run(run()) == 3


def test_a_handshake_takes_only_so_long(
    authority: Authority, shown: Issued, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> dict[str, int]:
        async with receiving(Intake(), max_streams=1, **tls(authority, shown)) as (
            receiver,
            _,
        ):
            _, slow = await asyncio.open_connection("127.0.0.1", receiver.local_port)
            await until(lambda: receiver.stats()["connections"] == 1)
            reader, more = await asyncio.open_connection("127.0.0.1", receiver.local_port)
            assert await reader.read() == b""
            slow.close()
            more.close()
            await until(lambda: receiver.stats()["connections"] == 0)
            monkeypatch.setattr(grpc_front, "HANDSHAKE_SECONDS", 0.1)
            _, slow = await asyncio.open_connection("127.0.0.1", receiver.local_port)
            await until(lambda: "refused/handshake-timeout" in receiver.stats())
            slow.close()
            return receiver.stats()

    stats = asyncio.run(run())
    assert stats["refused/handshake-timeout"] == stats["refused/too-many-connections"] == 1


def test_what_is_wrong_with_files_is_said_at_the_start(tmp_path: Path) -> None:
    receiver = GrpcDialoutReceiver(Intake(), Clock(), port=0, certificate_file=str(tmp_path / "no"))
    with pytest.raises(ConfigError, match=r"grpc_dialout\.certificate_file"):
        asyncio.run(receiver.start())


def test_a_port_that_is_taken() -> None:
    async def run() -> None:
        async with receiving(Intake()) as (receiver, _):
            second = GrpcDialoutReceiver(
                Intake(), Clock(), port=receiver.local_port, plaintext=True
            )
            with pytest.raises(ConfigError, match=r"grpc_dialout\.port"):
                await second.start()

    asyncio.run(run())
