"""Real captures, as they are and rewritten the way odd publishers write: the switches make them
say the same, and without one it is counted which is needed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.config import parse_config
from collector.errors import WireError
from collector.interfaces import Said
from collector.model import Quirk, ReceivedBatch, RecordKind, Verdict
from collector.pipeline.capture import judge_captures
from collector.pipeline.capture_files import CaptureFiles
from collector.pipeline.settings import JournalledConfig
from collector.receivers.datagrams.batcher import Datagram, DatagramBatcher
from collector.wire.captures.pcap import CaptureReader
from collector.wire.udp_notif.datagrams import decode_header
from tests.integration.test_captures_segments import CAPTURES, FILES, expected_of

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not FILES, reason=f"no captures in {CAPTURES} (set YANG_PUSH_CAPTURES)"),
]
Rewritten = Iterator[Datagram]


def datagrams_of(capture: Path) -> Rewritten:
    """What was sent to the receivers that the expected messages name, if it is of version 1."""
    ports = {line["dport"] for line in expected_of(capture)}
    with capture.open("rb") as file:
        for one in CaptureReader(file):
            if one.destination_port in ports:
                yield one.time_ns, one.source, one.source_port, one.payload


def as_arrcus(datagrams: Rewritten) -> Rewritten:
    """L in the highest bit of the segmentation option, the number below it."""
    for time, source, port, octets in datagrams:
        try:
            segment = decode_header(octets).segment
        except WireError:
            segment = None  # other traffic of these ports
        if segment is not None:
            number = segment.last << 15 | segment.number
            octets = octets[:14] + number.to_bytes(2) + octets[16:]
        yield time, source, port, octets


def as_version_0(datagrams: Rewritten) -> Rewritten:
    """As up to udp-notif-06."""
    for time, source, port, octets in datagrams:
        yield time, source, port, bytes([octets[0] & 0x1F]) + octets[1:]


def together(datagrams: Rewritten) -> Rewritten:
    """All that one sender has sent before another one does, in as few datagrams as it takes."""
    held: Datagram | None = None
    for time, source, port, octets in datagrams:
        if held is not None:
            fits = len(held[3]) + len(octets) <= 65_507
            if held[1:3] == (source, port) and time - held[0] < 10**9 and fits:
                held = (*held[:3], held[3] + octets)
                continue
            yield held
        held = (time, source, port, octets)
    if held is not None:
        yield held


def received(datagrams: Rewritten, batcher: DatagramBatcher) -> list[tuple[Any, ...]]:
    """Ids, segments and payload of each message, sorted."""
    batches: list[ReceivedBatch] = list(batcher.receive_datagrams(datagrams))
    return sorted(
        (
            batch.peer[row], batch.publisher_id[row], batch.message_id[row], batch.segments[row],
            hashlib.sha256(batch.payload[row]).hexdigest(),
        )
        for batch in batches
        for row in range(len(batch))
        if batch.kind[row] == RecordKind.DATA
    )  # fmt: skip


def needed(batcher: DatagramBatcher) -> dict[tuple[Quirk, bool], int]:
    total: dict[tuple[Quirk, bool], int] = {}
    for _, quirk, is_on, number in batcher.counters.quirks.items():
        total[quirk, is_on] = total.get((quirk, is_on), 0) + number
    return total


def expected(capture: Path) -> list[tuple[Any, ...]]:
    return sorted(
        (line["src"], line["publisher_id"], line["message_id"], line["segments"],
         line["payload_sha256"])
        for line in expected_of(capture)
    )  # fmt: skip


@pytest.mark.parametrize("capture", FILES, ids=lambda path: path.stem)
def test_real_publishers_need_no_switch_of_the_wire(capture: Path) -> None:
    batcher = DatagramBatcher()
    assert received(datagrams_of(capture), batcher) == expected(capture)
    assert needed(batcher) == {}


@pytest.mark.parametrize("capture", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize(
    ("rewrite", "quirk"),
    [(as_arrcus, Quirk.LAST_FLAG_IN_TOP_BIT), (together, Quirk.SEVERAL_MESSAGES)],
    ids=["top-bit", "several"],
)
def test_with_its_switch_a_rewritten_capture_says_the_same(
    capture: Path, rewrite: Callable[[Rewritten], Rewritten], quirk: Quirk
) -> None:
    wanted = expected(capture)
    switches = {source: {quirk} for source, *_ in wanted}
    on, off = DatagramBatcher(quirks=switches), DatagramBatcher()
    assert received(rewrite(datagrams_of(capture)), on) == wanted
    received(rewrite(datagrams_of(capture)), off)
    segmented = sum(segments > 1 for _, _, _, segments, _ in wanted)
    assert segmented or quirk is not Quirk.LAST_FLAG_IN_TOP_BIT or not needed(on)
    assert set(needed(on)) <= {(quirk, True)}
    assert needed(off) == {(quirk, False): number for (quirk, _), number in needed(on).items()}
    if quirk is Quirk.LAST_FLAG_IN_TOP_BIT:
        assert needed(on).get((quirk, True), 0) >= segmented


@pytest.mark.parametrize("capture", FILES, ids=lambda path: path.stem)
def test_the_same_under_version_0(capture: Path) -> None:
    batcher = DatagramBatcher()
    assert received(as_version_0(datagrams_of(capture)), batcher) == expected(capture)
    assert needed(batcher) == {}


# --------------------------------------------------------------------------- what ids count
HUAWEI = [path for path in FILES if path.name.startswith(("ipf-", "huawei-NE8000"))]
ROUTER = "203.0.113.21"
"""Of both captures: one header id, and Message IDs for each subscription alone."""


def judged(capture: Path, *quirks: str) -> tuple[dict[str, int], list[Verdict]]:
    """The switches needed, and the last row of each period."""
    device = f'[[device]]\nname = "router"\nsources = ["{ROUTER}"]\nquirks = {list(quirks)}'
    config = JournalledConfig(devices=parse_config(device).devices, each_source=True)
    rows: dict[tuple[object, ...], Verdict] = {}

    def keep(said: Said) -> None:
        for row in said.verdicts:
            rows[row.subscription_id, row.revision, row.period_index] = row

    with CaptureFiles([str(capture)]) as files:
        found = judge_captures(files, config, show=keep)
    return found.quirks_needed, list(rows.values())


@pytest.mark.parametrize("capture", HUAWEI, ids=lambda path: path.stem)
def test_ids_of_subscriptions_are_found_out_or_told(capture: Path) -> None:
    needed_unset, found_out = judged(capture)
    needed_set, told = judged(capture, "ids-per-subscription")
    assert needed_unset == {"router ids-per-subscription (unset)": 1}
    assert needed_set == {"router ids-per-subscription (set)": 1}
    assert [row.outcome for row in told] == [row.outcome for row in found_out]
    needed_wrong, wrong = judged(capture, "ids-per-publisher")
    assert needed_wrong == {}
    if "NE8000" in capture.name:  # in the other one the subscriptions take turns
        assert sum(len(row.degraded) for row in wrong) > sum(len(row.degraded) for row in told)
