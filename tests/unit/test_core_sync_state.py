"""Whether an on-change subscription is whole: what loses it, what heals it, when it is wanted."""

from __future__ import annotations

from typing import Any

import pytest

from collector.core.on_change import early_updates, sync_state
from collector.core.on_change.patch_ids import Patched, PatchIds, PatchInput
from collector.core.on_change.sync_state import Filled, Missed, Revised
from collector.model import SECOND, CollectorTime, OutOfSync

FULL = None
"""A push-update."""
WHY = "2 messages from id 5 on did not come"


def at(seconds: float) -> CollectorTime:
    return CollectorTime(round(seconds * SECOND))


class Line:
    """What comes of one on-change subscription, in order; offsets are counted."""

    def __init__(self) -> None:
        self.ids = PatchIds()
        self.inputs: list[PatchInput] = []
        self.said: list[tuple[float, str, str]] = []
        self.wanted: list[OutOfSync] = []

    @property
    def offset(self) -> int:
        return len(self.inputs)

    def patch(self, seconds: float, patch_id: Any, generator: str = "lc1", **more: Any) -> Line:
        values: dict[str, Any] = {"device": "core7", "subscription_id": 7, "revision": 3}
        text = None if patch_id is None else str(patch_id)
        one = Patched(
            at(seconds), self.offset, generator=generator, patch_id=text, made=at(seconds),
            **(values | more),
        )  # fmt: skip
        return self.take(one, seconds)

    def missed(self, seconds: float, hole: int = 5, generator: str = "lc1") -> Line:
        one = Missed(at(seconds), self.offset, "core7", 7, 3, generator, hole, WHY)
        return self.take(one, seconds)

    def filled(self, seconds: float, hole: int = 5, generator: str = "lc1") -> Line:
        return self.take(Filled(at(seconds), self.offset, "core7", 7, 3, generator, hole), seconds)

    def revised(self, seconds: float, revision: int, *, over: bool = False) -> Line:
        return self.take(Revised(at(seconds), self.offset, "core7", 7, revision, over), seconds)

    def take(self, one: PatchInput, seconds: float) -> Line:
        self.inputs.append(one)
        self.said += [
            (event.time / SECOND, event.kind, event.subject)
            for event in self.ids.receive([one], at(seconds))
            if event.kind in ("out_of_sync", "in_sync")
        ]
        self.wanted += self.ids.take_wanted()
        return self

    def until(self, seconds: float) -> Line:
        self.said += [
            (event.time / SECOND, event.kind, event.subject)
            for event in self.ids.receive([], at(seconds))
        ]
        self.wanted += self.ids.take_wanted()
        return self

    def words(self) -> dict[str, str]:
        return {one.generator: one.word for _, one in self.ids.syncs()}


def whole() -> Line:
    """A subscription that began with everything."""
    return Line().patch(0, FULL).patch(1, 0).patch(2, 1)


def test_a_line_that_is_whole_says_nothing() -> None:
    line = whole()
    assert line.words() == {"lc1": "whole"}
    assert (line.until(1000).said, line.wanted) == ([], [])


def test_without_a_push_update_there_are_changes_only() -> None:
    assert Line().patch(1, 4).patch(2, 5).words() == {"lc1": "changes"}


# --------------------------------------------------------------------------- lost
def test_missing_patches_are_a_loss_and_the_subscription_is_wanted_once_more() -> None:
    line = whole().patch(10, 5).until(11.9)
    assert (line.said, line.words()) == ([], {"lc1": "whole"})
    line.until(12.1)
    assert line.said == [(12, "out_of_sync", "lc1")]
    assert line.wanted == [OutOfSync(at(12), "core7", 7, "lc1", "no patch 2 to 4 came")]
    assert line.words() == {"lc1": "lost"}
    line.patch(13, FULL)
    assert line.said[1:] == [(13, "in_sync", "lc1")]
    assert line.words() == {"lc1": "whole"}
    assert len(line.until(9999).wanted) == 1


def test_missing_message_ids_are_a_loss() -> None:
    line = whole().missed(10).until(13)
    assert line.said == [(12, "out_of_sync", "lc1")]
    assert [one.why for one in line.wanted] == [WHY]


