"""Commands that ask a device that calls home, without a collector and beside one."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import asyncssh
import pytest

from collector.cli import status_of
from collector.config import load_config
from collector.service import Service, commands
from publisher_sim.device.service import DeviceService
from tests.callers import caller
from tests.lab import PASSWORD, password_in_environment
from tests.lanes_lab import free_port
from tests.waiting import until

pytestmark = pytest.mark.integration

CONFIG = """
[collector]
data_dir = "{folder}/data"
[udp_notif]
enabled = false
[metrics]
enabled = false
[call_home]
enabled = true
port = {port}
[[device]]
name = "core7"
[device.netconf]
call_home = true
host_keys = ["{fingerprint}"]
username = "collector"
password_env = "LAB_PASSWORD"
"""
SUBSCRIPTION = """
[[subscription]]
name = "lab"
devices = ["core7"]
xpath = "/ietf-interfaces:interfaces"
period_seconds = 60
"""
CONFIGURED = """
[[receiver_instance]]
name = "udp"
address = "127.0.0.1"
port = 10003
[[subscription]]
name = "counters"
devices = ["core7"]
xpath = "/ietf-interfaces:interfaces"
period_seconds = 60
configured_id = 100
receivers = ["udp"]
"""


KEY = "SHA256:2vvquRbI8Zo2NfCjSRBJXZ80I9ZRKiiDPCzN5kIHgkg"
SUBSCRIBE = (
    *("subscribe", "core7", "--user", "u", "--key-file", "k", "--listen", "127.0.0.1:0"),
    *("--xpath", "/ietf-interfaces:interfaces", "--period", "1"),
)
Out = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def as_talkative_as_before() -> Iterator[None]:
    """`collector subscribe` says itself what goes wrong, and silences who would say it, too."""
    loggers = [logging.getLogger(name) for name in ("", "collector", "collector.subscriber")]
    levels = [one.level for one in loggers]
    yield
    for one, level in zip(loggers, levels, strict=True):
        one.setLevel(level)


class There(NamedTuple):
    """A device that calls where nobody listens yet, and a configuration that knows it."""

    folder: Path
    port: int
    fingerprint: str
    device: DeviceService
    out: Out

    async def command(self, *words: str) -> tuple[int, str, str]:
        """Exit status, standard output and standard error of a command, run beside."""
        host = "--user" in words
        reach = [] if host else ["-c", str(self.folder / "collector.toml")]
        status = await asyncio.to_thread(status_of, [*words, *reach])
        said = self.out.readouterr()
        return status, said.out, said.err

    def host(self, key: str = "") -> tuple[str, ...]:
        """Options of a host that no configuration knows."""
        where = ("--user", "collector", "--password-file", str(self.folder / "password"))
        return (
            *where,
            "--call-home",
            f"127.0.0.1:{self.port}",
            "--host-key",
            key or self.fingerprint,
        )

    def service(self) -> Service:
        return Service(load_config(str(self.folder / "collector.toml")))

    def sessions(self) -> int:
        return len(self.device.server.sessions)


def lab(
    folder: Path,
    out: Out,
    test: Callable[[There], Awaitable[None]],
    *,
    config: str = "",
) -> None:
    """Run a test on a device that calls."""

    async def main() -> None:
        port = free_port()
        scenario, print_ = caller(
            folder, "core7", port, head="[configuration]",
            receiver='transport = "udp-notif"\naddress = "127.0.0.1"\nport = 10003',
        )  # fmt: skip
        (folder / "password").write_text(PASSWORD + "\n")
        (folder / "password").chmod(0o600)
        text = CONFIG.format(folder=folder, port=port, fingerprint=print_)
        (folder / "collector.toml").write_text(text + config)
        device = DeviceService(scenario, in_process=True, truth=folder / "truth.jsonl")
        await device.start()
        try:
            await test(There(folder, port, print_, device, out))
        finally:
            await device.stop()

    with password_in_environment():
        asyncio.run(asyncio.wait_for(main(), 100))


def test_without_a_collector_the_device_calls_the_command(tmp_path: Path, capsys: Out) -> None:
    async def test(there: There) -> None:
        status, out, err = await there.command("capabilities", "core7", "--json")
        assert status == 0, err
        assert err == (
            f"Waiting for core7 to call 127.0.0.1 port {there.port}, for 300 s at most.\n"
        )
        assert json.loads(out)["device"] == "core7"
        status, _, err = await there.command("kill", "core7", "4711", "--yes", "--wait", "1m")
        assert status == 2
        assert "for 60 s at most.\n" in err
        assert "does not end subscription 4711" in err
        status, out, err = await there.command("configure", "--yes")
        assert (status, err.count("Waiting for core7")) == (0, 2), err  # to look, and to write
        assert "core7: 2 changes written in candidate" in out
        modules = str(tmp_path / "modules")
        status, _, err = await there.command("yang", "fetch", "lab", "-o", modules, *there.host())
        assert "Waiting for lab to call" in err
        assert status == 0, err
        assert list((tmp_path / "modules").glob("ietf-yang-push@*.yang"))

    lab(tmp_path, capsys, test, config=CONFIGURED)


def test_somebody_else_calls(tmp_path: Path, capsys: Out) -> None:
    async def test(there: There) -> None:
        other = asyncssh.generate_private_key("ssh-ed25519").get_fingerprint()
        host = there.host(other)
        status, _, err = await there.command("capabilities", "lab", *host, "--wait", "500ms")
        assert status == 2
        assert (
            f"Refused a call from 127.0.4.7: nobody here has its key {there.fingerprint}.\n" in err
        )
        assert err.count("Refused") == 1
        assert "collector: lab did not call within 0.5 s\n" in err

    lab(tmp_path, capsys, test)


def test_a_running_collector_lends_its_session(tmp_path: Path, capsys: Out) -> None:
    """One session, and it is the collector's: no other is opened, and nothing of it is lost."""

    async def test(there: There) -> None:
        service = there.service()
        await service.start()
        try:

            def row() -> dict[str, object]:
                return dict(commands.devices(service)["devices"][0])

            await until(lambda: row()["state"] == "active")
            number = row()["id"]
            status, out, err = await there.command("capabilities", "core7", "--json")
            assert (status, err) == (0, "")
            assert json.loads(out)["address"].startswith("127.0.4.7:")
            status, _, err = await there.command("yang", "fetch", "core7")
            assert status == 0, err
            assert "Waiting" not in err
            assert list((tmp_path / "data" / "modules").glob("*/ietf-yang-push@*.yang"))
            status, _, err = await there.command("configure", "--dry-run")
            assert (status, err) == (1, "")
            status, _, err = await there.command("configure", "--yes")
            assert (status, err) == (0, "")
            status, _, err = await there.command("configure", "--dry-run")
            assert (status, err) == (0, "")
            host = there.host()
            status, _, err = await there.command("capabilities", "lab", *host)
            assert status == 2
            assert "cannot listen on 127.0.0.1" in err
            assert "a collector that runs has the port: name the device as in its" in err
            assert (row()["state"], row()["id"]) == ("active", number)
            assert there.sessions() == 1
            status, out, _ = await there.command("kill", "core7", str(number), "--yes")
            assert (status, out) == (0, f"core7 ended subscription {number}\n")
            await until(lambda: row()["id"] not in (None, number))
        finally:
            await service.stop()

    lab(
        tmp_path, capsys, test,
        config=SUBSCRIPTION + CONFIGURED,
    )  # fmt: skip


