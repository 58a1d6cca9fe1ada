"""A device that was configured: it pushes unasked, says so where its data goes, or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collector.core.settings import KnownSubscription
from collector.errors import ConfigError
from collector.model import (
    MediaType,
    NotificationKind,
    Outcome,
    Provenance,
    SubscriptionTerms,
    Verdict,
)
from collector.wire.netconf.rpc import EstablishSubscription, KillSubscription
from collector.wire.notifications import notification
from publisher_sim.device.simulate import simulate
from publisher_sim.master import ports
from publisher_sim.master.dynamic import FIRST_ID
from publisher_sim.scenario import Configured, Receiver, Scenario, parse_scenario
from tests.sim_joined import LATENCY, Joined, compare_with_truth
from tests.unit.test_sim_master import NOW, SECOND, TERMS, Driver

HEAD = """
name = "olt1"
periods = 24
grace_seconds = 0.5
"""
CARDS = """
[push]
updates_per_period = 3
[[card]]
name = "lc1"
publisher_id = 101
interfaces = ["eth1", "eth2"]
[[card]]
name = "lc2"
publisher_id = 102
interfaces = ["eth3", "eth4"]
phase = 0.1
[[fault]]
kind = "drop"
card = "lc1"
at_period = 8
[[fault]]
kind = "silent"
card = "lc2"
at_period = 10
until_period = 12
"""
KILLED = """
[[fault]]
kind = "kill"
card = "lc2"
at_period = 14
until_period = 19
"""
SUSPENDED = """
[[fault]]
kind = "suspend"
at_period = 20
until_period = 22
"""


def kinds(driver: Driver) -> list[NotificationKind]:
    return [action.kind for action in driver.actions if isinstance(action, ports.Announce)]


@pytest.mark.clause("8639-2.6-c", "mso-7-b")
def test_it_starts_by_itself_and_says_so_first() -> None:
    driver = Driver(configured=Configured(subscription_id=9))
    driver.actions = driver.master.configure(NOW)
    said, *rest = driver.actions
    assert isinstance(said, ports.Announce)
    assert said.kind is NotificationKind.SUBSCRIPTION_STARTED
    assert said.change is not None
    assert said.change.generators == ("1", "101", "102")
    assert said.change.terms is not None
    assert (said.change.terms.period, said.change.terms.transport) == (SECOND, "udp-notif")
    assert rest
    assert set(driver.told()) == {"master", "lc1", "lc2"}
    assert driver.told()["lc1"].subscription_id == 9
    driver.ask(KillSubscription(9))  # RFC 8639 §2.4.5: dynamic ones only
    assert kinds(driver) == []
    driver.actions = driver.master.stop(NOW)
    assert kinds(driver) == [NotificationKind.SUBSCRIPTION_TERMINATED]


def test_without_a_configured_one_it_waits() -> None:
    assert Driver().master.configure(NOW) == []


def test_a_list_that_is_never_said() -> None:
    driver = Driver(configured=Configured(announce_list=False))
    said = driver.master.configure(NOW)[0]
    assert isinstance(said, ports.Announce)
    assert said.change is not None
    assert said.change.generators is None
    driver.actions = driver.master.agent_lost("lc2", "lc2/0", NOW)
    driver.until(2)
    assert kinds(driver) == [NotificationKind.SUBSCRIPTION_MODIFIED]
    assert driver.noted() == []


def test_nothing_is_said_where_nothing_can_be() -> None:
    driver = Driver(configured=Configured(), receiver=Receiver(transport="grpc-huawei"))
    driver.actions = driver.master.configure(NOW)
    assert kinds(driver) == []
    assert driver.told()


OPERATOR = KnownSubscription(name="olt", terms=SubscriptionTerms(period=SECOND))


@pytest.mark.parametrize(
    ("head", "more", "known", "provenance"),
    [
        ("[configured]", KILLED, None, Provenance.DECLARED),
        ("[configured]\nannounce_list = false", "", None, Provenance.LEARNED),
        ("[configured]\nannounce = false", "", OPERATOR, Provenance.LEARNED),
    ],
)
def test_the_engine_takes_what_nobody_asked_for(
    tmp_path: Path, head: str, more: str, known: KnownSubscription | None, provenance: Provenance
) -> None:
    """With a list, without one, and from the middle, where the operator names the period."""
    scenario = parse_scenario(HEAD + head + CARDS + more)
    found = compare_with_truth(scenario, tmp_path, known=known)
    assert not found.differences, "\n".join(one.sentence() for one in found.differences)
    assert not found.too_uncertain
    assert found.outcomes["INCOMPLETE"] >= 3
    verdicts = play(scenario, known)
    late = [one for one in verdicts if one.outcome is not Outcome.UNKNOWN][6:]
    assert {one.provenance for one in late} == {provenance}
    assert {one.subscription_name for one in late} == {known.name if known else "100"}


def play(scenario: Scenario, known: KnownSubscription | None = None) -> list[Verdict]:
    said, header, _ = simulate(scenario)
    joined = Joined(scenario, known=known)
    joined.take(said)
    return joined.stop(header.until + LATENCY)


def test_from_the_middle_even_the_period_is_learned() -> None:
    """It takes ten seconds that agree; then the list, from the period after next on."""
    late = CARDS.replace("= 8", "= 20").replace("= 10", "= 22").replace("= 12", "= 24")
    scenario = parse_scenario(HEAD.replace("24", "30") + "[configured]\nannounce = false" + late)
    last = {one.period_index: one for one in play(scenario)}
    outcomes = [last[index].outcome.value for index in sorted(last)]
    assert len(outcomes) >= 15
    assert outcomes[:2] == ["UNKNOWN"] * 2
    assert set(outcomes[2:]) == {"COMPLETE", "INCOMPLETE"}
    assert outcomes.count("INCOMPLETE") == 3


def test_its_first_message_is_a_lone_subscription_started() -> None:
    """udp-notif-26 §3.3; it takes the first Message ID of the master's publisher."""
    said, _, _ = simulate(parse_scenario(HEAD + "[configured]" + CARDS))
    first = said[0].octets
    assert first[4:8] == (1).to_bytes(4, "big")
    envelope = json.loads(first[12:])["ietf-yp-notification:envelope"]
    assert envelope["sequence-number"] == 1
    found = notification.decode(first[12:], MediaType.YANG_DATA_JSON)
    assert found.kind is NotificationKind.SUBSCRIPTION_STARTED
    assert found.state_change is not None
    assert found.state_change.terms is not None
    assert found.state_change.terms.encoding == "encode-json"


