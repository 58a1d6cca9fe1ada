"""NETCONF operations on configuration: read as the RFCs print them, written to the letter."""

from __future__ import annotations

import pytest

from collector.errors import ProtocolError, UsageError
from collector.model import DeviceTime, SelectionFilter
from collector.wire.netconf.rpc import (
    CANDIDATE,
    RUNNING,
    STARTUP,
    CancelCommit,
    Commit,
    CopyConfig,
    Data,
    DiscardChanges,
    EditConfig,
    Get,
    GetConfig,
    GetData,
    Lock,
    Operation,
    OtherOperation,
    ResetOutput,
    ResetReceiver,
    Rpc,
    Unlock,
    Validate,
    decode_reply,
    decode_rpc,
    encode_reply,
    encode_rpc,
)
from collector.wire.values import names, xml

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
NMDA = "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"
SN = "urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"
TOP = "http://example.com/schema/1.2/config"
USERS = f'<top xmlns="{TOP}"><users/></top>'


def rpc(inner: str) -> bytes:
    return f'<rpc xmlns="{BASE}" message-id="101">{inner}</rpc>'.encode()


def read(inner: str) -> Operation:
    found = decode_rpc(rpc(inner))
    if found.error is not None:
        raise found.error
    return found.operation


def refused(inner: str) -> ProtocolError:
    found = decode_rpc(rpc(inner))
    assert isinstance(found.operation, OtherOperation)
    assert found.error is not None
    return found.error


# What RFC 6241 prints: §7.1, §7.2, §7.5, §7.6, §8.3.4, §8.4.4.1, §8.4.5.1, §8.6.4.1, §8.7.5.1,
# §8.9.5.1; RFC 8526 §3.1.1.3
PRINTED = [
    (
        "<get-config><source><running/></source>"
        f'<filter type="subtree">{USERS}</filter></get-config>',
        GetConfig(RUNNING, SelectionFilter("subtree", USERS)),
    ),
    (
        f"<get-config><source> <running/> </source><filter xmlns:t='{TOP}' type='xpath' "
        "select=\"/t:top/t:users/t:user[t:name='fred']\"/></get-config>",
        GetConfig(
            RUNNING, SelectionFilter("xpath", "/t:top/t:users/t:user[t:name='fred']", {"t": TOP})
        ),
    ),
    (
        "<edit-config><target><running/></target><default-operation>none</default-operation>"
        f'<config xmlns:xc="{BASE}"><top xmlns="{TOP}"><interface xc:operation="delete">'
        "<name>Ethernet0/0</name></interface></top></config></edit-config>",
        EditConfig(
            RUNNING,
            f'<top xmlns="{TOP}"><interface xmlns:attribute0="{BASE}" '
            'attribute0:operation="delete"><name>Ethernet0/0</name></interface></top>',
            default_operation="none",
        ),
    ),
    ("<lock><target><running/></target></lock>", Lock(RUNNING)),
    ("<unlock><target><running/></target></unlock>", Unlock(RUNNING)),
    ("<commit/>", Commit()),
    ("<commit><confirmed/></commit>", Commit(confirmed=True)),
    (
        "<commit><confirmed/><confirm-timeout>120</confirm-timeout></commit>",
        Commit(confirmed=True, confirm_timeout_seconds=120),
    ),
    (
        "<commit><confirmed/><persist>IQ,d4668</persist></commit>",
        Commit(confirmed=True, persist="IQ,d4668"),
    ),
    ("<commit><persist-id>IQ,d4668</persist-id></commit>", Commit(persist_id="IQ,d4668")),
    ("<cancel-commit/>", CancelCommit()),
    ("<cancel-commit><persist-id>a&lt;b</persist-id></cancel-commit>", CancelCommit("a<b")),
    (
        "<copy-config><target><startup/></target><source><running/></source></copy-config>",
        CopyConfig(STARTUP, RUNNING),
    ),
    ("<discard-changes/>", DiscardChanges()),
    ("<validate><source><candidate/></source></validate>", Validate(CANDIDATE)),
    (
        f'<get-data xmlns="{NMDA}" xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores">'
        f"<datastore>ds:operational</datastore><subtree-filter>{USERS}</subtree-filter>"
        "<config-filter>false</config-filter><max-depth>unbounded</max-depth><with-origin/>"
        "</get-data>",
        GetData(
            "operational",
            SelectionFilter("subtree", USERS),
            config_filter=False,
            with_origin=True,
        ),
    ),
]


@pytest.mark.parametrize(("text", "operation"), PRINTED)
def test_printed_requests_are_read(text: str, operation: Operation) -> None:
    assert read(text) == operation
    assert decode_rpc(encode_rpc("101", operation)) == Rpc("101", operation)


@pytest.mark.parametrize("seconds", ["0", "-1", "4294967296", "soon"])
def test_a_time_to_confirm_is_a_number_of_seconds(seconds: str) -> None:
    error = refused(f"<commit><confirmed/><confirm-timeout>{seconds}</confirm-timeout></commit>")
    assert error.tag == "invalid-value"


