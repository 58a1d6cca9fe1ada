"""Whatever happens on the way: in the end the device has what is wanted, once, and nothing else.

A device in memory keeps its own books; refuses, ends, suspends and loses sessions at random, speaks
before its replies, and reuses ids.
"""

from __future__ import annotations

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from collector.model import SECOND, SubscriptionTerms
from collector.subscriber.states import SubscriptionPhase, SubscriptionState
from collector.subscriber.wanted import WantedSubscription
from collector.wire.netconf.rpc import (
    DeleteSubscription,
    EstablishSubscription,
    ModifySubscription,
    decode_rpc,
)
from tests.netconf_device import run
from tests.subscriber_world import SN, World, refusal, reply, state_change, wanted
from tests.waiting import until

NAMES = ("a", "b", "c")
REFUSALS = (
    refusal("resource-denied", "ietf-subscribed-notifications:insufficient-resources"),
    refusal("operation-failed", ""),
    refusal("in-use", ""),
)
"""Such as heal: after those that do not nothing would be wanted any more."""

Step = tuple[str, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ("want", "refuse", "terminate", "suspend", "resume", "complete", "lose", "odd", "early")
        ),
        st.integers(0, 2**16),
    ),
    max_size=25,
)


class Books:
    """What the device has, by its own account."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.live: dict[int, EstablishSubscription] = {}
        self.refuse: list[str] = []
        self.early: list[bytes] = []
        world.device.answers = self.answer

    def answer(self, request: str) -> bytes | None:
        operation = decode_rpc(request.encode()).operation
        if self.refuse and "<get" not in request:
            return reply(request, self.refuse.pop())
        if isinstance(operation, EstablishSubscription):
            number = next(n for n in range(1, 100) if n not in self.live)  # ids are used again
            self.live[number] = operation
            for message in self.early:
                self.push(message)
            self.early.clear()
            return reply(request, f"<id {SN}>{number}</id>")
        if isinstance(operation, ModifySubscription | DeleteSubscription):
            if operation.id not in self.live:
                no = "ietf-subscribed-notifications:no-such-subscription"
                return reply(request, refusal("invalid-value", no))
            if isinstance(operation, ModifySubscription):
                old, new = self.live[operation.id].terms, operation.terms
                kept = replace(  # what is left out stays as it was (RFC 8641 §4.4.2)
                    new,
                    encoding=old.encoding,
                    dependency=old.dependency,
                    stop_time=new.stop_time or old.stop_time,
                )
                self.live[operation.id] = EstablishSubscription(kept)
            else:
                del self.live[operation.id]
        return reply(request, "<ok/>")

    def push(self, message: bytes) -> None:
        self.world.device.sessions[-1].push(message)

    def some(self, number: int) -> int | None:
        known = sorted(self.live)
        return known[number % len(known)] if known else None

    def act(self, what: str, number: int) -> None:
        one = self.some(number)
        if what == "refuse":
            self.refuse.append(REFUSALS[number % len(REFUSALS)])
        elif what == "early":
            self.early.append(state_change("subscription-suspended", number % 4))
        elif what == "odd":
            self.push(state_change("subscription-terminated", 50 + number % 40))
        elif what == "lose":
            self.live.clear()
            self.world.device.sessions[-1].lose()
        elif one is not None and what in ("terminate", "complete"):
            del self.live[one]
            self.push(state_change(f"subscription-{what}d".replace("edd", "ed"), one))
        elif one is not None:
            self.push(state_change(f"subscription-{what}ed".replace("eed", "ed"), one))


def choice(number: int) -> list[WantedSubscription]:
    """Some of the three, each in one of three forms, some of them hanging on another."""
    found = []
    for place, name in enumerate(NAMES):
        form = number >> (2 * place) & 3
        if form < 3:
            one = wanted(name, period=10 * (form + 1))
            child = number >> 8 & 1 and name != "a"
            found.append(replace(one, dependency="a") if child else one)
    if number >> 9 & 1:
        found = [replace(o, terms=replace(o.terms, encoding="encode-xml")) for o in found]
    if number >> 10 & 1:
        found = [replace(o, stop_after=3600 * SECOND) for o in found]
    return found


def has_what_is_wanted(world: World, books: Books, final: list[WantedSubscription]) -> bool:
    """Do both sides agree, and is it that?"""
    held = {s.name: s for s in world.manager.states()[0].subscriptions}
    if sorted(held) != [one.name for one in final]:
        return False
    if sorted(s.id or 0 for s in held.values()) != sorted(books.live):
        return False
    return all(_is(held, books.live[held[one.name].id or 0].terms, one) for one in final)


def _is(
    held: dict[str, SubscriptionState], terms: SubscriptionTerms, one: WantedSubscription
) -> bool:
    parent = held[one.dependency].id if one.dependency in held else None
    return (
        held[one.name].phase in (SubscriptionPhase.ACTIVE, SubscriptionPhase.SUSPENDED)
        and (terms.period, terms.encoding) == (one.terms.period, one.terms.encoding)
        and terms.dependency == parent
        and (terms.stop_time is None) == (one.stop_after is None)
        and held[one.name].stop_time == terms.stop_time
    )


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS, st.integers(0, 2**11 - 1))
def test_in_the_end_the_device_has_what_is_wanted(steps: list[Step], last: int) -> None:
    async def main() -> None:
        world = World()
        books = Books(world)
        for what, number in steps:
            if what == "want":
                await world.want(*choice(number))
            elif world.device.sessions and not world.device.sessions[-1].closed.done():
                books.act(what, number)
            for _ in range(number % 7):
                await asyncio.sleep(0)
        books.refuse.clear()
        books.early.clear()
        final = choice(last)
        await world.want(*final)
        await until(lambda: has_what_is_wanted(world, books, final))
        await world.manager.stop()
        assert not final or books.live == {}

    run(main())
