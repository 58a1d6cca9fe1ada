"""``collector replay FOLDER``: the journal judged again, into another folder or onto the screen.

The folder that is read is never changed. Same journal and configuration: same rows; that is what
the tests of recovery lean on. Captures have a module of their own (``capture``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from collector.core.settings import EngineSettings
from collector.core.views import OriginatorState, UnknownSubscription
from collector.errors import UsageError
from collector.journal import JournalReader
from collector.model import ReceivedBatch, SidTable
from collector.pipeline.flow import Pipeline
from collector.pipeline.keeping import KeptStore
from collector.pipeline.recovery import reread
from collector.store.said import Said

Show = Callable[[Said], None]
Look = Callable[[ReceivedBatch, Sequence[str], Mapping[str, SidTable]], None]
"""Takes records as they were read, the device of each (empty where it is unknown), and the SIDs of
devices (``schemas.sids_of``)."""


class Replayed(Struct, frozen=True):
    """What a replay came to, beside the rows that it said."""

    records: int
    first_arrival: int
    last_arrival: int
    """ns since 1970; 0 without records."""
    states: list[OriginatorState]
    """What was known of each originator at the end."""
    unknown: list[UnknownSubscription]
    """Subscriptions that could not be judged: nobody said their terms."""
    rejected: dict[str, int]
    """Reason word -> messages and datagrams that were refused."""
    discarded: dict[str, int] = {}
    """Reason word -> segments that were thrown away."""
    quirks_needed: dict[str, int] = {}
    """Device, switch and whether it is set -> datagrams, or publisher ids, that needed it."""
    left_out: dict[str, int] = {}
    """Reason word -> frames and datagrams of a capture that were not for us."""
    odd_stamps: dict[str, int] = {}
    """Reason word -> packets of a capture whose stamp was not taken as it is."""
    datagrams: int = 0
    messages: int = 0
    ports: list[int] = []
    """Of captures: datagrams and whole messages of UDP-notif, and the destination ports."""
    damage: tuple[str, ...] = ()
    """A sentence for each file that could not be read to its end."""


def replay(
    folder: Path,
    out_folder: Path | None = None,
    *,
    adjust: Callable[[EngineSettings], EngineSettings] = lambda journalled: journalled,
    sources: Mapping[str, str] | None = None,
    show: Show = lambda said: None,
    look: Look = lambda batch, devices, sids: None,
    every_period: bool = False,
    advance: Callable[[float], None] = lambda segments: None,
) -> Replayed:
    """Judge a journal again.

    Args:
        folder: data folder with the journal.
        out_folder: where the rows go as a store of their own; None: nowhere but ``show``.
        adjust: what to judge with instead of what the journal remembers.
        sources: peer address -> device, instead of what the journal remembers.
        show: called with what each frame says.
        look: called with the records of each frame before that.
        every_period: compare the contents of all periods, instead of the sample that the journal
            remembers (``overlap``, ``node_gone``).
        advance: called with the number of segments begun so far, for a progress bar.

    Raises:
        UsageError: there is no journal, or ``out_folder`` already holds something.
        SinkError: the rows cannot be written.
    """
    if not JournalReader(folder).segments():
        raise UsageError(f"there is no journal in {folder}")
    pipeline = Pipeline(
        settings=adjust(EngineSettings()),
        sources=sources,
        adjust=adjust,
        sample_every=1 if every_period else None,
    )
    target = None if out_folder is None else KeptStore(out_folder)
    records, segments, segment, first_arrival = 0, 0, -1, 0
    try:
        for one in reread(pipeline, folder):
            records += one.said.next_offset - one.said.first_offset
            first_arrival = first_arrival or one.first_arrival
            if one.segment != segment:
                segment, segments = one.segment, segments + 1
                advance(segments)
            look(one.batch, pipeline.senders.of_batch(one.batch), pipeline.sids)
            show(one.said)
            if target is not None:
                target.add(one.segment, one.said)
    finally:
        if target is not None:
            target.close()
    return Replayed(
        records=records,
        first_arrival=first_arrival,
        last_arrival=pipeline.last_arrival,
        states=pipeline.engine.states(ended=True),
        unknown=pipeline.engine.unknown(),
        rejected=dict(pipeline.counts.rejected),
    )