def test_what_is_lost_is_put_back_over_the_session_that_there_is(
    tmp_path: Path, capsys: Out, caplog: pytest.LogCaptureFixture
) -> None:
    """Lost already before the device called; its one session is lent to the collector itself."""
    caplog.set_level(logging.INFO, "collector")

    async def test(there: There) -> None:
        service = there.service()
        await service.start()
        try:

            def row() -> dict[str, object]:
                return dict(commands.devices(service)["configured"][0])

            await until(lambda: "put back" in caplog.text)
            await until(lambda: row()["state"] == "active")
            assert service.putting_back.notes == {}
            assert there.sessions() == 1
            status, out, err = await there.command("configure", "--dry-run")
            assert (status, out, err) == (0, "core7: as wanted\n", "")
        finally:
            await service.stop()

    looks = "[cross_check]\ninterval_seconds = 1\n"
    lab(tmp_path, capsys, test, config=looks + CONFIGURED + "configured_restore = true\n")
    assert "The session with device core7 is lent to a command." in caplog.messages


async def subscribed(there: There, *words: str) -> tuple[int, str, str]:
    """`collector subscribe` in a process of its own, for its signals."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "collector", "subscribe", "core7", "--listen", "127.0.0.1:0"),
        *("--xpath", "/ietf-interfaces:interfaces", "--period", "1", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await child.communicate()
    return child.returncode or 0, out.decode(), err.decode()


def test_subscribe_to_a_host_that_calls(tmp_path: Path, capsys: Out) -> None:
    async def test(there: There) -> None:
        status, out, err = await subscribed(there, *there.host(), "--duration", "1")
        assert status == 0, err
        assert "(call home)" in err
        assert f"Waiting for core7 to call 127.0.0.1 port {there.port}, for 300 s at most." in err
        assert "Without --source" in err
        assert "every 1 s: card 101" in out

    lab(tmp_path, capsys, test)


def test_subscribe_to_a_host_that_does_not_call(capsys: Out) -> None:
    where = ("--call-home", f"127.0.0.1:{free_port()}", "--host-key", KEY, "--wait", "300ms")
    assert status_of([*SUBSCRIBE, *where]) == 2
    assert capsys.readouterr().err.endswith("collector: core7 did not call within 0.3 s\n")


def test_subscribe_while_a_collector_has_the_port(capsys: Out) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        assert status_of([*SUBSCRIBE, "--call-home", where, "--host-key", KEY]) == 2
    assert "put the subscription into its configuration" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--call-home", "4334"], "--call-home needs --host-key"),
        (["--host-key", "SHA256:x"], "--host-key goes with --call-home"),
        (["--call-home", "home", "--host-key", "SHA256:x"], "is not [ADDRESS:]PORT"),
        (["--call-home", "1", "--host-key", "x", "--port", "830"], "--port is of no use"),
        (["--call-home", "1", "--host-key", "x"], "neither a public key"),
        (["--call-home", "[::1]:99999", "--host-key", "SHA256:x"], "call_home.port"),
    ],
)
def test_what_cannot_be_meant(words: list[str], sentence: str, capsys: Out) -> None:
    assert status_of(["capabilities", "lab", "--user", "u", "--key-file", "k", *words]) == 2
    assert sentence in capsys.readouterr().err
