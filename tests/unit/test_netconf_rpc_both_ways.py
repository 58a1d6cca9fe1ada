"""NETCONF requests, replies and errors: octets written to the letter, and odd ones read."""

from __future__ import annotations

from typing import Any

import pytest

from collector.errors import ProtocolError, UsageError, WireError
from collector.model import SECOND, OnChange, SelectionFilter, SubscriptionTerms
from collector.wire.netconf.rpc import (
    ERROR_TAGS,
    CloseSession,
    Data,
    DeleteSubscription,
    EstablishOutput,
    EstablishSubscription,
    Get,
    KillSession,
    KillSubscription,
    ModifySubscription,
    Ok,
    Operation,
    OtherOperation,
    ReceiverState,
    Result,
    ResyncSubscription,
    Rpc,
    Subscriptions,
    SubscriptionState,
    decode_reply,
    decode_rpc,
    encode_reply,
    encode_rpc,
    operation_name,
    refusal,
)
from collector.wire.values import names, xml

S = 1_000_000_000
BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
SN = "urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"
YP = "urn:ietf:params:xml:ns:yang:ietf-yang-push"
DS = "urn:ietf:params:xml:ns:yang:ietf-datastores"
DECLARATION = "<?xml version='1.0' encoding='UTF-8'?>\n"

PERIODIC = SubscriptionTerms(
    datastore="operational",
    selection_filter=SelectionFilter(
        "xpath", "/if:interfaces", {"if": "urn:ietf:params:xml:ns:yang:ietf-interfaces"}
    ),
    period=5 * S,
    anchor_time=1735689630 * S,
    encoding="encode-json",
    stop_time=1767225600 * S,
    dscp=16,
    weighting=3,
    dependency=9,
    module_versions=(("ietf-interfaces", "2018-02-20", ""),),
)
STREAM = SubscriptionTerms(
    stream="NETCONF",
    selection_filter=SelectionFilter("ref", "my-filter"),
    replay_start_time=1735689630 * S,
    on_change=None,
    module_versions=(("ietf-ip", "", "2.0.0"),),
)
ON_CHANGE = SubscriptionTerms(
    datastore="running",
    selection_filter=SelectionFilter("subtree", '<a xmlns="urn:a"><b/></a>'),
    on_change=OnChange(10 * S, False, ("create", "delete")),
    encoding="encode-xml",
)


def rpc(inner: str, message_id: str = "7") -> str:
    return f'{DECLARATION}<rpc xmlns="{BASE}" message-id="{message_id}">{inner}</rpc>'


def reply(inner: str) -> bytes:
    return f'<rpc-reply xmlns="{BASE}" message-id="7">{inner}</rpc-reply>'.encode()


# --------------------------------------------------------------------------- requests
def test_establish_to_the_letter() -> None:
    assert encode_rpc("7", EstablishSubscription(PERIODIC)).decode() == rpc(
        f'<establish-subscription xmlns="{SN}">'
        f'<datastore xmlns="{YP}" xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores">'
        "ds:operational</datastore>"
        f'<datastore-xpath-filter xmlns="{YP}" '
        'xmlns:if="urn:ietf:params:xml:ns:yang:ietf-interfaces">/if:interfaces'
        "</datastore-xpath-filter>"
        "<stop-time>2026-01-01T00:00:00Z</stop-time><dscp>16</dscp><weighting>3</weighting>"
        "<dependency>9</dependency><encoding>encode-json</encoding>"
        f'<periodic xmlns="{YP}"><period>500</period>'
        "<anchor-time>2025-01-01T00:00:30Z</anchor-time></periodic>"
        '<module-version-subs xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push-revision">'
        "<name>ietf-interfaces</name><revision>2018-02-20</revision></module-version-subs>"
        "</establish-subscription>"
    )


def test_modify_sends_datastore_and_filter_and_no_more_than_allowed() -> None:
    # RFC 8641 §4.4.2; sync-on-start, excluded-change, dscp, encoding cannot be modified
    assert encode_rpc("7", ModifySubscription(22, ON_CHANGE)).decode() == rpc(
        f'<modify-subscription xmlns="{SN}"><id>22</id>'
        f'<datastore xmlns="{YP}" xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores">'
        "ds:running</datastore>"
        f'<datastore-subtree-filter xmlns="{YP}"><a xmlns="urn:a"><b/></a>'
        "</datastore-subtree-filter>"
        f'<on-change xmlns="{YP}"><dampening-period>1000</dampening-period></on-change>'
        "</modify-subscription>"
    )
    octets = encode_rpc("7", ModifySubscription(22, STREAM)).decode()
    assert "<stream-filter-name>my-filter</stream-filter-name>" in octets
    assert "<stream>" not in octets


