"""Paths out of XPaths, instance-identifiers and subtree filters."""

from __future__ import annotations

import pytest

from collector.model import SelectionFilter
from collector.wire.netconf import node_paths
from collector.wire.netconf.node_paths import (
    NodePath,
    named_modules,
    read_paths,
    selected_paths,
    unnamed_steps,
)

IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"
INTERFACE = (("ietf-interfaces", "interfaces"), ("ietf-interfaces", "interface"))


@pytest.mark.parametrize(
    ("text", "narrowed"),
    [
        ("/if:interfaces/if:interface", False),
        (" /if:interfaces/interface ", False),
        ("/ietf-interfaces:interfaces / interface", False),
        ("/if:interfaces/if:interface[if:name='a]/b']", True),
        ('/if:interfaces/if:interface [name="eth0"] [type = "x:y"]', True),
        ("/if:interfaces/if:interface[3]", True),
    ],
)
def test_one_path(text: str, narrowed: bool) -> None:
    assert read_paths(text, {"if": IF}) == (NodePath(INTERFACE, narrowed),)


def test_several_paths_and_the_root() -> None:
    found = read_paths("/a:b | /c:d/e:f", {"a": "x", "c": "http://example.com/yang/cars"})
    assert found == (NodePath((("x", "b"),)), NodePath((("cars", "d"), ("e", "f"))))
    assert read_paths("/", {}) == (NodePath(),)
    assert [str(path) for path in found] == ["/x:b", "/cars:d/e:f"]
    assert str(NodePath(INTERFACE)) == "/ietf-interfaces:interfaces/interface"
    assert str(NodePath((("", "a"), ("m", "b"), ("", "c")))) == "/a/m:b/c"


@pytest.mark.parametrize(
    "text",
    ["", "//x", "/*", "a/b", "/a/..", "/a |", "/a | b", "count(/a)", "/a[b", "/a/@b", "/a//b"],
)
def test_what_is_no_path_has_no_steps(text: str) -> None:
    assert read_paths(text, {}) is None


def test_an_endless_expression_is_not_looked_at() -> None:
    assert read_paths("/a" * node_paths.MAX_PATH, {}) is None
    assert selected_paths(SelectionFilter("subtree", " " * (node_paths.MAX_PATH + 1))) is None


def test_above_and_covers() -> None:
    all_of_it, one = NodePath(INTERFACE), NodePath(INTERFACE, narrowed=True)
    leaf = NodePath((*INTERFACE, ("ietf-interfaces", "name")))
    for path in (all_of_it, NodePath(), leaf):
        assert path.covers(leaf), str(path)
    assert one.above(leaf)
    assert not one.covers(leaf), "it may be the other interfaces"
    assert not leaf.above(all_of_it)
    other = NodePath((("ietf-hardware", "interfaces"),))
    assert not other.above(leaf), "another module, and both are known"
    assert NodePath((("interfaces", "interfaces"),)).above(leaf), "a vendor's module is a guess"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("<interfaces/>", [("/ietf-interfaces:interfaces", False)]),
        (
            "<interfaces><interface><name>eth0</name><statistics/></interface></interfaces>",
            [("/ietf-interfaces:interfaces/interface/statistics", True)],
        ),
        (
            "<interfaces><interface><name>eth0</name></interface></interfaces>",
            [("/ietf-interfaces:interfaces/interface", True)],
        ),
        (
            "<interfaces><interface><name/><type/></interface></interfaces>",
            [
                ("/ietf-interfaces:interfaces/interface/name", False),
                ("/ietf-interfaces:interfaces/interface/type", False),
            ],
        ),
    ],
)
def test_what_a_subtree_selects(content: str, expected: list[tuple[str, bool]]) -> None:
    text = content.replace("<interfaces", f'<interfaces xmlns="{IF}"', 1)
    found = selected_paths(SelectionFilter("subtree", text))
    assert found is not None
    assert [(str(path), path.narrowed) for path in found] == expected


def test_other_filters() -> None:
    assert selected_paths(None) == (NodePath(),)
    assert selected_paths(SelectionFilter("xpath", "/p:a", {"p": "m"})) == (
        NodePath((("m", "a"),)),
    )
    assert selected_paths(SelectionFilter("ref", "mine")) is None
    assert selected_paths(SelectionFilter("subtree", "<broken")) is None
    assert selected_paths(SelectionFilter("subtree", "")) is None


# --------------------------------------------------------------------------- modules
@pytest.mark.parametrize(
    ("text", "namespaces", "found"),
    [
        ("/ietf-interfaces:interfaces/ietf-ip:ipv4", {}, ("ietf-interfaces", "ietf-ip")),
        ("/if:interfaces", {"if": IF}, ("ietf-interfaces",)),
        ("/v:cars", {"v": "http://example.com/yang/cars"}, ("http://example.com/yang/cars",)),
        # what looks like a known module's namespace is another one
        ("/v:x", {"v": "urn:example:ietf-interfaces"}, ("urn:example:ietf-interfaces",)),
        ("/a:b[a:name='fe80::1'][a:type=\"c:d\"]", {}, ("a",)),
        ("/interfaces", {}, ()),
    ],
)
def test_modules_of_an_xpath(text: str, namespaces: dict[str, str], found: tuple[str, ...]) -> None:
    assert named_modules(SelectionFilter("xpath", text, namespaces)) == found


def test_modules_of_a_subtree() -> None:
    text = f'<interfaces xmlns="{IF}"><interface><ipv4 xmlns="urn:example:ip"/></interface>'
    subtree = SelectionFilter("subtree", text + "</interfaces><other/>")
    assert named_modules(subtree) == ("ietf-interfaces", "urn:example:ip")


def test_no_modules_where_nothing_can_be_read() -> None:
    assert named_modules(None) == ()
    assert named_modules(SelectionFilter("ref", "a:b")) == ()
    assert named_modules(SelectionFilter("subtree", "<a>")) == ()
    assert named_modules(SelectionFilter("xpath", "/a:b" * node_paths.MAX_PATH)) == ()
    many = "|".join(f"/m{number}:x" for number in range(2 * node_paths.MAX_NAMED))
    assert len(named_modules(SelectionFilter("xpath", many))) == node_paths.MAX_NAMED


def test_first_steps_without_a_module() -> None:
    text = "/interfaces/a:interface | /a:b/c | /interfaces | /"
    assert unnamed_steps(SelectionFilter("xpath", text)) == ()  # / is a path of its own only
    assert unnamed_steps(SelectionFilter("xpath", text[:-4])) == ("interfaces",)
    assert unnamed_steps(SelectionFilter("xpath", "/")) == ()
    assert unnamed_steps(SelectionFilter("xpath", "count(/x)")) == ()
    assert unnamed_steps(SelectionFilter("subtree", "<x/>")) == ()
    assert unnamed_steps(None) == ()
