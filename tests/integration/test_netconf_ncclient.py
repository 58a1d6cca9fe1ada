"""What only the ncclient session has: vendor handlers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from collector.errors import ConfigError
from collector.subscriber.sessions.ncclient_session import NcclientSession
from tests.netconf_device import Basket, Device, RunningClock, ok_reply, rpc, run
from tests.waiting import until

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("handler", ["default", "iosxr", "iosxe", "huawei", "huaweiyang", "junos"])
def test_device_handlers(tmp_path: Path, handler: str) -> None:
    async def main() -> None:
        async with Device(tmp_path) as device:
            basket = Basket()
            settings = device.settings(device_handler=handler)
            session = NcclientSession(settings, basket.deliver, RunningClock())
            await session.open()
            assert await session.rpc(rpc(1)) == ok_reply(rpc(1))
            device.server.send("1", b"<notification>\x01</notification>")
            await until(lambda: len(basket.messages) == 2)
            assert basket.payloads()[1] == b"<notification>\x01</notification>"
            await session.close()

    run(main())


def test_an_unknown_handler_is_the_operators_fault(tmp_path: Path) -> None:
    async def main() -> None:
        async with Device(tmp_path) as device:
            settings = device.settings(device_handler="abacus")
            session = NcclientSession(settings, Basket().deliver, RunningClock())
            with pytest.raises(ConfigError, match="abacus"):
                await session.open()
            await session.close()

    run(main())


def test_a_server_that_speaks_no_ssh_is_an_error_and_no_traceback(tmp_path: Path) -> None:
    """ncclient and paramiko log one beside what they raise, to wherever errors are logged."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        hang_up = threading.Thread(target=lambda: listener.accept()[0].close())
        hang_up.start()
        command = [sys.executable, "-m", "collector", "capabilities", "127.0.0.1", "--user", "u"]
        command += ["--session", "ncclient", "--port", str(port)]
        environment = {**os.environ, "COLLECTOR_PASSWORD": "p"}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        hang_up.join(5)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"collector: 127.0.0.1:{port} ended the connection")
