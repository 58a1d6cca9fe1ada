"""One case: a set of messages, a fault, a seed -> what the product got right and wrong."""

from __future__ import annotations

from msgspec import Struct

from publisher_sim.distort.faults import distort
from tests.field.faults import plan
from tests.field.play import play
from tests.field.score import Score, score
from tests.field.sets import Case


class Result(Struct):
    """The score of one case, with its name."""

    case: str
    fault: str
    seed: int
    score: Score


def run(case: Case, fault: str, seed: int) -> Result:
    """Distort, play, compare."""
    slowest = case.slowest
    made = distort(case.messages, plan(fault, seed, slowest), slowest)
    played = play(made.messages, case.settings, case.first)
    found = score(
        played, made.messages, made.truth,
        periods=case.periods, same=case.same, unlisted=case.unlisted,
    )  # fmt: skip
    return Result(case.name, fault, seed, found)
