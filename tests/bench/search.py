"""The highest rate that is sustained without loss: doubling, then bisection, within a time budget.

Does: choose the next rate from what the last ones came to. Does not: send, or print (whoever calls
is told of every step).

Rules: a rate that failed once is tried a second time when it failed narrowly, since other work on
the machine can cost a run; the rate that is reported was good in a run of its own. A rate at
which the sender was late is not good: it was not sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

CLOSE = 1.04
"""Good and bad rates that are nearer than that end the search."""


class Outcome(Protocol):
    """What the search has to know of a run."""

    @property
    def rate(self) -> int:
        """Messages a second."""

    @property
    def sustained(self) -> bool:
        """Nothing was lost, and it can go on like that."""

    @property
    def narrow(self) -> bool:
        """Next to nothing was lost."""

    @property
    def sender_was_late(self) -> bool:
        """The sender was the bottleneck."""


Run = TypeVar("Run", bound=Outcome)


class Step(Struct, Generic[Run], frozen=True):
    """One rate that was tried."""

    rate: int
    good: bool
    run: Run


class Found(Struct, Generic[Run], frozen=True):
    """What the search came to."""

    steps: tuple[Step[Run], ...]
    best: Run | None
    """The highest rate without loss."""
    worst: int | None
    """The lowest rate with loss, None when there was none within the budget."""
    seconds: float
    why: str
    """Why it ended, in a sentence."""


def search(
    attempt: Callable[[int], Run],
    *,
    start: int,
    budget_seconds: float,
    tell: Callable[[Step[Run], float], None] = lambda step, left: None,
    clock: Callable[[], float] = time.monotonic,
) -> Found[Run]:
    """Find the highest rate at which nothing is lost.

    Args:
        attempt: runs one rate, in messages a second.
        start: the first rate.
        budget_seconds: no run is begun that would end behind it, judging by the last one.
        tell: is called after every run, with the seconds that are left.
        clock: seconds.
    """
    begun, steps = clock(), list[Step[Run]]()
    low: Step[Run] | None = None
    high: int | None = None
    rate, longest, why = start, 0.0, ""
    while not why:
        before = clock()
        if steps and before - begun + longest > budget_seconds:
            why = f"the time budget of {budget_seconds:.0f} s is used up"
            break
        made = attempt(rate)
        longest = max(longest, clock() - before)
        step = Step(made.rate, made.sustained, made)
        again = not step.good and made.narrow and not any(one.rate == step.rate for one in steps)
        steps.append(step)
        tell(step, budget_seconds - (clock() - begun))
        if step.good:
            low = step if low is None or step.rate > low.rate else low
        elif not again:
            high = step.rate if high is None else min(high, step.rate)
        if not again:
            rate, why = _following(low, high, start)
    if any(step.rate == high and step.run.sender_was_late for step in steps):
        why += "; the sender was late, so it or this machine is the bottleneck"
    return Found(tuple(steps), low.run if low else None, high, clock() - begun, why)


def _following(low: Step[Run] | None, high: int | None, start: int) -> tuple[int, str]:
    """The next rate, or why there is none."""
    if high is None:
        assert low is not None
        return low.rate * 2, ""
    if low is None:
        return (high // 2, "") if high > start // 16 else (0, "nothing was without loss")
    if high <= low.rate * CLOSE:
        return 0, f"{low.rate:,} is good and {high:,} is not"
    return (low.rate + high) // 2, ""
