"""Nodes of an update: lists and their keys are guessed from plain values, within bounds."""

from __future__ import annotations

from typing import Any

import pytest

from collector.errors import WireError
from collector.model import MediaType
from collector.wire.notifications import nodes
from collector.wire.notifications.nodes import entry_of, nodes_of, read_nodes
from collector.wire.notifications.notification import decode_contents

INTERFACES = {
    "ietf-interfaces:interfaces": {
        "interface": [
            {"name": "eth0", "oper-status": "up", "statistics": {"in-octets": "5"}},
            {"name": "eth1", "statistics": {"in-octets": "7"}},
        ]
    }
}
ETH0 = "/ietf-interfaces:interfaces/interface[name=eth0]"
ETH1 = "/ietf-interfaces:interfaces/interface[name=eth1]"


def envelope(contents: Any) -> dict[str, Any]:
    """A push-update around contents."""
    update = {"id": 1, "datastore-contents": contents}
    return {
        "ietf-yp-notification:envelope": {
            "event-time": "2027-01-15T08:00:00Z",
            "contents": {"ietf-yang-push:push-update": update},
        }
    }


def ids(contents: Any, *, marked: bool = True) -> set[str]:
    """Nodes of contents that no bound cut."""
    found = nodes_of(envelope(contents), lists_marked=marked)
    assert found.whole
    return set(found.ids)


# --------------------------------------------------------------------------- entries and leaves
def test_a_list_entry_and_the_containers_in_it_are_nodes() -> None:
    assert ids(INTERFACES) == {ETH0, f"{ETH0}/statistics", f"{ETH1}/statistics"}


def test_an_entry_with_nothing_but_its_key_is_a_node_an_ancestor_is_not() -> None:
    assert ids({"m:a": [{"name": "x"}]}) == {"/m:a[name=x]"}
    assert ids({"m:a": [{"name": "x", "b": [{"id": 1, "c": 2}]}]}) == {"/m:a[name=x]/b[id=1]"}


def test_outside_lists_leaves_are_nodes() -> None:
    assert ids({"m:system": {"cpu": 3, "load": [1, 2], "memory": {"free": None}}}) == {
        "/m:system/cpu",
        "/m:system/load",
        "/m:system/memory/free",
    }


def test_a_container_is_no_entry_although_it_has_a_name() -> None:
    assert ids({"m:system": {"name": "core7"}}) == {"/m:system/name"}


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        ({"index": 7, "m:id": 5, "x": 1}, "id=5"),
        ({"key": "k", "name": "n", "x": 1}, "name=n"),
        ({"slot": 7, "x": 1}, "slot=7"),
        ({"inner": {"y": 1}, "name": None, "slot": True, "x": 1}, "slot=True"),
    ],
)
def test_the_key_is_guessed(entry: dict[str, Any], key: str) -> None:
    assert f"/m:a[{key}]" in ids({"m:a": [entry]})


def test_entries_that_the_guess_does_not_tell_apart_have_no_name() -> None:
    queues = [{"port": "x", "queue": n, "octets": 1} for n in range(2)]
    assert ids({"m:q": [*queues, {"port": "y", "octets": 1}]}) == {"/m:q[port=y]"}
    assert ids({"m:q": [{"inner": {"x": 1}}]}) == set()
    assert ids({"m:q": [{"name": "x", "a": 1}, "odd"]}) == {"/m:q[name=x]"}


# --------------------------------------------------------------------------- XML
XML = b"""<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">
<eventTime>2027-01-15T08:00:00Z</eventTime>
<push-update xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push"><id>1</id><datastore-contents>
<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces">%s</interfaces>
</datastore-contents></push-update></notification>"""


def xml_ids(*entries: bytes) -> set[str]:
    """Names of the entries after the path of the list, from octets."""
    octets = XML % b"".join(b"<interface>%s</interface>" % entry for entry in entries)
    message = decode_contents(octets, MediaType.YANG_DATA_XML)
    found = nodes_of(message, lists_marked=False)
    return {node.partition("interface[")[2] for node in found.ids}


def test_in_xml_one_entry_is_named_as_one_of_many() -> None:
    one = b"<name>eth0</name><mtu>9</mtu>"
    assert xml_ids(one) == {"name=eth0]"}
    assert xml_ids(one, b"<name>eth1</name><mtu>9</mtu>") == {"name=eth0]", "name=eth1]"}


