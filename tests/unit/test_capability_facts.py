"""What is known of a device as facts, each with its source, in a table and as JSON."""

from __future__ import annotations

import io
import json

import pytest

from collector.cli import status_of
from collector.model import SECOND
from collector.service import capabilities
from collector.service.capabilities import Findings, by_revision
from collector.subscriber.abilities.capabilities import DeviceCapabilities, Extension
from collector.subscriber.abilities.facts import Fact, NodeFact, facts, node_facts
from collector.views.capabilities import capabilities_json, print_capabilities
from collector.views.console import make_console
from collector.wire.netconf.capabilities import (
    NodeCapabilities,
    PushCapabilities,
    SystemCapabilities,
    TransportCapability,
)
from collector.wire.netconf.library import Library, Module, Stream
from collector.wire.netconf.node_paths import read_paths

IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"
SN, YP = "ietf-subscribed-notifications", "ietf-yang-push"
LIBRARY, HELLO, SYSTEM = "yang-library", "hello", "system-capabilities"


def said(known: DeviceCapabilities, extension: Extension | None = None) -> dict[str, object]:
    """Fact -> (value, source), only what somebody says."""
    found = facts(known, extension)
    assert all((one.value is None) == (one.source == "") for one in found)
    return {one.name: (one.value, one.source) for one in found if one.source}


def test_of_a_device_that_says_nothing_nothing_is_known() -> None:
    assert said(DeviceCapabilities()) == {}
    assert node_facts(DeviceCapabilities()) == ()


LISTED = Library(
    (Module(SN, "2019-09-09", ("xpath", "encode-json")), Module(YP, "2019-09-09", ("on-change",)),
     Module("ietf-udp-notif-transport"), Module("ietf-yp-observation")),
    200, ("running", "operational"), "c9",
)  # fmt: skip


def test_a_yang_library_says_what_there_is_and_what_not() -> None:
    known = DeviceCapabilities(library=LISTED, protocol=("candidate",), hello=Library(listed=1))
    assert said(known) == {
        "subscribed-notifications": (f"{SN}@2019-09-09", LIBRARY),
        "yang-push": (f"{YP}@2019-09-09", LIBRARY),
        "originators": (False, LIBRARY),
        "on-change": (True, LIBRARY),
        "encodings": (["encode-json"], LIBRARY),
        "transports": (["udp-notif"], LIBRARY),
        "configured-subscriptions": (False, LIBRARY),
        "xpath-filters": (True, LIBRARY),
        "subtree-filters": (False, LIBRARY),
        "replay": (False, LIBRARY),
        "dscp": (False, LIBRARY),
        "weighting-and-dependency": (False, LIBRARY),
        "observation-time": (True, LIBRARY),
        "datastores": (["running", "operational"], LIBRARY),
        "netconf-options": (["candidate"], HELLO),
        "modules": (200, LIBRARY),
        "content-id": ("c9", LIBRARY),
    }
    without = said(DeviceCapabilities(library=Library((Module(SN),), 5)))
    assert without["yang-push"] == (False, LIBRARY)


def test_who_has_no_subscriptions_says_so() -> None:
    for known, nothing in (
        (DeviceCapabilities(), False),
        (DeviceCapabilities(library=LISTED), False),
        (DeviceCapabilities(library=Library((Module("other"),), 1)), True),
    ):
        assert Findings("d", "d:830", facts(known, None), ()).nothing is nothing


def test_a_hello_leaves_more_open() -> None:
    known = DeviceCapabilities(
        hello=Library((Module(SN), Module("ietf-netconf-nmda")), 2, content_id="c1")
    )
    assert said(known) == {
        "subscribed-notifications": (SN, HELLO),
        "get-data": (True, HELLO),
        "modules": (2, HELLO),
        "content-id": ("c1", HELLO),
    }


TREE = SystemCapabilities(
    PushCapabilities(
        max_nodes_per_update=2000,
        periodic=("config-changes", "state-changes"),
        supported_update_periods=(SECOND, 60 * SECOND, 10 * SECOND),
        on_change=("state-changes",),
        minimum_dampening_period=SECOND // 10,
        excluded_changes=("none",),
    ),
    (
        NodeCapabilities(
            "operational",
            "/if:interfaces/if:interface",
            read_paths("/if:interfaces/if:interface", {"if": IF}),
            PushCapabilities(on_change=(), minimum_update_period=5 * SECOND),
        ),
        NodeCapabilities("running", "/a[b='c']", read_paths("/a[b='c']", {}), PushCapabilities()),
        NodeCapabilities("running", "", None, PushCapabilities(on_change=("new-bit",))),
    ),
    (
        TransportCapability("udp-notif", ("dtls13",), ("encode-cbor", "encode-json")),
        TransportCapability("https", (), ("encode-json",)),
    ),
    envelope=True,
    observation_time=False,
)


