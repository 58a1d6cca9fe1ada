"""A disk of ours that was full for a while, as the journal has it: what came over which transport
meanwhile, behind the PAUSE record, and whom the verdicts blame.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from collector.model import (
    FLAG_IDS,
    CollectorTime,
    DeviceTime,
    MediaType,
    Notification,
    NotificationKind,
    NotJudgedReason,
    Outcome,
    PauseNote,
    RecordKind,
    Transport,
)
from collector.pipeline import Pipeline
from collector.wire.notifications.notification import encode
from collector.wire.values import names
from tests.unit.pipeline_records import (
    CARDS,
    PERIOD,
    SOURCE,
    Story,
    events,
    ns,
    rpc,
    session,
    updates,
    verdicts,
)
from tests.unit.test_pipeline_flow import ESTABLISH, ESTABLISHED

FULL, ROOM = 50.1, 77.0
"""When the disk was full; the records of periods 5, 6 and 7 come meanwhile."""
PERIODS = range(1, 11)
SESSION = "s1"
UDP, NETCONF = Transport.UDP_NOTIF, Transport.NETCONF
HTTPS, GRPC = Transport.HTTPS_NOTIF, Transport.GRPC_DIALOUT
STREAMS = [
    (NETCONF, names.ROOT_NOTIFICATION, MediaType.YANG_DATA_XML),
    (HTTPS, names.ROOT_ENVELOPE, MediaType.YANG_DATA_JSON),
    (HTTPS, names.ROOT_ENVELOPE, MediaType.YANG_DATA_XML),
    (GRPC, names.ROOT_CISCO, MediaType.CISCO_GPB),
    (GRPC, names.ROOT_HUAWEI, MediaType.HUAWEI_GPB),
]
BY = [f"{transport.name}-{media_type.name}" for transport, _, media_type in STREAMS]


class Told(Story):
    """Two cards over one transport; what stands in the journal behind a pause has the time at which
    it was read, but for datagrams."""

    def __init__(self, transport: Transport, root: str, media_type: MediaType) -> None:
        super().__init__()
        self.transport, self.root, self.media_type = transport, root, media_type
        self.configured()
        self.note(0.5, RecordKind.SESSION_UP, session(), session=SESSION, transport=NETCONF)
        self.note(1, RecordKind.REPLY, rpc("establish-subscription", ESTABLISH, ESTABLISHED))

    def sends(self, index: int, card: str, at: float | None = None) -> None:
        """The record of a period, read at ``at`` or at once."""
        told = Notification(
            NotificationKind.PUSH_UPDATE,
            "ietf-yang-push:push-update",
            self.root,
            1,
            event_time=DeviceTime(ns(index * PERIOD)),
            observation_time=DeviceTime(ns(index * PERIOD)),
            generator=None if self.transport == UDP else card,
            sequence_number=index if self.transport == HTTPS else None,
        )
        payload = encode(told, {"a:b": {"c": 1}}, self.media_type)
        by_datagrams = self.transport == UDP
        self.batch.append(
            ns(index * PERIOD + 0.2 if at is None else at), RecordKind.DATA, payload,
            transport=self.transport, peer=SOURCE, media_type=self.media_type,
            session=SESSION if self.transport == NETCONF else "",
            flags=FLAG_IDS if by_datagrams else 0,
            publisher_id=int(card) if by_datagrams else 0,
            message_id=index if by_datagrams else 0,
        )  # fmt: skip

    def whole(self, unread: Callable[[int, str], bool] = lambda index, card: True) -> list[Any]:
        """Ten periods with the pause; ``unread`` says which of its records are there at last."""
        ended = False
        waited: list[tuple[int, str]] = []
        for index in PERIODS:
            full = FULL < index * PERIOD + 0.2 < ROOM
            if index * PERIOD > ROOM and not ended:
                self._goes_on(waited)
                ended = True
            for card in CARDS:
                if not full:
                    self.sends(index, card)
                elif unread(index, card):
                    waited.append((index, card))
            if not full:
                self.note(index * PERIOD + 9, RecordKind.TICK)
        return self.tell(Pipeline())

    def _goes_on(self, waited: list[tuple[int, str]]) -> None:
        note = PauseNote(CollectorTime(ns(FULL)), CollectorTime(ns(ROOM)), "there is no room")
        self.note(49, RecordKind.PAUSE, note)
        if self.transport != UDP:
            self.note(ROOM, RecordKind.TICK)
        for place, (index, card) in enumerate(waited):
            self.sends(index, card, None if self.transport == UDP else ROOM + 0.2 + place / 100)
        if self.transport == UDP:
            self.note(ROOM, RecordKind.TICK)


def firsts(said: list[Any]) -> list[Any]:
    return [row for row in verdicts(said) if row.amendment == 0]


def lasts(said: list[Any]) -> dict[int, Any]:
    first = ns(0) // (PERIOD * 10**9)
    return {row.period_index - first: row for row in verdicts(said)}


@pytest.mark.parametrize("how", STREAMS, ids=BY)
def test_whoever_sends_over_a_stream_is_not_blamed_for_our_disk(how: Any) -> None:
    said = Told(*how).whole()
    assert len(updates(said)) == len(PERIODS) * len(CARDS)
    judged = [(row.outcome, row.reason) for row in firsts(said) if row.required]
    assert (Outcome.NOT_JUDGED, NotJudgedReason.COLLECTOR_DOWN) in judged
    assert {outcome for outcome, _ in judged} == {Outcome.COMPLETE, Outcome.NOT_JUDGED}
    found = lasts(said)
    assert {found[index].outcome for index in (3, 4, 6, 7, 8, 9)} == {Outcome.COMPLETE}
    assert found[5].reason is NotJudgedReason.COLLECTOR_DOWN, "too late to be amended"
    assert not events(said, "clock_step")
    assert not [row.late_generators for row in verdicts(said) if row.late_generators]


@pytest.mark.parametrize("how", STREAMS, ids=BY)
def test_a_device_that_did_not_wait_is_not_blamed_either(how: Any) -> None:
    said = Told(*how).whole(lambda index, card: False)
    found = lasts(said)
    assert {found[index].reason for index in (5, 6, 7)} == {NotJudgedReason.COLLECTOR_DOWN}
    assert {found[index].outcome for index in (3, 4, 8, 9)} == {Outcome.COMPLETE}


def test_datagrams_have_the_time_at_which_they_came() -> None:
    said = Told(UDP, names.ROOT_ENVELOPE, MediaType.YANG_DATA_JSON).whole()
    assert {row.outcome for row in firsts(said) if row.required} == {Outcome.COMPLETE}


def test_a_card_whose_datagrams_did_not_come_is_blamed() -> None:
    story = Told(UDP, names.ROOT_ENVELOPE, MediaType.YANG_DATA_JSON)
    said = story.whole(lambda index, card: (index, card) != (6, "2"))
    assert lasts(said)[6].outcome is Outcome.INCOMPLETE
    assert [one.generator for one in lasts(said)[6].missing] == ["2"]


@pytest.mark.parametrize("rows", [1, 3, 1 << 30])
def test_how_the_journal_is_cut_changes_nothing(rows: int) -> None:
    story = Told(*STREAMS[0])
    whole = verdicts(story.whole())
    assert verdicts(story.tell(Pipeline(), rows)) == whole


@pytest.mark.parametrize(("seconds", "text"), [(0.4, []), (2.6, ["2.6 s: nothing of it ran."])])
def test_people_read_of_a_stall_that_is_long(seconds: float, text: list[str]) -> None:
    story = Told(*STREAMS[0])
    times = CollectorTime(ns(FULL)), CollectorTime(ns(FULL + seconds))
    story.note(49, RecordKind.PAUSE, PauseNote(*times, "nothing of it ran", refused=False))
    told = story.tell(Pipeline())
    assert not events(told, "intake_paused")
    said = events(told, "stood_still")
    assert [one.text.removeprefix("The collector stood still for ") for one in said] == text


def test_what_was_read_late_since_we_stood_still_is_complete() -> None:
    """The deadline of period 5 passed meanwhile."""
    story = Told(*STREAMS[0])
    for index in range(1, 5):
        for card in CARDS:
            story.sends(index, card)
    times = CollectorTime(ns(49.9)), CollectorTime(ns(57))
    story.note(49.9, RecordKind.PAUSE, PauseNote(*times, "nothing of it ran", refused=False))
    for card in CARDS:
        story.sends(5, card, at=57.1)
    story.note(64, RecordKind.TICK)
    said = story.tell(Pipeline())
    assert {row.outcome for row in verdicts(said) if row.required} == {Outcome.COMPLETE}
    assert firsts(said)[-1] == lasts(said)[5]


def test_people_read_of_the_pause() -> None:
    said = Told(*STREAMS[0]).whole()
    assert [one.text for one in events(said, "intake_paused")] == [
        "Nothing was taken for 26.9 s: there is no room."
    ]
