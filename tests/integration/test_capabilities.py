"""What a device says that it can, asked for over a real session, and who may see what."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from collector.cli import status_of
from collector.errors import ProtocolError
from collector.model import SECOND, SubscriptionTerms
from collector.service import Service, commands
from collector.service.capabilities import Findings, find_out
from collector.service.clock import CollectorClock
from collector.subscriber.sessions.asyncssh_session import AsyncsshSession
from collector.subscriber.sessions.session import Arrived, SessionSettings
from collector.wire.netconf.rpc import (
    EstablishSubscription,
    Get,
    KillSubscription,
    RpcReply,
    decode_reply,
    encode_rpc,
)
from publisher_sim.device.run import ready_line
from publisher_sim.device.service import DeviceService
from publisher_sim.scenario import parse_scenario
from tests.integration.test_control_plane import config, subscription
from tests.integration.test_subscribe_command import Lab
from tests.lab import PASSWORD, Facts, password_in_environment
from tests.netconf_device import Device, run

pytestmark = pytest.mark.integration

SCENARIO = """\
name = "core7"
address = "127.0.2.77"
periods = 0
{more}
[netconf]
port = 0
password_env = "LAB_PASSWORD"
[[user]]
name = "guest"
password_env = "LAB_PASSWORD"
reads = ["ietf-interfaces"]
[receiver]
transport = "netconf"
[period]
minimum_seconds = 0.5
[[card]]
name = "lc1"
publisher_id = 101
interfaces = ["eth1/0"]
hardware = ["fpc1"]
"""


@asynccontextmanager
async def device(folder: Path, more: str = "") -> AsyncIterator[DeviceService]:
    running = DeviceService(parse_scenario(SCENARIO.format(more=more)), in_process=True)
    try:
        await running.start()
        (folder / "known_hosts").write_text(running.server.known_hosts_line())
        yield running
    finally:
        await running.stop()


def settings(running: DeviceService, folder: Path, user: str = "collector") -> SessionSettings:
    return SessionSettings(
        host=running.server.host,
        port=running.server.port,
        username=user,
        password=lambda: PASSWORD,
        known_hosts=str(folder / "known_hosts"),
    )


def values(found: Findings) -> dict[str, tuple[Any, str]]:
    return {one.name: (one.value, one.source) for one in found.facts}


@pytest.mark.parametrize("session", ["asyncssh", "ncclient"])
def test_a_device_is_asked_what_it_can(tmp_path: Path, session: str) -> None:
    async def main() -> Findings:
        async with device(tmp_path) as running:
            return await find_out(settings(running, tmp_path), session, "core7")

    with password_in_environment():
        found = asyncio.run(main())
    said = values(found)
    assert said["shortest-period"] == (0.5, "system-capabilities")
    assert said["on-change"] == (["configuration", "state"], "system-capabilities")
    assert said["originators"] == (
        "ietf-multiple-stream-originators@2019-10-12", "yang-library",
    )  # fmt: skip
    assert said["originator-leaves"] == (["message-generator-id"], "module")
    assert said["originator-list-in-replies"] == (True, "module")
    assert said["xpath-filters"] == (True, "yang-library")
    assert said["encodings"][1] == "yang-library", "its transport has no identity to list them by"
    assert said["datastores"] == (["running", "operational"], "yang-library")
    (stream,), source = said["event-streams"]
    assert re.fullmatch(r"NETCONF \(replay since 20[0-9-]{8}T[0-9:]{8}Z\)", stream)
    assert source == "streams"
    assert [one.nodes for one in found.nodes] == [
        "/ietf-interfaces:interfaces/interface/statistics",
        "/ietf-hardware:hardware/component/sensor-data/value",
    ]


def test_a_device_that_says_nothing_is_no_error(tmp_path: Path) -> None:
    """A hello without modules, and every request refused."""

    async def main() -> Findings:
        async with Device(tmp_path, capabilities=("urn:ietf:params:netconf:base:1.1",)) as silent:
            silent.answer = lambda session, request: _refuse(silent, session, request)
            return await find_out(silent.settings(), "asyncssh", "silent")

    found = run(main())
    assert all(one.value is None for one in found.facts)
    assert found.nodes == ()
    assert found.unanswered == tuple(
        f"of {name} nothing is known: it refuses with unknown-element"
        for name in ("yang-library", "system-capabilities", "streams")
    )


def _refuse(silent: Device, session: str, request: bytes) -> None:
    number = request.split(b'message-id="')[1].split(b'"')[0].decode()
    silent.server.send(
        session,
        f'<rpc-reply message-id="{number}" xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">'
        "<rpc-error><error-type>protocol</error-type><error-tag>unknown-element</error-tag>"
        "<error-severity>error</error-severity></rpc-error></rpc-reply>".encode(),
    )


async def asks(running: Service, name: str, state: str) -> Any:
    async with asyncio.timeout(60):
        while True:
            rows = commands.devices(running)["devices"]
            row = next((one for one in rows if one["subscription"] == name), None)
            if row is not None and row.get("state") == state:
                return row
            await asyncio.sleep(0.02)


def test_without_modules_in_the_hello_the_library_is_asked_and_a_doubt_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The collector warns, asks all the same, and the device has the last word."""

    async def main() -> None:
        async with device(tmp_path, 'behaves_like = "no-modules-in-hello"') as running:
            ready = ready_line(running, running._scenario)
            wanted = (subscription("good"), subscription("hasty", period_seconds=0.2))
            service = Service(config(tmp_path, ready, *wanted), sinks=[Facts()])
            try:
                await service.start()
                await asks(service, "good", "active")
                row = await asks(service, "hasty", "refused")
                assert "period-unsupported" in str(row)
            finally:
                await service.stop()

    with password_in_environment(), caplog.at_level(logging.WARNING):
        asyncio.run(main())
    warnings = [one.getMessage() for one in caplog.records if "probably refuse" in one.getMessage()]
    assert warnings == [
        "Device core7 will probably refuse subscription hasty: its system capabilities say that"
        " the shortest period is 0.5 s. It is asked for all the same."
    ]