WRITTEN = [
    (
        Commit(confirmed=True, confirm_timeout_seconds=60, persist="a&b", persist_id="c"),
        "<commit><confirmed/><confirm-timeout>60</confirm-timeout><persist>a&amp;b</persist>"
        "<persist-id>c</persist-id></commit>",
    ),
    (GetConfig(), "<get-config><source><running/></source></get-config>"),
    (
        GetConfig(CANDIDATE, SelectionFilter("xpath", "/ietf-interfaces:interfaces")),
        "<get-config><source><candidate/></source><filter "
        'xmlns:ietf-interfaces="urn:ietf:params:xml:ns:yang:ietf-interfaces" type="xpath" '
        'select="/ietf-interfaces:interfaces"/></get-config>',
    ),
    (
        EditConfig(CANDIDATE, USERS, "replace", "rollback-on-error", "test-only"),
        "<edit-config><target><candidate/></target><default-operation>replace</default-operation>"
        "<test-option>test-only</test-option><error-option>rollback-on-error</error-option>"
        f"<config>{USERS}</config></edit-config>",
    ),
    (Validate(RUNNING), "<validate><source><running/></source></validate>"),
    (Get(None), "<get/>"),
    (
        Get(None, SelectionFilter("subtree", USERS)),
        f'<get><filter type="subtree">{USERS}</filter></get>',
    ),
]


@pytest.mark.parametrize(("operation", "inner"), WRITTEN)
def test_requests_are_written_to_the_letter(operation: Operation, inner: str) -> None:
    written = encode_rpc("101", operation).decode().replace(f' xmlns="{BASE}"', "")
    assert written == (
        f"<?xml version='1.0' encoding='UTF-8'?>\n<rpc message-id=\"101\">{inner}</rpc>"
    )


@pytest.mark.parametrize(
    "operation",
    [
        GetData("running", SelectionFilter("xpath", "/if:a", {"if": "x:y"}), max_depth=3),
        GetData("operational", config_filter=True),
        Get(("ietf-interfaces:interfaces",)),
        Get((f"{names.SN}:subscriptions",), SelectionFilter("subtree", f'<subscriptions '
            f'xmlns="{SN}"><subscription/></subscriptions>')),
        Get(("other:thing",), SelectionFilter("subtree", '<thing xmlns="urn:x:other"/>')),
        ResetReceiver(7, "a<b"),
    ],
)  # fmt: skip
def test_requests_read_back(operation: Operation) -> None:
    assert decode_rpc(encode_rpc("1", operation)) == Rpc("1", operation)


def test_filters_of_get() -> None:
    """Only the names of empty top-level nodes say it all."""
    assert Get(None).selection is None
    assert Get().selection == SelectionFilter("subtree", f'<subscriptions xmlns="{SN}"/>')
    text = f'<subscriptions xmlns="{SN}"><subscription><id>7</id></subscription></subscriptions>'
    found = read(f'<get><filter xmlns:nc="{BASE}" nc:type="subtree">{text}</filter></get>')
    assert found == Get((f"{names.SN}:subscriptions",), SelectionFilter("subtree", text))


