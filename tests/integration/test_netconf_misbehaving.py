"""What real servers do otherwise than RFC 8640 says, over real SSH: all of it is taken in good
part, and what goes wrong is a state with a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from collector.errors import ProtocolError
from collector.model import SECOND, RecordKind, SelectionFilter, SubscriptionTerms
from collector.service import killing
from collector.service.ways import Ways
from collector.subscriber.backoff import BackoffSettings
from collector.subscriber.manager import SubscriptionManager
from collector.subscriber.states import SubscriptionPhase, SubscriptionState
from collector.subscriber.wanted import DeviceAccess, WantedSubscription
from collector.wire.netconf.rpc import (
    DeleteSubscription,
    EstablishSubscription,
    KillSubscription,
    Operation,
    decode_rpc,
)
from publisher_sim.netconf.server import CAPABILITIES
from tests.netconf_device import Device, RunningClock, run
from tests.subscriber_world import FakeIntake, refusal, reply, state_change
from tests.waiting import until

pytestmark = pytest.mark.integration

SN = 'xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"'
YP = 'xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push"'
FAST = BackoffSettings(first=SECOND // 100, factor=1.0, limit=SECOND // 100)
TERMS = SubscriptionTerms(
    datastore="operational",
    selection_filter=SelectionFilter("xpath", "/ietf-interfaces:interfaces"),
    period=SECOND,
    encoding="encode-xml",
)
WANTED = WantedSubscription("interfaces", "core1", TERMS)
STREAM = WantedSubscription(
    "alarms", "core1", SubscriptionTerms(stream="NETCONF", encoding="encode-xml")
)
UPDATE = (
    '<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
    f"<eventTime>2026-01-01T00:00:00Z</eventTime><push-update {YP}><id>{{}}</id>"
    "<datastore-contents/></push-update></notification>"
)


class Server:
    """Answers each operation with the messages that the test typed, else as it should."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self.answers: dict[type, Callable[[str], list[bytes]]] = {}
        self.operations: list[Operation] = []
        self.ids = iter(range(7, 1000))
        device.answer = self._answer

    def _answer(self, session: str, message: bytes) -> None:
        operation = decode_rpc(message).operation
        text = message.decode()
        self.operations.append(operation)
        given = self.answers.get(type(operation))
        if given is not None:
            messages = given(text)
        elif isinstance(operation, EstablishSubscription):
            messages = [reply(text, f"<id {SN}>{next(self.ids)}</id>")]
        else:
            messages = [reply(text, "<ok/>")]
        for each in messages:
            self._device.server.send(session, each)

    def established(self) -> int:
        return sum(isinstance(one, EstablishSubscription) for one in self.operations)


class Lab:
    """A manager and a server."""

    def __init__(self, device: Device, kind: str) -> None:
        self.device = device
        self.server = Server(device)
        self.intake = FakeIntake()
        self.manager = SubscriptionManager(self.intake, RunningClock(), backoff=FAST)
        self._kind = kind

    async def want(self, *wanted: WantedSubscription) -> None:
        access = DeviceAccess("core1", self.device.settings(), self._kind)
        await self.manager.apply([access], wanted)

    def state(self) -> SubscriptionState | None:
        held = self.manager.states()[0].subscriptions
        return held[0] if held else None

    async def comes_to(self, phase: SubscriptionPhase) -> SubscriptionState:
        await until(lambda: (state := self.state()) is not None and state.phase is phase)
        state = self.state()
        assert state is not None
        return state


INTERFACES = "urn:ietf:params:xml:ns:yang:ietf-interfaces?module=ietf-interfaces"
"""What is subscribed to here is there."""


@asynccontextmanager
async def lab(folder: Path, kind: str = "asyncssh", **device: Any) -> Any:
    device.setdefault("capabilities", (*CAPABILITIES, INTERFACES))
    async with Device(folder, **device) as running:
        one = Lab(running, kind)
        yield one
        await one.manager.stop()


BOTH = pytest.mark.parametrize("kind", ["asyncssh", "ncclient"])


@BOTH
def test_a_push_update_before_the_reply_that_carries_its_id(tmp_path: Path, kind: str) -> None:
    async def main() -> None:
        async with lab(tmp_path, kind) as one:
            one.server.answers[EstablishSubscription] = lambda request: [
                UPDATE.format(7).encode(),
                reply(request, f"<id {SN}>7</id>"),
            ]
            await one.want(WANTED)
            state = await one.comes_to(SubscriptionPhase.ACTIVE)
            assert state.id == 7
            await until(lambda: "REPLY" in one.intake.kinds())
            assert one.intake.kinds()[:4] == ["SESSION_UP", "REQUEST", "DATA", "REPLY"]

    run(main())