@pytest.mark.parametrize(
    ("operation", "inner"),
    [
        (DeleteSubscription(1), f'<delete-subscription xmlns="{SN}"><id>1</id>'
                                "</delete-subscription>"),
        (KillSubscription(2), f'<kill-subscription xmlns="{SN}"><id>2</id></kill-subscription>'),
        (ResyncSubscription(3), f'<resync-subscription xmlns="{YP}"><id>3</id>'
                                "</resync-subscription>"),
        (Get(), f'<get><filter type="subtree"><subscriptions xmlns="{SN}"/></filter></get>'),
        (Get(None), "<get/>"),
        (CloseSession(), "<close-session/>"),
        (KillSession(4), "<kill-session><session-id>4</session-id></kill-session>"),
        (OtherOperation("ietf-netconf:delete-config"), "<delete-config/>"),
    ],
)  # fmt: skip
def test_short_requests(operation: Operation, inner: str) -> None:
    octets = encode_rpc("7", operation)
    assert octets.decode() == rpc(inner)
    assert decode_rpc(octets) == Rpc("7", operation)


@pytest.mark.parametrize("terms", [PERIODIC, STREAM, ON_CHANGE])
def test_requests_read_back(terms: SubscriptionTerms) -> None:
    operation = EstablishSubscription(terms)
    assert decode_rpc(encode_rpc("a&<b>", operation)) == Rpc("a&<b>", operation)
    modified = decode_rpc(encode_rpc("1", ModifySubscription(5, terms))).operation
    assert isinstance(modified, ModifySubscription)
    assert modified.terms.selection_filter == terms.selection_filter
    assert modified.terms.period == terms.period


def test_get_says_what_it_selects() -> None:
    assert Get().subscriptions
    assert Get(None).subscriptions
    assert not Get(("ietf-interfaces:interfaces",)).subscriptions
    text = rpc('<get><filter type="xpath" select="/x"/></get>')
    assert decode_rpc(text.encode()).operation == Get(None, SelectionFilter("xpath", "/x"))
    two = Get(("ietf-interfaces:interfaces", f"{names.SN}:streams"))
    assert decode_rpc(encode_rpc("1", two)).operation == two


def test_operation_names() -> None:
    assert operation_name(KillSubscription(1)) == f"{names.SN}:kill-subscription"
    assert operation_name(OtherOperation("a:b")) == "a:b"


@pytest.mark.parametrize(
    ("inner", "tag", "in_message"),
    [
        (f'<establish-subscription xmlns="{SN}"/>', "missing-element", "datastore"),
        (f'<modify-subscription xmlns="{SN}"/>', "missing-element", "id"),
        (f'<delete-subscription xmlns="{SN}"/>', "missing-element", "id"),
        ("<kill-session/>", "missing-element", "session-id"),
        (f'<kill-subscription xmlns="{SN}"><id>x</id></kill-subscription>', "invalid-value", "id"),
        (f'<establish-subscription xmlns="{SN}"><stream>a</stream><dscp>64</dscp>'
         "</establish-subscription>", "invalid-value", "dscp"),
        (f'<establish-subscription xmlns="{SN}"><stream>a</stream><stop-time>x</stop-time>'
         "</establish-subscription>", "invalid-value", "date-and-time"),
    ],
)  # fmt: skip
def test_requests_that_the_server_answers_with_an_error(
    inner: str, tag: str, in_message: str
) -> None:
    read = decode_rpc(rpc(inner).encode())
    assert read.message_id == "7"
    assert isinstance(read.operation, OtherOperation)
    assert read.error is not None
    assert read.error.tag == tag
    assert in_message in str(read.error)
    answered = decode_reply(encode_reply(read.message_id, read.error, operation=read.operation))
    assert answered.error is not None
    assert answered.error.tag == tag


DATASTORE = (
    f'<y:datastore xmlns:y="{YP}" xmlns:d="{DS}">d:operational</y:datastore>'
    f'<y:periodic xmlns:y="{YP}"><y:period>100</y:period></y:periodic>'
)


