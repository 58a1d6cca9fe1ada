"""Personalities on the wire: what leaves a device that differs, octet by octet and rpc by rpc."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any

import pytest
from msgspec import structs

from collector.model import NotificationKind
from collector.wire.netconf.rpc import (
    DeleteSubscription,
    EstablishSubscription,
    decode_reply,
    decode_rpc,
    encode_rpc,
)
from publisher_sim.agent import AgentPublisher
from publisher_sim.agent.numbering import MAX_RUNS, Numbering
from publisher_sim.cards.channel import Destination, EndComponent
from publisher_sim.device.simulate import Said, simulate
from publisher_sim.master import ports
from publisher_sim.master.retrieval.greeting import capabilities
from publisher_sim.publishers.agent_loop import loop_of
from publisher_sim.publishers.timers import Timers
from publisher_sim.scenario import MASTER, Configured, Push, Scenario
from publisher_sim.scenario.behaviour import behaviour_of
from tests.sim_scenarios import small
from tests.unit.test_sim_master import SECOND, TERMS, Driver

HERE = Destination("udp-notif", "127.0.0.1", 9)
JSON = Push(encodings=("encode-json",), max_segment_size=65_000)
TOO_SHORT = structs.replace(TERMS, period=SECOND // 100)


def datagrams(scenario: Scenario) -> list[bytes]:
    return [one.octets for one in simulate(scenario)[0] if one.kind == "datagram"]


def ids_of(octets: bytes) -> tuple[int, int]:
    """(Message Publisher ID, Message ID), as udp-notif-26 §3.2 draws the header."""
    found: tuple[int, int] = struct.unpack_from("!II", octets, 4)
    return found


def bodies(scenario: Scenario) -> list[dict[str, Any]]:
    return [json.loads(one[12:]) for one in datagrams(scenario)]


def test_ids_start_at_0_for_every_publisher() -> None:
    seen: dict[int, list[int]] = {}
    for one in datagrams(small(behaves_like="ids-from-0", push=JSON)):
        publisher, number = ids_of(one)
        seen.setdefault(publisher, []).append(number)
    assert set(seen) == {101, 102}
    assert all(numbers == list(range(len(numbers))) for numbers in seen.values())


def test_each_subscription_has_its_own_ids() -> None:
    numbering = Numbering(1, "lc1/2", behaviour_of(("ids-per-subscription", "ids-from-1")))
    first, second = numbering.of(HERE, 8), numbering.of(HERE, 9)
    first.used()
    assert (first.message_id, second.message_id) == (2, 1)
    assert (first.run, second.run) == ("lc1/2+8", "lc1/2+9")
    further = structs.replace(HERE, port=10)
    assert numbering.of(further, 9).run == "lc1/2+9.1"
    assert numbering.of(HERE, 8) is first


def test_numbers_of_ever_new_subscriptions_fill_no_table() -> None:
    numbering = Numbering(1, "lc1/0", behaviour_of(("ids-per-subscription",)))
    for number in range(1, MAX_RUNS + 50):
        numbering.of(HERE, number)
    assert len(numbering._known) == MAX_RUNS


def test_sequence_numbers_of_each_subscription_from_0() -> None:
    like = ("sequence-per-subscription", "sequence-from-0")
    numbers = Numbering(1, "lc1/0", behaviour_of(like)).of(HERE, 1)
    taken = [numbers.next_sequence_number(which) for which in (8, 8, 9, 8)]
    assert taken == [0, 1, 0, 2]


def test_no_list_in_reply_and_state_changes() -> None:
    driver = Driver(behaves_like="no-list")
    reply = driver.ask(EstablishSubscription(TERMS))
    assert reply.subscription_id is not None
    assert not reply.generators
    driver.master.agent_lost("lc1", "lc1/0", driver.now)
    driver.until(5)
    (said,) = driver.said()
    assert said.kind is NotificationKind.SUBSCRIPTION_MODIFIED
    assert said.state_change is not None
    assert not said.state_change.generators


def test_the_reply_comes_after_the_first_push() -> None:
    said: list[Said] = simulate(small(behaves_like="reply-after-push", push=JSON))[0]
    kinds = [one.kind for one in said]
    assert kinds[:2] == ["datagram", "datagram"]
    assert kinds.index("reply") == 2
    late = said[2].at - said[0].at
    assert 0 < late < SECOND


def test_a_held_reply_is_that_of_the_request() -> None:
    driver = Driver(behaves_like="reply-after-push")
    rpc = decode_rpc(encode_rpc("42", EstablishSubscription(TERMS)))
    at_once = driver.master.rpc_received("1", rpc, driver.now)
    assert not any(isinstance(one, ports.SendReply) for one in at_once)
    driver.until(3)
    (reply,) = [one for one in driver.actions if isinstance(one, ports.SendReply)]
    read = decode_reply(reply.message)
    assert (reply.session_id, read.message_id) == ("1", "42")
    assert read.subscription_id is not None


def test_a_refusal_is_not_held_back() -> None:
    driver = Driver(behaves_like="reply-after-push")
    reply = driver.ask(EstablishSubscription(TOO_SHORT))
    assert reply.error is not None


def test_terminated_comes_before_the_ok_of_a_delete() -> None:
    driver = Driver(behaves_like="terminated-before-ok")
    number = driver.establish()
    rpc = decode_rpc(encode_rpc("9", DeleteSubscription(number)))
    driver.actions = driver.master.rpc_received("1", rpc, driver.now)
    first, second = driver.actions[:2]
    assert isinstance(first, ports.SendNotification)
    assert isinstance(second, ports.SendReply)
    (said,) = driver.said()
    assert said.kind is NotificationKind.SUBSCRIPTION_TERMINATED
    assert said.subscription_id == number
    assert decode_reply(second.message).ok


def test_nothing_is_terminated_by_a_delete_that_is_refused() -> None:
    driver = Driver(behaves_like="terminated-before-ok")
    driver.ask(DeleteSubscription(5))
    assert driver.said() == []


@pytest.mark.parametrize(
    ("name", "tag", "identity", "hints"),
    [
        ("no-hints", "invalid-value", "period-unsupported", {}),
        ("reason-in-error-info", "invalid-value", "period-unsupported", {"period-hint": "10"}),
        ("reason-nowhere", "operation-failed", "", {}),
    ],
)
def test_how_it_refuses(name: str, tag: str, identity: str, hints: dict[str, str]) -> None:
    driver = Driver(behaves_like=name)
    rpc = decode_rpc(encode_rpc("9", EstablishSubscription(TOO_SHORT)))
    (reply,) = driver.master.rpc_received("1", rpc, driver.now)
    assert isinstance(reply, ports.SendReply)
    error = decode_reply(reply.message).error
    assert error is not None
    assert (error.identity, error.hints) == (identity, hints)
    assert error.tag == tag
    assert (b"error-app-tag" in reply.message) is (name == "no-hints")


def test_wrappers() -> None:
    (bare, *_) = bodies(small(behaves_like="bare-notification", push=JSON))
    assert list(bare) == ["ietf-yang-push:push-update"]
    (other, *_) = bodies(small(behaves_like="notification-root", push=JSON))
    assert list(other) == ["ietf-notification:notification"]
    mixed = small(
        behaves_like="mixed-root",
        push=Push(encodings=("encode-json",), header="rfc5277", max_segment_size=65_000),
        configured=Configured(),
    )
    started, first, *_ = bodies(mixed)
    assert list(started) == ["ietf-yp-notification:notification"]
    assert "ietf-subscribed-notifications:subscription-started" in next(iter(started.values()))
    assert list(first) == ["ietf-notification:notification"]


def test_no_time_in_an_update() -> None:
    (bare, *_) = bodies(small(behaves_like=("bare-notification", "no-times"), push=JSON))
    assert set(bare["ietf-yang-push:push-update"]) == {"id", "datastore-contents"}


def test_the_last_segment_is_flagged_in_the_highest_bit() -> None:
    push = Push(encodings=("encode-json",), max_segment_size=700)
    usual = datagrams(small(push=push))
    other = datagrams(small(push=push, behaves_like="last-flag-in-top-bit"))
    assert [one[12:16].hex() for one in other[:3]] == ["01040000", "01040001", "01048002"]
    assert [one[12:16].hex() for one in usual[:3]] == ["01040000", "01040002", "01040005"]
    assert other[0][16:] == usual[0][16:]


def test_one_update_for_each_list_entry_and_a_straggler() -> None:
    scenario = small(behaves_like=("update-per-node", "stragglers"), push=JSON)
    said = [one for one in simulate(scenario)[0] if one.kind == "datagram"]
    ticks: dict[int, list[int]] = {}
    for one in said:
        if ids_of(one.octets)[0] == 101:
            tick, after = divmod(one.at, SECOND)
            ticks.setdefault(tick, []).append(after)
    assert set(map(len, ticks.values())) == {3}
    assert {max(after) for after in ticks.values()} == {450_000_000}


def test_ticks_are_off_the_anchor_that_is_said() -> None:
    said = [
        one for one in simulate(small(behaves_like="anchor-ignored"))[0] if one.kind == "datagram"
    ]
    assert {one.at % SECOND // 10_000_000 for one in said} == {32, 34}


def test_the_hello_of_some_names_no_modules() -> None:
    usual, plain = (capabilities(small(behaves_like=like)) for like in ((), "no-modules-in-hello"))
    assert any("?module=" in one for one in usual)
    assert not any("?module=" in one for one in plain)
    assert plain


def test_a_source_port_for_each_subscription() -> None:
    scenario = small(behaves_like="port-per-subscription", push=JSON)

    async def whole() -> tuple[int, int, int]:
        card = scenario.publisher(MASTER)
        agent = AgentPublisher(scenario, card, "master/0")
        loop = loop_of(scenario, agent, lambda fact: None, lambda said: None, Timers().clock())
        sent = [_unit(agent, scenario, number) for number in (8, 9)]
        loop._carry_out(sent)  # type: ignore[arg-type]
        ports_used = {
            sender._socket.getsockname()[1]  # type: ignore[union-attr]
            for sender in loop._others.values()
        }
        before = len(loop._others)
        loop.receive(EndComponent(8))
        after = len(loop._others)
        loop.close()
        return len(ports_used), before, after

    assert asyncio.run(whole()) == (2, 2, 1)


def _unit(agent: AgentPublisher, scenario: Scenario, number: int) -> Any:
    from publisher_sim.agent import Transmit

    receiver = scenario.receiver
    return Transmit(receiver.transport, receiver.address, receiver.port, 1, b"x", scope=number)
