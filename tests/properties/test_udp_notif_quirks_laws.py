"""Law: with any switches set, a read says what its datagrams say one by one, counts included."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector import fast
from collector.core.assembly.segments import ReassemblyLimits
from collector.model import SECOND, Quirk
from collector.receivers.datagrams.batcher import Datagram, DatagramBatcher
from collector.receivers.sockets import slab as slabs
from collector.receivers.sockets.slab import DatagramSlab
from tests.vectors import udp_notif as vectors

T0 = 1_700_000_000 * SECOND
SENDERS = ("192.0.2.1", "192.0.2.2", "192.0.2.3")
ONE_BY_ONE, LARGE = DatagramSlab(1), DatagramSlab(64)
SINGLE = (
    vectors.A3, vectors.EMPTY, vectors.PRIVATE, vectors.OPTIONS, vectors.SEGMENT_0,
    vectors.SEGMENT_1, vectors.SEGMENT_2_LAST, vectors.LEGACY_JSON, vectors.LEGACY_FLAGS,
    vectors.VERSION_0, vectors.VERSION_0_PRIVATE, vectors.VERSION_0_SEGMENT,
    vectors.VERSION_0_OPTIONS, vectors.ARRCUS_0, vectors.ARRCUS_1, vectors.ARRCUS_2_LAST,
    b"\x20" + vectors.EMPTY[1:], b"\x20" + vectors.OPTIONS[1:], b"\x20" + vectors.ARRCUS_0[1:],
    *(datagram for datagram, _, _, _ in vectors.MALFORMED.values()),
)  # fmt: skip
DATAGRAMS = st.one_of(
    st.sampled_from(SINGLE),
    st.lists(st.sampled_from(SINGLE), min_size=2, max_size=4).map(b"".join),
)
SENT = st.lists(
    st.tuples(st.sampled_from(SENDERS), st.lists(DATAGRAMS, min_size=1, max_size=6)), max_size=10
)
SWITCHES = st.dictionaries(st.sampled_from(SENDERS), st.sets(st.sampled_from(Quirk)), max_size=3)


def told(
    datagrams: list[Datagram], slab: DatagramSlab, switches: dict[str, set[Quirk]]
) -> tuple[object, ...]:
    limits = ReassemblyLimits(notice=SECOND)
    batcher = DatagramBatcher(limits, quirks=switches, strict_sources={SENDERS[0]})
    rows: list[tuple[object, ...]] = []
    batches = list(batcher.receive_datagrams(datagrams, slab))
    batches.append(batcher.stop(T0 + SECOND))
    for batch in batches:
        columns = [getattr(batch, name) for name in type(batch).__slots__]
        rows.extend(zip(*columns, strict=True))
    return rows, batcher.stats(), sorted(batcher.counters.quirks.items())


@pytest.mark.parametrize("native", [None, fast.native], ids=["python", "compiled"])
@settings(max_examples=200, deadline=None)
@given(sent=SENT, switches=SWITCHES)
def test_a_read_says_what_its_datagrams_say_one_by_one(
    native: fast.Native | None,
    sent: list[tuple[str, list[bytes]]],
    switches: dict[str, set[Quirk]],
) -> None:
    datagrams = [(T0, sender, 10003, one) for sender, group in sent for one in group]
    with patch.object(slabs, "native", native):
        assert told(datagrams, LARGE, switches) == told(datagrams, ONE_BY_ONE, switches)