@pytest.mark.parametrize(
    ("inner", "tag", "element"),
    [
        (DATASTORE + "<foo/>", "unknown-element", "foo"),
        (DATASTORE + "<id>1</id>", "unknown-element", "id"),
        (DATASTORE + "<receivers/>", "unknown-element", "receivers"),
        (f'<stream xmlns="{YP}">a</stream>', "unknown-element", "stream"),
        (DATASTORE.replace("<y:period>", "<y:x/><y:period>"), "unknown-element", "x"),
        (DATASTORE.replace("<y:period>", '<x xmlns="urn:x"/><y:period>'), "unknown-namespace", "x"),
        (DATASTORE + "<stream>a</stream>", "bad-element", "datastore"),
        (DATASTORE + DATASTORE, "bad-element", "datastore"),
        (DATASTORE + f'<on-change xmlns="{YP}"/>', "bad-element", "on-change"),
        (DATASTORE + f'<selection-filter-ref xmlns="{YP}">a</selection-filter-ref>'
         f'<datastore-xpath-filter xmlns="{YP}">/a</datastore-xpath-filter>',
         "bad-element", "datastore-xpath-filter"),
        ("<stream>a</stream><stream-filter-name>a</stream-filter-name>"
         "<stream-xpath-filter>/a</stream-xpath-filter>", "bad-element", "stream-xpath-filter"),
        ("<dscp>1</dscp>", "missing-element", "datastore"),
    ],
)  # fmt: skip
def test_what_has_no_place_in_a_request_is_named(inner: str, tag: str, element: str) -> None:
    text = rpc(f'<establish-subscription xmlns="{SN}">{inner}</establish-subscription>')
    read = decode_rpc(text.encode())
    assert read.error is not None
    octets = encode_reply("7", read.error, operation=EstablishSubscription(SubscriptionTerms()))
    assert f"<error-tag>{tag}</error-tag>".encode() in octets
    # right below error-info, whatever container the hints of the operation go into
    assert f"<error-info><bad-element>{element}</bad-element>".encode() in octets


@pytest.mark.parametrize(
    "inner",
    [
        "<dscp>20</dscp>",
        "<weighting>2</weighting>",
        "<encoding>encode-xml</encoding>",
        "<stream>a</stream>",
        f'<on-change xmlns="{YP}"><sync-on-start>false</sync-on-start></on-change>',
        f'<on-change xmlns="{YP}"><excluded-change>move</excluded-change></on-change>',
    ],
)
def test_what_cannot_be_modified_is_not_passed_over(inner: str) -> None:
    text = rpc(f'<modify-subscription xmlns="{SN}"><id>1</id>{inner}</modify-subscription>')
    error = decode_rpc(text.encode()).error
    assert error is not None
    assert error.tag == "unknown-element"


def test_only_changes_of_the_model_can_be_excluded() -> None:
    excluded = "<y:on-change><y:excluded-change>{}</y:excluded-change></y:on-change>"
    start = f'<establish-subscription xmlns="{SN}" xmlns:y="{YP}"><y:datastore>o</y:datastore>'
    for name, tag in (("replace", None), ("merge", "invalid-value")):
        text = rpc(f"{start}{excluded.format(name)}</establish-subscription>")
        error = decode_rpc(text.encode()).error
        assert (None if error is None else error.tag) == tag


@pytest.mark.parametrize("result", [Ok(), Data(""), EstablishOutput(1, ("1",))])
def test_attributes_of_the_request_are_in_the_reply(result: Result) -> None:
    """RFC 6241 §4.2, its own example."""
    ex = "http://example.net/content/1.0"
    text = (
        f'<rpc message-id="101" xmlns="{BASE}" xmlns:ex="{ex}" ex:user-id="fred" x="1"><get/></rpc>'
    )
    read = decode_rpc(text.encode())
    assert read.attributes == {f"{ex} user-id": "fred", "x": "1"}
    root = xml.parse(encode_reply(read.message_id, result, attributes=read.attributes))
    assert root.attributes == {"message-id": "101", **read.attributes}


@pytest.mark.parametrize(
    ("tag", "kind"),
    [("data-missing", "application"), ("malformed-message", "rpc"), ("bad-element", "protocol")],
)
def test_an_error_tag_has_a_type_that_may_go_with_it(tag: str, kind: str) -> None:
    assert f"<error-type>{kind}</error-type>" in error_octets(ProtocolError("no", tag=tag))


