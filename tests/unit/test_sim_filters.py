"""Filters on a tree: the examples of RFC 6241 §6.4, and XPath within and beyond the subset."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from collector.model import SelectionFilter
from publisher_sim.data.filters import (
    FilterUnsupportedError,
    compile_filter,
    cut,
    pruned,
    tree_of,
)
from publisher_sim.data.xpath import LIMIT, MAX_TOKENS

EX = "http://example.com/schema/1.2/config"
USERS = f"""<data><top xmlns="{EX}"><users>
  <user><name>root</name><type>superuser</type><full-name>Charlie Root</full-name>
    <company-info><dept>1</dept><id>1</id></company-info></user>
  <user><name>fred</name><type>admin</type><full-name>Fred Flintstone</full-name>
    <company-info><dept>2</dept><id>2</id></company-info></user>
  <user><name>barney</name><type>admin</type><full-name>Barney Rubble</full-name>
    <company-info><dept>2</dept><id>3</id></company-info></user>
</users></top></data>"""
IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"
DATA: dict[str, Any] = {
    "ietf-interfaces:interfaces": {
        "interface": [
            {
                "name": "eth0",
                "type": "iana-if-type:ethernetCsmacd",
                "enabled": True,
                "if-index": 1,
                "statistics": {"in-octets": "10", "in-errors": 0},
                "ietf-ip:ipv4": {"address": [{"ip": "192.0.2.1"}, {"ip": "192.0.2.2"}]},
                "higher-layer-if": ["a", "b"],
                "empty": [None],
            },
            {"name": "eth1", "enabled": False, "if-index": 2, "statistics": {"in-octets": "9"}},
        ]
    },
    "ietf-hardware:hardware": {"component": [{"name": "fan", "class": "iana-hardware:fan"}]},
}


def trimmed(text: str) -> etree._Element:
    return etree.fromstring(text, etree.XMLParser(remove_blank_text=True))


def on_users(inside: str) -> str:
    """What a subtree filter within ``top`` leaves of the users."""
    root = trimmed(USERS)
    wanted = SelectionFilter("subtree", f'<top xmlns="{EX}">{inside}</top>')
    left = pruned(root, compile_filter(wanted).marks(root))
    if left is None:
        return ""
    return etree.tostring(left, method="c14n").decode()


def user(name: str, inside: str) -> str:
    return f"<user><name>{name}</name>{inside}</user>"


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        (  # §6.4.3, both forms
            "<users/>", USERS.partition(f'<top xmlns="{EX}">')[2].partition("</top>")[0],
        ),
        (
            "<users><user/></users>",
            USERS.partition(f'<top xmlns="{EX}">')[2].partition("</top>")[0],
        ),
        (  # §6.4.4
            "<users><user><name/></user></users>",
            f"<users>{user('root', '')}{user('fred', '')}{user('barney', '')}</users>",
        ),
        (  # §6.4.5
            "<users><user><name>fred</name></user></users>",
            "<users>" + user("fred", "<type>admin</type><full-name>Fred Flintstone</full-name>"
            "<company-info><dept>2</dept><id>2</id></company-info>") + "</users>",
        ),
        (  # §6.4.6
            "<users><user><name>fred</name><type/><full-name/></user></users>",
            "<users>" + user("fred", "<type>admin</type><full-name>Fred Flintstone</full-name>")
            + "</users>",
        ),
        (  # §6.4.7
            "<users><user><name>root</name><company-info/></user>"
            "<user><name>fred</name><company-info><id/></company-info></user>"
            "<user><name>barney</name><type>superuser</type><company-info><dept/></company-info>"
            "</user></users>",
            "<users>"
            + user("root", "<company-info><dept>1</dept><id>1</id></company-info>")
            + user("fred", "<company-info><id>2</id></company-info>")
            + "</users>",
        ),
        ("<nobody/>", ""),
        ("<users><nobody/></users>", ""),
    ],
)  # fmt: skip
def test_the_examples_of_rfc_6241(wanted: str, left: str) -> None:
    whole = trimmed(f'<data><top xmlns="{EX}">{left}</top></data>')
    assert on_users(wanted) == (etree.tostring(whole, method="c14n").decode() if left else "")


def test_an_empty_filter_selects_nothing() -> None:
    root = trimmed(USERS)  # RFC 6241 §6.4.2: and this is not an error
    assert compile_filter(SelectionFilter("subtree", " ")).marks(root) == set()


def test_attributes_must_match() -> None:
    stats = "http://example.com/schema/1.2/stats"
    root = etree.fromstring(
        f'<data><t:interfaces xmlns:t="{stats}"><t:interface t:ifName="eth0"/>'
        f'<t:interface t:ifName="eth1"/></t:interfaces></data>'
    )

    def found(attribute: str) -> list[str | None]:  # §6.4.8
        text = f'<t:interfaces xmlns:t="{stats}"><t:interface {attribute}/></t:interfaces>'
        marks = compile_filter(SelectionFilter("subtree", text)).marks(root)
        return [node.get(f"{{{stats}}}ifName") for node in marks]

    assert found('t:ifName="eth0"') == ["eth0"]
    assert found('ifName="eth0"') == []  # attributes know no wildcard (§6.2.2)
    assert found('t:other="eth0"') == []


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        (f'<interfaces xmlns="{IF}"/>', 2),
        ("<interfaces/>", 2),  # §6.2.1: no namespace is any namespace
        ('<interfaces xmlns="urn:other"/>', 0),
        (f'<interfaces xmlns="{IF}"><interface xmlns=""><name>eth1</name></interface></interfaces>',
         1),
        ("<interfaces><interface><enabled>true</enabled></interface></interfaces>", 1),
        (f'<interfaces xmlns="{IF}"><interface><enabled>true</enabled><if-index>2</if-index>'
         "</interface></interfaces>", 0),
        (f'<interfaces xmlns="{IF}"><interface><type xmlns:t="urn:ietf:params:xml:ns:yang:'
         'iana-if-type">t:ethernetCsmacd</type></interface></interfaces>', 1),
        (f'<interfaces xmlns="{IF}"><interface><type xmlns:t="urn:other">t:ethernetCsmacd</type>'
         "</interface></interfaces>", 0),
    ],
)  # fmt: skip
def test_subtrees_on_plain_values(text: str, entries: int) -> None:
    left = selected(SelectionFilter("subtree", text))
    assert len(left.get("ietf-interfaces:interfaces", {}).get("interface", ())) == entries


def selected(wanted: SelectionFilter) -> dict[str, Any]:
    root = tree_of(DATA)
    return cut(DATA, root, compile_filter(wanted).marks(root))


def xpath(text: str) -> SelectionFilter:
    return SelectionFilter("xpath", text, {"if": IF, "hw": "ietf-hardware"})


ETH0, ETH1 = DATA["ietf-interfaces:interfaces"]["interface"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("/if:interfaces/if:interface", [ETH0, ETH1]),
        ("if:interfaces", [ETH0, ETH1]),  # the context node is the root
        ("//if:interface[if:name='eth1']", [ETH1]),
        ("/ietf-interfaces:interfaces/interface[name = 'eth1']", [ETH1]),
        ("/if:interfaces/if:interface[if:enabled='true']", [ETH0]),
        ("/if:interfaces/if:interface[if:if-index > 1]/if:if-index",
         [{"name": "eth1", "if-index": 2}]),
        ("/if:interfaces/*[if:if-index * 2 = 4 and not(starts-with(name, 'x'))]/name",
         [{"name": "eth1"}]),
        ("/if:interfaces/interface/statistics/in-errors",
         [{"name": "eth0", "statistics": {"in-errors": 0}}]),
        ("/if:interfaces/interface/ietf-ip:ipv4/address[ip='192.0.2.2']",
         [{"name": "eth0", "ietf-ip:ipv4": {"address": [{"ip": "192.0.2.2"}]}}]),
        ("/if:interfaces/interface/higher-layer-if[.='b'] | /if:interfaces/interface/empty",
         [{"name": "eth0", "higher-layer-if": ["b"], "empty": [None]}]),
        ("/if:interfaces/interface[child::name='eth1' or self::hw:x]/self::if:interface", [ETH1]),
        ("/if:interfaces/interface[type='iana-if-type:ethernetCsmacd']/type",
         [{"name": "eth0", "type": "iana-if-type:ethernetCsmacd"}]),
        ("/if:interfaces/interface[(name)='eth1' and text()='x']", []),
        ("/if:nothing/of/this", []),
        ("/if:interfaces/interface[./name='eth0' and count(statistics/node()) div 2 = 1]/enabled",
         [{"name": "eth0", "enabled": True}]),
        ("/if:interfaces/interface[ietf-ip:ipv4[address[ip='192.0.2.2']] | hw:x]/if-index",
         [{"name": "eth0", "if-index": 1}]),
        ("/descendant::if:if-index[. = 2]", [{"name": "eth1", "if-index": 2}]),
    ],
)  # fmt: skip
def test_what_an_xpath_selects(text: str, left: list[Any]) -> None:
    found = selected(xpath(text))
    assert found == ({"ietf-interfaces:interfaces": {"interface": left}} if left else {})


def test_every_module_of_the_device_may_be_a_prefix() -> None:
    found = compile_filter(xpath("/ietf-netconf-acm:nacm/groups"))
    assert found.marks(tree_of(DATA)) == set()
    node = tree_of({"ietf-netconf-acm:nacm": {"groups": {"group": [{"name": "x"}]}}})
    assert len(found.marks(node)) == 1


def test_the_root_is_everything() -> None:
    root = tree_of(DATA)
    for text in ("/", "/hw:hardware | /"):
        assert root in compile_filter(xpath(text)).marks(root)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no XPath"),
        ("é", "no XPath"),
        ("/if:interfaces[", "is not closed"),
        ("/if:interfaces]", "closes nothing"),
        ("/if:interfaces[(name]", "closes nothing"),
        ("[name='x']", "without a node"),
        ("/if:interfaces if:interface", "an operator"),
        ("/if:interfaces[name='x' 'y']", "no XPath"),
        ("/if:interfaces/interface[1]", "position"),
        ("/if:interfaces/interface[count(statistics)]", "position"),
        ("/if:interfaces/interface[position()=1]", "position()"),
        ("/if:interfaces/interface[last()]", "last()"),
        ("/if:interfaces/..", "parent"),
        ("/if:interfaces/parent::node()", "axis"),
        ("/if:interfaces/interface[following-sibling::if:interface]", "axis"),
        ("/if:interfaces/@x", "attribute"),
        ("/if:interfaces[$x]", "variable"),
        ("//if:interfaces//if:name", "only once"),
        ("/descendant::if:interfaces//if:name", "only once"),
        ("/if:interfaces[.//if:name]", "within a predicate"),
        ("/if:interfaces[/if:interfaces]", "absolute path"),
        ("/if:interfaces/interface/name/text()", "no node of the data model"),
        ("/if:interfaces[id('x')]", "id()"),
        ("count(/if:interfaces)", "selects no nodes"),
        ("/if:interfaces = 1", "selects no nodes"),
        ("(/if:interfaces)/if:interface", "selects no nodes"),
        ("'text'", "selects no nodes"),
        ("/interfaces", "needs a prefix"),
        ("/nobody:interfaces", "no module 'nobody'"),
        ("/if:" + "x" * LIMIT, "characters"),
        ("/if:interfaces[.='\x01']", "no XPath"),
        ("/if:interfaces[.='\ud800']", "no XPath"),
        ("/if:x" + "/if:x" * MAX_TOKENS, "words"),
    ],
)
def test_what_is_not_evaluated_is_refused_with_a_sentence(text: str, why: str) -> None:
    with pytest.raises(FilterUnsupportedError, match=why.replace("(", r"\(").replace(")", r"\)")):
        compile_filter(xpath(text))


@pytest.mark.parametrize(
    "wanted",
    [
        SelectionFilter("ref", "named"),
        SelectionFilter("xpath", "/p:a", {"p": "urn:\x01"}),
        SelectionFilter("subtree", "<open>"),
        SelectionFilter("subtree", "\ud800"),
        SelectionFilter("subtree", "<a/>" * LIMIT),
        SelectionFilter("subtree", "<!DOCTYPE a><a/>"),
    ],
)
def test_what_is_no_filter_is_refused(wanted: SelectionFilter) -> None:
    with pytest.raises(FilterUnsupportedError):
        compile_filter(wanted)


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        (xpath("/if:interfaces"), True),
        (xpath("/if:nothing"), False),
        (xpath("count(/if:interfaces/if:interface) = 2"), True),
        (xpath("not(/if:interfaces/interface/name = 'eth0')"), False),
        (SelectionFilter("subtree", "<interfaces/>"), True),
        (SelectionFilter("subtree", "<nothing/>"), False),
    ],
)
def test_event_records_pass_or_not(wanted: SelectionFilter, passes: bool) -> None:
    """RFC 8639 §6: the XPath of an event stream is converted to a boolean."""
    assert compile_filter(wanted, boolean=True).matches(tree_of(DATA)) is passes


def test_keys_of_lists_that_are_not_called_name() -> None:
    values = {
        "ietf-subscribed-notifications:subscriptions": {
            "subscription": [{"id": 7, "encoding": "encode-json", "dscp": 0}]
        }
    }
    root = tree_of(values)
    wanted = xpath("/ietf-subscribed-notifications:subscriptions/subscription/dscp")
    marks = compile_filter(wanted).marks(root)
    (container,) = cut(values, root, marks).values()
    assert container == {"subscription": [{"id": 7, "dscp": 0}]}
    left = pruned(root, marks)
    assert left is not None
    assert [node.tag.rpartition("}")[2] for node in left[0][0]] == ["id", "dscp"]