def test_patch_ids_that_began_anew_are_a_loss() -> None:
    line = whole().patch(10, 0).until(13)
    assert [one.why for one in line.wanted] == ["patch-ids began anew at 0 without a push-update"]


def test_an_update_that_leaves_something_out_is_a_loss() -> None:
    line = whole().patch(10, 2, incomplete=True).until(13)
    assert [one.why for one in line.wanted] == ["an update leaves something out"]
    line.patch(14, FULL, incomplete=True).until(17)
    assert [one.time for one in line.wanted] == [at(12), at(16)]


def test_a_second_gap_while_it_is_lost_is_the_same_loss() -> None:
    line = whole().patch(10, 5).patch(11, 9).until(13).patch(14, 15).missed(15).until(21)
    assert [kind for _, kind, _ in line.said] == ["out_of_sync"]
    assert len(line.wanted) == 1


def test_it_is_asked_for_again_less_and_less() -> None:
    line = whole().patch(10, 5).until(100_000)
    times = [one.time / SECOND for one in line.wanted]
    assert times[:5] == [12, 22, 42, 82, 162]
    assert times[-1] - times[-2] == 3600
    assert len(line.said) == 1
    # a loss later on begins with ten seconds again
    line.patch(100_001, FULL).patch(100_002, 0).patch(100_003, 7).until(100_200)
    assert [one.time / SECOND for one in line.wanted[-3:]] == [100_035, 100_075, 100_155]


# --------------------------------------------------------------------------- healed
def test_what_was_only_overtaken_is_no_loss() -> None:
    line = whole().patch(10, 3).patch(10.5, 2).until(100)
    assert (line.said, line.wanted) == ([], [])
    line.missed(110).filled(110.2).until(200)
    assert (line.said, line.wanted) == ([], [])


def test_some_of_what_was_overtaken_is_not_all() -> None:
    line = whole().missed(10, 5).missed(10.1, 9).filled(10.2, 5).filled(10.3, 6).until(13)
    assert len(line.said) == 1
    line.filled(14, 9)
    assert line.said[1:] == [(14, "in_sync", "lc1")]
    line.patch(20, 7).patch(20.1, 2).patch(20.2, 3).until(23)
    assert line.said[2:] == [(22, "out_of_sync", "lc1")]


def test_a_patch_id_that_goes_on_proves_that_no_patch_was_lost() -> None:
    line = whole().missed(10).patch(10, 2).until(100)
    assert (line.said, line.wanted) == ([], [])
    # but it does not bring back patches that are missing
    line.patch(110, 5).patch(110.1, 6).until(120)
    assert len(line.said) == 1


def test_a_card_that_restarts_and_pushes_everything_is_whole() -> None:
    line = whole().missed(10, -1).patch(10.1, FULL).patch(10.2, 0).until(100)
    assert (line.said, line.wanted) == ([], [])


def test_filled_again_what_nobody_missed_is_nothing() -> None:
    assert whole().filled(10).filled(11, generator="lc9").until(100).said == []


# --------------------------------------------------------------------------- several
def test_each_generator_is_its_own() -> None:
    line = whole().patch(0.5, FULL, "lc2").patch(10, 5).until(13)
    assert line.words() == {"lc1": "lost", "lc2": "whole"}
    line.patch(14, FULL, "lc2").until(20)
    assert line.words() == {"lc1": "lost", "lc2": "whole"}


def test_what_a_sender_that_was_never_heard_here_lost_is_somebodys() -> None:
    line = whole().missed(10, generator="lc9").until(13)
    assert line.said == [(12, "out_of_sync", "")]
    assert line.words() == {"lc1": "whole", "": "lost"}
    line.patch(14, FULL)
    assert line.said[1:] == [(14, "in_sync", "")]
    line.missed(20, 7, "lc9").filled(20.5, 7, "lc9").until(30)
    assert len(line.said) == 2


