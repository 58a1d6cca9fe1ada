"""edit-config on a tree and the datastores around it: operations, locks, errors of RFC 6241."""

from __future__ import annotations

import pytest

from collector.errors import ProtocolError
from collector.wire.netconf.rpc import CANDIDATE, RUNNING
from collector.wire.values import xml
from publisher_sim.master.configuration.checking import check
from publisher_sim.master.configuration.datastores import Datastores
from publisher_sim.master.configuration.editing import edited, empty
from publisher_sim.master.configuration.schema import schema

SN = "urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"
YP = "urn:ietf:params:xml:ns:yang:ietf-yang-push"
SNR = "urn:ietf:params:xml:ns:yang:ietf-subscribed-notif-receivers"
YPR = "urn:ietf:params:xml:ns:yang:ietf-yang-push-revision"
UNT = "urn:ietf:params:xml:ns:yang:ietf-udp-notif-transport"
NC = "urn:ietf:params:xml:ns:netconf:base:1.0"
SCHEMA = schema()


def tree(inner: str) -> tuple[xml.Element, ...]:
    return xml.fragment(f'<subscriptions xmlns="{SN}" xmlns:nc="{NC}">{inner}</subscriptions>')


def subscription(inner: str, operation: str = "", number: int = 1) -> str:
    attribute = f' nc:operation="{operation}"' if operation else ""
    return f"<subscription{attribute}><id>{number}</id>{inner}</subscription>"


def bound_to_an_address() -> str:
    """A receiver that is sent to from an address: a feature that the device has not (RFC 9984)."""
    return (
        f'<receiver-instances xmlns="{SNR}"><receiver-instance><name>a</name>'
        f'<udp-notif-receiver xmlns="{UNT}"><local-address>127.0.0.1</local-address>'
        "</udp-notif-receiver></receiver-instance></receiver-instances>"
    )


def after(*edits: str, default: str = "merge") -> str:
    """What is left of the edits, one after the other, without declarations of namespaces."""
    found = empty()
    for edit in edits[:-1]:
        found = edited(found, tree(edit), SCHEMA)
    return brief(edited(found, tree(edits[-1]), SCHEMA, default))


def brief(element: xml.Element) -> str:
    def text(one: xml.Element) -> str:
        inside = one.text + "".join(map(text, one.children))
        return f"<{one.name}>{inside}</{one.name}>"

    return "".join(text(child) for top in element.children for child in top.children)


def refused(*edits: str, default: str = "merge") -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        after(*edits, default=default)
    return caught.value


ONE = subscription("<dscp>1</dscp><encoding>encode-json</encoding>")
KEPT = "<subscription><id>1</id><dscp>1</dscp><encoding>encode-json</encoding></subscription>"


def test_merge_adds_and_changes_what_is_said() -> None:
    assert after(ONE) == KEPT
    assert after(ONE, subscription("<dscp>2</dscp><weighting>3</weighting>")) == (
        "<subscription><id>1</id><dscp>2</dscp><encoding>encode-json</encoding>"
        "<weighting>3</weighting></subscription>"
    )
    assert after(ONE, subscription("<dscp>2</dscp>", number=2)).count("<id>") == 2


def test_replace_leaves_nothing_else_of_its_node() -> None:
    assert after(ONE, subscription("<dscp>2</dscp>", "replace")) == (
        "<subscription><id>1</id><dscp>2</dscp></subscription>"
    )
    assert after(ONE, subscription("<dscp>2</dscp>", number=2), default="replace") == (
        "<subscription><id>2</id><dscp>2</dscp></subscription>"
    )


def test_create_delete_remove() -> None:
    assert after(subscription("<dscp>1</dscp>", "create")).startswith("<subscription><id>1</id>")
    assert refused(ONE, subscription("", "create")).tag == "data-exists"
    assert after(ONE, subscription("", "delete")) == ""
    assert refused(ONE, subscription("", "delete", 2)).tag == "data-missing"
    assert after(ONE, subscription("", "remove", 2)) == KEPT
    assert after(ONE, subscription('<dscp nc:operation="delete"/>')) == (
        "<subscription><id>1</id><encoding>encode-json</encoding></subscription>"
    )
    error = refused(ONE, subscription('<weighting nc:operation="delete"/>'))
    assert (error.tag, error.path) == ("data-missing", "/subscriptions/subscription/weighting")


def test_default_none_only_leads_somewhere() -> None:
    edit = subscription('<encoding>nothing</encoding><dscp nc:operation="replace">7</dscp>')
    assert after(ONE, edit, default="none") == KEPT.replace("<dscp>1</dscp>", "").replace(
        "</subscription>", "<dscp>7</dscp></subscription>"
    )
    assert refused(subscription("<dscp>7</dscp>"), subscription("", number=2), default="none").tag
    assert refused(ONE, subscription("<weighting>1</weighting>"), default="none").tag == (
        "data-missing"
    )


