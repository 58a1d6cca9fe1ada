"""The pipeline: journal records in, rows out; the same journal gives the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from collector.config import read_config_table
from collector.core.inventory import Inventory
from collector.errors import UsageError
from collector.journal import Journal, JournalSettings
from collector.model import (
    FLAG_IDS,
    CollectorTime,
    DropsNote,
    NotificationKind,
    Outcome,
    RecordKind,
    RejectedNote,
    Transport,
    UnreassembledNote,
)
from collector.pipeline import Pipeline, reread
from collector.pipeline.flow import REST
from collector.pipeline.parts import UNKNOWN_SOURCES_KEPT
from collector.pipeline.settings import encode_config
from tests.unit.pipeline_records import (
    CARDS,
    DEVICE,
    PERIOD,
    SOURCE,
    STRANGER,
    Story,
    events,
    ns,
    rpc,
    session,
    state_change,
    update,
    updates,
    verdicts,
)

SN = "urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"
YP = "urn:ietf:params:xml:ns:yang:ietf-yang-push"
DS = "urn:ietf:params:xml:ns:yang:ietf-datastores"
ESTABLISH = (
    f'<establish-subscription xmlns="{SN}" xmlns:yp="{YP}">'
    f'<yp:datastore xmlns:ds="{DS}">ds:operational</yp:datastore>'
    "<yp:periodic><yp:period>1000</yp:period>"
    "<yp:anchor-time>2027-01-15T08:00:00Z</yp:anchor-time></yp:periodic>"
    "</establish-subscription>"
)
ESTABLISHED = f'<id xmlns="{SN}">1</id>'
DELETE = f'<delete-subscription xmlns="{SN}"><id>1</id></delete-subscription>'


def outcomes(said: list[Any]) -> dict[int, Outcome]:
    """Period, counted from the first -> last outcome."""
    rows = verdicts(said)
    first = ns(0) // (PERIOD * 10**9)
    return {row.period_index - first: row.outcome for row in rows}


def running(until: int = 6) -> Story:
    """Configured, started, and both cards delivered from period 1 to the one before ``until``."""
    story = Story()
    story.configured()
    story.started()
    story.periods(1, until)
    return story


def causes_of_missing(story: Story) -> tuple[set[str], list[Any]]:
    """Two periods more, and what was said of those whom a period missed."""
    story.note(69, RecordKind.TICK)
    story.periods(7, 9)
    said = story.tell(Pipeline())
    return {pair.cause.value for row in verdicts(said) for pair in row.missing}, said


# --------------------------------------------------------------------------- data
def test_updates_become_rows_and_verdicts() -> None:
    story = running()
    said = story.tell(Pipeline())
    rows = updates(said)
    assert len(rows) == 5 * 2
    assert [row["generator"] for row in rows[:2]] == list(CARDS)
    assert {row["device"] for row in rows} == {DEVICE}
    assert {row["kind"] for row in rows} == {"push-update"}
    assert {row["subscription_id"] for row in rows} == {1}
    for row in rows:
        at = row["journal_offset"]
        assert row["payload"] == story.batch.payload[at]
        assert row["message_id"] == story.batch.message_id[at]
    assert [outcomes(said)[index] for index in range(1, 6)] == [Outcome.COMPLETE] * 5
    assert [one.state for one in said[0].subscriptions][:1] == ["active"]


def test_the_offsets_of_what_was_said_are_those_of_the_batches() -> None:
    story = Story()
    story.configured()
    story.periods(1, 3)
    said = story.tell(Pipeline(), rows=2)
    assert [one.first_offset for one in said] == list(range(0, len(story.batch), 2))
    assert said[-1].next_offset == len(story.batch)
    assert Pipeline().receive(7, type(story.batch)(), None).next_offset == 7


def test_a_missing_card_is_named() -> None:
    story = running()
    story.periods(6, 7, cards=("1",))
    story.periods(7, 9)
    said = story.tell(Pipeline())
    missing = [row for row in verdicts(said) if row.outcome is Outcome.INCOMPLETE]
    assert {pair.generator for row in missing for pair in row.missing} == {"2"}
    assert {row.period_index for row in missing} == {ns(0) // (PERIOD * 10**9) + 6}


def test_a_state_change_between_updates_takes_effect_in_its_place() -> None:
    story = running(5)
    story.data(51, state_change(NotificationKind.SUBSCRIPTION_MODIFIED, 51, ("1",)), header=0)
    story.periods(6, 9, cards=("1",))
    said = story.tell(Pipeline())
    last = verdicts(said)[-1]
    assert last.outcome is Outcome.COMPLETE
    assert last.required == ("1",)
    assert len(updates(said)) == 4 * 2 + 3, "a state change is no update"


def test_a_payload_that_cannot_be_read_is_counted_and_leaves_a_hole() -> None:
    story = running()
    story.data(60.2, update(60), header=1)
    story.data(60.2, b'{"no": "end"', header=2)
    story.note(69, RecordKind.TICK)
    story.periods(7, 9)
    pipeline = Pipeline()
    said = story.tell(pipeline)
    assert pipeline.counts.rejected == {"bad-json": 1}
    (row, *_) = [row for row in verdicts(said) if row.outcome is Outcome.INCOMPLETE]
    assert [(one.generator, one.cause.value) for one in row.missing] == [("2", "rejected")]
    assert len(updates(said)) == 5 * 2 + 1 + 2 * 2


def test_an_unknown_media_type_is_refused_too() -> None:
    story = Story()
    story.configured()
    story.data(1, b"?", media_type=9)
    pipeline = Pipeline()
    story.tell(pipeline)
    assert pipeline.counts.rejected == {"unknown-media-type": 1}


def test_unknown_sources_are_counted_within_a_bound_and_not_judged() -> None:
    story = Story()
    story.configured()
    story.data(1, update(1), peer=STRANGER)
    story.data(1, update(1), peer=STRANGER)
    for number in range(UNKNOWN_SOURCES_KEPT + 5):
        story.data(1, update(1), peer=f"10.0.{number >> 8}.{number & 255}")
    story.data(1, update(1), peer=STRANGER)
    pipeline = Pipeline()
    said = story.tell(pipeline)
    assert not updates(said)
    assert not verdicts(said)
    assert pipeline.counts.unknown_source_messages == UNKNOWN_SOURCES_KEPT + 8
    assert pipeline.counts.unknown_sources[STRANGER] == 3
    assert len(pipeline.counts.unknown_sources) == UNKNOWN_SOURCES_KEPT
    assert pipeline.engine.devices() == []


def test_a_certificate_says_which_device_it_is() -> None:
    config = read_config_table(
        {
            "alerts": {"log": False},
            "device": [
                {"name": DEVICE, "sources": [SOURCE]},
                {"name": "core8", "certificates": ["Core8.example"]},
            ],
        }
    )
    story = Story()
    story.note(0, RecordKind.CONFIG, encode_config(config))
    story.note(0, RecordKind.SESSION_UP, session(), session="3")

    def send(peer: str, session: str = "", transport: int = Transport.HTTPS_NOTIF) -> None:
        story.batch.append(
            ns(1), RecordKind.DATA, update(1), transport=transport, session=session, peer=peer,
            media_type=1,
        )  # fmt: skip

    def devices(rows: int = 1 << 30) -> list[str]:
        return [row["device"] for row in updates(story.tell(Pipeline(), rows))]

    send(STRANGER, "certificate:core8.example")
    assert devices() == ["core8"]
    send(SOURCE, "certificate:core8.example")
    send(SOURCE, "certificate:nobody.example")
    send(STRANGER, "certificate:nobody.example")
    send(SOURCE)
    send(STRANGER, "3", Transport.NETCONF)
    send(SOURCE, "4", Transport.NETCONF)
    assert devices() == ["core8", "core8", DEVICE, DEVICE, DEVICE]
    assert devices(1) == devices(2) == devices()


def test_without_a_configuration_the_inventory_says_who_sends() -> None:
    story = Story()
    story.started()
    story.periods(1, 2)
    said = story.tell(Pipeline(inventory=Inventory({}, each_source=True)))
    assert {row["device"] for row in updates(said)} == {SOURCE}


# --------------------------------------------------------------------------- control plane
def test_a_reply_establishes_and_a_delete_ends() -> None:
    story = Story()
    story.configured()
    story.note(1, RecordKind.REQUEST, rpc("establish-subscription", ESTABLISH, None))
    story.note(2, RecordKind.REPLY, rpc("establish-subscription", ESTABLISH, ESTABLISHED))
    story.periods(3, 4)
    story.note(45, RecordKind.REPLY, rpc("delete-subscription", DELETE, "<ok/>"))
    said = story.tell(Pipeline())
    rows = said[0].subscriptions
    assert [(row.name, row.state, row.origin) for row in (rows[0], rows[-1])] == [
        ("interfaces", "active", "dynamic"),
        ("interfaces", "ended", "dynamic"),
    ]
    assert rows[0].revision == 3, "the offset of the reply, not of the request"
    assert rows[0].period_cs == PERIOD * 100
    assert {row["revision"] for row in updates(said)} == {3}


def leaves(name: str, module: str) -> str:
    """The list of two originators, with ids that look the same in every draft."""
    space = f"urn:ietf:params:xml:ns:yang:{module}"
    return "".join(f'<{name} xmlns="{space}">{card}</{name}>' for card in CARDS)


@pytest.mark.parametrize(
    ("leaf", "module", "asked", "unasked"),
    [
        ("message-generator-id", "ietf-multiple-stream-originators", "mso", "mso"),
        ("message-observation-domain-id", "ietf-distributed-notif", "18", "18"),  # -06, -07
        ("message-publisher-ids", "ietf-distributed-notif", "18", "18"),  # -09 to -13
        ("message-publisher-id", "ietf-distributed-notif", "18", "19"),
        (None, "", None, None),
    ],
)
def test_the_mode_is_what_the_wire_says(
    leaf: str | None, module: str, asked: str | None, unasked: str | None
) -> None:
    listed = leaves(leaf, module) if leaf else ""
    modes = {None: "unknown", "mso": "mso"}
    story = Story()
    story.configured()
    story.note(2, RecordKind.REPLY, rpc("establish-subscription", ESTABLISH, ESTABLISHED + listed))
    started = (
        '<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
        f'<eventTime>2027-01-15T08:00:03Z</eventTime><subscription-started xmlns="{SN}"'
        f' xmlns:yp="{YP}"><id>2</id><yp:datastore xmlns:ds="{DS}">ds:operational</yp:datastore>'
        f"<yp:periodic><yp:period>1000</yp:period></yp:periodic>{listed}</subscription-started>"
        "</notification>"
    )
    story.data(3, started.encode(), media_type=2)
    (said,) = story.tell(Pipeline())
    assert [(row.id, row.origin, row.mode) for row in said.subscriptions] == [
        (1, "dynamic", modes.get(asked, f"distributed-notif-{asked}")),
        (2, "configured", modes.get(unasked, f"distributed-notif-{unasked}")),
    ]
    assert {row.generators for row in said.subscriptions} == {CARDS if leaf else ()}


@pytest.mark.parametrize(
    "reply",
    [
        "<rpc-error><error-type>application</error-type><error-tag>operation-failed</error-tag>"
        "<error-severity>error</error-severity></rpc-error>",
        "<ok/>",
        "<cut",
    ],
)
def test_a_reply_that_establishes_nothing_is_an_event(reply: str) -> None:
    story = Story()
    story.configured()
    story.note(2, RecordKind.REPLY, rpc("establish-subscription", ESTABLISH, reply))
    said = story.tell(Pipeline())
    assert [event.device for event in events(said, "request_refused")] == [DEVICE]
    assert not said[0].subscriptions


def test_a_lost_session_ends_the_dynamic_subscriptions_of_its_device() -> None:
    story = Story()
    story.configured()
    story.note(1, RecordKind.SESSION_UP, session(), session="s1", transport=Transport.NETCONF)
    story.note(2, RecordKind.REPLY, rpc("establish-subscription", ESTABLISH, ESTABLISHED))
    story.over_netconf(12, b"<notification/>", "s1")
    story.note(15, RecordKind.SESSION_DOWN, session("lost"), session="s1",
               transport=Transport.NETCONF)  # fmt: skip
    story.over_netconf(16, b"<notification/>", "s1")
    pipeline = Pipeline()
    said = story.tell(pipeline)
    assert said[0].subscriptions[-1].state == "ended"
    assert said[0].subscriptions[-1].reason == "session-lost"
    assert len(events(said, "session_up")) == len(events(said, "session_down")) == 1
    assert sum(pipeline.counts.rejected.values()) == 1, "the first is the device's"
    assert pipeline.counts.unknown_source_messages == 1, "the session of the second is gone"


def test_a_restart_is_a_window_in_which_nobody_listened() -> None:
    story = Story()
    story.configured()
    story.note(0.5, RecordKind.SESSION_UP, session(), session="s1", transport=Transport.NETCONF)
    story.note(1, RecordKind.REPLY, rpc("establish-subscription", ESTABLISH, ESTABLISHED))
    story.periods(2, 6)
    story.configured(at=95)  # killed at 59, back at 95
    story.note(120, RecordKind.TICK)
    said = story.tell(Pipeline())
    reasons = {row.reason.value for row in verdicts(said) if row.reason is not None}
    assert "collector_down" in reasons
    assert said[0].subscriptions[-1].reason == "collector-down", "sessions died with the process"


def test_an_orderly_stop_closes_the_books() -> None:
    story = running(5)
    story.data(50.2, update(50), header=1)
    story.note(51, RecordKind.COLLECTOR_STOP)
    last = verdicts(story.tell(Pipeline()))[-1]
    assert last.outcome is Outcome.NOT_JUDGED
    assert last.reason is not None
    assert last.reason.value == "ended"


def test_what_we_dropped_is_our_loss() -> None:
    story = running()
    story.data(60.2, update(60), header=1)
    story._ids[2] += 1  # the kernel dropped it
    story.note(60.5, RecordKind.DROPS, DropsNote(CollectorTime(ns(59.9)), 1, "kernel"))
    causes, said = causes_of_missing(story)
    assert "lost_here" in causes
    assert "1 messages were dropped" in events(said, "dropped_here")[0].text


@pytest.mark.parametrize("kind", ["unreassembled", "rejected"])
def test_a_message_that_never_became_one_is_the_cause(kind: str) -> None:
    story = running()
    story.data(60.2, update(60), header=1)
    story._ids[2] += 1
    if kind == "rejected":
        record, note = RecordKind.REJECTED, msgspec.json.encode(RejectedNote("bad-option"))
    else:
        record = RecordKind.UNREASSEMBLED
        note = msgspec.json.encode(UnreassembledNote(CollectorTime(ns(60.2)), 1, 2))
    for peer in (SOURCE, STRANGER):
        story.note(60.2, record, note, transport=Transport.UDP_NOTIF, peer=peer, port=4000,
                   flags=FLAG_IDS, publisher_id=2, message_id=story._ids[2])  # fmt: skip
    assert causes_of_missing(story)[0] == {kind}


# --------------------------------------------------------------------------- the same again
def whole_story() -> Story:
    """A bit of everything."""
    story = running(5)
    story.data(50.2, update(50), header=1)
    story.data(50.3, b"[", header=2)
    story.data(50.4, update(50), peer=STRANGER)
    story.note(59, RecordKind.TICK)
    story.periods(6, 8)
    story.data(81, state_change(NotificationKind.SUBSCRIPTION_MODIFIED, 81, ("1",)), header=0)
    story.periods(9, 11, cards=("1",))
    story.configured(at=140)
    story.periods(15, 18)
    story.note(190, RecordKind.COLLECTOR_STOP)
    return story


def rows(said: list[Any]) -> list[Any]:
    """Everything said, table by table."""
    return [
        updates(said),
        verdicts(said),
        [row for one in said for row in one.events],
        [row for one in said for row in one.subscriptions],
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_batches_of_any_size_give_the_same_rows(size: int) -> None:
    story = whole_story()
    assert rows(story.tell(Pipeline(), size)) == rows(story.tell(Pipeline()))


@pytest.mark.parametrize("cut", [2, 3, 9, 14, 20, 30])
def test_a_pipeline_that_was_restored_says_the_same_as_one_that_ran_on(cut: int) -> None:
    story = whole_story()
    ran_on = story.tell(Pipeline(), rows=1)
    before = Pipeline()
    story.tell(before, rows=1, end=cut)
    parts = [(name, cut, before.snapshot_part(name)) for name in before.snapshot_names()]
    assert parts[0][0] == REST
    after = Pipeline()
    assert after.restore(parts) == cut
    assert after.last_arrival == before.last_arrival
    assert rows(story.tell(after, rows=1, start=cut)) == rows(ran_on[cut:])


@pytest.mark.parametrize("first", [0, 1])
def test_a_snapshot_without_its_first_part_changes_nothing(first: int) -> None:
    story = whole_story()
    before, after = Pipeline(), Pipeline()
    story.tell(before, rows=1, end=20)
    names = before.snapshot_names()[1:][:first]
    with pytest.raises(UsageError, match="does not begin with"):
        after.restore((name, 20, before.snapshot_part(name)) for name in names)
    assert after.engine.devices() == []


def test_the_settings_of_a_journal_can_be_adjusted() -> None:
    story = whole_story()
    plain = story.tell(Pipeline())
    slower = story.tell(
        Pipeline(adjust=lambda settings: msgspec.structs.replace(settings, grace=8 * 10**9))
    )
    deadlines = [row.deadline for row in verdicts(plain) if row.amendment == 0]
    later = [row.deadline for row in verdicts(slower) if row.amendment == 0]
    assert deadlines != later


def test_a_journal_that_is_read_again_says_what_was_said_live(tmp_path: Path) -> None:
    story, live = whole_story(), []
    pipeline = Pipeline()
    with Journal.open(tmp_path, JournalSettings(free_space_reserve=0)) as journal:
        for batch in story.batches(4):
            taken = journal.append(batch)
            live.append(pipeline.receive(taken.first_offset, batch, taken.records))
    again = [one.said for one in reread(Pipeline(), tmp_path)]
    assert rows(again) == rows(live)


def test_what_could_not_be_read_of_the_last_batch_is_told() -> None:
    story = Story()
    story.configured()
    story.data(1, update(1))
    story.data(1, b"{")
    story.data(1, b"{", peer=STRANGER)
    story.note(2, RecordKind.TICK)
    story.data(3, b"<", media_type=2)
    pipeline = Pipeline()
    story.tell(pipeline)
    refused = {row: error.reason for row, error in pipeline.unreadable.items()}
    assert refused == {3: "bad-json", 4: "bad-json", 6: "bad-xml"}
    story.tell(pipeline, start=2, end=3)
    assert pipeline.unreadable == {}
