"""Devices that answer with junk, beside one that answers well: each is refused with a sentence,
memory stays bounded, and the good one's subscription is none the worse for it.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from collector.config import read_config_table
from collector.service import Service
from collector.service.gauges import refresh
from tests.integration.test_netconf_subscriber import Master
from tests.lab import Facts
from tests.netconf_device import PASSWORD, USER, Device, until

pytestmark = pytest.mark.integration

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
YP = "urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"


def reply(request: bytes, inner: bytes, head: bytes = b"") -> bytes:
    number = request.split(b'message-id="')[1].split(b'"')[0]
    return head + b'<rpc-reply message-id="%b" xmlns="%b">%b</rpc-reply>' % (
        number,
        BASE.encode(),
        inner,
    )


def with_id(text: bytes) -> bytes:
    return b'<id xmlns="%b">%b</id>' % (YP.encode(), text)


def error_of(message: bytes) -> bytes:
    return (
        b"<rpc-error><error-type>application</error-type><error-tag>operation-failed</error-tag>"
        b"<error-severity>error</error-severity><error-message>%b</error-message></rpc-error>"
        % message
    )


BOMB = (
    b'<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "' + b"&a;" * 500 + b'">'
    b'<!ENTITY c "' + b"&b;" * 500 + b'">]>'
)
EXTERNAL = b'<!DOCTYPE n [<!ENTITY c SYSTEM "file:///etc/passwd">]>'

Answer = Callable[[bytes], bytes]
HOSTILE: dict[str, Answer] = {
    "bomb": lambda request: reply(request, with_id(b"&c;"), BOMB),
    "external": lambda request: reply(request, with_id(b"&c;"), EXTERNAL),
    "no-id": lambda request: reply(request, b""),
    "huge-id": lambda request: reply(request, with_id(b"9" * 4000)),
    "no-number": lambda request: reply(request, with_id(b"\xff\xfe")),
    "deep": lambda request: reply(request, b"<a>" * 20_000 + b"</a>" * 20_000),
    "not-closed": lambda request: reply(request, b"<a>"),
    "escape": lambda request: reply(request, error_of(b"\x1b[2J")),  # not well-formed XML
    "long-error": lambda request: reply(
        request,
        error_of(b"\xc2\x9b2J&#x9b;2J" + b"word \n" * 100_000),  # well-formed, moves a terminal
    ),
    "many-generators": lambda request: reply(
        request,
        with_id(b"7")
        + b"".join(
            b'<message-generator-id xmlns="urn:x">g%d</message-generator-id>' % n
            for n in range(50_000)
        ),
    ),
    "other-id": lambda request: reply(request.replace(b'message-id="', b'message-id="9'), b"<ok/>"),
    "junk": lambda request: b"\x00\x01\x02 this is no XML",
}


async def serve(stack: AsyncExitStack, folder: Path, name: str) -> Device:
    place = folder / name
    place.mkdir()
    return await stack.enter_async_context(Device(place))


def answer_with(device: Device, answer: Answer) -> None:
    def send(session: str, message: bytes) -> None:
        device.server.send(session, answer(message))

    device.answer = send


def endless(device: Device) -> None:
    """A reply that begins and never ends: a new 64 KiB every turn of the loop."""

    async def pour(session: str) -> None:
        inner: Any = device.server._sessions[session]
        inner.write(b"\n#4294967295\n")
        for _ in range(400):
            inner.write(b"x" * 65_536)
            await asyncio.sleep(0.005)

    tasks = []
    device.answer = lambda session, message: tasks.append(asyncio.create_task(pour(session)))


def config_of(folder: Path, devices: dict[str, Device]) -> Any:
    return read_config_table(
        {
            "collector": {"data_dir": str(folder / "data")},
            "udp_notif": {"port": 0},
            "metrics": {"enabled": False},
            "device": [
                {
                    "name": name,
                    "sources": [f"192.0.2.{number}"],
                    "netconf": {
                        "host": device.server.host,
                        "port": device.server.port,
                        "username": USER,
                        "password_env": "HOSTILE_PASSWORD",
                        "known_hosts": str(device.known_hosts),
                        "rpc_timeout_seconds": 2,
                    },
                }
                for number, (name, device) in enumerate(devices.items(), start=1)
            ],
            "subscription": [
                {"name": "all", "xpath": "/ietf-interfaces:interfaces", "period_seconds": 1}
            ],
        },
        file="hostile",
    )


def test_hostile_answers_hurt_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HOSTILE_PASSWORD", PASSWORD)
    caplog.set_level(logging.INFO, "collector")
    facts = Facts()

    async def whole() -> None:
        async with AsyncExitStack() as stack:
            devices = {"good": await serve(stack, tmp_path, "good")}
            master = Master(devices["good"])
            for name, answer in HOSTILE.items():
                devices[name] = await serve(stack, tmp_path, name)
                answer_with(devices[name], answer)
            devices["endless"] = await serve(stack, tmp_path, "endless")
            endless(devices["endless"])
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            service = Service(config_of(tmp_path, devices), sinks=[facts])
            try:
                await service.start()
                await until(lambda: all(device.rpcs for device in devices.values()))
                await asyncio.sleep(4.0)
                states = {state.name: state for state in service.manager.states()}
                assert states["good"].subscriptions[0].phase.value == "active"
                for name in HOSTILE.keys() - {"many-generators"}:
                    phases = [one.phase.value for one in states[name].subscriptions]
                    assert "active" not in phases, name
                (session,) = devices["good"].opened
                master.push(session[0], states["good"].subscriptions[0].id or 0)
                refresh(service)
                updates = service.counters.updates
                await until(lambda: updates[("good", "judged")] >= 2)
                assert service.health() == (True, "ok")
                counted = dict(service.counters.requests_refused.items())
                assert {device for device, _ in counted} <= HOSTILE.keys()
                assert counted["deep", "too-deep"] >= 1
                assert counted["long-error", "rpc-error"] >= 1
                assert counted["escape", "bad-xml"] >= 1
            finally:
                async with asyncio.timeout(40):
                    await service.stop()
            growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            assert growth < 200 * 1024, f"{growth} KiB"

    asyncio.run(whole())
    refused = {event.device for event in facts.events if event.kind == "request_refused"}
    assert {"no-id", "huge-id", "deep", "long-error"} <= refused
    for line in caplog.messages:
        assert len(line) < 1000
        assert "\x1b" not in line
        assert "\x9b" not in line
    assert "root:" not in caplog.text + "".join(event.text for event in facts.events)
    assert all(len(event.text) < 2000 for event in facts.events)
    assert "\x9b" not in "".join(event.text for event in facts.events)
