"""What is tried again, what is skipped and what fails where a machine stalls."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collector.comparison import Comparison, Difference
from tests import __main__ as command
from tests import calm
from tests.calm import ONCE_MORE, calmest, enough, equal_to_the_truth
from tests.starving import Stretch, Watch

DIFFERENCE = Difference("core7", 1, 0, "first", "outcome", "COMPLETE", "DEGRADED")


def found(compared: int, doubt: str = "", *differences: Difference) -> Comparison:
    doubts = {doubt: 9 - compared} if doubt else {}
    return Comparison(compared, sum(doubts.values()), 5, {}, differences, doubts)


def check(comparison: Comparison) -> None:
    equal_to_the_truth(comparison, 6)


def runs(folder: Path, *comparisons: Comparison) -> tuple[Comparison, int]:
    """What comes of runs that bring these, and how many it took."""
    left = list(comparisons)
    result = calmest(folder, lambda place: left.pop(0), check)
    calm.NO_LUCK.clear()
    return result, len(comparisons) - len(left)


def test_what_is_proven_is_not_run_again(tmp_path: Path) -> None:
    good = found(9)
    assert runs(tmp_path, good) == (good, 1)
    check(found(3, "slow"))  # half will do


def test_late_devices_are_tried_again(tmp_path: Path) -> None:
    assert runs(tmp_path, found(1, "slow"), found(2, "shaken"), found(8, "slow"))[1] == 3


def test_three_times_and_then_it_is_skipped(tmp_path: Path) -> None:
    last, times = runs(tmp_path, *[found(1, "slow")] * 3)
    assert times == 3
    with pytest.raises(calm.Late, match="the devices were late"):
        check(last)


def test_repeats_have_a_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calm, "_spent", [calm.BUDGET_SECONDS])
    assert runs(tmp_path, found(1, "slow"))[1] == 1


@pytest.mark.parametrize("doubt", ["slow", ""])
def test_a_difference_fails_at_once(tmp_path: Path, doubt: str) -> None:
    last, times = runs(tmp_path, found(1, doubt, DIFFERENCE))
    assert times == 1
    with pytest.raises(pytest.fail.Exception, match="the truth is COMPLETE"):
        check(last)


def test_what_lacks_for_another_reason_fails(tmp_path: Path) -> None:
    last, times = runs(tmp_path, found(1, "mixed"))
    assert times == 1
    with pytest.raises(pytest.fail.Exception, match="at least 6 periods compared of it"):
        check(last)
    with pytest.raises(pytest.fail.Exception, match="of both"):
        enough(20, "both", [found(9), found(9)])


def told_of(comparison: Comparison) -> str:
    """What a test says that fails because of it."""
    with pytest.raises(pytest.fail.Exception) as failed:
        check(comparison)
    return str(failed.value)


@pytest.mark.parametrize(
    ("reports", "may"),
    [
        ([], False),
        (["TimeoutError"], True),
        (["TimeoutError"] * calm.FEW, True),
        (["TimeoutError"] * (calm.FEW + 1), False),
        (["TimeoutError", told_of(found(9, "", DIFFERENCE))], False),
        (["assert result['differences'] == []"], False),
        (["worker 'gw1' crashed while running 'tests/x.py::test_y'"], False),
    ],
)
def test_few_failures_without_a_difference_get_a_second_run(reports: list[str], may: bool) -> None:
    assert calm.may_run_once_more(reports) is may


@pytest.mark.parametrize(("alone", "status"), [(0, 0), (1, 1), (calm.ONCE_MORE, calm.ONCE_MORE)])
def test_who_fails_alone_has_failed(
    alone: int, status: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def ends_with(status: int) -> list[str]:
        return [sys.executable, "-c", f"raise SystemExit({status})"]

    monkeypatch.setattr(command, "pytest_commands", lambda *_: [("labs", ends_with(ONCE_MORE))])
    monkeypatch.setattr(command, "once_more", lambda: ends_with(alone))
    assert command.main(["--quick"]) == status
    assert "labs: a few failed" in capfd.readouterr().out


# --------------------------------------------------------------------------- no processor
@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr(calm, "WATCH", watch)
    return watch


@pytest.mark.parametrize(
    ("late", "worked", "starved"),
    [(0.1, 0.0, False), (0.6, 0.1, True), (0.6, 0.5, False), (3.0, 0.4, True)],
)
def test_who_is_late_and_did_not_work_was_starved(
    watch: Watch, late: float, worked: float, starved: bool
) -> None:
    watch.note(late, worked)
    assert (watch.near(time.time_ns()) > 0) is starved


def test_a_stretch_concerns_the_periods_around_it(watch: Watch) -> None:
    watch.stretches += [Stretch(100.0, 0.4), Stretch(101.0, 0.7)]
    assert [watch.near(int(at * 1e9)) for at in (85.0, 89.5, 99.0, 103.5, 105.0)] == [
        0.0, 0.7, 0.7, 0.7, 0.0
    ]  # fmt: skip


def test_a_difference_is_excused_where_the_machine_explains_all_of_it(watch: Watch) -> None:
    watch.stretches.append(Stretch(100.0, 0.6))
    near, far = int(99e9), int(500e9)
    with pytest.raises(calm.Late, match=r"no processor for 0\.6 s at a stretch; it differs\na"):
        calm.none_wrong([near, near], "it differs", ["a", "b"])
    with pytest.raises(pytest.fail.Exception, match="it differs\na\nb"):
        calm.none_wrong([near, far], "it differs", ["a", "b"])
    calm.none_wrong([], "nothing", [])


def test_a_process_that_was_stopped_knows_it() -> None:
    text = """
import time
from tests.starving import WATCH
WATCH.start()
print("begun", flush=True)
input()
time.sleep(0.2)
print(WATCH.near(time.time_ns()))
"""
    with subprocess.Popen(
        [sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n"
        child.send_signal(signal.SIGSTOP)
        time.sleep(0.7)
        child.send_signal(signal.SIGCONT)
        told, _ = child.communicate("go on\n", timeout=60)
    assert float(told) > 0.4
