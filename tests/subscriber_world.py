"""A manager and a device in memory that answers with typed XML; the inbox is the real one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator

import msgspec
from msgspec.structs import replace

from collector.errors import IntakeFullError, SessionError
from collector.interfaces import Clock
from collector.metrics import Counters
from collector.model import (
    SECOND,
    OnChange,
    ReceivedBatch,
    RecordKind,
    RpcNote,
    SelectionFilter,
    SubscriptionTerms,
)
from collector.subscriber.backoff import BackoffSettings
from collector.subscriber.manager import SubscriptionManager
from collector.subscriber.sessions.inbox import Inbox
from collector.subscriber.sessions.session import Deliver, NetconfSession, SessionSettings
from collector.subscriber.states import DevicePhase, SubscriptionPhase, SubscriptionState
from collector.subscriber.wanted import DeviceAccess, WantedSubscription
from collector.wire.netconf.rpc import Get, Operation, decode_rpc
from tests.netconf_device import RunningClock
from tests.waiting import until

BASE = 'xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"'
SN = 'xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"'
FAST = BackoffSettings(first=SECOND // 1000, factor=1.0, limit=SECOND // 1000)
NEVER = BackoffSettings(first=3600 * SECOND, limit=3600 * SECOND)


def reply(request: str, content: str) -> bytes:
    number = re.search(r'message-id="([^"]*)"', request)
    assert number is not None
    return f'<rpc-reply message-id="{number[1]}" {BASE}>{content}</rpc-reply>'.encode()


def refusal(tag: str, app_tag: str, more: str = "") -> str:
    """As in RFC 8640 figure 13."""
    return (
        f"<rpc-error><error-type>application</error-type><error-tag>{tag}</error-tag>"
        f"<error-severity>error</error-severity><error-app-tag>{app_tag}</error-app-tag>{more}"
        "</rpc-error>"
    )


def state_change(name: str, number: int) -> bytes:
    return (
        '<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
        f"<eventTime>2026-01-01T00:00:00Z</eventTime><{name} {SN}><id>{number}</id>"
        f"<reason>no-such-subscription</reason></{name}></notification>"
    ).encode()


UPDATE = (
    b'<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
    b"<eventTime>2026-01-01T00:00:00Z</eventTime>"
    b'<push-update xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push"><id>22</id></push-update>'
    b"</notification>"
)


class FakeDevice:
    """What all sessions with one device share: how it answers, what it saw."""

    def __init__(self) -> None:
        self.sessions: list[FakeSession] = []
        self.requests: list[str] = []
        self.refuse_to_open: list[Exception] = []
        self.answers: Callable[[str], bytes | None] = self.answer
        self.ids = iter(range(22, 1000))
        self.sent_with_reply: list[bytes] = []

    def answer(self, request: str) -> bytes | None:
        if "<establish-subscription" in request:
            return reply(request, f"<id {SN}>{next(self.ids)}</id>")
        return reply(request, "<ok/>")

    def session(self, settings: SessionSettings, deliver: Deliver, clock: Clock) -> NetconfSession:
        self.sessions.append(FakeSession(self, settings, deliver, clock))
        return self.sessions[-1]

    def names(self) -> list[str]:
        found = (re.search(r"<rpc [^>]*><([\w-]+)", request) for request in self.requests)
        return [match[1] for match in found if match]


class FakeSession:
    """In memory; the inbox is the real one."""

    capabilities: tuple[str, ...] = (
        "urn:ietf:params:netconf:base:1.1",
        "urn:ietf:params:xml:ns:yang:ietf-yang-push?module=ietf-yang-push",
        "urn:ietf:params:xml:ns:yang:ietf-interfaces?module=ietf-interfaces",
    )
    peer = "192.0.2.1"
    port = 830

    def __init__(
        self, device: FakeDevice, settings: SessionSettings, deliver: Deliver, clock: Clock
    ) -> None:
        self.device = device
        self.settings = settings
        self.inbox = Inbox(settings, deliver, clock)
        self.session_id = 0

    @property
    def closed(self) -> asyncio.Future[SessionError]:
        return self.inbox.closed

    @property
    def dropped(self) -> int:
        return self.inbox.dropped

    @property
    def stray(self) -> int:
        return self.inbox.stray

    async def open(self) -> None:
        if self.device.refuse_to_open:
            raise self.device.refuse_to_open.pop(0)
        self.session_id = len(self.device.sessions)

    async def rpc(self, request: bytes, timeout: int | None = None) -> bytes:
        message_id, future = self.inbox.expect_reply(request)
        self.device.requests.append(request.decode())
        answer = self.device.answers(request.decode())
        if answer is not None:
            self.push(answer, *self.device.sent_with_reply)
        return await self.inbox.reply(message_id, future, timeout)

    def push(self, *messages: bytes) -> None:
        self.inbox.arrived(messages)
        self.inbox.offer(lambda: None, lambda: None)

    def lose(self) -> None:
        self.inbox.end(SessionError("the device went away", reason="lost"))

    async def close(self) -> None:
        await self.inbox.say_goodbye(None)


class FakeIntake:
    """Keeps what it takes; can be full."""

    def __init__(self) -> None:
        self.full = False
        self.batches: list[ReceivedBatch] = []
        self.waited_for: list[int] = []
        """Offsets whose commit somebody waits for or waited for."""
        self.commit = asyncio.Event()
        """Set: the disk keeps up."""
        self.broken = False

    def take(self, batch: ReceivedBatch) -> int:
        if self.full:
            raise IntakeFullError("full")
        assert len({len(getattr(batch, column)) for column in batch.__slots__}) == 1
        self.batches.append(batch)
        return sum(len(each) for each in self.batches)

    async def committed(self, offset: int) -> None:
        self.waited_for.append(offset)
        await self.commit.wait()
        if self.broken:
            raise IntakeFullError("a sync failed")

    def rows(self) -> Iterator[tuple[RecordKind, str, bytes]]:
        for batch in self.batches:
            kinds = [RecordKind(kind) for kind in batch.kind]
            yield from zip(kinds, batch.session, batch.payload, strict=True)

    def kinds(self) -> list[str]:
        return [kind.name for kind, _, _ in self.rows()]

    def notes(self, kind: RecordKind) -> list[RpcNote]:
        return [msgspec.json.decode(row, type=RpcNote) for k, _, row in self.rows() if k is kind]


class World:
    """A manager and one device."""

    def __init__(self, backoff: BackoffSettings = FAST) -> None:
        self.device = FakeDevice()
        self.intake = FakeIntake()
        self.waits: list[float] = []
        self.counters = Counters()
        self.clock = RunningClock()
        self.manager = SubscriptionManager(
            self.intake,
            self.clock,
            random=lambda: 0.0,
            backoff=backoff,
            factory=lambda kind: self.device.session,
            counters=self.counters,
        )

    async def want(self, *wanted: WantedSubscription, **settings: object) -> None:
        values = {"host": "core1.example", "username": "u", "retry_interval": SECOND // 100}
        access = DeviceAccess("core1", SessionSettings(**values | settings))  # type: ignore[arg-type]
        await self.manager.apply([access], wanted)

    def phases(self) -> list[SubscriptionPhase]:
        return [each.phase for each in self.manager.states()[0].subscriptions]

    def phase(self) -> DevicePhase:
        return self.manager.states()[0].phase

    async def active(self, count: int = 1) -> None:
        await until(lambda: self.phases() == [SubscriptionPhase.ACTIVE] * count)


def wanted(name: str = "interfaces", period: int = 10, **terms: object) -> WantedSubscription:
    values: dict[str, object] = {
        "datastore": "operational",
        "selection_filter": SelectionFilter("xpath", "/ietf-interfaces:interfaces"),
        "period": period * SECOND,
        "encoding": "encode-json",
    }
    return WantedSubscription(name, "core1", SubscriptionTerms(**values | terms))  # type: ignore[arg-type]


YP = 'xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push"'
INFO = "establish-subscription-datastore-error-info"


def operations(world: World) -> list[Operation]:
    found = [decode_rpc(request.encode()).operation for request in world.device.requests]
    return [one for one in found if not isinstance(one, Get)]


def kinds(world: World) -> str:
    """First letters: e(stablish), m(odify), d(elete), r(esync)."""
    return "".join(name[0] for name in world.device.names() if name != "get")


def state(world: World, number: int = 0) -> SubscriptionState:
    return world.manager.states()[0].subscriptions[number]


def push(world: World, *messages: bytes) -> None:
    world.device.sessions[-1].push(*messages)


async def at_rest(world: World) -> None:
    """Long enough for everything that is due at once."""
    for _ in range(20):
        await asyncio.sleep(0)


def answering(world: World, answers: dict[str, str]) -> Callable[[str], bytes | None]:
    """Typed answers to requests in which a word occurs, the usual one to all others."""

    def answer(request: str) -> bytes | None:
        for word, content in answers.items():
            if word in request:
                return reply(request, content)
        return world.device.answer(request)

    return answer


def hint(period: int, app_tag: str = "ietf-yang-push:period-unsupported") -> str:
    info = f"<error-info><{INFO} {YP}><period-hint>{period}</period-hint></{INFO}></error-info>"
    return refusal("invalid-value", app_tag, info)


def on_change(name: str = "state", **more: object) -> WantedSubscription:
    one = wanted(name)
    terms = replace(one.terms, period=None, on_change=OnChange())
    return replace(one, terms=terms, **more)


def stream(name: str = "alarms", **terms: object) -> WantedSubscription:
    values: dict[str, object] = {"stream": "NETCONF", "encoding": "encode-xml"}
    return WantedSubscription(name, "core1", SubscriptionTerms(**values | terms))  # type: ignore[arg-type]
