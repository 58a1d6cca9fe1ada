"""Signals at the real process, in every phase: it ends in order, or goes on as it was."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from collector import control
from collector.journal import Journal, JournalReader, JournalSettings
from collector.model import RecordKind
from tests.unit.journal_batches import batch_of

pytestmark = pytest.mark.integration

PLAIN = """
[collector]
data_dir = "data"
[udp_notif]
port = 0
[metrics]
enabled = false
"""
SILENT_DEVICE = """
[[device]]
name = "mute"
sources = ["127.0.2.99"]
[device.netconf]
host = "127.0.0.1"
port = {port}
username = "u"
password_env = "PATH"
[[subscription]]
name = "s"
xpath = "/ietf-interfaces:interfaces"
period_seconds = 1
"""


class Process:
    """One ``collector run``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.child: asyncio.subprocess.Process | None = None

    async def start(self, text: str = PLAIN) -> None:
        (self.folder / "collector.toml").write_text(text)
        with (self.folder / "log").open("ab") as log:
            self.child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "collector", "run", "-c", "collector.toml"),
                cwd=self.folder,
                stderr=log,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            )

    async def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert self.child is not None
            assert self.child.returncode is None, self.log()
            assert time.monotonic() < deadline, self.log()
            await asyncio.sleep(0.01)

    async def until_running(self) -> None:
        await self.until(lambda: control.is_running(self.folder / "data"))

    async def until_logged(self, words: str) -> None:
        await self.until(lambda: words in self.log())

    def send(self, number: signal.Signals) -> None:
        assert self.child is not None
        self.child.send_signal(number)

    async def wait(self) -> int:
        assert self.child is not None
        return await asyncio.wait_for(self.child.wait(), 60)

    def log(self) -> str:
        return (self.folder / "log").read_text()


@asynccontextmanager
async def process(folder: Path) -> AsyncIterator[Process]:
    made = Process(folder)
    try:
        yield made
    finally:
        if made.child is not None and made.child.returncode is None:
            made.child.kill()
            await made.child.wait()


def run(step: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(step())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_end_in_order(tmp_path: Path, number: signal.Signals) -> None:
    async def step() -> None:
        async with process(tmp_path) as one:
            await one.start()
            await one.until_logged("Listening on")
            one.send(number)
            assert await one.wait() == 0
            assert "everything that was taken is on disk" in one.log()

    run(step)
    kinds = [kind for f in JournalReader(tmp_path / "data").read(0) for kind in f.batch().kind]
    assert kinds[-1] == RecordKind.COLLECTOR_STOP


def test_a_signal_while_a_long_journal_is_read_again(tmp_path: Path) -> None:
    settings = JournalSettings(free_space_reserve=0)
    with Journal.open(tmp_path / "data", settings) as journal:
        for _ in range(3000):
            journal.append(batch_of(100))

    async def step() -> None:
        async with process(tmp_path) as one:
            await one.start()
            lock = tmp_path / "data" / "store"
            await one.until(lock.is_dir)  # made after the journal was opened, before it is read
            one.send(signal.SIGTERM)
            assert await one.wait() == 0
            assert "Stopping." in one.log()
            assert "Listening on" not in one.log()
            assert "Traceback" not in one.log()

    run(step)


def test_a_signal_while_a_device_does_not_greet(tmp_path: Path) -> None:
    async def step() -> None:
        with socket.socket() as mute:
            mute.bind(("127.0.0.1", 0))
            mute.listen()
            mute.setblocking(False)
            async with process(tmp_path) as one:
                await one.start(PLAIN + SILENT_DEVICE.format(port=mute.getsockname()[1]))
                accepted, _ = await asyncio.get_running_loop().sock_accept(mute)
                with accepted:
                    one.send(signal.SIGTERM)
                    assert await one.wait() == 0
                assert "Traceback" not in one.log()

    run(step)


def test_sighup_with_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    async def step() -> None:
        async with process(tmp_path) as one:
            await one.start()
            await one.until_logged("Listening on")
            file = tmp_path / "collector.toml"
            for text, words in (
                ("[collector", "collector.toml"),
                (PLAIN + "[nonsense]\nx = 1\n", "nonsense"),
                ("\x00\xff" * 100, "not taken over"),
            ):
                file.write_text(text, encoding="latin-1")
                before = one.log().count("not taken over")
                one.send(signal.SIGHUP)
                await one.until(lambda n=before: one.log().count("not taken over") > n)  # type: ignore[misc]
                assert words in one.log()
            assert control.ask(tmp_path / "data", "status")["config_reloads"] == 0
            file.write_text(PLAIN)
            one.send(signal.SIGHUP)
            await one.until_logged("was read again")
            assert control.ask(tmp_path / "data", "status")["healthy"] is True
            one.send(signal.SIGTERM)
            assert await one.wait() == 0
            assert "Traceback" not in one.log()

    run(step)


def test_two_on_one_folder_and_a_successor_in_the_same_moment(tmp_path: Path) -> None:
    async def step() -> None:
        async with process(tmp_path) as one, process(tmp_path) as two:
            await one.start()
            await one.until_running()
            await two.start()
            assert await two.wait() == 2
            assert "in use by process" in two.log()
            await one.until_logged("Listening on")
            one.send(signal.SIGTERM)
            await one.wait()
            await two.start()
            await two.until_running()
            two.send(signal.SIGTERM)
            assert await two.wait() == 0

    run(step)
