"""Leaves of updates: whose are wanted, what the store gets, what a query finds on demand; and SIDs
that come out of the CONFIG record."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import cbor2
import pyarrow as pa
import pytest

from collector.config import Config, read_config_table
from collector.errors import ConfigError, UsageError
from collector.model import (
    DeviceTime,
    MediaType,
    Notification,
    NotificationKind,
    RecordKind,
    SidTable,
    Verdict,
)
from collector.pipeline import Pipeline, leaves
from collector.pipeline.leaves import LeafMaker, leaves_of, leaves_on_demand
from collector.pipeline.schemas import DeviceSchemas, load_schemas, sids_of
from collector.pipeline.settings import decode_config, encode_config, sid_tables
from collector.schema.sid import experimental_sids_folder, load_sids
from collector.store.query import open_query
from collector.store.said import Said, tables_of
from collector.store.tables import LEAVES
from collector.store.writer import StoreWriter
from collector.wire.notifications.notification import encode
from collector.wire.values import names
from tests.leaf_modules import schema, write_modules
from tests.unit.pipeline_records import (
    DEVICE,
    PERIOD,
    SOURCE,
    Story,
    ns,
    state_change,
    updates,
    verdicts,
)

CBOR = int(MediaType.YANG_DATA_CBOR)
TABLE, _ = load_sids([experimental_sids_folder()])
KNOWN = DeviceSchemas(schemas={"": schema()})
CONTENTS = {
    "test-base:top": {"entry": [{"name": "a", "slot": 1, "huge": "18446744073709551615",
                                 "ratio": "2.50", "on": True, "tiny": 1000}]}
}  # fmt: skip


def update(
    time: float, media_type: int = 1, subscription: int = 1, *, sids: SidTable | None = None
) -> bytes:
    told = Notification(
        NotificationKind.PUSH_UPDATE, "ietf-yang-push:push-update", names.ROOT_ENVELOPE,
        subscription, event_time=DeviceTime(ns(time)),
    )  # fmt: skip
    if sids is not None:
        return encode(told, CONTENTS, media_type, sids=sids)
    return encode(told, CONTENTS, media_type)


def config(**sections: Any) -> Config:
    base: dict[str, Any] = {
        "alerts": {"log": False}, "device": [{"name": DEVICE, "sources": [SOURCE]}],
    }  # fmt: skip
    return read_config_table(base | sections)


def told(*payloads: tuple[bytes, int], **sections: Any) -> list[Said]:
    """What a pipeline says of messages."""
    story = Story()
    story.note(0, RecordKind.COLLECTOR_START)
    story.note(0, RecordKind.CONFIG, encode_config(config(**sections)))
    for number, (payload, media_type) in enumerate(payloads):
        story.data(1 + number, payload, media_type=media_type)
    return story.tell(Pipeline())


def rows(maker: LeafMaker, said: list[Said]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = maker.tables(said)["leaves"].to_pylist()
    return found


# --------------------------------------------------------------------------- rows
def test_rows_of_a_known_schema() -> None:
    said = told((update(1), 1))
    maker = LeafMaker(config(store={"leaves": True}), KNOWN)
    found = rows(maker, said)
    assert [(row["node"].rpartition("/")[2], row["type"], row["value"], row["number"])
            for row in found] == [
        ("name", "string", "a", None),
        ("slot", "uint8", "1", 1.0),
        ("huge", "uint64", "18446744073709551615", 1.8446744073709552e19),
        ("ratio", "decimal64", "2.5", 2.5),
        ("on", "boolean", "true", None),
        ("tiny", None, "1000", None),
    ]  # fmt: skip
    first = found[0]
    assert first["device"] == DEVICE
    assert first["subscription_id"] == 1
    assert first["path"] == "/test-base:top/entry[name='a'][slot='1']/name"
    assert first["keys"] == [{"name": "name", "value": "a"}, {"name": "slot", "value": "1"}]
    assert first["event_time"].timestamp() == ns(1) / 1e9
    assert first["journal_offset"] == 2
    assert not first["guessed"]
    assert maker.left_out == {}


@pytest.mark.parametrize("media_type", [1, 2, 3])
def test_without_a_schema_they_are_guessed(media_type: int) -> None:
    maker = LeafMaker(config(store={"leaves": True}))
    found = rows(maker, told((update(1, media_type), media_type)))
    assert {row["guessed"] for row in found} == {True}
    assert [row["value"] for row in found] == ["a", "1", "18446744073709551615", "2.50", "true",
                                               "1000"]  # fmt: skip
    assert found[0]["path"] == "/test-base:top/entry[name='a']/name"
    assert {row["type"] for row in found} == ({"text"} if media_type == 2 else
                                              {"string", "number", "boolean"})  # fmt: skip


def test_nobody_asked() -> None:
    maker = LeafMaker(config(), KNOWN)
    assert not maker.asked
    assert rows(maker, told((update(1), 1))) == []


def test_one_subscription_asked(tmp_path: Path) -> None:
    netconf = {"host": "192.0.2.7", "username": "u", "password_file": "p"}
    wanted = config(
        device=[{"name": DEVICE, "sources": [SOURCE], "netconf": netconf}],
        subscription=[
            {"name": "all", "xpath": "/a:b", "period_seconds": 10, "leaves": True},
            {"name": "mine", "xpath": "/a:b", "period_seconds": 10, "leaves": True,
             "devices": [DEVICE]},
            {"name": "other", "xpath": "/a:b", "period_seconds": 10},
        ],
    )  # fmt: skip
    said = told((update(1), 1), (update(2, subscription=2), 1), (update(3, subscription=3), 1))
    for name, expected in (("all", 1), ("mine", 1), ("other", 0), ("unknown", 0)):
        maker = LeafMaker(wanted, KNOWN)
        assert maker.asked
        maker.tell([(DEVICE, 1, name)])
        assert len({row["subscription_id"] for row in rows(maker, said)}) == expected, name
    maker = LeafMaker(wanted, KNOWN)
    maker.tell([("core8", 1, "mine")])
    assert rows(maker, said) == []
    maker.configure(config(), KNOWN)
    assert not maker.asked


def test_the_name_of_a_series_is_learned_from_rows() -> None:
    story = Story()
    story.configured()
    story.started()
    for index in range(3):
        for card in ("1", "2"):
            at = index * PERIOD + 0.2
            story.data(at + 1, update(index * PERIOD), header=int(card))
    story.note(45, RecordKind.TICK)
    said = story.tell(Pipeline())
    name = next(row.subscription_name for one in said for row in one.verdicts)
    netconf = {"host": "192.0.2.7", "username": "u", "password_file": "p"}
    wanted = config(
        device=[{"name": DEVICE, "sources": [SOURCE], "netconf": netconf}],
        subscription=[{"name": name, "xpath": "/a:b", "period_seconds": 10, "leaves": True}],
    )
    assert rows(LeafMaker(wanted, KNOWN), said)


def test_what_cannot_be_read_is_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    twice = b'{"a:b":1,"a:b":2}'
    bad = update(1).replace(b'{"test-base:top"', b'{"x":' + twice + b',"test-base:top"')
    maker = LeafMaker(config(store={"leaves": True}), KNOWN)
    assert len(rows(maker, told((bad, 1), (update(2), 1)))) == 6
    assert maker.left_out == {"duplicate-member": 1}

    def stumbles(*_: Any, **__: Any) -> None:
        raise KeyError("of ours")

    monkeypatch.setattr(leaves, "flatten", stumbles)
    with caplog.at_level(logging.ERROR):
        assert rows(maker, told((update(1), 1))) == []
    assert maker.left_out == {"duplicate-member": 1, "internal-error": 1}
    assert "could not be found" in caplog.text


def test_what_is_cut_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.schema.flatten.MAX_LEAVES", 2)
    maker = LeafMaker(config(store={"leaves": True}), KNOWN)
    assert len(rows(maker, told((update(1), 1)))) == 2
    assert maker.left_out == {"not-whole": 1}


def test_each_part_of_a_bundle_has_its_own_leaves() -> None:
    first, second = (
        {"notification-header": {"notification-time": "2026-01-01T00:00:00Z",
                                 "subscription-id": [number]},
         "notification-contents": {"ietf-yang-push:push-update": {
             "id": number, "datastore-contents": {"m:x": number}}}}
        for number in (1, 2)
    )  # fmt: skip
    header = {"message-time": "2026-01-01T00:00:00Z"}
    message = {"message-header": header, "notifications": [first, second]}
    payload = cbor2.dumps({"ietf-notification-messages:message": message})
    found = rows(LeafMaker(config(store={"leaves": True})), told((payload, CBOR)))
    assert [(row["subscription_id"], row["value"]) for row in found] == [(1, "1"), (2, "2")]


def test_other_messages_have_no_leaves() -> None:
    started = state_change(NotificationKind.SUBSCRIPTION_STARTED, 1, ("1",))
    assert leaves_of(started, 1).leaves == ()
    assert len(leaves_of(update(1), 1, "any", KNOWN).leaves) == 6


# --------------------------------------------------------------------------- store and queries
def stored(folder: Path, maker: LeafMaker) -> None:
    writer = StoreWriter(folder, tables=maker.tables)
    said = told((update(1), 1), (update(2, CBOR), CBOR))
    for one in said:
        writer.add(one)
    writer.seal(0, said[-1].next_offset)
    assert writer.flush(30)
    writer.close()


SUM = "SELECT node, count(*) AS n FROM leaves WHERE node LIKE '%/huge' GROUP BY node"


def test_stored_leaves_can_be_asked(tmp_path: Path) -> None:
    stored(tmp_path, LeafMaker(config(store={"leaves": True}), KNOWN))
    with open_query(tmp_path) as session:
        assert session.run(SUM).to_pylist() == [{"node": "/test-base:top/entry/huge", "n": 2}]
        exact = session.run(
            "SELECT DISTINCT value::HUGEINT AS v FROM leaves WHERE node LIKE '%huge'"
        )
        assert exact.to_pylist() == [{"v": 2**64 - 1}]
        keyed = session.run("SELECT DISTINCT keys[1].value AS v FROM exact.leaves")
        assert keyed.to_pylist() == [{"v": "a"}]


def test_leaves_on_demand(tmp_path: Path) -> None:
    stored(tmp_path, LeafMaker(config(), KNOWN))
    assert not list((tmp_path / "store").glob("leaves-*")), "costs nothing when nobody asks"
    with open_query(tmp_path) as session:
        assert session.run("SELECT count(*) AS n FROM leaves").to_pylist() == [{"n": 0}]
        maker = LeafMaker(Config(), KNOWN, every=True)
        leaves_on_demand(session, maker)
        assert session.run(SUM).to_pylist() == [{"node": "/test-base:top/entry/huge", "n": 2}]
        leaves_on_demand(session, maker, since=ns(1.5))
        assert session.run(SUM, since=ns(1.5)).to_pylist()[0]["n"] == 1
        assert session.run("FROM exact.leaves").schema.names == LEAVES.names


def test_too_much_on_demand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(tmp_path, LeafMaker(config(), KNOWN))
    maker = LeafMaker(Config(), every=True)
    with open_query(tmp_path) as session:
        monkeypatch.setattr(leaves, "MOST_LEAVES", 5)
        with pytest.raises(UsageError, match="more than 5 leaves"):
            leaves_on_demand(session, maker)
        monkeypatch.setattr(leaves, "MOST_UPDATES", 1)
        with pytest.raises(UsageError, match="2 updates to look into"):
            leaves_on_demand(session, maker)


def test_the_empty_table_has_its_columns() -> None:
    assert tables_of([])["leaves"].schema.equals(LEAVES)
    empty = LeafMaker(config(store={"leaves": True})).rows_of(tables_of([])["updates"])
    assert isinstance(empty, pa.Table)
    assert empty.schema.equals(LEAVES)


# --------------------------------------------------------------------------- what is known
def test_schemas_and_sids_of_devices(tmp_path: Path) -> None:
    modules = write_modules(tmp_path / "yang")
    (modules / "broken.yang").write_text("module broken {")
    devices = [{"name": "a", "sources": ["192.0.2.1"], "schema_folder": str(modules)},
               {"name": "b", "sources": ["192.0.2.2"],
                "sid_folder": str(experimental_sids_folder())},
               {"name": "c", "sources": ["192.0.2.3"], "schema_folder": str(modules)}]  # fmt: skip
    notes: list[str] = []
    known = load_schemas(config(device=devices), notes.append)
    assert known.schema_of("a") is known.schema_of("c"), "each folder once"
    assert "top" in known.schema_of("a").root.locals
    assert not known.schema_of("b").root.locals
    assert known.sids_of("b") == TABLE
    assert not known.sids_of("a")
    assert any("broken.yang" in note for note in notes)
    general = load_schemas(config(schema={"folder": str(modules)}), notes.append)
    assert "top" in general.schema_of("whoever").root.locals


def test_many_faults_are_summed_up(tmp_path: Path) -> None:
    for number in range(25):
        (tmp_path / f"m{number}.yang").write_text("module x {")
    notes: list[str] = []
    load_schemas(config(schema={"folder": str(tmp_path)}), notes.append)
    assert len(notes) == 21
    assert "more faults" in notes[-1]


def test_a_folder_that_is_not_there_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load_schemas(config(schema={"folder": str(tmp_path / "gone")}), print)
    assert refused.value.key == "schema.folder"
    device = [{"name": "a", "sources": ["192.0.2.1"], "sid_folder": str(tmp_path)}]
    with pytest.raises(ConfigError) as refused:
        load_schemas(config(device=device), print)
    assert refused.value.key == "device[1].sid_folder"


# --------------------------------------------------------------------------- SIDs in the journal
def test_sids_come_out_of_the_journal() -> None:
    given = {"": TABLE, "other": SidTable({5: "/m:a"}, {6: "m:i"})}
    again = sid_tables(decode_config(encode_config(config(), given)))
    assert again == given
    assert sids_of(again, "other") == given["other"]
    assert sids_of(again, "any") == TABLE
    assert sid_tables(decode_config(encode_config(config()))) == {}


def story_with_sids(tables: dict[str, SidTable]) -> Story:
    story = Story()
    story.note(0, RecordKind.COLLECTOR_START)
    story.note(
        0, RecordKind.CONFIG, encode_config(config(verdicts={"coverage_sample": 1.0}), tables)
    )
    story.started()
    for index in range(4):
        for card in (1, 2):
            payload = update(index * PERIOD, CBOR, sids=TABLE)
            story.data(index * PERIOD + 1.2, payload, header=card, media_type=CBOR)
    story.note(60, RecordKind.TICK)
    return story


def outcomes(said: list[Said]) -> list[str]:
    found: list[Verdict] = verdicts(said)
    return [str(one.outcome.value) for one in found]


@pytest.mark.parametrize("device", ["", DEVICE])
def test_messages_with_sids_are_judged(device: str) -> None:
    pipeline = Pipeline()
    said = story_with_sids({device: TABLE}).tell(pipeline)
    assert len(updates(said)) == 8
    assert "COMPLETE" in outcomes(said)
    assert not pipeline.counts.rejected
    assert not pipeline.contents_left_out


def test_without_their_table_they_are_refused() -> None:
    pipeline = Pipeline()
    said = story_with_sids({"another": TABLE}).tell(pipeline)
    assert updates(said) == []
    assert pipeline.counts.rejected == {"unknown-sid": 8}


def test_a_restart_knows_the_sids() -> None:
    story = story_with_sids({"": TABLE})
    before = Pipeline()
    story.tell(before, end=5)
    after = Pipeline()
    parts = [(name, 5, before.snapshot_part(name)) for name in before.snapshot_names()]
    after.restore(parts)
    story.tell(after, start=5)
    assert not after.counts.rejected
    assert not after.contents_left_out
