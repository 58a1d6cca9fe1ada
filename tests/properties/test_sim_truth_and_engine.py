"""What the engine says of random devices under faults, against their truth.

Both were written apart; where they differ, one of them is wrong.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publisher_sim.device.simulate import simulate
from publisher_sim.scenario import Changes, Fault, Master, Push, Receiver
from tests.sim_joined import compare_with_truth
from tests.sim_scenarios import random_scenario, small


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 10_000))
def test_verdicts_of_random_devices_are_those_they_deserve(seed: int, tmp_path: Path) -> None:
    comparison = compare_with_truth(random_scenario(seed), tmp_path)
    assert [one.sentence() for one in comparison.differences] == []
    assert comparison.compared > 0


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, 10_000),
    transport=st.sampled_from(["netconf", "https-notif"]),
    header=st.sampled_from(["envelope", "rfc5277", "notification-messages"]),
)
def test_verdicts_of_random_devices_over_transports_that_count_nothing(
    seed: int, transport: str, header: str, tmp_path: Path
) -> None:
    comparison = compare_with_truth(random_scenario(seed, transport, header), tmp_path)
    assert [one.sentence() for one in comparison.differences] == []
    assert comparison.compared > 0


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_a_run_can_be_repeated_octet_for_octet(seed: int) -> None:
    scenario = random_scenario(seed)
    assert simulate(scenario) == simulate(scenario)


ONE_OF_EACH = (
    Fault("drop", 10, 12, "lc1"),
    Fault("drop", 10, 14, "lc1", probability=0.5),
    Fault("drop", 10, 12, "lc1", probability=0.5, datagrams=True),
    Fault("duplicate", 10, 14),
    Fault("duplicate", 10, 14, seconds=0.2),
    Fault("reorder", 10, 14, probability=0.5, seconds=0.2),
    Fault("delay", 10, 11, "lc1", seconds=1.2),
    Fault("delay", 10, 14, "lc1", seconds=0.2),
    Fault("corrupt", 10, 12, "lc2"),
    Fault("clock_skew", 10, 15, "lc2", seconds=2),
    Fault("clock_skew", 10, 15, "lc2", seconds=-1),
    Fault("clock_skew", 10, 15, "lc2", seconds=0.25),
    Fault("silent", 10, 13, "lc1"),
    Fault("incomplete", 10, 13, "lc1"),
    Fault("kill", 10, card="lc1"),
    Fault("kill", 10, 16, "lc2", moves_to="lc1"),
    Fault("pull", 10, 18, "lc2"),
    Fault("pull", 10, 18, "lc2", moves_to="master"),
    Fault("move", 10, 15, "lc1", moves_to="lc2"),
    Fault("move", 10, 15, "lc1", moves_to="lc2", interfaces=("eth1/0",)),
    Fault("suspend", 10, 14),
    Fault("terminate", 12),
)


@pytest.mark.parametrize("updates", [1, 3])
@pytest.mark.parametrize("fault", ONE_OF_EACH, ids=lambda fault: f"{fault.kind}-{fault.seconds}")
def test_verdicts_under_one_fault(fault: Fault, updates: int, tmp_path: Path) -> None:
    comparison = compare_with_truth(small(fault, updates=updates), tmp_path)
    assert [one.sentence() for one in comparison.differences] == []
    assert comparison.agrees, comparison


@pytest.mark.parametrize("cards", [2, 4])
@pytest.mark.parametrize(
    "fault", [fault for fault in ONE_OF_EACH if fault.moves_to], ids=lambda fault: fault.kind
)
def test_cards_that_send_an_update_for_each_node_may_give_nodes_away(
    fault: Fault, cards: int, tmp_path: Path
) -> None:
    """Who gave some away sends fewer than usual: first verdicts are right all the same."""
    scenario = small(fault, cards=cards, behaves_like=("update-per-node",))
    comparison = compare_with_truth(scenario, tmp_path)
    assert [one.sentence() for one in comparison.differences] == []
    assert comparison.agrees, comparison


@pytest.mark.parametrize("fault", ONE_OF_EACH, ids=lambda fault: f"{fault.kind}-{fault.seconds}")
def test_verdicts_beside_an_on_change_subscription(fault: Fault, tmp_path: Path) -> None:
    """Its records share the numbers of the publishers, and come at any time."""
    changes = Changes(status_seconds=3, simulated="both")
    comparison = compare_with_truth(small(fault, changes=changes), tmp_path)
    assert [one.sentence() for one in comparison.differences] == []
    assert comparison.agrees, comparison


@pytest.mark.parametrize("updates", [1, 2, 3])
@pytest.mark.parametrize("late", [0.15, 0.24])
@pytest.mark.parametrize("until", [11, 13])
def test_what_comes_late_and_cannot_be_read_is_of_its_own_period(
    updates: int, late: float, until: int, tmp_path: Path
) -> None:
    faults = (Fault("corrupt", 10, until, "lc1"), Fault("delay", 10, until, "lc1", seconds=late))
    comparison = compare_with_truth(small(*faults, updates=updates), tmp_path)
    assert [one.sentence() for one in comparison.differences] == []
    assert comparison.agrees, comparison


@pytest.mark.parametrize(
    ("transport", "header", "updates"),
    [
        ("netconf", "envelope", 1),
        ("netconf", "notification-messages", 3),
        ("netconf", "rfc5277", 1),
        ("https-notif", "envelope", 3),
    ],
)
@pytest.mark.parametrize("fault", ONE_OF_EACH, ids=lambda fault: f"{fault.kind}-{fault.seconds}")
def test_verdicts_where_the_transport_counts_no_messages(
    fault: Fault, transport: Any, header: Any, updates: int, tmp_path: Path
) -> None:
    if fault.kind == "corrupt" or fault.datagrams:
        pytest.skip("only a datagram can be half there or spoilt")
    push = Push(updates_per_period=updates, header=header)
    receiver = Receiver(transport=transport)
    scenario = small(fault, push=push, receiver=receiver)
    comparison = compare_with_truth(scenario, tmp_path)
    assert [one.sentence() for one in comparison.differences] == []
    assert comparison.compared > 0
    assert comparison.agrees or scenario.continuity == "none", comparison


@pytest.mark.parametrize("mode", ["mso", "distributed-notif-18"])
@pytest.mark.parametrize("encoding", ["encode-json", "encode-xml", "encode-cbor"])
def test_verdicts_in_every_encoding_and_mode(encoding: Any, mode: Any, tmp_path: Path) -> None:
    push = Push(updates_per_period=2, encoding=encoding, max_segment_size=600)
    faults = (
        Fault("drop", 10, 12, "lc1", probability=0.5, datagrams=True),
        Fault("corrupt", 16, 17, "lc2"),
        Fault("pull", 20, 25, "lc1"),
    )
    scenario = small(*faults, push=push, control_mode=mode)
    comparison = compare_with_truth(scenario, tmp_path)
    assert [one.sentence() for one in comparison.differences] == []
    assert comparison.agrees, comparison
    contents = simulate(scenario)[0][1].octets
    assert (b"message-publisher-id" in contents) == (mode != "mso")


@pytest.mark.parametrize("updates", [1, 3])
@pytest.mark.parametrize("back_at", [11, 12])
def test_a_card_that_is_back_before_it_was_missed(
    back_at: int, updates: int, tmp_path: Path
) -> None:
    fault = Fault("kill", 10, back_at, "lc1")
    scenario = small(fault, updates=updates, master=Master(loss_detection_seconds=3))
    comparison = compare_with_truth(scenario, tmp_path)
    assert [one.sentence() for one in comparison.differences] == []
    assert comparison.outcomes["INCOMPLETE"] == back_at - 10
    assert not [one for one in simulate(scenario)[0][1:-1] if one.kind == "notification"]
