"""What only the asyncssh session has: keep-alive, known_hosts as asyncssh reads it, stderr."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import asyncssh
import pytest

from collector.errors import ConfigError
from collector.model import SECOND
from collector.subscriber.sessions.asyncssh_session import AsyncsshSession
from publisher_sim.netconf.session import ServerSession
from tests.netconf_device import (
    LIMIT,
    Basket,
    Device,
    RunningClock,
    notification,
    ok_reply,
    rpc,
    run,
)

pytestmark = pytest.mark.integration


class Talkative(ServerSession):
    """Says something on stderr before each reply."""

    def received(self, message: bytes) -> None:
        assert self._channel is not None
        self._channel.write_stderr(b"\n#7\nwarning")
        super().received(message)


class Valve:
    """TCP between both ends that can be shut, like a network that goes away without a word."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open = asyncio.Event()
        self._open.set()
        self._pumps: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Valve:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._open.set()
        self._server.close()
        await asyncio.gather(*self._pumps)

    def shut(self) -> None:
        self._open.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await asyncio.open_connection("127.0.0.1", self._port)
        for source, target in ((reader, behind[1]), (behind[0], writer)):
            task = asyncio.create_task(self._pump(source, target))
            self._pumps.add(task)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while octets := await source.read(65536):
                await self._open.wait()
                target.write(octets)
        except ConnectionError:
            pass
        target.close()


def test_a_silent_network_is_noticed(tmp_path: Path) -> None:
    async def main() -> None:
        async with Device(tmp_path) as device, Valve(device.server.port) as valve:
            settings = device.settings(
                port=valve.port, verify_host_key=False, keepalive=SECOND // 4
            )
            session = AsyncsshSession(settings, Basket().deliver, RunningClock())
            await session.open()
            await session.rpc(rpc(1))
            valve.shut()
            async with asyncio.timeout(LIMIT):
                assert (await session.closed).reason == "lost"
            await session.close()

    run(main())


def test_a_key_that_the_device_does_not_know_is_followed_by_the_password(tmp_path: Path) -> None:
    path = tmp_path / "key"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(path)

    async def main() -> None:
        async with Device(tmp_path) as device:
            settings = device.settings(key_file=str(path))
            session = AsyncsshSession(settings, Basket().deliver, RunningClock())
            await session.open()
            await session.close()

    run(main())


def test_ipv6(tmp_path: Path) -> None:
    if not has_ipv6_loopback():
        pytest.skip("this machine has no ::1")

    async def main() -> None:
        async with Device(tmp_path, host="::1") as device:
            session = AsyncsshSession(device.settings(), Basket().deliver, RunningClock())
            await session.open()
            assert session.peer == "::1"
            await session.close()

    run(main())


def has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_stderr_is_no_netconf(tmp_path: Path) -> None:
    async def main() -> None:
        async with Device(tmp_path, session_type=Talkative) as device:
            session = AsyncsshSession(device.settings(), Basket().deliver, RunningClock())
            await session.open()
            assert await session.rpc(rpc(1)) == ok_reply(rpc(1))
            await session.close()

    run(main())


@pytest.mark.parametrize("content", [b"\xff\xfe", b"@marker\n", None])
def test_a_broken_known_hosts_is_the_operators_fault(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "known_hosts"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)

    async def main() -> None:
        async with Device(tmp_path) as device:
            settings = device.settings(known_hosts=str(path))
            session = AsyncsshSession(settings, Basket().deliver, RunningClock())
            with pytest.raises(ConfigError, match="cannot be read"):
                await session.open()
            await session.close()

    run(main())


def test_messages_behind_the_hello_are_not_lost(tmp_path: Path) -> None:
    class Eager(ServerSession):
        def greet(self) -> None:
            super().greet()
            self.write(b"\r\n" + b"\n#%d\n%b\n##\n" % (len(notification(1)), notification(1)))

    async def main() -> None:
        async with Device(tmp_path, session_type=Eager) as device:
            basket = Basket()
            session = AsyncsshSession(device.settings(), basket.deliver, RunningClock())
            await session.open()
            await session.rpc(rpc(1))
            assert basket.payloads() == [notification(1), ok_reply(rpc(1))]
            await session.close()

    run(main())
