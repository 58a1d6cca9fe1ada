"""A session of the running collector, lent to a command over the control socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from collector import asking
from collector.control import REQUEST_BYTES, ControlServer
from collector.errors import SessionError, UsageError
from collector.service.borrowing import BorrowedSession
from collector.subscriber.exchanges import lending
from collector.subscriber.exchanges.lending import ASK, BORROW, Lending
from collector.subscriber.sessions.session import SessionSettings
from collector.subscriber.states import DevicePhase
from collector.wire.netconf.rpc import (
    CANDIDATE,
    RUNNING,
    DeleteSubscription,
    Get,
    Lock,
    Operation,
    Unlock,
    decode_reply,
    encode_rpc,
)
from tests.netconf_device import run
from tests.subscriber_world import NEVER, World, kinds, refusal, reply, wanted
from tests.waiting import until

WAIT_SECONDS = 20.0


class There(NamedTuple):
    """A collector on a folder, and one device."""

    world: World
    folder: Path
    heard: list[str]

    def session(self, device: str = "core1") -> BorrowedSession:
        return BorrowedSession(
            SessionSettings("192.0.2.1", "u"), self.folder, device, wait_seconds=WAIT_SECONDS,
            say=self.heard.append,
        )  # fmt: skip

    async def ask(self, session: BorrowedSession, operation: Operation, number: int = 1) -> bytes:
        return await session.rpc(encode_rpc(str(number), operation))


@asynccontextmanager
async def there(
    folder: Path, *, subscribed: bool = True, **settings: object
) -> AsyncIterator[There]:
    world = World(NEVER)
    await world.want(*([wanted()] if subscribed else ()), **settings)
    lent = Lending(world.manager.runner_of)
    server = ControlServer(folder, {BORROW: lent.borrow, ASK: lent.ask})
    await server.start()
    try:
        yield There(world, folder, [])
    finally:
        await server.stop()
        await world.manager.stop()


def test_what_a_command_asks_is_no_record_of_the_collector(tmp_path: Path) -> None:
    async def main() -> None:
        async with there(tmp_path) as lab:
            await lab.world.active()
            before = kinds(lab.world)
            session = lab.session()
            await session.open()
            assert session.session_id == 1
            assert session.peer == "192.0.2.1"
            assert any("ietf-yang-push" in one for one in session.capabilities)
            answers = await asyncio.gather(*(lab.ask(session, Get(None, None)) for _ in "a"))
            assert decode_reply(answers[0]).ok
            assert 'message-id="lent-1-1"' in lab.world.device.requests[-1]
            other = lab.session()
            await other.open()  # the same message-id at the same time is nobody's trouble
            await asyncio.gather(lab.ask(session, Get(None, None)), lab.ask(other, Get(None, None)))
            await session.close()
            await session.close()
            await other.close()
            assert kinds(lab.world) == before
            assert lab.world.phase() is DevicePhase.UP
            assert lab.heard == []

    run(main())


def test_the_subscriptions_are_the_collectors(tmp_path: Path) -> None:
    async def main() -> None:
        async with there(tmp_path) as lab:
            await lab.world.active()
            session = lab.session()
            with pytest.raises(UsageError, match="not open"):
                await lab.ask(session, Get(None, None))
            await session.open()
            with pytest.raises(SessionError, match="it alone asks for delete-subscription"):
                await lab.ask(session, DeleteSubscription(22))
            with pytest.raises(UsageError, match="too long for the running collector"):
                await session.rpc(b"<rpc/>" + bytes(REQUEST_BYTES))
            for request in ("", "<rpc/>", "<rpc", "ä" * 9):
                with pytest.raises(UsageError, match="one <rpc> with one operation"):
                    await asking.ask(tmp_path, ASK, {"name": "lent-1", "request": request})
            with pytest.raises(UsageError, match="not lent any more"):
                await asking.ask(tmp_path, ASK, {"name": "lent-2", "request": "<rpc/>"})
            await session.close()
            with pytest.raises(UsageError, match="there is no device core9"):
                await lab.session("core9").open()

    run(main())


def test_a_session_that_nobody_needs_is_opened_and_ended_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with there(tmp_path, subscribed=False, calls_home=True) as lab:
            await until(lambda: lab.world.phase() is DevicePhase.IDLE)
            session = lab.session()
            await session.open()
            assert lab.heard == [
                "core1 has no session with the running collector yet; waiting for it, for 20 s at"
                " most."
            ]
            assert decode_reply(await lab.ask(session, Get(None, None))).ok
            await session.close()
            await until(lambda: lab.world.phase() is DevicePhase.IDLE)

    run(main())


def test_a_session_that_fails_meanwhile_ends_what_is_lent(tmp_path: Path) -> None:
    async def main() -> None:
        async with there(tmp_path) as lab:
            await lab.world.active()
            session = lab.session()
            await session.open()
            lab.world.device.sessions[-1].lose()
            failure = await asyncio.wait_for(session.closed, WAIT_SECONDS)
            assert str(failure) == "the device went away"
            with pytest.raises(SessionError, match="not lent any more"):
                await lab.ask(session, Get(None, None))
            await session.close()

    run(main())


def test_a_device_that_refuses_us_lends_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with there(tmp_path, subscribed=False) as lab:
            wrong = SessionError("the password is wrong", reason="auth", retryable=False)
            lab.world.device.refuse_to_open = [wrong]
            session = lab.session()
            with pytest.raises(SessionError, match="no session with core1: the password is wrong"):
                await session.open()
            await session.close()
            await lab.world.want(wanted())
            await until(lambda: lab.world.phase() is DevicePhase.UP)

    run(main())


def test_waiting_has_an_end(tmp_path: Path) -> None:
    async def main() -> None:
        async with there(tmp_path, subscribed=False) as lab:
            lost = SessionError("nobody is there", reason="refused")
            lab.world.device.refuse_to_open = [lost]
            session = BorrowedSession(
                SessionSettings("", "u"), tmp_path, "core1", wait_seconds=0.05,
                say=lab.heard.append,
            )  # fmt: skip
            with pytest.raises(SessionError, match=r"core1 had no session within 0\.05 s"):
                await session.open()
            await session.close()

    run(main())


@pytest.mark.parametrize("refused", [False, True])
def test_locks_that_a_command_leaves_are_taken_away(tmp_path: Path, refused: bool) -> None:
    """As the end of a session of its own would have (RFC 6241 section 7.5)."""

    async def main() -> None:
        async with there(tmp_path) as lab:
            await lab.world.active()
            if refused:
                answer = lab.world.device.answer
                lab.world.device.answers = lambda request: (
                    reply(request, refusal("lock-denied", ""))
                    if "<lock>" in request
                    else answer(request)
                )
            session = lab.session()
            await session.open()
            for number, datastore in enumerate((RUNNING, CANDIDATE)):
                await lab.ask(session, Lock(datastore), number)
            await lab.ask(session, Unlock(RUNNING), 7)
            names = lab.world.device.names()
            await session.close()
            more = 0 if refused else 2
            await until(lambda: len(lab.world.device.requests) >= len(names) + more)
            left = lab.world.device.names()[len(names) :]
            assert left == ([] if refused else ["discard-changes", "unlock"])

    run(main())


def test_a_lock_that_cannot_be_taken_away_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with there(tmp_path) as lab:
            await lab.world.active()
            session = lab.session()
            await session.open()
            await lab.ask(session, Lock(RUNNING))
            lab.world.device.sessions[-1].lose()
            await session.closed
            await session.close()
            await until(lambda: "may still be there" in caplog.text)

    run(main())


def test_not_everybody_can_borrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lending, "MAX_LENT", 1)

    async def main() -> None:
        async with there(tmp_path) as lab:
            await lab.world.active()
            session, other = lab.session(), lab.session()
            await session.open()
            with pytest.raises(UsageError, match="1 commands have borrowed a session already"):
                await other.open()
            await session.close()
            await other.close()

    run(main())


def test_the_collector_stops(tmp_path: Path) -> None:
    async def main() -> None:
        async with there(tmp_path) as lab:
            await lab.world.active()
            session = lab.session()
            await session.open()
        failure = await asyncio.wait_for(session.closed, WAIT_SECONDS)
        assert failure.reason == "lost"
        await session.close()

    run(main())