def test_the_tree_of_rfc_9196_knows_best() -> None:
    known = DeviceCapabilities(
        library=LISTED, system=TREE, streams=(Stream("NETCONF", replay=True), Stream("a"))
    )
    found = said(known)
    for name, value in {
        "periodic": ["configuration", "state"],
        "shortest-period": 1.0,
        "longest-period": 60.0,
        "periods": [1.0, 60.0, 10.0],
        "on-change": ["state"],
        "shortest-dampening-period": 0.1,
        "changes-that-can-be-excluded": ["none"],
        "nodes-in-an-update": 2000,
        "encodings": ["encode-cbor", "encode-json"],
        "transports": ["udp-notif (dtls13)", "https"],
        "envelope": True,
        "observation-time": False,
    }.items():
        assert found[name] == (value, SYSTEM), name
    assert found["event-streams"] == (["NETCONF (replay)", "a"], "streams")
    assert "sequence-numbers" not in found
    assert node_facts(known) == (
        NodeFact(
            "operational", "/ietf-interfaces:interfaces/interface",
            {"shortest-period": 5.0, "on-change": False},
        ),
        NodeFact("running", "/a[b='c']", {}),
        NodeFact("running", "/", {"on-change": ["new-bit"]}),
    )  # fmt: skip


def test_the_originator_extension_and_its_spelling() -> None:
    module = Module("ietf-distributed-notif", "2026-04-13")
    found = said(
        DeviceCapabilities(),
        Extension(module, ("message-publisher-id",), False, LIBRARY, "module"),
    )
    assert found == {
        "originators": ("ietf-distributed-notif@2026-04-13", LIBRARY),
        "originator-leaves": (["message-publisher-id"], "module"),
        "originator-list-in-replies": (False, "module"),
    }
    bare = said(DeviceCapabilities(), Extension(Module("m"), (), None, HELLO))
    assert bare == {"originators": ("m", HELLO)}


@pytest.mark.parametrize(
    ("name", "revision", "expected"),
    [
        ("ietf-multiple-stream-originators", "", (("message-generator-id",), True)),
        ("ietf-distributed-notif", "2026-04-13", (("message-publisher-id",), False)),
        ("ietf-distributed-notif", "2026-02-21", (("message-publisher-id",), True)),
        ("ietf-distributed-notif", "2024-04-21", ((), None)),
        ("ietf-distributed-notifications", "2030-01-01", ((), None)),
    ],
)
def test_what_a_revision_tells(name: str, revision: str, expected: object) -> None:
    assert by_revision(name, revision) == expected


FACTS = (
    Fact("shortest-period", 0.25, SYSTEM, "s"),
    Fact("periods", [1.0, 60.0], SYSTEM, "s"),
    Fact("nodes-in-an-update", 2000, SYSTEM),
    Fact("dscp", False, LIBRARY),
    Fact("replay", None, ""),
    Fact("originator-leaves", ["a\x1b[2J"], "module"),
)
NODES = (NodeFact("operational", "/a", {"on-change": False, "shortest-period": 5.0}),)


def test_the_tables_in_a_pipe() -> None:
    out = io.StringIO()
    print_capabilities(make_console(out), FACTS, NODES)
    assert out.getvalue().splitlines() == [
        "what\tvalue\tfrom",
        "shortest period\t0.25 s\tsystem-capabilities",
        "periods\t1 s, 60 s\tsystem-capabilities",
        "nodes in an update\t2,000\tsystem-capabilities",
        "dscp\tno\tyang-library",
        "replay\tunknown\tnobody says",
        "originator leaves\ta\N{REPLACEMENT CHARACTER}[2J\ttext of the module",
        "datastore\tnodes\twhat differs there",
        "operational\t/a\ton change no; shortest period 5 s",
    ]
    out = io.StringIO()
    print_capabilities(make_console(out), FACTS[:1], ())
    assert "datastore" not in out.getvalue()


def test_one_json_object() -> None:
    found = json.loads(capabilities_json("d", "d:830", FACTS, NODES))
    assert found["facts"]["shortest-period"] == {"value": 0.25, "from": SYSTEM, "unit": "s"}
    assert found["facts"]["replay"] == {"value": None, "from": None}
    assert found["nodes"] == [
        {"datastore": "operational", "nodes": "/a", "on-change": False, "shortest-period": 5.0}
    ]
    assert (found["device"], found["address"]) == ("d", "d:830")


def test_what_a_device_did_not_answer_is_said_beside_the_facts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = "of streams nothing is known: it refuses with access-denied"
    found = Findings("core7", "core7:830", (Fact("yang-push", None, ""),), (), (refused,))
    monkeypatch.setattr(capabilities, "read_capabilities", lambda *_, **__: found)
    assert status_of(["capabilities", "core7", "--user", "u", "--key-file", "k", "--json"]) == 0
    said = capsys.readouterr()
    assert said.err == f"collector: {refused}\n"
    assert said.out.startswith('{"device":"core7"')


@pytest.mark.parametrize(
    ("said_since", "shown"),
    [
        ("2027-01-15T10:00:00.5+02:00", "a (replay since 2027-01-15T08:00:00Z)"),
        ("", "a (replay)"),
        ("0001-01-01T00:00:00+14:00", "a (replay)"),
        ("yesterday\x1b[2J", "a (replay)"),
    ],
)
def test_since_when_events_can_be_had_again(said_since: str, shown: str) -> None:
    streams = (Stream("a", replay=True, replay_since=said_since), Stream("b"))
    found = said(DeviceCapabilities(streams=streams))
    assert found["event-streams"] == ([shown, "b"], "streams")
