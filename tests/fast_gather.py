"""``native.gather`` with parts by chance, inside of the source and outside; used with and without
sanitizers."""

from __future__ import annotations

from array import array
from random import Random
from typing import Any

BORDERS = (-(2**63), -1, 0, 1, 2**31, 2**32, 2**63 - 1)


def gathered(native: Any, source: bytes, parts: list[tuple[int, int]]) -> list[bytes]:
    """What it makes of (start, length) parts."""
    starts, lengths = array("q", [one for one, _ in parts]), array("q", [one for _, one in parts])
    offsets = array("i", [7]) * (len(parts) + 1)
    data = native.gather(source, starts, lengths, offsets)
    assert offsets[0] == 0
    assert offsets[-1] == len(data)
    return [data[offsets[row] : offsets[row + 1]] for row in range(len(parts))]


def one_by_chance(native: Any, random: Random) -> bool:
    """Some parts, one of them maybe outside; returns whether they were taken, rightly."""
    source = random.randbytes(random.randrange(200))
    parts = []
    for _ in range(random.randrange(1, 9)):
        start = random.randrange(len(source) + 1)
        parts.append((start, random.randrange(len(source) - start + 1)))
    if random.random() < 0.5:
        near = (len(source) - 1, len(source), len(source) + 1)
        odd = (random.choice((*BORDERS, *near)), random.choice((*BORDERS, *near)))
        parts[random.randrange(len(parts))] = odd
    inside = all(0 <= s <= len(source) and 0 <= n <= len(source) - s for s, n in parts)
    try:
        found = gathered(native, source, parts)
    except (ValueError, OverflowError):
        assert not inside
        return False
    assert inside
    assert found == [source[start : start + length] for start, length in parts]
    return True
