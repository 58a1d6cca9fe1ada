"""The ring of seen messages says what a plain list of whole signatures would say."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.core.memory.state import Counter
from collector.core.numbering.seen_ids import (
    BURST,
    PATIENCE,
    RING_LIMIT,
    Signature,
    remember,
    seen_at,
)
from collector.model import SECOND

IDS = st.one_of(st.integers(0, 40), st.integers(0, 40).map(lambda n: 2**32 - 1 - n))
TIMES = st.sampled_from([None, 0, 1, -1, 7 * SECOND, -(2**63), 2**63 - 1])
SIGNATURES = st.tuples(
    IDS, TIMES, st.integers(1, 2), st.sampled_from(["1", "2"]),
    st.sampled_from(["push-update", "other"]), st.integers(0, 4 * PATIENCE),
)  # fmt: skip


class Plain:
    """The rule in its plainest form."""

    def __init__(self) -> None:
        self.ring: list[Signature | None] = [None] * 4

    def remember(self, signature: Signature) -> None:
        while True:
            place = signature[0] % len(self.ring)
            old = self.ring[place]
            if old is None or old[0] == signature[0] or len(self.ring) >= RING_LIMIT:
                break
            if signature[5] - old[5] >= PATIENCE:
                break
            entries = [entry for entry in self.ring if entry is not None]
            lasted, size = signature[5] - old[5], 2 * len(self.ring)
            # of the powers of two the first that would have lasted, where that can be told
            while (
                lasted >= BURST and size < RING_LIMIT and size / len(self.ring) < PATIENCE / lasted
            ):
                size *= 2
            self.ring = [None] * size
            for entry in entries:
                self.ring[entry[0] % len(self.ring)] = entry
        self.ring[place] = signature

    def seen_at(self, signature: Signature) -> int | None:
        old = self.ring[signature[0] % len(self.ring)]
        return old[5] if old is not None and old[:5] == signature[:5] else None


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.booleans(), SIGNATURES), max_size=60))
def test_a_ring_knows_what_a_list_would_know(some: list[tuple[bool, Signature]]) -> None:
    run, plain = Counter("192.0.2.1", 1).all, Plain()
    for kept, signature in some:
        assert seen_at(run, signature) == plain.seen_at(signature)
        if kept:
            remember(run, signature)
            plain.remember(signature)
        assert len(run.speakers) == len(plain.ring)
    for _, signature in some:
        assert seen_at(run, signature) == plain.seen_at(signature)