@BOTH
def test_terminated_before_the_ok_of_a_delete(tmp_path: Path, kind: str) -> None:
    async def main() -> None:
        async with lab(tmp_path, kind) as one:
            one.server.answers[DeleteSubscription] = lambda request: [
                state_change("subscription-terminated", 7),
                reply(request, "<ok/>"),
            ]
            await one.want(WANTED)
            await one.comes_to(SubscriptionPhase.ACTIVE)
            await one.want(replace(WANTED, terms=replace(TERMS, encoding="encode-json")))
            await until(lambda: one.server.established() == 2)
            state = await one.comes_to(SubscriptionPhase.ACTIVE)
            assert (state.id, state.reason) == (8, "")
            assert one.server.established() == 2

    run(main())


HINT = f"<period-hint {YP}>6000</period-hint>"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        # no error-info at all
        (
            refusal("invalid-value", "ietf-yang-push:period-unsupported"),
            "period-unsupported",
        ),
        # the reason in error-info only, with a prefix, in the container as RFC 8641 figure 13
        # prints it
        (
            refusal(
                "invalid-value",
                "",
                f"<error-info><establish-subscription-error-datastore {YP}>"
                "<reason>yp:filter-unsupported</reason>"
                "<filter-failure-hint>no such node</filter-failure-hint>"
                "</establish-subscription-error-datastore></error-info>",
            ),
            "filter-unsupported; the device hints: filter-failure-hint no such node",
        ),
        # the prefix instead of the module's name, an element too many
        (
            refusal("operation-not-supported", "yp:on-change-unsupported", "<vendor>x</vendor>"),
            "on-change-unsupported",
        ),
        # a hint outside any container
        (
            refusal("invalid-value", "period-unsupported", f"<error-info>{HINT}</error-info>"),
            "period-unsupported; the device hints: period-hint 6000 (60 s)",
        ),
        # a tag alone
        (
            "<rpc-error><error-tag>access-denied</error-tag></rpc-error>",
            "access-denied",
        ),
    ],
)
def test_refusals_as_they_come(tmp_path: Path, content: str, reason: str) -> None:
    async def main() -> None:
        async with lab(tmp_path) as one:
            one.server.answers[EstablishSubscription] = lambda request: [reply(request, content)]
            await one.want(WANTED)
            state = await one.comes_to(SubscriptionPhase.REFUSED)
            assert state.reason == reason
            assert one.server.established() == 1

    run(main())


@BOTH
def test_a_hint_without_its_container_is_followed(tmp_path: Path, kind: str) -> None:
    content = refusal("invalid-value", "period-unsupported", f"<error-info>{HINT}</error-info>")

    async def main() -> None:
        async with lab(tmp_path, kind) as one:

            def answer(request: str) -> list[bytes]:
                short = "<period>100<" in request
                return [reply(request, content if short else f"<id {SN}>7</id>")]

            one.server.answers[EstablishSubscription] = answer
            await one.want(replace(WANTED, accept_hints=True))
            state = await one.comes_to(SubscriptionPhase.ACTIVE)
            assert state.reason == "every 60 s instead of 1 s, as the device hinted"

    run(main())