def test_in_xml_what_has_no_usual_key_is_nobodys() -> None:
    assert xml_ids(b"<slot>1</slot><mtu>9</mtu>") == set()
    assert xml_ids(b"<slot>1</slot><mtu>9</mtu>", b"<slot>2</slot><mtu>9</mtu>") == set()


def test_in_xml_a_container_in_an_entry_is_a_node() -> None:
    assert xml_ids(b"<name>eth0</name><statistics><x>1</x></statistics>") == {
        "name=eth0]/statistics"
    }


# --------------------------------------------------------------------------- octets
JSON = b'{"ietf-yang-push:push-update":{"id":1,"datastore-contents":%s}}'


def test_json_octets() -> None:
    octets = JSON % b'{"m:a":[{"name":"x","b":1}]}'
    assert read_nodes(octets, MediaType.YANG_DATA_JSON).ids == {"/m:a[name=x]"}


def test_json_that_only_the_other_reader_takes() -> None:
    octets = JSON % b'{"m:a":[{"name":"\\ud800","b":1}]}'
    assert read_nodes(octets, MediaType.YANG_DATA_JSON).ids == {"/m:a[name=\\ud800]"}


def test_xml_octets() -> None:
    octets = XML % b"<interface><name>eth0</name><mtu>9</mtu></interface>"
    (node,) = read_nodes(octets, MediaType.YANG_DATA_XML).ids
    assert node.endswith("interface[name=eth0]")


@pytest.mark.parametrize("media_type", [MediaType.YANG_DATA_JSON, MediaType.YANG_DATA_CBOR, 9])
def test_octets_that_cannot_be_read(media_type: int) -> None:
    with pytest.raises(WireError):
        read_nodes(b'{"x"', media_type)


# --------------------------------------------------------------------------- where contents are
def test_contents_are_found_in_every_wrapper() -> None:
    bundle = {
        "ietf-notification-messages:message": {
            "message-header": {},
            "notifications": [
                {
                    "notification-contents": {
                        "ietf-yang-push:push-update": {"datastore-contents": {"m:a": 1}}
                    }
                }
            ],
        }
    }
    assert nodes_of(bundle, lists_marked=True).ids == {"/m:a"}
    bare = {"ietf-yang-push:push-update": {"ietf-yang-push:datastore-contents": {"m:a": 1}}}
    assert nodes_of(bare, lists_marked=True).ids == {"/m:a"}


@pytest.mark.parametrize(
    "message",
    [None, [], {}, {"other": {"datastore-contents": {"m:a": 1}}}, envelope("text"), envelope([])],
)
def test_without_contents_there_are_no_nodes(message: Any) -> None:
    assert nodes_of(message, lists_marked=True).ids == frozenset()


def test_wrappers_in_wrappers_come_to_an_end() -> None:
    message: dict[str, Any] = {"datastore-contents": {"m:a": 1}}
    for _ in range(20):
        message = {"contents": message}
    assert nodes_of(message, lists_marked=True).ids == frozenset()


# --------------------------------------------------------------------------- bounds
def test_too_deep_is_left_out_and_said() -> None:
    deep: dict[str, Any] = {"leaf": 1}
    for _ in range(nodes.MAX_DEPTH):
        deep = {"c": deep}
    found = nodes_of(envelope({"m:x": 1, "m:c": deep}), lists_marked=True)
    assert found.ids == {"/m:x"}
    assert not found.whole


def test_too_many_and_too_long_are_left_out_and_said() -> None:
    many = {f"m:l{number}": 1 for number in range(nodes.MAX_NODES + 1)}
    found = nodes_of(envelope(many), lists_marked=True)
    assert len(found.ids) == nodes.MAX_NODES
    assert not found.whole
    long = "m:" + "x" * nodes.MAX_PATH
    for contents in ({long: 1}, {long: {"a": {"b": 1}}}):
        found = nodes_of(envelope(contents), lists_marked=True)
        assert (found.ids, found.whole) == (frozenset(), False)


def test_names_can_be_stored_whatever_a_peer_writes() -> None:
    (found,) = ids({"m:a": [{"name": "x\ud800\n", "b": 1}]})
    assert found == "/m:a[name=x\\ud800\\n]"
    found.encode()


def test_the_entry_of_a_node() -> None:
    assert entry_of(f"{ETH0}/statistics") == ETH0
    assert entry_of(ETH0) == ETH0
    assert entry_of("/m:system/cpu") == "/m:system/cpu"
