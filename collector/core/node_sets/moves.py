"""List entries that another generator sends than before: line cards that gave nodes away.

Does: compare who sent the entries of two complete periods. Does not: keep them (``coverage``).
Rules: an entry has moved when its former first sender sends nothing of it any more; several senders
of one entry are no move, whichever of them comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from collector.core.node_sets.coverage_state import Sample

NEW_PAIRS = 8
"""Pairs that one period may make known (ours)."""
PAIRS_KEPT = 64
SAID_AT_ONCE = 8
"""Pairs of one subscription that are counted, and how often each is said before it is said less
(ours)."""


def moved_entries(
    before: Mapping[str, str], sample: Sample
) -> Iterator[tuple[str, str, list[str]]]:
    """(from, to, entries), by name.

    Args:
        before: entry -> generator of an earlier period.
        sample: the later one.
    """
    moved: dict[tuple[str, str], list[str]] = {}
    for entry, generator in sample.entries.items():
        if before.get(entry, generator) != generator:
            moved.setdefault((before[entry], generator), []).append(entry)
    left = {one: _entries(sample.nodes.get(one, ())) for one in {one for one, _ in moved}}
    for (one, other), entries in sorted(moved.items())[:NEW_PAIRS]:
        gone = [entry for entry in entries if entry not in left[one]]
        if gone:
            yield one, other, gone


def _entries(nodes: Iterable[str]) -> set[str]:
    """All list entries that these nodes lie in."""
    return {node[: at + 1] for node in nodes for at, letter in enumerate(node) if letter == "]"}


def is_news(times: dict[str, int], what: str) -> bool:
    """Eight times, then at each power of two: where nodes always move."""
    if what not in times and len(times) >= PAIRS_KEPT:
        return False
    count = times[what] = times.get(what, 0) + 1
    return count <= SAID_AT_ONCE or count & (count - 1) == 0
