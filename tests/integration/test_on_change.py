"""On-change subscriptions end to end: what changes on the device is what the collector knows.

The device tells its truth; the tables of the collector are read as a user reads them, and their
updates and edits put together again, which must give the data that the device had.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest

from collector.cli import status_of
from collector.wire.notifications.notification import decode_contents
from publisher_sim.data.entries import Node
from publisher_sim.data.selection import EVERYTHING
from publisher_sim.scenario import parse_scenario
from publisher_sim.sources.datastore import Datastore
from publisher_sim.truth import file as truth_file
from publisher_sim.truth.file import RecordLine
from tests.lab import Collecting, fault, lab

pytestmark = pytest.mark.integration

DEVICE = """
name = "core{number}"
address = "127.0.2.7{number}"
seed = 3
periods = 24
{head}
[period]
seconds = 0.2
[changes]
status_seconds = 0.8
sensor_seconds = 1
entry_seconds = 1.2
[master]
hardware = ["chassis"]
[[card]]
name = "linecard1"
publisher_id = 101
interfaces = ["eth1/0", "eth1/1"]
transient = ["eth1/1.7"]
[[card]]
name = "linecard2"
publisher_id = 102
interfaces = ["eth2/0"]
hardware = ["fan2"]
"""
Entries = dict[tuple[str, str], dict[str, Any]]
"""(module, key) -> what is known of the entry."""


def asked(folder: Path, sql: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Rows, as ``collector query`` prints them."""
    capsys.readouterr()
    assert status_of(["query", "--store", str(folder / "data"), "--json", sql]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


class Mirror:
    """The data of one originator, put together from its updates and edits."""

    def __init__(self) -> None:
        self.entries: Entries = {}

    def replace(self, contents: dict[str, Any]) -> None:
        """A push-update."""
        self.entries = {
            (name.partition(":")[0], entry["name"]): plain(entry)
            for name, lists in contents.items()
            for entries in lists.values()
            for entry in (entries if isinstance(entries, list) else [entries])
        }

    def apply(self, edit: dict[str, Any]) -> None:
        """An edit (RFC 8072 §2.5), whatever was there before (RFC 8641 §3.5.2)."""
        top, entry, *below = edit["target"].strip("/").split("/")
        key = (top.partition(":")[0], unquote(entry.partition("=")[2]))
        if not below:
            self.entries.pop(key, None)
            if edit["operation"] != "delete":
                ((value,),) = (json.loads(edit["value"]).values(),)
                self.entries[key] = plain(value[0] if isinstance(value, list) else value)
            return
        *above, leaf = below
        place = self.entries.get(key)
        if place is None:
            return  # its creation was lost
        for name in above:
            place = place[name]
        assert edit["operation"] in ("replace", "create")
        (place[leaf],) = (plain(value) for value in json.loads(edit["value"]).values())


def plain(value: Any) -> Any:
    """Values that compare, whatever the encoding was: XML has texts alone, and prefixes."""
    if isinstance(value, dict):
        return {name.rpartition(":")[2]: plain(member) for name, member in value.items()}
    return str(value).rpartition(":")[2] if ":" in str(value)[:20] else str(value)


def mirrored(folder: Path, device: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Mirror]:
    """Originator -> its data at the end, from the tables."""
    updates = asked(
        folder,
        "SELECT journal_offset, generator, media_type, base64(payload) AS payload FROM updates"
        f" WHERE kind = 'push-update' AND device = '{device}' ORDER BY journal_offset",
        capsys,
    )
    edits = asked(
        folder,
        f"SELECT * FROM edits WHERE device = '{device}' ORDER BY journal_offset, position",
        capsys,
    )
    found: dict[str, Mirror] = {}
    for row in sorted([*updates, *edits], key=lambda row: row["journal_offset"]):
        mirror = found.setdefault(row["generator"], Mirror())
        if "payload" in row:
            mirror.replace(contents_of(base64.b64decode(row["payload"]), row["media_type"]))
        else:
            mirror.apply(row)
    return found


def contents_of(payload: bytes, media_type: int) -> dict[str, Any]:
    (wrapper,) = decode_contents(payload, media_type).values()
    body = wrapper.get("contents", wrapper)
    (update,) = (value for name, value in body.items() if name.endswith(":push-update"))
    contents: dict[str, Any] = update["datastore-contents"]
    return contents


def there(records: list[RecordLine], scenario: str) -> dict[str, Entries]:
    """Originator -> what the device had when it said its last record."""
    device = parse_scenario(scenario)
    store = Datastore(device)
    found: dict[str, Entries] = {}
    for card in device.publishers:
        at = max((one.time for one in records if one.generator == card.generator), default=0)
        nodes = [Node("ietf-interfaces", name) for name in card.all_interfaces]
        nodes += [Node("ietf-hardware", name) for name in card.hardware]
        found[card.generator] = {
            (node.module, node.key): plain(values)
            for node in nodes
            if at and (values := store.notifiable(node, at, EVERYTHING)) is not None
        }
    return found


def patch_ids(records: list[RecordLine]) -> dict[str, list[int]]:
    """Originator -> the patch-ids that somebody could read."""
    found: dict[str, list[int]] = {}
    for one in records:
        if one.patch_id is not None and one.fate == "good" and one.edits:
            found.setdefault(one.generator, []).append(one.patch_id)
    return found


def received_ids(
    folder: Path, device: str, capsys: pytest.CaptureFixture[str]
) -> dict[str, list[int]]:
    rows = asked(
        folder,
        "SELECT generator, patch_id, min(position) AS first, count(*) AS edits FROM edits"
        f" WHERE device = '{device}' GROUP BY generator, journal_offset, patch_id"
        " ORDER BY journal_offset",
        capsys,
    )
    found: dict[str, list[int]] = {}
    for row in rows:
        assert row["first"] == 0
        found.setdefault(row["generator"], []).append(int(row["patch_id"]))
    return found


LOSSY = DEVICE.format(number=1, head="") + fault("drop", 6, 13, card="linecard1", probability=0.6)
IN_SESSION = DEVICE.format(number=2, head="[receiver]\ntransport = 'netconf'\n")
USUAL = {"period_seconds": None, "on_change": True}
SUBSCRIPTIONS: dict[str, dict[str, Any]] = {
    "core1": USUAL | {"xpath": "/"},
    "core2": USUAL
    | {
        "xpath": "/ietf-interfaces:interfaces/interface/oper-status",
        "encoding": "encode-xml",
        "dampening_seconds": 0.5,
        "excluded_changes": ["delete"],
    },
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both devices to the end of their scenario, what is lost resynchronized by itself."""
    folder = tmp_path_factory.mktemp("on-change")
    collecting = Collecting(subscriptions=SUBSCRIPTIONS)

    async def main() -> None:
        scenarios = {"core1": LOSSY, "core2": IN_SESSION}
        async with lab(
            folder, scenarios, processes=frozenset(("core1",)), collecting=collecting
        ) as running:
            await running.finished()

    asyncio.run(main())
    return folder


def truth(folder: Path, device: str) -> list[RecordLine]:
    path = folder / device / "truth.jsonl"
    header, _ = truth_file.read(path)
    lines = path.read_bytes().splitlines()[1 + header.rows :]
    return [msgspec.json.decode(line, type=RecordLine) for line in lines]


def test_edits_come_in_order_and_a_lost_datagram_is_a_gap(
    ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = truth(ran, "core1")
    assert {one.generator for one in records if one.fate == "lost"} == {"101"}
    assert received_ids(ran, "core1", capsys) == patch_ids(records)
    events = asked(ran, "SELECT device, subject FROM events WHERE kind = 'patch_gap'", capsys)
    assert {(row["device"], row["subject"]) for row in events} == {("core1", "101")}


def test_resync_heals(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the collector knows at the end is what the device had when it spoke last."""
    whole = "SELECT generator FROM updates WHERE kind = 'push-update' AND device = 'core1'"
    times = Counter(row["generator"] for row in asked(ran, whole, capsys))
    assert set(times) == {"1", "101", "102"}
    assert min(times.values()) >= 2  # nobody asked but the collector itself
    found = {name: one.entries for name, one in mirrored(ran, "core1", capsys).items()}
    assert found == there(truth(ran, "core1"), LOSSY)


def test_on_the_session_dampened_and_filtered(
    ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = truth(ran, "core2")
    assert received_ids(ran, "core2", capsys) == patch_ids(records)
    assert set(patch_ids(records)) == {"101", "102"}  # nothing is selected of the master's share
    for generator in ("101", "102"):
        times = [one.time for one in records if one.generator == generator]
        assert all(b - a >= 500_000_000 for a, b in pairwise(times))
    rows = asked(ran, "SELECT DISTINCT operation, target FROM edits WHERE device = 'core2'", capsys)
    assert {row["operation"] for row in rows} <= {"replace", "create"}
    assert all(
        row["target"].endswith("/oper-status") or row["operation"] == "create" for row in rows
    )
    events = asked(ran, "SELECT * FROM events WHERE device = 'core2'", capsys)
    assert [row for row in events if row["kind"].startswith("patch")] == []
