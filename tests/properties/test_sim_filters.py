"""Filters of whoever: refused with a sentence or evaluated, in time and without any other error."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.model import SelectionFilter
from publisher_sim.data.entries import HARDWARE, INTERFACES, sample
from publisher_sim.data.filters import FilterUnsupportedError, compile_filter, cut, pruned, tree_of
from publisher_sim.data.selection import select

DATA = {
    "ietf-interfaces:interfaces": {"interface": [sample(INTERFACES, name) for name in "ab"]},
    "ietf-hardware:hardware": {"component": [sample(HARDWARE, "c")]},
}
WORDS = st.sampled_from(
    (
        "/", "//", "|", "[", "]", "(", ")", ".", "..", "*", "@", "$", "=", "<", "!=", ",", "::",
        "and", "or", "div", " ", "'a'", '"b"', "1", "2.5", "-", "name", "if:interfaces",
        "if:interface", "interface", "ietf-hardware:hardware", "component", "oper-status",
        "statistics", "in-octets", "not", "count", "position", "text", "node", "self", "child",
        "descendant", "parent", "if:*", "x:y", "é", "\t", "'", "\x00",
    )
)  # fmt: skip
XPATHS = st.one_of(
    st.lists(WORDS, max_size=14).map("".join),
    st.lists(WORDS, max_size=8).map(lambda words: f"/if:interfaces/interface[{''.join(words)}]"),
    st.text(max_size=30),
)
NAMES = st.sampled_from(("interfaces", "interface", "name", "oper-status", "statistics", "x"))
SUBTREES = st.recursive(
    st.builds(
        lambda name, text: f"<{name}>{text}</{name}>", NAMES, st.sampled_from(("", "a", "up"))
    ),
    lambda inside: st.builds(
        lambda name, parts, scope: f"<{name}{scope}>{''.join(parts)}</{name}>",
        NAMES,
        st.lists(inside, max_size=3),
        st.sampled_from(("", ' xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces"', ' a="1"')),
    ),
    max_leaves=8,
)
SCOPE = {"if": "urn:ietf:params:xml:ns:yang:ietf-interfaces"}


def check(wanted: SelectionFilter) -> None:
    try:
        found = compile_filter(wanted)
    except FilterUnsupportedError:
        return
    root = tree_of(DATA)
    marks = found.marks(root)
    left, copy = cut(DATA, root, marks), pruned(root, marks)
    whole = root in marks
    assert bool(left) == (copy is not None) or whole
    if left and not whole and copy is not None:
        assert [child.tag for child in tree_of(left).iter()] == [one.tag for one in copy.iter()]
    possible = (found.possible or found).marks(root)
    if not whole:  # what is selected now could be selected at all
        assert {one.getroottree().getpath(one) for one in marks} <= {
            one.getroottree().getpath(one) for near in possible for one in near.iter()
        }
    try:
        selection = select(wanted)
    except FilterUnsupportedError:
        return  # the owner of an entry alone cannot tell
    for name in "ab":
        values = sample(INTERFACES, name)
        if selection.of(INTERFACES, name, values) is not None:
            assert selection.selects(INTERFACES, name)


@settings(max_examples=400, deadline=None)
@given(XPATHS)
def test_xpaths(text: str) -> None:
    check(SelectionFilter("xpath", text, SCOPE))


@settings(max_examples=200, deadline=None)
@given(st.one_of(SUBTREES, st.text(max_size=20)))
def test_subtrees(text: str) -> None:
    check(SelectionFilter("subtree", text))
