"""The master on the session that subscribed: it forwards, waits, suspends and goes on."""

from __future__ import annotations

import pytest
from msgspec import structs

from collector.errors import ConfigError
from collector.model import NotificationKind
from collector.wire.netconf.rpc import DeleteSubscription, EstablishSubscription
from publisher_sim.cards.channel import Forward, Register
from publisher_sim.master import forwarding, ports
from publisher_sim.master.forwarding import Forwarding
from publisher_sim.publishers import senders
from publisher_sim.scenario import Receiver, Scenario
from publisher_sim.truth import accounts
from tests.unit.test_sim_master import NOW, SECOND, TERMS, Driver

OVER_NETCONF = Receiver(transport="netconf")
XML = structs.replace(TERMS, encoding="encode-xml")


def piece(number: int, subscription: int, octets: bytes = b"<notification/>") -> Forward:
    return Forward("lc1", subscription, "lc1/0", number, 0, NOW, octets)


def device() -> tuple[Driver, int]:
    driver = Driver(register=False, receiver=OVER_NETCONF)
    for card in ("lc1", "lc2"):
        driver.master.agent_said(Register(card, f"{card}/0", ("encode-xml",), 0, True), NOW)
    return driver, driver.establish(XML)


def kinds(actions: list[ports.Action]) -> list[str]:
    return [type(action).__name__ for action in actions]


def test_only_xml_goes_on_a_session() -> None:
    driver, _ = device()
    assert driver.scenario.encodings == ("encode-xml",)
    refused = driver.ask(EstablishSubscription(TERMS))
    assert refused.error is not None
    assert refused.error.identity == "encoding-unsupported"


def test_a_piece_is_accounted_for_when_it_leaves() -> None:
    driver, number = device()
    assert driver.told()["lc1"].receiver_transport == "netconf"
    note, sent = driver.master.agent_said(piece(7, number), NOW + SECOND)
    assert note == ports.Note(accounts.OnWire("lc1/0", 7, 0, NOW, NOW + SECOND))
    assert sent == ports.SendNotification("1", b"<notification/>")
    assert driver.master.agent_said(piece(8, number + 1), NOW) == []


@pytest.mark.clause("8641-3.11.1-a")
def test_pieces_wait_for_a_slow_session_in_order() -> None:
    driver, number = device()
    assert driver.master.session_busy("1", True, NOW) == []
    assert driver.master.session_busy("1", True, NOW) == []
    for message in (1, 2, 3):
        assert driver.master.agent_said(piece(message, number), NOW) == []
    left = driver.master.session_busy("1", False, NOW + 5 * SECOND)
    assert kinds(left) == ["Note", "SendNotification"] * 3
    facts = [action.fact for action in left if isinstance(action, ports.Note)]
    assert [fact.message_id for fact in facts if isinstance(fact, accounts.OnWire)] == [1, 2, 3]
    assert kinds(driver.master.agent_said(piece(4, number), NOW)) == ["Note", "SendNotification"]


@pytest.mark.parametrize("octets", [b"<n/>", b"x" * (forwarding.MAX_HELD_OCTETS // 16)])
def test_too_many_suspend_the_subscription_until_the_session_takes_more(octets: bytes) -> None:
    driver, number = device()
    driver.master.session_busy("1", True, NOW)
    for message in range(forwarding.MAX_HELD + 1):
        driver.actions = driver.master.agent_said(piece(message, number, octets), NOW)
        if driver.actions:
            break
    (suspended,) = driver.said()
    assert suspended.kind is NotificationKind.SUBSCRIPTION_SUSPENDED
    assert suspended.state_change is not None
    assert suspended.state_change.reason == "insufficient-resources"
    assert accounts.Suspended(NOW, number) in driver.noted()
    assert set(driver.told()) == {"master", "lc1", "lc2"}
    assert driver.master.agent_said(piece(9999, number), NOW) == []  # one that was on its way
    driver.actions = driver.master.session_busy("1", False, NOW)
    (resumed,) = driver.said()  # what had waited is thrown away
    assert resumed.kind is NotificationKind.SUBSCRIPTION_RESUMED
    assert driver.noted() == [accounts.Resumed(NOW, number)]
    assert set(driver.told()) == {"master", "lc1", "lc2"}


def test_what_waits_goes_with_its_subscription_and_with_its_session() -> None:
    driver, number = device()
    other = driver.establish(XML)
    driver.master.session_busy("1", True, NOW)
    for message in (1, 2):
        driver.master.agent_said(piece(message, number), NOW)
        driver.master.agent_said(piece(message + 10, other), NOW)
    driver.ask(DeleteSubscription(number))
    left = driver.master.session_busy("1", False, NOW)
    facts = [action.fact for action in left if isinstance(action, ports.Note)]
    assert [fact.message_id for fact in facts if isinstance(fact, accounts.OnWire)] == [11, 12]
    driver.master.session_busy("1", True, NOW)
    driver.master.session_closed("1", NOW)
    assert driver.master.session_busy("1", False, NOW) == []
    assert driver.master.session_busy("1", True, NOW) == []


def test_what_waits_is_bounded() -> None:
    one = Forwarding()
    assert one.passes("1")
    one.busy("1")
    assert not one.passes("1")
    assert one.hold("1", piece(1, 7, b"x" * 100))
    assert one.waiting("1") == 100
    assert not one.hold("1", piece(2, 7, b"x" * forwarding.MAX_HELD_OCTETS))
    one.forget(7)
    assert (one.waiting("1"), one.waiting("2")) == (0, 0)


def test_nobody_sends_over_netconf_but_the_master() -> None:
    assert senders.open_sender(Scenario(receiver=OVER_NETCONF)) is None


def test_a_transport_that_nothing_here_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "GROUP", "publisher_sim.nothing")
    with pytest.raises(ConfigError, match="nothing here sends over udp-notif"):
        senders.open_sender(Scenario())
