"""Passwords, passphrases and private keys, through log-ins, refusals and failures of every kind:
they are in no log line, answer, command line, file of the collector, or output of a command.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import urllib.parse
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from collector.journal import JournalReader
from collector.store.tables import TABLES
from publisher_sim.netconf.call_home import CallHome
from publisher_sim.scenario import Netconf
from tests.integration.test_netconf_subscriber import Master
from tests.lanes_lab import Collector, collector, free_port
from tests.netconf_device import USER, Device
from tests.waiting import until

pytestmark = pytest.mark.integration

SECRETS = {
    "password in a file": "Tr0ub4dor-file-6f1c",
    "password in the environment": "c0rrect-horse-env-92ab",
    "password that is wrong": "wr0ng-password-3d77",
    "password of who calls home": "call-h0me-password-5e05",
    "password for ncclient": "n¢client-passw0rd-8844",
    "password for a stranger": "never-sh0wn-to-the-stranger-1b2c",
    "passphrase of our key": "0pen-sesame-phrase-a9d3",
    "passphrase that is wrong": "cl0sed-sesame-phrase-77e0",
    "secret in the wrong place": "inl1ne-password-f00d",
}


def spellings(secret: str) -> Iterator[bytes]:
    """How it could look in a file."""
    octets = secret.encode()
    yield octets
    for before in range(3):  # whatever stands in front of it, as a user's name does
        inside = base64.b64encode(bytes(before) + octets)
        yield inside[4 if before else 0 : len(inside) // 4 * 4 - 4]
    yield octets.hex().encode()
    yield urllib.parse.quote(secret).encode()
    yield json.dumps(secret).strip('"').encode()


def found_in(text: bytes, private: list[bytes]) -> list[str]:
    """Names of the secrets that are in some octets, in any spelling."""
    names = [name for name, one in SECRETS.items() if any(form in text for form in spellings(one))]
    return names + ["our private key"] * any(line in text for line in private)


async def serve(stack: AsyncExitStack, folder: Path, name: str, **server: Any) -> Device:
    place = folder / f"server-{name}"
    place.mkdir()
    return await stack.enter_async_context(Device(place, **server))


def section(name: str, device: Device | None, number: int, lines: str, **changes: Any) -> str:
    values: dict[str, Any] = {"username": USER, "rpc_timeout_seconds": 2} | changes
    if device is not None and "call_home" not in changes:
        values |= {"host": device.server.host, "port": device.server.port}
        values.setdefault("host_keys", [device.server.public_key])
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
    return (
        f'[[device]]\nname = "{name}"\nsources = ["192.0.2.{number}"]\n[device.netconf]\n'
        f"{text}{lines}"
    )


def secret_file(folder: Path, name: str) -> str:
    """Of mode 0600; its path in the configuration."""
    path = folder / f"{name.replace(' ', '-')}.secret"
    path.touch(mode=0o600)
    path.write_text(SECRETS[name] + "\n")
    return f'password_file = "{path}"\n'


def phrase_file(folder: Path, name: str) -> str:
    return "key_" + secret_file(folder, name).replace("password_file", "passphrase_file")


def our_key(folder: Path) -> tuple[asyncssh.SSHKey, list[bytes]]:
    """A private key under a passphrase, and the lines of it that nobody may see."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    phrase = SECRETS["passphrase of our key"]
    key.write_private_key(folder / "key", passphrase=phrase)
    key.write_private_key(folder / "key-in-plain")
    plain = [(folder / name).read_bytes().splitlines()[2:-1] for name in ("key", "key-in-plain")]
    (folder / "key-in-plain").unlink()
    os.chmod(folder / "key", 0o600)
    return key, [line for lines in plain for line in lines if len(line) > 30]


def drop_connections(device: Device) -> None:
    for connection in list(device.server._connections):
        connection.abort()


def test_the_search_finds_what_it_searches(tmp_path: Path) -> None:
    _, private = our_key(tmp_path)
    assert len(private) >= 4
    assert found_in(b"-" + private[-1] + b"-", private) == ["our private key"]
    for name, secret in SECRETS.items():
        basic = base64.b64encode(f"operator:{secret}\n".encode())
        for text in (f"<x>{secret}</x>".encode(), basic, json.dumps([secret]).encode()):
            assert found_in(text, private) == [name]


def test_secrets_stay_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_PASSWORD", SECRETS["password in the environment"])
    key, private = our_key(tmp_path)
    public = key.export_public_key().decode()

    async def whole() -> None:
        async with AsyncExitStack() as stack:
            devices: dict[str, Device] = {}
            for name, word in {
                "file": "password in a file",
                "env": "password in the environment",
                "nc": "password for ncclient",
                "home": "password of who calls home",
            }.items():
                devices[name] = await serve(stack, tmp_path, name, users={USER: SECRETS[word]})
                Master(devices[name])
            for name in ("wrong", "stranger"):
                devices[name] = await serve(stack, tmp_path, name, users={USER: "something else"})
            for name in ("key", "bad-phrase"):
                devices[name] = await serve(
                    stack, tmp_path, name, users={}, authorized_keys={USER: public}
                )
                Master(devices[name])
            running = await stack.enter_async_context(collector(tmp_path))
            calls = free_port()
            configure(running, devices, calls)
            await running.start()
            call = Netconf(call_home=f"127.0.0.1:{calls}", call_home_retry_seconds=0.2)
            calling = [
                CallHome(devices[name].server, call, holds=lambda session: True)
                for name in ("home", "stranger")  # the second one is nobody's
            ]
            for one in calling:
                one.start()
            try:
                await through_everything(running, devices, private)
            finally:
                for one in calling:
                    await one.stop()

    asyncio.run(asyncio.wait_for(whole(), 200))


