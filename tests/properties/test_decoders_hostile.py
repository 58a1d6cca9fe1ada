"""Every decoder that takes octets of a peer: any octets, and octets that grow.

What may come out is a value or an error of the tree; memory and time are bounded per octet.
"""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS
from tests.hostile_json import TOKENS as JSON_TOKENS
from tests.hostile_xml import TOKENS as XML_TOKENS

each_decoder = pytest.mark.parametrize("name", sorted(TARGETS))
PIECES = st.binary(max_size=8) | st.sampled_from([*JSON_TOKENS, *XML_TOKENS])
CHANGES = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from([0, 0, 1, 1, 2, 20]), PIECES), min_size=1, max_size=4
)
OCTETS_OF_MEMORY = 200
"""For one octet of input; the widest is an element of XML in four octets, read in full."""
SECONDS_PER_OCTET = 50e-6
"""Twenty times what the slowest takes; what is quadratic takes more."""
SPARE = 1 << 20
"""Octets of memory that anything may take."""


def changed(octets: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
    """Pieces put in, replaced or cut out."""
    for where, length, piece in changes:
        at = int(where * len(octets))
        octets = octets[:at] + piece + octets[at + length :]
    return octets


@each_decoder
def test_seeds(name: str) -> None:
    for octets in TARGETS[name].seeds():
        TARGETS[name].feed(octets)


@each_decoder
def test_any_octets(name: str) -> None:
    @settings(max_examples=60, deadline=None)
    @given(st.binary(max_size=200) | st.lists(PIECES, max_size=20).map(b"".join))
    def law(octets: bytes) -> None:
        TARGETS[name].feed(octets)

    law()


@each_decoder
def test_changed_messages(name: str) -> None:
    seeds = list(TARGETS[name].seeds())

    @settings(max_examples=80, deadline=None)
    @given(st.sampled_from(seeds), CHANGES)
    def law(octets: bytes, changes: list[tuple[float, int, bytes]]) -> None:
        TARGETS[name].feed(changed(octets, changes))

    law()


@each_decoder
def test_memory_and_time_of_an_octet(name: str) -> None:
    for octets in TARGETS[name].grown(3000):
        tracemalloc.start()
        try:
            TARGETS[name].feed(octets)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < OCTETS_OF_MEMORY * len(octets) + SPARE, octets[:80]
    for octets in TARGETS[name].grown(20_000):
        before = time.process_time()
        TARGETS[name].feed(octets)
        spent = time.process_time() - before
        assert spent < SECONDS_PER_OCTET * len(octets) + 1, octets[:80]
