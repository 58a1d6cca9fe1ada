"""What every installed receiver promises (``interfaces.Receiver``), found through entry points.

A new receiver, of any package, is tested by what is here as soon as it is installed. How to reach
it says an entry point of its own name in the group ``yang_push_collector.senders``: a function
``send(port, payloads)``; without one, what needs messages is skipped.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import http.client
import importlib.util
import logging
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from collector import plugins
from collector.errors import ConfigError
from collector.interfaces import Receiver
from collector.model import ReceivedBatch, RecordKind
from collector.wire.udp_notif.datagrams import encode_message
from tests.certificates import Authority
from tests.receiver_ends import Clock, Intake

pytestmark = pytest.mark.integration

NAMES = [
    name
    for name in plugins.names("receivers")
    if name != "dtls" or importlib.util.find_spec("OpenSSL") is not None
]
"""Without what needs an extra that is not installed."""
PAYLOADS = [b'{"number": %d}' % number for number in range(20)]


def send_udp_notif(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for number, payload in enumerate(PAYLOADS):
            for datagram in encode_message(
                payload, media_type=1, publisher_id=1, message_id=number, max_segment_size=24
            ):
                sock.sendto(datagram, ("127.0.0.1", port))


def send_https_notif(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for payload in PAYLOADS:
        status = 503
        while status == 503:
            connection.request(
                "POST", "/yang-push/relay-notification", payload,
                {"Content-Type": "application/json"},
            )  # fmt: skip
            response = connection.getresponse()
            response.read()
            status = response.status
            time.sleep(0.02 if status == 503 else 0)
    connection.close()


@functools.cache
def dtls_options() -> dict[str, Any]:
    """A certificate for the receiver alone; publishers are not asked for theirs."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shown = Authority(folder).issue("receiver")
    return {
        "certificate_file": str(shown.certificate),
        "key_file": str(shown.key),
        "client_certificates": "none",
    }


def send_dtls(port: int) -> None:
    from tests.dtls_ends import SocketClient, client_context

    authority = Path(dtls_options()["certificate_file"]).parent / "Test-authority-ca.pem"
    with SocketClient(client_context(authority), port) as client:
        client.shake_hands()
        for number, payload in enumerate(PAYLOADS):
            for datagram in encode_message(
                payload, media_type=1, publisher_id=1, message_id=number, max_segment_size=24
            ):
                client.send(datagram)


def send_grpc_dialout(port: int) -> None:
    from tests.grpc_client import publish

    publish(f"127.0.0.1:{port}", PAYLOADS)


SENDERS: dict[str, Callable[[int], None]] = {
    "udp-notif": send_udp_notif,
    "https-notif": send_https_notif,
    "dtls": send_dtls,
    "grpc-dialout": send_grpc_dialout,
}
"""Name -> sends ``PAYLOADS`` to a port of 127.0.0.1, and again what was not taken. It runs in a
thread, so it may wait for answers."""
OURS = frozenset(SENDERS)
for point in entry_points(group="yang_push_collector.senders"):
    SENDERS.setdefault(point.name, functools.partial(point.load(), payloads=PAYLOADS))
OPTIONS: dict[str, Callable[[], dict[str, Any]]] = {
    "https-notif": lambda: {"plain_http": True},
    "dtls": dtls_options,
    "grpc-dialout": lambda: {"plaintext": True},
}
"""Name -> how to build it for these tests, beside address and port."""
WITHOUT_THE_LOOP = frozenset({"udp-notif"})
"""Those whose ``drain`` reads from the socket. Where the loop reads from streams, it hands over
what it has read, and nobody has been told that the rest was taken."""


def make(name: str, intake: Intake, **options: Any) -> Any:
    cls: Any = plugins.receiver_class(name)
    given = {"address": "127.0.0.1", "port": 0} | OPTIONS.get(name, dict)() | options
    known = {entry.encode_name for entry in structs.fields(cls.settings)}
    return cls(intake, Clock(), **{key: value for key, value in given.items() if key in known})


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def reached(name: str) -> str:
    """The name of one that can be reached."""
    if name not in SENDERS:
        pytest.skip(f"no entry point {name} in yang_push_collector.senders says how to reach it")
    return name


def test_receivers_are_installed() -> None:
    assert set(NAMES) >= {"udp-notif", "https-notif", "grpc-dialout"}


