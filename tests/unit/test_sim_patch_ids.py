"""Patch-ids as devices in the field count them: on the wire, and as the collector takes them."""

from __future__ import annotations

import pytest

from collector.core.on_change.patch_ids import Patched, PatchIds
from collector.model import CollectorTime, Event
from collector.wire.notifications.notification import decode
from collector.wire.notifications.yang_patch import read_patch
from publisher_sim.agent import AgentPublisher, Transmit
from publisher_sim.cards.channel import ResyncComponent
from publisher_sim.scenario import Changes, Push, Scenario
from tests.unit.test_sim_agent import play
from tests.unit.test_sim_changing import CARD, COMPONENT, SECOND, START

CHANGES = Changes(status_seconds=4, entry_seconds=4)


def said(quirk: str) -> list[tuple[int, str | None]]:
    """(when, patch-id or None of a push-update) of all messages, with a resync after 15 s."""
    scenario = Scenario(
        behaves_like=quirk or (),
        push=Push(max_segment_size=9000),
        card=(CARD,),
        changes=CHANGES,
    )
    one = AgentPublisher(scenario, CARD, "lc1/0")
    one.receive(COMPONENT, START)
    actions = play(one, START + 15 * SECOND)
    one.receive(ResyncComponent(7), START + 15 * SECOND)
    actions += play(one, START + 30 * SECOND)
    found = []
    for at, action in actions:
        if isinstance(action, Transmit):
            patch = read_patch(action.octets[12:], 1)
            found.append((at, patch.patch_id if patch else None))
            assert decode(action.octets[12:], 1).subscription_id == 7
    return found


def events(messages: list[tuple[int, str | None]]) -> list[str]:
    """Kinds of what the collector has to say of them."""
    ids = PatchIds()
    told: list[Event] = []
    for offset, (at, patch_id) in enumerate(messages):
        one = Patched(CollectorTime(at), offset, "core7", 7, 0, "101", patch_id, at)
        told += ids.receive([one], CollectorTime(at))
    return [event.kind for event in told]


def test_usually_they_count_from_0_behind_each_push_update() -> None:
    found = [patch_id for _, patch_id in said("")]
    again = found.index(None, 1)
    assert found[1:again] == [str(number) for number in range(again - 1)]
    assert found[again + 1 :] == [str(number) for number in range(len(found) - again - 1)]


@pytest.mark.parametrize(
    ("quirk", "ids"),
    [
        ("patch-ids-unbroken", [str(number) for number in range(99)]),
        ("patch-ids-constant", ["0"] * 99),
        ("huawei-olt", ["0"] * 99),
    ],
)
def test_quirks(quirk: str, ids: list[str]) -> None:
    found = [patch_id for _, patch_id in said(quirk) if patch_id is not None]
    assert len(found) > 10
    assert found == ids[: len(found)]


def test_named_ones_count_behind_a_text() -> None:
    found = [patch_id for _, patch_id in said("patch-ids-named")]
    assert found[1] == "patch-0"
    assert found[-1] == f"patch-{len(found) - found.index(None, 1) - 2}"


@pytest.mark.parametrize(
    "quirk", ["", "patch-ids-unbroken", "patch-ids-named", "patch-ids-constant"]
)
def test_nothing_is_missed_where_nothing_is_lost(quirk: str) -> None:
    kinds = events(said(quirk))
    assert "patch_gap" not in kinds
    assert "patch_restart" not in kinds
    assert ("patch_not_counted" in kinds) == (quirk == "patch-ids-constant")


@pytest.mark.parametrize("quirk", ["", "patch-ids-unbroken", "patch-ids-named"])
def test_what_is_lost_is_missed(quirk: str) -> None:
    messages = said(quirk)
    assert "patch_gap" in events(messages[:5] + messages[6:])