def test_a_subscription_that_is_over_or_began_anew_is_forgotten() -> None:
    line = whole().patch(10, 5).revised(11, 3).revised(11, 3, over=True).until(100)
    assert (line.said, line.words()) == ([], {})
    line = whole().patch(10, 5).revised(11, 8).patch(12, FULL, revision=8).until(100)
    assert (line.said, line.words()) == ([], {"lc1": "whole"})
    line = whole().patch(10, 5).patch(11, FULL, revision=8).until(100)
    assert (line.said, line.words()) == ([], {"lc1": "whole"})


def test_a_revision_that_went_on_is_kept() -> None:
    line = whole().patch(10, 5).revised(11, 3).until(100)
    assert [kind for _, kind, _ in line.said] == ["out_of_sync"]


# --------------------------------------------------------------------------- bounds, restarts
def test_tables_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync_state, "KEPT_PER_DEVICE", 3)
    monkeypatch.setattr(sync_state, "ROOM", 4)
    line = Line()
    for number in range(50):
        line.patch(number / 100, 0, f"g{number}").patch(number / 100, 5, f"g{number}")
        for hole in range(40):
            line.missed(number / 100, hole, f"g{number}")
    assert list(line.words()) == ["g47", "g48", "g49"]
    assert all(len(one.ids) <= sync_state.HOLES for _, one in line.ids.syncs())
    assert len(line.ids._sync._due) <= 8
    assert len(line.until(10).said) == 3


def test_losses_that_heal_at_once_do_not_pile_up() -> None:
    line = Line().patch(0, FULL)
    for number in range(5000):
        line.missed(1, number).filled(1, number)
    assert len(line.ids._sync._due) <= 2 * sync_state.ROOM
    assert line.until(100).said == []


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_restart_changes_nothing(cut: int) -> None:
    whole_line = (
        whole().patch(10, 5).patch(11, 6).missed(12).patch(15, FULL).patch(90, 4).until(500)
    )
    first, second = PatchIds(), PatchIds()
    inputs = whole_line.inputs
    cut = min(cut, len(inputs))
    said = list(first.receive(inputs[:cut], inputs[cut - 1].time))
    wanted = first.take_wanted()
    second.restore("core7", first.snapshot("core7"), cut)
    said += second.receive(inputs, at(500))
    wanted += second.take_wanted()
    found = [(one.time / SECOND, one.kind, one.subject) for one in said if "_sync" in one.kind]
    assert found == whole_line.said
    assert wanted == whole_line.wanted


def test_what_came_whole_before_the_reply_counts() -> None:
    line = Line().patch(0, FULL, revision=-1).patch(0.1, FULL, "lc2", revision=-1)
    line.patch(0.2, FULL, "lc3", revision=-1, subscription_id=8)
    line.patch(0.3, FULL, "lc4", revision=-1, incomplete=True).revised(0.5, 3).patch(1, 0)
    assert line.words() == {"lc1": "whole", "lc2": "whole"}


def test_what_came_long_before_the_reply_was_of_another_subscription() -> None:
    line = Line().patch(0, FULL, revision=-1).revised(31, 3).patch(32, 0)
    assert line.words() == {"lc1": "changes"}


def test_what_came_before_an_end_is_forgotten_with_it() -> None:
    line = Line().patch(0, FULL, revision=-1).revised(1, 3, over=True).revised(2, 4)
    assert line.words() == {}


def test_early_ones_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_updates, "PER_DEVICE", 2)
    line = Line()
    for generator in ("lc1", "lc2", "lc1", "lc3"):
        line.patch(0, FULL, generator, revision=-1)
    assert line.revised(1, 3).words() == {"lc1": "whole", "lc3": "whole"}


@pytest.mark.parametrize("cut", [1, 2])
def test_a_restart_between_them_changes_nothing(cut: int) -> None:
    told = Line().patch(0, FULL, revision=-1).revised(1, 3).patch(2, 0)
    first, second = PatchIds(), PatchIds()
    first.receive(told.inputs[:cut])
    second.restore("core7", first.snapshot("core7"), cut)
    second.receive(told.inputs[cut:])
    assert [one.word for _, one in second.syncs()] == ["whole"]