def test_edit_config_gives_its_nodes() -> None:
    (top,) = EditConfig(RUNNING, USERS).nodes
    assert (top.name, top.namespace, [child.name for child in top.children]) == (
        "top", TOP, ["users"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("inner", "tag", "element"),
    [
        ("<get-config/>", "missing-element", "source"),
        ("<get-config><source/></get-config>", "missing-element", "source"),
        ("<get-config><source><url/></source></get-config>", "bad-element", "url"),
        (
            "<get-config><source><running/></source><with-defaults/></get-config>",
            "unknown-element",
            "with-defaults",
        ),
        ('<lock><target xmlns="x:y"><running/></target></lock>', "unknown-element", "target"),
        (
            "<lock><target><running/></target><target><running/></target></lock>",
            "bad-element",
            "target",
        ),
        ("<commit><comment>why</comment></commit>", "unknown-element", "comment"),
        ("<cancel-commit><persist>a</persist></cancel-commit>", "unknown-element", "persist"),
        ("<copy-config><target><startup/></target></copy-config>", "missing-element", "source"),
        (
            "<copy-config><target><url>x:y</url></target><source><running/></source></copy-config>",
            "bad-element",
            "url",
        ),
        (
            '<get-config><source><running/></source><filter type="regex"/></get-config>',
            "bad-attribute",
            "filter",
        ),
        ('<get><filter type="xpath"/></get>', "missing-attribute", "filter"),
        ("<edit-config><target><running/></target></edit-config>", "missing-element", "config"),
        (f'<get-data xmlns="{NMDA}"/>', "missing-element", "datastore"),
        ('<action xmlns="urn:ietf:params:xml:ns:yang:1"/>', "unknown-element", "subscriptions"),
        (
            f'<action xmlns="urn:ietf:params:xml:ns:yang:1"><subscriptions xmlns="{SN}">'
            "<subscription><id>1</id><receivers><receiver><name>a</name></receiver></receivers>"
            "</subscription></subscriptions></action>",
            "unknown-element",
            "action",
        ),
        (
            '<action xmlns="urn:ietf:params:xml:ns:yang:1"><subscriptions xmlns="x:y"/></action>',
            "unknown-element",
            "subscriptions",
        ),
    ],
)
def test_what_is_wrong_is_named(inner: str, tag: str, element: str) -> None:
    error = refused(inner)
    assert (error.tag, error.hints["bad-element"]) == (tag, element)


def test_wrong_values_are_refused() -> None:
    choice = refused(
        "<edit-config><target><running/></target><error-option>never</error-option><config/>"
        "</edit-config>"
    )
    assert (choice.tag, choice.path) == ("invalid-value", "/error-option")
    depth = refused(
        f'<get-data xmlns="{NMDA}"><datastore>ds:running</datastore><max-depth>70000</max-depth>'
        "</get-data>"
    )
    assert depth.tag == "invalid-value"


@pytest.mark.parametrize(
    "operation",
    [
        Lock("operational"),
        GetConfig(RUNNING, SelectionFilter("ref", "my-filter")),
        EditConfig(RUNNING, "", default_operation="create"),
    ],
)
def test_what_cannot_be_asked(operation: Operation) -> None:
    with pytest.raises(UsageError):
        encode_rpc("1", operation)


# --------------------------------------------------------------------------- replies
def test_data_is_handed_on_as_a_tree() -> None:
    reply = decode_reply(
        f'<rpc-reply xmlns="{BASE}" message-id="101"><data>{USERS}</data></rpc-reply>'.encode()
    )
    assert reply.data is not None
    assert xml.inner_text(reply.data) == USERS
    assert reply.subscriptions == ()


@pytest.mark.parametrize(
    ("operation", "namespace"), [(GetConfig(), BASE), (GetData(), NMDA), (None, BASE)]
)
def test_data_is_written_in_the_namespace_of_its_operation(
    operation: Operation | None, namespace: str
) -> None:
    octets = encode_reply("a&b", Data(USERS), operation=operation)
    reply = decode_reply(octets)
    assert reply.message_id == "a&b"
    assert reply.data is not None
    assert (reply.data.namespace, xml.inner_text(reply.data)) == (namespace, USERS)
    assert decode_reply(encode_reply(None, Data())).data == xml.Element(BASE, "data", {}, {})


def test_reset_says_when() -> None:
    octets = encode_reply("1", ResetOutput(DeviceTime(1_735_689_630_000_000_000)))
    assert b">2025-01-01T00:00:30Z</time>" in octets.replace(b".000000000", b"")
    assert decode_reply(octets).time == 1_735_689_630_000_000_000


def test_trees_are_compared_by_their_content() -> None:
    (one,) = xml.fragment('<a xmlns="x" b="1"><c>2</c></a>')
    (same,) = xml.fragment('<p:a xmlns:p="x" b="1"><p:c> 2 </p:c></p:a>')
    (other,) = xml.fragment('<a xmlns="x" b="1"><c>3</c></a>')
    assert one == same
    assert one != other
    assert one != "a"
    assert xml.outer_text(same) == '<a xmlns="x" b="1"><c>2</c></a>'


_NMDA = 'xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"'
_DS = 'xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores"'


@pytest.mark.parametrize(
    ("inner", "tag", "element"),
    [
        ("<get><depth>1</depth></get>", "unknown-element", "depth"),
        ("<get><filter/><filter/></get>", "bad-element", "filter"),
        (
            f"<get-data {_NMDA} {_DS}><datastore>ds:running</datastore><subtree-filter/>"
            "<xpath-filter>/a</xpath-filter></get-data>",
            "bad-element",
            "xpath-filter",
        ),
    ],
)
def test_what_has_no_place_in_a_request_for_data(inner: str, tag: str, element: str) -> None:
    error = refused(inner)
    assert (error.tag, error.hints["bad-element"]) == (tag, element)


@pytest.mark.parametrize(
    "inner",
    [
        f"<get-data {_NMDA}><datastore>ds:running</datastore></get-data>",
        '<establish-subscription xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications">'
        '<datastore xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push">ds:operational</datastore>'
        "</establish-subscription>",
        '<establish-subscription xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications">'
        "<stream>NETCONF</stream><encoding>sn:encode-xml</encoding></establish-subscription>",
    ],
)
def test_an_identity_with_a_prefix_that_nobody_declared(inner: str) -> None:
    error = refused(inner)
    assert error.tag == "invalid-value"
    assert error.path.endswith(("/datastore", "/encoding"))