def test_it_is_a_receiver_and_knows_its_name(name: str) -> None:
    receiver = make(name, Intake())
    assert isinstance(receiver, Receiver)
    assert receiver.name == name


def test_messages_are_handed_over_once_whole_and_in_order(reached: str) -> None:
    name = reached

    async def run() -> None:
        intake = Intake()
        receiver = make(name, intake)
        await takes_all(receiver, intake, name)

    asyncio.run(run())


async def takes_all(receiver: Any, intake: Intake, name: str) -> None:
    """From its start to its stop, whatever is sent meanwhile."""
    await receiver.start()
    try:
        await asyncio.to_thread(SENDERS[name], receiver.local_port)
        async with asyncio.timeout(20):
            while len(intake) < len(PAYLOADS):
                await asyncio.sleep(0.005)
    finally:
        await receiver.stop()
    check(intake, name)


def check(intake: Intake, name: str) -> None:
    """Everything arrived, and every batch is well formed."""
    assert [payload for batch in intake.batches for payload in batch.payload] == PAYLOADS
    times = [at for batch in intake.batches for at in batch.received_at]
    assert times == sorted(times)
    for batch in intake.batches:
        assert len(batch) > 0, "an empty batch is not worth a call"
        lengths = {column: len(getattr(batch, column)) for column in ReceivedBatch.__slots__}
        assert set(lengths.values()) == {len(batch)}, lengths
        assert set(batch.kind) == {RecordKind.DATA}
        assert all(type(payload) is bytes for payload in batch.payload)
        assert set(batch.peer) == {"127.0.0.1"}
        assert 0 not in batch.transport or name not in OURS, "others get theirs from the service"


@pytest.mark.parametrize("name", sorted(WITHOUT_THE_LOOP & set(NAMES)))
def test_drain_hands_over_without_the_loop(name: str) -> None:
    async def run() -> None:
        intake = Intake()
        receiver = make(name, intake)
        await receiver.start()
        try:
            SENDERS[name](receiver.local_port)
            assert receiver.drain() == len(PAYLOADS)
            assert receiver.drain() == 0
        finally:
            await receiver.stop()
        check(intake, name)

    asyncio.run(run())


def test_stop_hands_over_the_rest(reached: str) -> None:
    name = reached

    async def run() -> None:
        intake = Intake()
        receiver = make(name, intake)
        await receiver.start()
        if name in WITHOUT_THE_LOOP:
            SENDERS[name](receiver.local_port)
        else:
            await asyncio.to_thread(SENDERS[name], receiver.local_port)
        await receiver.stop()
        await receiver.stop()
        check(intake, name)
        assert receiver.drain() == 0

    asyncio.run(run())


def test_stop_without_start(name: str) -> None:
    asyncio.run(make(name, Intake()).stop())


def test_a_full_intake_loses_nothing_that_was_read(
    reached: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = reached

    async def run() -> None:
        intake = Intake()
        intake.full = True
        receiver = make(name, intake)
        await receiver.start()
        try:
            sending = asyncio.create_task(asyncio.to_thread(SENDERS[name], receiver.local_port))
            async with asyncio.timeout(20):
                while not intake.refused:
                    await asyncio.sleep(0.01)
                    assert receiver.drain() == 0
                intake.full = False
                await sending
                while len(intake) < len(PAYLOADS):
                    await asyncio.sleep(0.01)
        finally:
            await receiver.stop()
        check(intake, name)

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    assert caplog.text.count("full") <= 1, "said once, not at every try"
    assert "full" in caplog.text or name not in OURS


def test_an_address_that_is_not_ours(name: str) -> None:
    settings: Any = plugins.receiver_class(name).settings  # type: ignore[attr-defined]
    if "address" not in settings.__struct_fields__:
        pytest.skip("it listens on no address")
    receiver = make(name, Intake(), address="192.0.2.1")
    with pytest.raises(ConfigError):
        asyncio.run(receiver.start())
    asyncio.run(receiver.stop())


def test_it_can_be_started_again(reached: str) -> None:
    name = reached

    async def run() -> None:
        intake = Intake()
        receiver = make(name, intake)
        await receiver.start()
        await receiver.stop()
        await takes_all(receiver, intake, name)

    asyncio.run(run())