def test_the_new_case_of_a_choice_takes_the_old_one_away() -> None:
    periodic = subscription(f'<periodic xmlns="{YP}"><period>6</period></periodic>')
    on_change = subscription(
        f'<on-change xmlns="{YP}"><excluded-change>move</excluded-change></on-change>'
    )
    found = after(periodic, on_change)
    assert "periodic" not in found
    assert "<excluded-change>move</excluded-change>" in found
    more = subscription(
        f'<on-change xmlns="{YP}"><excluded-change>move</excluded-change>'
        "<excluded-change>insert</excluded-change></on-change>"
    )
    assert after(periodic, on_change, more).count("move") == 1
    datastore = subscription(
        f'<datastore xmlns="{YP}">running</datastore><datastore-xpath-filter xmlns="{YP}">/x'
        "</datastore-xpath-filter>"
    )
    stream = subscription("<stream>NETCONF</stream>")
    assert after(datastore, stream) == (
        "<subscription><id>1</id><stream>NETCONF</stream></subscription>"
    )
    subtree = subscription(
        f'<datastore-subtree-filter xmlns="{YP}"><a xmlns="x:y"/></datastore-subtree-filter>'
    )
    assert "xpath" not in after(datastore, subtree)
    assert "<datastore>" in after(datastore, subtree)
    other = subtree.replace("<a ", "<b ")
    assert "<a>" not in after(datastore, subtree, other)  # a filter is one value


def test_containers_without_anything_are_not_there() -> None:
    assert after(ONE, subscription("", "delete")) == ""
    assert after(subscription("<receivers/>")) == "<subscription><id>1</id></subscription>"


@pytest.mark.parametrize(
    ("edit", "tag", "hint"),
    [
        (subscription("<dhcp>1</dhcp>"), "unknown-element", "dhcp"),
        (subscription('<x xmlns="a:b">1</x>'), "unknown-namespace", "x"),
        (subscription("", "move"), "bad-attribute", "subscription"),
        ("<subscription><dscp>1</dscp></subscription>", "missing-element", "id"),
        (subscription("<dscp><x/></dscp>"), "bad-element", "dscp"),
        (subscription(f'<module-version xmlns="{YPR}"/>'), "unknown-element", "module-version"),
        (bound_to_an_address(), "unknown-element", "local-address"),
    ],
)
def test_what_the_device_does_not_know(edit: str, tag: str, hint: str) -> None:
    error = refused(edit)
    assert (error.tag, error.hints["bad-element"]) == (tag, hint)


def test_a_refused_edit_changes_nothing() -> None:
    """rollback-on-error, whatever was asked for."""
    stores = datastores()
    stores.edit("1", RUNNING, tree(GOOD), "merge", keep=True)
    before = xml.inner_text(stores.tree(RUNNING))
    with pytest.raises(ProtocolError):
        stores.edit("1", RUNNING, tree(subscription("<dscp>9</dscp>", number=100)
                    + subscription("", "delete", 7)), "merge", keep=True)  # fmt: skip
    assert xml.inner_text(stores.tree(RUNNING)) == before


# --------------------------------------------------------------------------- datastores
INSTANCES = (
    f'<receiver-instances xmlns="{SNR}"><receiver-instance><name>R1</name><udp-notif-receiver '
    f'xmlns="{UNT}"><remote-address>127.0.0.1</remote-address><remote-port>1</remote-port>'
    "</udp-notif-receiver></receiver-instance></receiver-instances>"
)
RECEIVERS = (
    f'<receivers><receiver><name>R1</name><receiver-instance-ref xmlns="{SNR}">R1'
    "</receiver-instance-ref></receiver></receivers>"
)
TARGET = f'<datastore xmlns="{YP}">operational</datastore>'
GOOD = subscription(f"{TARGET}<transport>udp-notif</transport>{RECEIVERS}", number=100) + INSTANCES


def datastores(*, candidate: bool = True, writable: bool = True) -> Datastores:
    return Datastores(SCHEMA, check, candidate=candidate, writable=writable)


def denied(function: object, *arguments: object, **named: object) -> ProtocolError:
    assert callable(function)
    with pytest.raises(ProtocolError) as caught:
        function(*arguments, **named)
    return caught.value


@pytest.mark.parametrize(
    ("inner", "word"),
    [
        (GOOD.replace("<transport>udp-notif</transport>", ""), "no transport"),
        (GOOD.replace(TARGET, ""), "no target"),
        (GOOD.replace(RECEIVERS, ""), "no receiver"),
        (GOOD.replace(INSTANCES, ""), "no receiver-instance R1"),
        (GOOD.replace("<remote-port>1<", "<remote-port>99999<"), "99999"),
        (GOOD.replace("<udp-notif-receiver", "<kafka").replace("udp-notif-receiver>", "kafka>"),
         "no kafka"),
        (INSTANCES.replace("<name>R1</name>", "<name>R2</name>").replace(
            INSTANCES[INSTANCES.index("<udp-notif-receiver"):
                      INSTANCES.index("</receiver-instance>")], ""), "no transport"),
        ("".join(subscription("", number=n) for n in range(65)), "no more than 64"),
    ],
)  # fmt: skip
def test_what_is_no_configuration(inner: str, word: str) -> None:
    stores = datastores()
    error = denied(stores.edit, "1", RUNNING, tree(inner), "merge", keep=True)
    assert word in str(error)
    assert stores.tree(RUNNING).children == []


