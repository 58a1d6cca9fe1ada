"""Requests of a device: what is said of a reply that warns."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from collector.metrics import Counters
from collector.subscriber.exchanges.requests import Requests
from collector.wire.netconf.rpc import DeleteSubscription

WARNING = (
    "<rpc-error><error-type>application</error-type><error-severity>warning</error-severity>"
    "<error-tag>partial-operation</error-tag><error-message>late\n{text}</error-message></rpc-error>"
)


class Session:
    """Warns in each reply, and does what is asked."""

    def __init__(self, text: str) -> None:
        self._warning = WARNING.format(text=text)

    async def rpc(self, request: bytes) -> bytes:
        base = "urn:ietf:params:xml:ns:netconf:base:1.0"
        reply = f'<rpc-reply xmlns="{base}" message-id="1">{self._warning}<ok/></rpc-reply>'
        return reply.encode()


class Recorder:
    async def request(self, *_: object) -> None:
        """No journal here."""


@pytest.mark.parametrize("text", ["soon", "x" * 5000, "a\u009b2Jb"])
def test_a_warning_is_said_once_in_a_session(text: str, caplog: pytest.LogCaptureFixture) -> None:
    requests = Requests("core7", cast("Any", Recorder()), Counters())

    async def ask(times: int) -> None:
        for _ in range(times):
            reply = await requests.call(cast("Any", Session(text)), "a", DeleteSubscription(7))
            assert reply.ok

    asyncio.run(ask(3))
    (said,) = caplog.messages
    assert said.startswith("Device core7 warned in its reply to delete-subscription: ")
    assert "late" in said
    assert said.isprintable()
    assert len(said) < 400
    requests.forget()  # the next session
    asyncio.run(ask(2))
    assert len(caplog.messages) == 2