class Asking:
    """One session as some user."""

    def __init__(self, settings: SessionSettings) -> None:
        self.session = AsyncsshSession(settings, self._deliver, CollectorClock())
        self.updates: list[bytes] = []

    def _deliver(self, now: object, messages: Sequence[Arrived]) -> None:
        self.updates += [one.payload for one in messages if b"push-update" in one.payload]

    async def updated(self) -> bytes:
        """The first update that comes."""
        async with asyncio.timeout(60):
            while not self.updates:
                await asyncio.sleep(0.02)
        return self.updates[0]

    async def ask(self, operation: Any) -> RpcReply:
        return decode_reply(await self.session.rpc(encode_rpc("7", operation)))


@asynccontextmanager
async def session_of(running: DeviceService, folder: Path, user: str) -> AsyncIterator[Asking]:
    asking = Asking(settings(running, folder, user))
    try:
        await asking.session.open()
        yield asking
    finally:
        await asking.session.close()


@pytest.mark.clause("mso-13", "8639-8-b", "8641-3.9-a", "8641-3.9-b")
def test_a_guest_sees_and_does_less(tmp_path: Path) -> None:
    terms = SubscriptionTerms(datastore="operational", period=SECOND, encoding="encode-xml")

    async def main() -> None:
        async with (
            device(tmp_path) as running,
            session_of(running, tmp_path, "collector") as operator,
            session_of(running, tmp_path, "guest") as guest,
        ):
            theirs = await operator.ask(EstablishSubscription(terms))
            mine = await guest.ask(EstablishSubscription(terms))
            assert (theirs.generators, mine.generators) == (("101",), None)
            seen = (await guest.ask(Get())).subscriptions or ()
            assert [(one.id, one.generators) for one in seen] == [(mine.subscription_id, None)]
            seen = (await operator.ask(Get())).subscriptions or ()
            assert [one.generators for one in seen] == [("101",), ("101",)]
            for asking, modules in ((operator, (b"eth1/0", b"fpc1")), (guest, (b"eth1/0",))):
                update = await asking.updated()
                found = [word for word in (b"eth1/0", b"fpc1") if word in update]
                assert found == list(modules)
            assert theirs.subscription_id is not None
            refused = (await guest.ask(KillSubscription(theirs.subscription_id))).error
            assert isinstance(refused, ProtocolError)
            assert refused.tag == "access-denied"
            assert mine.subscription_id is not None
            assert (await operator.ask(KillSubscription(mine.subscription_id))).ok

    with password_in_environment():
        asyncio.run(main())


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As an operator calls it; the device runs beside it."""
    monkeypatch.setenv("COLLECTOR_PASSWORD", "lab")
    monkeypatch.chdir(tmp_path)
    lab = Lab(tmp_path)
    try:
        port = str(lab.ready()["netconf_port"])
        options = ("--user", "collector", "--known-hosts", "known_hosts", "--port", port)
        assert status_of(["capabilities", "localhost", *options]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert status_of(["capabilities", "localhost", *options, "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
    finally:
        lab.stop()
    assert "transports\tudp-notif\tsystem-capabilities" in lines
    assert "longest period\tunknown\tnobody says" in lines
    assert answer["facts"]["transports"] == {"value": ["udp-notif"], "from": "system-capabilities"}
    assert status_of(["capabilities", "nowhere"]) == 2
    assert "there is no device nowhere" in capsys.readouterr().err
