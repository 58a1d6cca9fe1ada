"""A listener that closes in the very moment when somebody comes leaves no connection open."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import asyncssh
import pytest
from prometheus_client import CollectorRegistry

from collector.receivers.dialout.front import GrpcFront
from collector.receivers.https_notif import HttpsNotifReceiver
from collector.sinks.prometheus import MetricsServer
from publisher_sim.netconf.server import NetconfServer
from publisher_sim.netconf.shared_door import SharedDoor
from tests.https_ends import Intake
from tests.receiver_ends import Clock

pytestmark = pytest.mark.integration

KEY = asyncssh.generate_private_key("ssh-ed25519")


class Front(GrpcFront):
    """Of a gRPC receiver over TLS; nobody gets so far that certificates are needed."""

    def __init__(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls: Any = SimpleNamespace(context=context, refuse=lambda *what: None)
        super().__init__(tls, most=1)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    async def start(self, listener: socket.socket | None = None) -> None:
        await super().start(listener or self._listener)


KINDS: dict[str, Callable[[], Any]] = {
    "fleet": lambda: SharedDoor("127.0.0.1", 0, KEY),
    "netconf": lambda: NetconfServer("127.0.0.1", 0, host_key=KEY),
    "https": lambda: HttpsNotifReceiver(Intake(), Clock(), port=0, plain_http=True),
    "grpc": Front,
    "metrics": lambda: MetricsServer(CollectorRegistry(), port=0),
}


async def come_and_stop(listener: Any, rounds: int) -> None:
    """Stop so many rounds of the event loop after somebody connected."""
    await listener.start()
    port = listener.local_port if hasattr(listener, "local_port") else listener.port
    with socket.create_connection(("127.0.0.1", port)):
        for _ in range(rounds):
            await asyncio.sleep(0)
        await listener.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_who_was_accepted_last_is_closed_too(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.receivers.https_notif.LINGER_SECONDS", 0.01)
    gc.collect()  # what others left is not ours
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        for rounds in range(6):
            asyncio.run(come_and_stop(KINDS[kind](), rounds))
        gc.collect()
    assert [str(one.message) for one in heard if one.category is ResourceWarning] == []
