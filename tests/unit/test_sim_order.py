"""Message IDs count up on the wire, of whichever subscription; sessions that are cut."""

from __future__ import annotations

import struct

from msgspec import structs

from collector.model import SECOND
from publisher_sim.agent import AgentAction, AgentPublisher, Transmit
from publisher_sim.cards.channel import ComponentSubscription, EndComponent
from publisher_sim.data.entries import INTERFACES, Node
from publisher_sim.master import ports
from publisher_sim.scenario import Card, Fault, Push, Scenario
from tests.unit.test_sim_master import Driver

CARD = Card("a", 7, ("x", "y", "z"), arc=0.2)
SCENARIO = Scenario(push=Push(updates_per_period=3), card=(CARD,))
ONE = ComponentSubscription(
    subscription_id=8, period=SECOND, anchor=0, encoding="encode-json",
    nodes=tuple(Node(INTERFACES, name) for name in "xyz"), selection=None,
    receiver_transport="udp-notif", receiver_address="127.0.0.1", receiver_port=9,
    timeline_start=0, timeline_period=SECOND,
)  # fmt: skip
OTHER = structs.replace(ONE, subscription_id=9)


def run(agent: AgentPublisher, until: int) -> list[AgentAction]:
    """All that it does until then, each thing in its time."""
    found: list[AgentAction] = []
    while (due := agent.next_deadline()) is not None and due <= until:
        found += agent.handle_timer(due)
    return found


def ids(actions: list[AgentAction]) -> list[int]:
    sent = [one.octets for one in actions if isinstance(one, Transmit)]
    return [struct.unpack_from("!I", octets, 8)[0] for octets in sent]


def test_ids_count_up_on_the_wire_though_two_subscriptions_take_turns() -> None:
    agent = AgentPublisher(SCENARIO, CARD, "a/0")
    agent.receive(ONE, 0)
    agent.receive(OTHER, 0)
    seen = ids(run(agent, 4 * SECOND))
    assert len(seen) >= 18
    assert seen == list(range(seen[0], seen[0] + len(seen)))


def test_what_was_not_made_when_a_subscription_ends_uses_up_no_id() -> None:
    agent = AgentPublisher(SCENARIO, CARD, "a/0")
    agent.receive(ONE, 0)
    agent.receive(OTHER, 0)
    before = run(agent, SECOND + SECOND // 20)
    agent.receive(EndComponent(9), SECOND + SECOND // 20)
    seen = ids([*before, *run(agent, 3 * SECOND)])
    assert seen == list(range(seen[0], seen[0] + len(seen)))


def test_a_cut_closes_every_session_and_their_subscriptions_end() -> None:
    driver = Driver(Fault("cut", 6))
    driver.establish()
    driver.until(8)
    closed = [one.session_id for one in driver.actions if isinstance(one, ports.CloseSession)]
    assert closed == ["1", "2"]
    driver.actions = driver.master.session_closed("1", driver.now)
    assert any(isinstance(one, ports.TellAgent) for one in driver.actions)
