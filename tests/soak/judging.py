"""The verdicts of a soak against its truth, device by device and row by row."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from collector.comparison import compare, read_truth
from collector.model import Verdict
from collector.store.query import Part, open_parts
from collector.views.answers import verdicts_of

SLOW = "slow"
"""The truth's word for a device that could not keep its ticks: the machine's fault."""
OTHER_SHARE = 0.08
"""Of the periods, that may be in doubt for other reasons: faults are dense here."""


class Judgement(Struct, frozen=True):
    """Of all devices together."""

    devices: int
    compared: int
    outcomes: dict[str, int]
    doubts: dict[str, int]
    """Word of the truth -> periods after the fifth that were not compared."""
    differences: list[str]
    """Sentences."""
    unheard: list[str]
    """Devices of which nothing was compared, and nothing could have been."""
    undecided: list[str]
    """Devices of which the truth is not sure in any period."""
    ended: int = 0
    """Subscriptions that were judged, all of which ended."""

    @property
    def is_right(self) -> bool:
        """Whatever was compared is as it should be."""
        return not self.differences and not self.unheard

    @property
    def is_enough(self) -> bool:
        """So much could be compared that it proves something."""
        other = sum(self.doubts.values()) - self.doubts.get(SLOW, 0)
        few = other <= OTHER_SHARE * (self.compared + other)
        slow = self.doubts.get(SLOW, 0)
        return few and slow <= self.compared and not self.undecided


def verdicts_in(data: Path) -> dict[str, list[Verdict]]:
    """device -> all rows that the store has."""
    found: dict[str, list[Verdict]] = defaultdict(list)
    with open_parts([Part(data)]) as session:
        order = "judged_at, device, subscription_id, period_index, amendment"
        for row in verdicts_of(session.run(f"FROM exact.verdicts ORDER BY {order}")):
            found[row.device].append(row)
    return found


def judge(truths: Sequence[Path], said: dict[str, list[Verdict]]) -> Judgement:
    """Compare them all; a truth file has the name of its device."""
    outcomes: Counter[str] = Counter()
    doubts: Counter[str] = Counter()
    differences: list[str] = []
    unheard: list[str] = []
    undecided: list[str] = []
    compared = ended = 0
    for path in truths:
        truth = read_truth(path)
        comparison = compare(truth, said.get(path.stem, []))
        compared += comparison.compared
        ended += len({row.subscription_id for row in truth})
        outcomes.update(comparison.outcomes)
        doubts.update(row.why for row in truth if row.number >= 5 and row.uncertain)
        differences += [one.sentence() for one in comparison.differences]
        if not comparison.compared:
            (undecided if comparison.uncertain else unheard).append(path.stem)
    return Judgement(
        len(truths), compared, dict(outcomes), dict(doubts), differences, unheard, undecided, ended
    )