def test_a_candidate_may_be_anything_until_it_is_committed() -> None:
    stores = datastores()
    stores.edit("1", CANDIDATE, tree(subscription("")), "merge", keep=True)
    assert denied(stores.validate, CANDIDATE).tag == "data-missing"
    assert denied(stores.commit, "1").tag == "data-missing"
    stores.discard("1")
    assert stores.tree(CANDIDATE).children == []
    stores.edit("1", CANDIDATE, tree(GOOD), "merge", keep=True)
    stores.validate(CANDIDATE)
    assert stores.tree(RUNNING).children == []
    stores.commit("1")
    assert stores.tree(RUNNING) == stores.tree(CANDIDATE)


def test_running_reaches_a_candidate_that_nobody_edited() -> None:
    stores = datastores()
    stores.edit("1", RUNNING, tree(GOOD), "merge", keep=True)
    assert stores.tree(CANDIDATE) == stores.tree(RUNNING)
    stores.edit("1", CANDIDATE, tree(subscription("", "delete", 100)), "merge", keep=True)
    stores.edit("1", RUNNING, tree(subscription("<dscp>1</dscp>", number=100)), "merge", keep=True)
    assert "dscp" not in xml.inner_text(stores.tree(CANDIDATE))


def test_only_seeing_whether_it_could_be_done() -> None:
    stores = datastores()
    stores.edit("1", RUNNING, tree(GOOD), "merge", keep=False)
    assert stores.tree(RUNNING).children == []


def test_locks() -> None:
    stores = datastores()
    stores.lock("1", RUNNING)
    held = denied(stores.lock, "2", RUNNING)
    assert (held.tag, held.hints) == ("lock-denied", {"session-id": "1"})
    in_use = denied(stores.edit, "2", RUNNING, tree(GOOD), "merge", keep=True)
    assert (in_use.tag, in_use.hints) == ("in-use", {"session-id": "1"})
    assert denied(stores.commit, "2").tag == "in-use"
    stores.edit("1", RUNNING, tree(GOOD), "merge", keep=True)
    assert denied(stores.unlock, "2", RUNNING).tag == "operation-failed"
    stores.unlock("1", RUNNING)
    stores.lock("2", RUNNING)
    stores.session_closed("2")
    stores.lock("1", RUNNING)


def test_a_lock_on_candidate_ends_with_its_changes() -> None:
    """RFC 6241 §8.3.5.2; and it cannot be had over the changes of others."""
    stores = datastores()
    stores.edit("1", CANDIDATE, tree(GOOD), "merge", keep=True)
    over = denied(stores.lock, "2", CANDIDATE)
    assert (over.tag, over.hints) == ("lock-denied", {"session-id": "0"})
    stores.discard("1")
    stores.lock("2", CANDIDATE)
    assert denied(stores.discard, "1").tag == "in-use"
    stores.edit("2", CANDIDATE, tree(GOOD), "merge", keep=True)
    stores.session_closed("2")
    assert stores.tree(CANDIDATE).children == []


def test_devices_with_one_datastore_only() -> None:
    plain = datastores(candidate=False)
    assert denied(plain.tree, CANDIDATE).tag == "invalid-value"
    assert denied(plain.commit, "1").tag == "operation-not-supported"
    assert denied(plain.discard, "1").tag == "operation-not-supported"
    strict = datastores(writable=False)
    assert denied(strict.edit, "1", RUNNING, tree(GOOD), "merge", keep=True).tag == (
        "operation-not-supported"
    )


def test_the_old_spelling_is_another_schema() -> None:
    old = schema(spelling="old", purpose=False)
    older = INSTANCES.replace("-transport", "").replace("remote-", "")
    found = edited(empty(), tree(older), old)
    assert "127.0.0.1" in brief(found)
    with pytest.raises(ProtocolError):
        edited(empty(), tree(INSTANCES), old)
    with pytest.raises(ProtocolError, match="purpose"):
        edited(empty(), tree(subscription("<purpose>x</purpose>")), old)


@pytest.mark.parametrize("where", ["subscription", "leaf"])
def test_an_operation_without_its_namespace_is_refused(where: str) -> None:
    edits = {
        "subscription": '<subscription operation="delete"><id>1</id></subscription>',
        "leaf": '<subscription><id>1</id><dscp operation="delete">1</dscp></subscription>',
    }
    error = refused(ONE, edits[where])
    assert error.tag == "unknown-attribute"
    assert error.hints["bad-attribute"] == "operation"
    assert error.hints["bad-element"] == {"subscription": "subscription", "leaf": "dscp"}[where]
