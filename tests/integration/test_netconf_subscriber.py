"""Manager, both sessions and the server of the simulator over real SSH on loopback."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from collector.config import SessionsSettings
from collector.model import (
    SECOND,
    NotificationKind,
    RecordKind,
    SelectionFilter,
    SubscriptionTerms,
)
from collector.subscriber.backoff import BackoffSettings
from collector.subscriber.manager import SubscriptionManager
from collector.subscriber.states import DevicePhase, SubscriptionPhase
from collector.subscriber.wanted import DeviceAccess, WantedSubscription
from collector.wire.encodings.yang_xml import XmlEncoding
from collector.wire.netconf.rpc import (
    DeleteSubscription,
    EstablishOutput,
    EstablishSubscription,
    Ok,
    decode_reply,
    decode_rpc,
    encode_reply,
)
from tests.netconf_device import PASSWORD, Device, RunningClock, run
from tests.subscriber_world import FakeIntake
from tests.waiting import until

pytestmark = pytest.mark.integration

FAST = BackoffSettings(first=SECOND // 20, factor=1.0, limit=SECOND // 20)
TERMS = SubscriptionTerms(
    datastore="operational",
    selection_filter=SelectionFilter("xpath", "/ietf-interfaces:interfaces"),
    period=SECOND,
    encoding="encode-xml",
)


class Master:
    """The smallest device: gives ids, lists two generators, pushes an update with each reply."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.next_id = 2_147_483_648
        self.operations: list[object] = []
        device.answer = self.answer

    def answer(self, session: str, message: bytes) -> None:
        rpc = decode_rpc(message)
        self.operations.append(rpc.operation)
        if not isinstance(rpc.operation, EstablishSubscription):
            self.device.server.send(session, encode_reply(rpc.message_id, Ok(), mode="mso"))
            return
        output = EstablishOutput(self.next_id, ("linecard1", "linecard2"))
        self.device.server.send(session, encode_reply(rpc.message_id, output, mode="mso"))
        self.push(session, self.next_id)
        self.next_id += 1

    def push(self, session: str, number: int) -> None:
        self.device.server.send(
            session,
            b'<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
            b"<eventTime>2026-01-01T00:00:00Z</eventTime>"
            b'<push-update xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push"><id>%d</id>'
            b"<datastore-contents/></push-update></notification>" % number,
        )


@pytest.mark.parametrize("kind", ["asyncssh", "ncclient"])
def test_the_life_of_a_subscription(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("", "asyncssh", "ncclient", "paramiko"):
        caplog.set_level(logging.DEBUG, name)
    intake = FakeIntake()

    async def main() -> None:
        manager = SubscriptionManager(intake, RunningClock(), backoff=FAST)
        async with Device(tmp_path) as device:
            master = Master(device)
            access = DeviceAccess("core1", device.settings(), kind)
            await manager.apply([access], [WantedSubscription("interfaces", "core1", TERMS)])

            def active() -> bool:
                (state,) = manager.states()
                return [s.phase for s in state.subscriptions] == [SubscriptionPhase.ACTIVE]

            await until(active)
            await until(lambda: "DATA" in intake.kinds())
            assert intake.kinds() == ["SESSION_UP", "REQUEST", "REPLY", "DATA"]
            device.server.close_session("1")
            await until(lambda: device.closed == ["1"])
            await until(lambda: len(master.operations) == 2)
            await until(active)
            assert manager.states()[0].session_id == 2
            await until(lambda: intake.kinds().count("DATA") == 2)
            await manager.stop()
            await until(lambda: device.closed == ["1", "2"])
            first, second, last = master.operations
            assert isinstance(first, EstablishSubscription)
            assert isinstance(second, EstablishSubscription)
            assert first.terms.anchor_time is not None
            assert first.terms.anchor_time % SECOND == 0
            assert first.terms.period == SECOND
            assert last == DeleteSubscription(2_147_483_649)

    run(main())
    assert intake.kinds() == [
        *["SESSION_UP", "REQUEST", "REPLY", "DATA", "SESSION_DOWN"],
        *["SESSION_UP", "REQUEST", "REPLY", "DATA", "REQUEST", "REPLY", "SESSION_DOWN"],
    ]
    reply = intake.notes(RecordKind.REPLY)[0].reply
    assert reply is not None
    assert decode_reply(reply.encode()).generators == ("linecard1", "linecard2")
    data = [row for kind_, _, row in intake.rows() if kind_ is RecordKind.DATA]
    assert [XmlEncoding().decode(row).kind for row in data] == [NotificationKind.PUSH_UPDATE] * 2
    everything = caplog.text + repr(list(intake.rows()))
    assert PASSWORD not in everything
    assert {session for _, session, _ in intake.rows()} == {"core1/1", "core1/2"}


def test_a_wrong_password_is_not_tried_again(tmp_path: Path) -> None:
    async def main() -> None:
        manager = SubscriptionManager(FakeIntake(), RunningClock(), backoff=FAST)
        async with Device(tmp_path) as device:
            settings = device.settings(password=lambda: "wrong")
            access = DeviceAccess("core1", settings)
            await manager.apply([access], [WantedSubscription("interfaces", "core1", TERMS)])
            await until(lambda: manager.states()[0].phase is DevicePhase.REFUSED)
            assert "operator" in manager.states()[0].reason
            await manager.stop()

    run(main())


def test_a_device_that_comes_back_later(tmp_path: Path) -> None:
    async def main() -> None:
        manager = SubscriptionManager(FakeIntake(), RunningClock(), backoff=FAST)
        device = Device(tmp_path)
        async with device:
            Master(device)
            access = DeviceAccess("core1", device.settings())
        await manager.apply([access], [WantedSubscription("interfaces", "core1", TERMS)])
        await until(lambda: manager.states()[0].phase is DevicePhase.WAITING)
        async with device:
            await until(lambda: manager.states()[0].phase is DevicePhase.UP)
            await manager.stop()

    run(main())


def test_many_devices_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        intake = FakeIntake()
        manager = SubscriptionManager(
            intake, RunningClock(), sessions=SessionsSettings(max_connecting=4)
        )
        async with Device(tmp_path) as device:
            Master(device)
            names = [f"core{number}" for number in range(30)]
            devices = [DeviceAccess(name, device.settings()) for name in names]
            wanted = [WantedSubscription("interfaces", name, TERMS) for name in names]
            await manager.apply(devices, wanted)
            await until(lambda: intake.kinds().count("DATA") == 30)
            assert len({session for _, session, _ in intake.rows()}) == 30
            await manager.stop()
            await until(lambda: len(device.closed) == 30)
        assert len(asyncio.all_tasks()) <= 2

    run(main())