def configure(running: Collector, devices: dict[str, Device], calls: int) -> None:
    folder = running.folder
    key = f'key_file = "{folder / "key"}"\n'
    more = (
        f"[call_home]\nenabled = true\nport = {calls}\n"
        '[[subscription]]\nname = "all"\nxpath = "/ietf-interfaces:interfaces"\n'
        "period_seconds = 1\n"
    )
    more += section("file", devices["file"], 1, secret_file(folder, "password in a file"))
    more += section("env", devices["env"], 2, 'password_env = "SECRET_PASSWORD"\n')
    more += section("wrong", devices["wrong"], 3, secret_file(folder, "password that is wrong"))
    more += section(
        "nc", devices["nc"], 4, secret_file(folder, "password for ncclient"), session="ncclient"
    )
    more += section(
        "stranger",
        devices["stranger"],
        5,
        secret_file(folder, "password for a stranger"),
        host_keys=[devices["file"].server.fingerprint],
    )
    more += section("key", devices["key"], 6, key + phrase_file(folder, "passphrase of our key"))
    more += section(
        "bad-phrase",
        devices["bad-phrase"],
        7,
        key + phrase_file(folder, "passphrase that is wrong"),
    )
    more += section(
        "home",
        None,
        8,
        secret_file(folder, "password of who calls home"),
        call_home=True,
        host_keys=[devices["home"].server.public_key],
    )
    running.configure(lanes=1, more=more)
    file = folder / "collector.toml"
    file.write_text(file.read_text().replace("[collector]", '[collector]\nlog_level = "debug"'))


async def through_everything(
    running: Collector, devices: dict[str, Device], private: list[bytes]
) -> None:
    def phases() -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for row in running.ask("devices")["devices"]:
            state = row["state"] if row["session"] == "up" else row["session"]
            found.setdefault(row["device"], set()).add(state)
        return found

    wanted = {name: {"active"} for name in ("file", "env", "nc", "key", "home")}
    wanted |= {name: {"refused"} for name in ("wrong", "stranger", "bad-phrase")}
    await until(lambda: phases() == wanted)
    seen: list[bytes] = [command_lines()]
    for name in ("file", "nc", "home"):
        drop_connections(devices[name])  # everything once more, by a loss
    await until(lambda: len(devices["home"].opened) > 1 and len(devices["nc"].opened) > 1)
    await until(lambda: phases() == wanted)
    file = running.folder / "collector.toml"
    good = file.read_text()
    file.write_text(good + f'[extra]\npassword = "{SECRETS["secret in the wrong place"]}"\n')
    seen += [
        (await output(running.folder, *command)).encode()
        for command in (("reload",), ("check-config", "collector.toml"))
    ]
    file.write_text(good)
    (running.folder / "password-in-a-file.secret").chmod(0o644)  # refused from now on
    drop_connections(devices["file"])
    await until(lambda: phases()["file"] == {"refused"})
    for words in (("devices",), ("status", "--json")):
        seen.append((await output(running.folder, *words)).encode())
    seen += [json.dumps(running.ask(word)).encode() for word in ("status", "devices")]
    seen += [running.page(path)[1].encode() for path in ("/metrics", "/healthz")]
    seen.append(command_lines())
    await running.stop()
    seen.append(running.log().encode())
    seen += stored(running)
    for text in seen:
        assert not (names := found_in(text, private)), (names, text[:300])
    assert b"refused the user" in seen[-1 - len(stored(running))] + running.log().encode()
    for path in running.data.rglob("*"):
        if path.is_file():
            assert not (names := found_in(path.read_bytes(), private)), (names, path)


def stored(running: Collector) -> list[bytes]:
    """All records of the journal and all rows of the store, as they are read."""
    found = [
        payload for frame in JournalReader(running.data).read() for payload in frame.batch().payload
    ]
    assert len(found) > 10
    for table in TABLES:
        rows = running.rows(f"SELECT * FROM {table}")
        found.append(json.dumps(rows, default=repr).encode())
    return found


def command_lines() -> bytes:
    """Of every process on the machine, with what each of them calls itself."""
    found = b""
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "comm"):
            try:
                found += (process / name).read_bytes() + b"\n"
            except OSError:
                pass  # it has ended
    assert b"collector" in found
    return found


async def output(folder: Path, *arguments: str) -> str:
    """Standard output and standard error of a command."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "collector", *arguments),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    out, _ = await asyncio.wait_for(child.communicate(), 60)
    return out.decode()