@pytest.mark.parametrize(
    ("text", "key", "word"),
    [
        ("control_mode = 'distributed-notif-19'", "control_mode", "no dynamic"),
        ("[configured]\nsubscription_id = -1", "configured.subscription_id", "out of range"),
        (
            "[configured]\non_change = true\n[receiver]\ntransport = 'grpc-huawei'",
            "configured.on_change",
            "everything alone",
        ),
        ("[configured]\nxpath = '//x'", "configured.xpath", "prefix"),
        ("[configured]\n[receiver]\ntransport = 'netconf'", "receiver.transport", "udp-notif"),
        (
            "[configured]\nannounce = false\n[[fault]]\nkind = 'suspend'\nat_period = 9",
            "fault[0].kind",
            "nobody would be told",
        ),
    ],
)
def test_what_a_configured_device_cannot_be(text: str, key: str, word: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_scenario(text)
    assert caught.value.key == key
    assert word in str(caught.value)


@pytest.mark.clause("mso-7-c")
def test_state_changes_are_the_masters_alone() -> None:
    scenario = parse_scenario(HEAD + "[configured]" + CARDS + KILLED + SUSPENDED)
    said, _, _ = simulate(scenario)
    senders: dict[NotificationKind, set[int]] = {}
    for one in said:
        found = notification.decode(one.octets[12:], MediaType.YANG_DATA_JSON)
        publisher = int.from_bytes(one.octets[4:8], "big")
        senders.setdefault(found.kind, set()).add(publisher)
    assert senders.pop(NotificationKind.PUSH_UPDATE) == {101, 102}
    assert set(senders) == {
        NotificationKind.SUBSCRIPTION_STARTED,
        NotificationKind.SUBSCRIPTION_MODIFIED,
        NotificationKind.SUBSCRIPTION_SUSPENDED,
        NotificationKind.SUBSCRIPTION_RESUMED,
        NotificationKind.SUBSCRIPTION_TERMINATED,
    }
    assert set.union(*senders.values()) == {1}


def test_the_id_of_a_configured_subscription_is_given_to_no_other() -> None:
    driver = Driver(configured=Configured(subscription_id=FIRST_ID))
    driver.master.configure(NOW)
    reply = driver.ask(EstablishSubscription(TERMS))
    assert reply.subscription_id == FIRST_ID + 1
    (one,) = [one for one in driver.master.life_cycle if one.subscription_id == FIRST_ID]
    assert one.is_configured
