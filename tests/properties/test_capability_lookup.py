"""What counts for a node (RFC 9196 §4.2): the look-up against its definition, step by step."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.wire.netconf.capabilities import (
    NodeCapabilities,
    PushCapabilities,
    SystemCapabilities,
    stated,
)
from collector.wire.netconf.node_paths import NodePath, read_paths

NAMES = st.sampled_from("abc")
PATHS = st.lists(NAMES, max_size=4).map(tuple)
LIMITS = st.one_of(st.none(), st.integers(1, 9))
ENTRIES = st.lists(
    st.tuples(st.sampled_from(["operational", "running"]), PATHS, LIMITS), max_size=8
)


def text_of(steps: tuple[str, ...]) -> str:
    return "/" + "/".join(f"m:{name}" for name in steps)


def path_of(steps: tuple[str, ...]) -> NodePath:
    return NodePath(tuple(("m", name) for name in steps))


@given(PATHS)
def test_a_path_is_read_as_it_is_written(steps: tuple[str, ...]) -> None:
    assert read_paths(text_of(steps), {}) == (path_of(steps),)
    assert read_paths(str(path_of(steps)), {}) == (path_of(steps),)


@settings(max_examples=300)
@given(PATHS, PATHS)
def test_above_is_a_prefix(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert path_of(one).above(path_of(other)) is (other[: len(one)] == one)


@settings(max_examples=500)
@given(ENTRIES, LIMITS, PATHS)
def test_a_single_node_has_the_value_of_the_first_entry_that_selects_it(
    entries: list[tuple[str, tuple[str, ...], int | None]],
    system: int | None,
    wanted: tuple[str, ...],
) -> None:
    """Of nodes below the wanted one nothing is said here, so there is one answer at the most."""
    entries = [one for one in entries if len(one[1]) <= len(wanted)]
    tree = SystemCapabilities(
        PushCapabilities(max_nodes_per_update=system),
        tuple(
            NodeCapabilities(
                datastore, text_of(steps), (path_of(steps),), PushCapabilities(max_nodes)
            )
            for datastore, steps, max_nodes in entries
        ),
    )
    expected = next(
        (
            limit
            for datastore, steps, limit in entries
            if datastore == "operational" and limit is not None and wanted[: len(steps)] == steps
        ),
        system,
    )
    found = [
        one.value for one in stated(tree, "max_nodes_per_update", "operational", path_of(wanted))
    ]
    assert found == ([] if expected is None else [expected])