@pytest.mark.parametrize(
    "text",
    [
        "<rpc/>",
        f'<rpc xmlns="{BASE}"><get/></rpc>',
        f'<rpc xmlns="{BASE}" message-id="1"/>',
        f'<rpc xmlns="{BASE}" message-id="1"><get/><get/></rpc>',
        f'<hello xmlns="{BASE}"/>',
    ],
)
def test_what_is_no_request(text: str) -> None:
    with pytest.raises(WireError) as refused:
        decode_rpc(text.encode())
    assert refused.value.reason == "bad-rpc"


def test_other_operations_are_known_by_name() -> None:
    text = rpc('<create-subscription xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0"/>')
    read = decode_rpc(text.encode())
    assert read.operation == OtherOperation("ietf-notification:create-subscription")
    assert read.error is None


# --------------------------------------------------------------------------- replies
MSO = "urn:ietf:params:xml:ns:yang:ietf-multiple-stream-originators"
DN = "urn:ietf:params:xml:ns:yang:ietf-distributed-notif"


@pytest.mark.parametrize(
    ("mode", "listed"),
    [
        ("mso", f'<message-generator-id xmlns="{MSO}">1</message-generator-id>'
                f'<message-generator-id xmlns="{MSO}">2</message-generator-id>'),
        ("distributed-notif-18", f'<message-publisher-id xmlns="{DN}">1</message-publisher-id>'
                                 f'<message-publisher-id xmlns="{DN}">2</message-publisher-id>'),
        ("distributed-notif-19", ""),
    ],
)  # fmt: skip
def test_the_reply_to_establish_per_mode(mode: str, listed: str) -> None:
    octets = encode_reply("7", EstablishOutput(22, ("1", "2")), mode=mode)
    assert octets.decode() == (
        f'{DECLARATION}<rpc-reply xmlns="{BASE}" message-id="7">'
        f'<id xmlns="{SN}">22</id>{listed}</rpc-reply>'
    )
    read = decode_reply(octets)
    assert read.generators == (("1", "2") if listed else None)
    assert read.generator_leaf == (names.CONTROL_MODES[mode].leaf if listed else None)


def test_replay_start_time_revision() -> None:
    output = EstablishOutput(22, None, 1735689630 * S)
    read = decode_reply(encode_reply("7", output))
    assert (read.subscription_id, read.replay_start_time_revision) == (22, 1735689630 * S)
    assert read.generators is None


@pytest.mark.parametrize("module", ["ietf-multiple-stream-originators", "ietf-distributed-notif",
                                    "ietf-distributed-notifications"])  # fmt: skip
@pytest.mark.parametrize("leaf", names.GENERATOR_LEAVES)
def test_every_spelling_of_the_list(module: str, leaf: str) -> None:
    listed = "".join(
        f'<{leaf} xmlns="urn:ietf:params:xml:ns:yang:{module}"> {text}\n</{leaf}>'
        for text in ("07", "linecard 1", "7", "42")
    )
    read = decode_reply(reply(f'{listed}<id xmlns="{SN}"> 22 </id>'))
    assert read.ok
    assert read.subscription_id == 22
    assert read.generators == ("7", "linecard 1", "42")
    assert read.generator_leaf == leaf


def test_ok() -> None:
    octets = encode_reply("7", Ok())
    assert octets.endswith(b"<ok/></rpc-reply>")
    read = decode_reply(octets)
    assert read.ok
    assert read.subscription_id is None
    assert read.subscriptions is None
    assert decode_reply(encode_reply(None, Ok())).message_id is None


ENTRIES = (
    SubscriptionState(
        22, PERIODIC, ("1", "2"), None,
        (ReceiverState("a", "active", 1 << 40, 0), ReceiverState("b")),
    ),
    SubscriptionState(100, STREAM, None, "valid"),
)  # fmt: skip


