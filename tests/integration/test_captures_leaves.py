"""Leaves of real updates: JSON and CBOR of one publisher, with a schema and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.model import NotificationKind
from collector.pipeline.leaves import leaves_of
from collector.pipeline.schemas import DeviceSchemas
from collector.schema.building import load_schema
from collector.schema.flatten import Leaf
from collector.wire.notifications.notification import decode
from tests.integration.test_captures_notifications import (
    CAPTURES,
    FILES,
    capture_named,
    each_capture,
    messages,
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not FILES, reason=f"no captures in {CAPTURES} (set YANG_PUSH_CAPTURES)"),
]

COUNTERS = " ".join(
    f"leaf {way}-{what} {{ type uint64; }}"
    for way in ("in", "out")
    for what in ("octets", "unicast-pkts", "discards", "errors")
)
MODULES = {
    "vrouter": 'module vrouter { namespace "urn:a"; prefix v; container state {'
    " list vrf { key name; leaf name { type string; } } } }",
    "vrouter-interface": 'module vrouter-interface { namespace "urn:b"; prefix i;'
    ' import vrouter { prefix v; } augment "/v:state/v:vrf" { container interface {'
    " list physical { key name; leaf name { type string; }"
    f" container counters {{ {COUNTERS} }} }} }} }} }}",
}
"""As much of the publisher's modules as its updates show; typed from them."""


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> DeviceSchemas:
    folder = Path(tmp_path_factory.mktemp("yang"))
    for name, text in MODULES.items():
        (folder / f"{name}.yang").write_text(text)
    schema, wrong = load_schema([folder])
    assert not wrong
    return DeviceSchemas(schemas={"": schema})


def leaves(part: str, known: DeviceSchemas | None = None) -> list[Leaf]:
    """Of the one interface that both captures are about."""
    return [
        leaf
        for kind, payload in messages(capture_named(part))
        if decode(payload, kind).kind is NotificationKind.PUSH_UPDATE
        for leaf in leaves_of(payload, kind, "", known or DeviceSchemas()).leaves
        if "/physical[name='ens192']" in leaf.path
    ]


def test_json_and_cbor_of_one_publisher_have_the_same_leaves(known: DeviceSchemas) -> None:
    in_json, in_cbor = leaves("20250304-0811", known), leaves("20250305-1133", known)
    assert {(leaf.path, leaf.keys, leaf.type, type(leaf.value)) for leaf in in_json} == {
        (leaf.path, leaf.keys, leaf.type, type(leaf.value)) for leaf in in_cbor
    }
    counter = (
        "/vrouter:state/vrf[name='main']/vrouter-interface:interface/physical[name='ens192']"
        "/counters/in-octets"
    )
    for found in (in_json, in_cbor):
        assert not any(leaf.guessed for leaf in found)
        values = [leaf.value for leaf in found if leaf.path == counter]
        assert len(values) > 5
        assert values == sorted(values), "a counter of one day"  # type: ignore[type-var]
        assert {leaf.type for leaf in found} == {"string", "uint64"}


def test_without_a_schema_the_paths_are_the_same(known: DeviceSchemas) -> None:
    for part in ("20250304-0811", "20250305-1133"):
        guessed, exact = leaves(part), leaves(part, known)
        assert [(leaf.path, leaf.text) for leaf in guessed] == [
            (leaf.path, leaf.text) for leaf in exact
        ]
        assert all(leaf.guessed for leaf in guessed)


@each_capture
def test_every_update_has_leaves(capture: Path) -> None:
    counted = 0
    for kind, payload in messages(capture):
        if decode(payload, kind).kind is not NotificationKind.PUSH_UPDATE:
            continue
        found = leaves_of(payload, kind)
        assert found.whole
        assert len({leaf.path for leaf in found.leaves}) == len(found.leaves)
        counted += len(found.leaves)
    assert counted