def test_operation_failed_for_an_unknown_stream_is_tried_again_and_explained(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with lab(tmp_path) as one:
            content = refusal("operation-failed", "", "<error-message>Sorry.</error-message>")
            one.server.answers[EstablishSubscription] = lambda request: [reply(request, content)]
            await one.want(STREAM)
            await until(lambda: one.server.established() >= 3)
            state = await one.comes_to(SubscriptionPhase.PENDING)
            assert state.reason == (
                "refused: operation-failed (Sorry.); perhaps it has no stream NETCONF"
            )
            assert state.retry_at is not None
            del one.server.answers[EstablishSubscription]
            await one.comes_to(SubscriptionPhase.ACTIVE)

    run(main())


@BOTH
def test_rpcs_work_though_the_hello_names_no_module(tmp_path: Path, kind: str) -> None:
    bare = ("urn:ietf:params:netconf:base:1.0", "urn:ietf:params:netconf:base:1.1")

    async def main() -> None:
        async with lab(tmp_path, kind, capabilities=bare) as one:
            await one.want(WANTED)
            await one.comes_to(SubscriptionPhase.ACTIVE)

    run(main())


def test_a_state_change_as_an_envelope_and_in_a_bundle(tmp_path: Path) -> None:
    """Some devices wrap what goes over NETCONF in the newer envelope as well."""
    suspended = f"<subscription-suspended {SN}><id> 7 </id><reason>sn:unsupportable-volume"
    envelope = (
        '<envelope xmlns="urn:ietf:params:xml:ns:yang:ietf-yp-notification">'
        "<event-time>2026-01-01T00:00:00Z</event-time><contents>"
        f"{suspended}</reason></subscription-suspended></contents></envelope>"
    ).encode()

    async def main() -> None:
        async with lab(tmp_path) as one:
            await one.want(WANTED)
            await one.comes_to(SubscriptionPhase.ACTIVE)
            one.device.server.send("1", envelope)
            state = await one.comes_to(SubscriptionPhase.SUSPENDED)
            assert state.reason == "suspended by the device: unsupportable-volume"
            one.device.server.send("1", state_change("subscription-resumed", 7))
            await one.comes_to(SubscriptionPhase.ACTIVE)

    run(main())


@BOTH
def test_a_reboot_renumbers_and_everything_comes_back(tmp_path: Path, kind: str) -> None:
    async def main() -> None:
        async with lab(tmp_path, kind) as one:
            await one.want(WANTED, replace(WANTED, name="child", dependency="interfaces"))
            await until(lambda: len(one.manager.states()[0].subscriptions) == 2)
            await until(lambda: one.server.established() == 2)
            await one.comes_to(SubscriptionPhase.ACTIVE)
            one.server.ids = iter([900, 901])  # it counts from elsewhere now
            one.device.server.close_session("1")
            await until(lambda: one.server.established() == 4)
            await until(lambda: [s.id for s in one.manager.states()[0].subscriptions] == [900, 901])
            last = one.server.operations[-1]
            assert isinstance(last, EstablishSubscription)
            assert last.terms.dependency == 900
            downs = [kind for kind, _, _ in one.intake.rows() if kind is RecordKind.SESSION_DOWN]
            assert len(downs) == 1

    run(main())


def test_out_of_resources_waits_longer_each_time(tmp_path: Path) -> None:
    content = refusal("resource-denied", "ietf-subscribed-notifications:insufficient-resources")

    async def main() -> None:
        async with lab(tmp_path) as one:
            growing = BackoffSettings(first=SECOND // 50, factor=4.0, limit=SECOND)
            one.manager = SubscriptionManager(
                one.intake, RunningClock(), backoff=growing, random=lambda: 0.999
            )
            times: list[float] = []

            def answer(request: str) -> list[bytes]:
                times.append(asyncio.get_running_loop().time())
                full = len(times) < 4
                return [reply(request, content if full else f"<id {SN}>7</id>")]

            one.server.answers[EstablishSubscription] = answer
            await one.want(WANTED)
            await one.comes_to(SubscriptionPhase.ACTIVE)
            waits = [later - sooner for sooner, later in pairwise(times)]
            assert waits[0] >= 0.019
            assert waits[1] >= 0.079
            assert waits[2] >= 0.319

    run(main())


# --------------------------------------------------------------------------- kill-subscription
@BOTH
def test_kill_in_a_session_of_its_own(tmp_path: Path, kind: str) -> None:
    async def main() -> None:
        async with Device(tmp_path) as device:
            server = Server(device)
            await killing._kill(device.settings(), kind, 4711, "", Ways())
            assert server.operations == [KillSubscription(4711)]
            await until(lambda: device.closed == ["1"])
            denied = refusal("access-denied", "")
            server.answers[KillSubscription] = lambda request: [reply(request, denied)]
            with pytest.raises(ProtocolError, match=r"does not end subscription 4711: access-den"):
                await killing._kill(device.settings(), kind, 4711, "", Ways())
            server.answers[KillSubscription] = lambda request: [reply(request, "<id>x</id>")]
            with pytest.raises(ProtocolError, match="cannot be read"):
                await killing._kill(device.settings(), kind, 4711, "", Ways())
            await until(lambda: len(device.closed) == 3)

    run(main())