@pytest.mark.parametrize("mode", list(names.CONTROL_MODES))
@pytest.mark.parametrize("count", [0, 1, 2])
def test_subscriptions_read_back(mode: str, count: int) -> None:
    octets = encode_reply("7", Subscriptions(ENTRIES[:count]), mode=mode)
    read = decode_reply(octets)
    assert read.ok
    assert read.subscriptions == ENTRIES[:count]
    assert read.subscription_id is None


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        (f'<data><subscriptions xmlns="{SN}"><subscription/></subscriptions></data>', "bad-value"),
        (f'<data><subscriptions xmlns="{SN}">text</subscriptions></data>', "bad-value"),
        (f'<id xmlns="{SN}">x</id>', "bad-value"),
        (f'<replay-start-time-revision xmlns="{SN}">x</replay-start-time-revision>',
         "bad-timestamp"),
        ("<a:b/>", "bad-xml"),
    ],
)  # fmt: skip
def test_replies_that_cannot_be_read(inner: str, reason: str) -> None:
    with pytest.raises(WireError) as refused:
        decode_reply(reply(inner))
    assert refused.value.reason == reason


@pytest.mark.parametrize("text", ["<rpc-reply/>", f'<rpc xmlns="{BASE}"/>'])
def test_what_is_no_reply(text: str) -> None:
    with pytest.raises(WireError) as refused:
        decode_reply(text.encode())
    assert refused.value.reason == "bad-rpc-reply"


def test_an_entity_bomb_in_a_reply() -> None:
    with pytest.raises(WireError, match="document type"):
        decode_reply(b'<!DOCTYPE a [<!ENTITY b "c">]>' + reply("<ok/>"))


# --------------------------------------------------------------------------- errors
def error_octets(error: ProtocolError, operation: Any = None) -> str:
    return encode_reply("7", error, operation=operation).decode()


@pytest.mark.clause("8640-7-a", "8640-7-b")
def test_an_error_to_the_letter() -> None:
    error = refusal("period-unsupported", "too fast", hints={"period-hint": "3000"})
    assert error_octets(error, EstablishSubscription(PERIODIC)) == (
        f'{DECLARATION}<rpc-reply xmlns="{BASE}" message-id="7"><rpc-error>'
        "<error-type>application</error-type><error-tag>invalid-value</error-tag>"
        "<error-severity>error</error-severity>"
        "<error-app-tag>ietf-yang-push:period-unsupported</error-app-tag>"
        "<error-message>too fast</error-message><error-info>"
        f'<establish-subscription-datastore-error-info xmlns="{YP}">'
        "<period-hint>3000</period-hint></establish-subscription-datastore-error-info>"
        "</error-info></rpc-error></rpc-reply>"
    )


@pytest.mark.parametrize(
    ("operation", "container"),
    [
        (EstablishSubscription(PERIODIC),
         f'<establish-subscription-datastore-error-info xmlns="{YP}">'),
        (EstablishSubscription(STREAM),
         f'<establish-subscription-stream-error-info xmlns="{SN}">'),
        (ModifySubscription(1, PERIODIC),
         f'<modify-subscription-datastore-error-info xmlns="{YP}">'),
        (ModifySubscription(1, STREAM), f'<modify-subscription-stream-error-info xmlns="{SN}">'),
        (ResyncSubscription(1), f'<resync-subscription-error xmlns="{YP}">'),
        (KillSubscription(1), "<error-info><filter-failure-hint>"),
        (None, "<error-info><filter-failure-hint>"),
    ],
)  # fmt: skip
@pytest.mark.clause("8639-2.4.2-c", "8639-2.4.3-b")
def test_hints_go_into_the_container_of_the_operation(
    operation: Operation | None, container: str
) -> None:
    error = refusal("filter-unsupported", "no", hints={"filter-failure-hint": "sn:x"})
    octets = error_octets(error, operation)
    assert container in octets
    assert "<filter-failure-hint>sn:x</filter-failure-hint>" in octets
    read = decode_reply(octets.encode()).error
    assert read is not None
    assert read.hints == {"filter-failure-hint": "sn:x"}


@pytest.mark.parametrize("identity", list(ERROR_TAGS))
def test_every_identity_has_its_tag(identity: str) -> None:
    error = refusal(identity, "no", path="/yp:periodic")
    read = decode_reply(error_octets(error).encode()).error
    assert read is not None
    assert (read.identity, read.tag, read.path) == (identity, ERROR_TAGS[identity][1],
                                                    "/yp:periodic")  # fmt: skip
    assert "error-info" not in error_octets(error)


