"""Host keys pinned in the settings: both sessions accept those and no others."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncssh
import pytest

from collector.config import pinned_keys
from collector.errors import SessionError
from collector.subscriber.sessions.asyncssh_session import AsyncsshSession
from collector.subscriber.sessions.ncclient_session import NcclientSession
from tests.netconf_device import Basket, Device, RunningClock, ok_reply, rpc, run

pytestmark = pytest.mark.integration

OTHER = "SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM"
KINDS = [AsyncsshSession, NcclientSession]


@pytest.mark.parametrize("session_type", KINDS)
@pytest.mark.parametrize("form", ["key", "fingerprint"])
def test_a_pinned_key_needs_no_known_hosts(
    tmp_path: Path, session_type: type[AsyncsshSession] | type[NcclientSession], form: str
) -> None:
    async def main() -> None:
        async with Device(tmp_path) as device:
            pin = device.server.public_key if form == "key" else device.server.fingerprint
            settings = device.settings(host_keys=pinned_keys([OTHER, pin]), known_hosts="/nowhere")
            session = session_type(settings, Basket().deliver, RunningClock())
            await session.open()
            assert await session.rpc(rpc(1)) == ok_reply(rpc(1))
            await session.close()

    run(main())


@pytest.mark.parametrize("session_type", KINDS)
def test_another_key_is_refused_though_known_hosts_has_it(
    tmp_path: Path, session_type: type[AsyncsshSession] | type[NcclientSession]
) -> None:
    async def main() -> None:
        async with Device(tmp_path) as device:
            settings = device.settings(host_keys=pinned_keys([OTHER]))
            session = session_type(settings, Basket().deliver, RunningClock())
            with pytest.raises(SessionError, match="none of those in host_keys") as caught:
                await session.open()
            assert (caught.value.reason, caught.value.retryable) == ("host-key", False)
            if session_type is AsyncsshSession:
                assert device.server.fingerprint in str(caught.value)
            await session.close()

    run(main())


def test_the_pinned_type_is_asked_for(tmp_path: Path) -> None:
    """A device with several keys shows the one that is pinned."""
    rsa, ed25519 = (asyncssh.generate_private_key(kind) for kind in ("ssh-rsa", "ssh-ed25519"))

    async def main() -> None:
        acceptor = await asyncssh.listen(
            "127.0.0.1", 0, server_host_keys=[ed25519, rsa], server_factory=asyncssh.SSHServer
        )
        async with Device(tmp_path) as device:
            pins = pinned_keys([rsa.export_public_key().decode()])
            settings = device.settings(host_keys=pins, port=acceptor.get_port())
            session = AsyncsshSession(settings, Basket().deliver, RunningClock())
            with pytest.raises(SessionError) as caught:
                await session.open()
            assert caught.value.reason == "auth", "the key was accepted, the password is not"
        acceptor.close()
        await acceptor.wait_closed()
        await asyncio.sleep(0)

    run(main())