# RFC 8640 §7: tags that a reader of the table would check first
@pytest.mark.parametrize(
    ("identity", "tag"),
    [
        ("insufficient-resources", "resource-denied"),
        ("replay-unsupported", "operation-not-supported"),
        ("update-too-big", "too-big"),
        ("unchanging-selection", "operation-failed"),
        ("no-such-subscription", "invalid-value"),
    ],
)
@pytest.mark.clause("8640-7-a")
def test_tags_of_the_table(identity: str, tag: str) -> None:
    assert refusal(identity, "no").tag == tag


def test_an_error_without_identity_is_of_the_protocol() -> None:
    octets = error_octets(ProtocolError("what?", tag="operation-not-supported"))
    assert "<error-type>protocol</error-type>" in octets
    assert "error-app-tag" not in octets
    read = decode_reply(octets.encode()).error
    assert read is not None
    assert (read.tag, read.identity, str(read)) == ("operation-not-supported", "", "what?")
    unknown = error_octets(ProtocolError("no", identity="own-identity"))
    assert "<error-app-tag>ietf-subscribed-notifications:own-identity<" in unknown


def test_odd_errors_are_read() -> None:
    read = decode_reply(reply(
        "<rpc-error><error-severity>warning</error-severity><error-tag>w</error-tag></rpc-error>"
        "<rpc-error><error-app-tag> ietf-yang-push:cant-include </error-app-tag></rpc-error>"
        "<rpc-error><error-tag>later</error-tag></rpc-error>"
    ))  # fmt: skip
    assert not read.ok
    assert read.error is not None
    assert read.error.identity == "cant-exclude"
    assert read.error.tag == "operation-failed"
    assert [warning.tag for warning in read.warnings] == ["w"]
    only_a_warning = decode_reply(reply(
        '<rpc-error><error-severity>warning</error-severity></rpc-error>'
        f'<id xmlns="{SN}">3</id>'
    ))  # fmt: skip
    assert only_a_warning.ok
    assert only_a_warning.subscription_id == 3
    assert len(only_a_warning.warnings) == 1


def test_hints_are_found_in_any_container() -> None:
    read = decode_reply(reply(
        '<rpc-error><error-info><establish-subscription-error-datastore xmlns="urn:x">'
        "<reason>x:synchronization-size</reason><object-count-limit> 5 </object-count-limit>"
        "<deep><kilobytes-limit>9</kilobytes-limit><object-count-limit>6</object-count-limit>"
        "</deep></establish-subscription-error-datastore>"
        "<bad-element>e</bad-element></error-info></rpc-error>"
    ))  # fmt: skip
    assert read.error is not None
    assert read.error.identity == "sync-too-big"
    assert read.error.hints == {
        "object-count-limit": "5", "kilobytes-limit": "9", "bad-element": "e",
    }  # fmt: skip


def test_the_words_of_a_device_are_one_printable_line_of_some_length() -> None:
    words = "&#x9b;2J no\n\n  &#x202e;way " + "x" * 5000
    read = decode_reply(reply(f"<rpc-error><error-message>{words}</error-message></rpc-error>"))
    assert str(read.error).startswith("2J no way x")
    assert str(read.error).isprintable()
    assert len(str(read.error)) <= 1000


def test_values_that_cannot_be_written() -> None:
    with pytest.raises(UsageError, match="centiseconds"):
        encode_rpc("1", EstablishSubscription(SubscriptionTerms(datastore="x", period=1)))
    with pytest.raises(UsageError, match="no control mode"):
        encode_reply("1", EstablishOutput(1, ("1",)), mode="x")
    with pytest.raises(UsageError, match="no message-publisher-id"):
        encode_reply("1", EstablishOutput(1, ("a",)), mode="distributed-notif-19")


def test_a_namespace_that_nobody_here_knows_is_left_to_the_publisher() -> None:
    """RFC 8641 §5, datastore-xpath-filter: it knows the names of its modules as prefixes, and what
    the XML declares would count instead of that."""
    text = "/ietf-new:a/openconfig-interfaces:b/c:d"
    chosen = SelectionFilter("xpath", text, {"c": "openconfig-other"})
    terms = SubscriptionTerms(datastore="operational", period=SECOND, selection_filter=chosen)
    written = encode_rpc("1", EstablishSubscription(terms)).decode()
    assert 'xmlns:ietf-new="urn:ietf:params:xml:ns:yang:ietf-new"' in written
    assert "xmlns:openconfig-interfaces" not in written
    assert "xmlns:c=" in written  # the operator said that it is another prefix
    assert text in written
