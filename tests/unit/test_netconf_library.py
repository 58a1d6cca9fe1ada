"""YANG libraries with features, hellos and streams; typed after RFC 8525, 7895, 6020 and 8639."""

from __future__ import annotations

import pytest

from collector.errors import WireError
from collector.wire.netconf import library as netconf_library
from collector.wire.netconf.library import (
    Library,
    Module,
    Stream,
    library_filter,
    library_of,
    namespaces_in,
    namespaces_of,
    originator_leaves,
    protocol_capabilities,
    read_library,
    read_streams,
)
from collector.wire.values import xml

LIBRARY = "urn:ietf:params:xml:ns:yang:ietf-yang-library"
NMDA = f"""<yang-library xmlns="{LIBRARY}" xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores">
<module-set><name>a</name>
  <module><name>ietf-yang-push</name><revision>2019-09-09</revision>
    <feature>on-change</feature></module>
  <module><name>example</name></module>
  <module><name>../escape</name></module>
  <module><name>late</name><revision>tomorrow</revision></module>
  <import-only-module><name>ietf-yang-types</name><revision>2013-07-15</revision>
  </import-only-module></module-set>
<module-set><name>b</name>
  <module><name>ietf-yang-push</name><revision>2019-09-09</revision>
    <feature>more</feature><feature>on-change</feature><feature>no feature</feature></module>
</module-set>
<datastore><name>ds:running</name></datastore><datastore><name>ds:operational</name></datastore>
<content-id>c7</content-id></yang-library>"""
STATE = f"""<modules-state xmlns="{LIBRARY}"><module-set-id>m9</module-set-id>
<module><name>ietf-yang-push</name><revision>2019-09-09</revision><feature>on-change</feature>
  <conformance-type>implement</conformance-type></module>
<module><name>ietf-yang-types</name><revision>2013-07-15</revision>
  <conformance-type>import</conformance-type></module></modules-state>"""
HELLO = (
    "urn:ietf:params:netconf:base:1.1",
    "urn:ietf:params:netconf:capability:candidate:1.0",
    "urn:ietf:params:netconf:capability:with-defaults:1.0?basic-mode=explicit",
    "urn:ietf:params:netconf:capability:candidate:1.1",
    "urn:ietf:params:netconf:capability:../x:1.1",
    "urn:ietf:params:netconf:capability:yang-library:1.1?revision=2019-01-04&content-id=c7",
    "urn:example:m?module=example&revision=2026-01-01&features=fast,safe&deviations=example-dev",
    "urn:example:plain?module=pl%61in&&features",
)
PUSH = Module("ietf-yang-push", "2019-09-09", ("on-change",))


@pytest.mark.clause("8525-3")
def test_a_library_with_module_sets() -> None:
    found = read_library(xml.parse(NMDA.encode()))
    assert found == Library(
        (Module("ietf-yang-push", "2019-09-09", ("on-change", "more")), Module("example")),
        2,
        ("running", "operational"),
        "c7",
        unusable=2,
    )
    assert found.module("example") == Module("example")
    assert found.module("ietf-yang-types") is None, "only its types are there"
    kept = found.relevant()
    assert ([one.name for one in kept.modules], kept.listed) == (["ietf-yang-push"], 2)


def test_a_library_of_rfc_7895() -> None:
    assert read_library(xml.parse(STATE.encode())) == Library((PUSH,), 1, content_id="m9")


def test_a_hello() -> None:
    assert library_of(HELLO) == Library(
        (Module("example", "2026-01-01", ("fast", "safe")), Module("plain")), 2, content_id="c7"
    )
    old = library_of(["urn:ietf:params:netconf:capability:yang-library:1.0?module-set-id=s"])
    assert old.content_id == "s"
    assert protocol_capabilities(HELLO) == ("candidate", "with-defaults", "yang-library")


def test_too_many_modules_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netconf_library, "MAX_MODULES", 1)
    with pytest.raises(WireError) as caught:
        library_of(HELLO)
    assert caught.value.reason == "too-many-modules"


def test_what_is_asked_for_is_little() -> None:
    asked = xml.parse(b"<filter>" + library_filter(relevant=True).encode() + b"</filter>")
    library, state = asked.children
    assert (library.namespace, library.name) == (LIBRARY, "yang-library")
    assert (state.namespace, state.name) == (LIBRARY, "modules-state")
    named = [one.text_of("name") for one in library.children[0].find_all("module")]
    assert named == [one.text_of("name") for one in state.find_all("module")]
    assert {"ietf-yang-push", "ietf-system-capabilities", "ietf-distributed-notif"} < set(named)


def test_all_of_it_can_be_asked_for_too() -> None:
    asked = xml.parse(b"<filter>" + library_filter(relevant=False).encode() + b"</filter>")
    assert [(top.name, top.children) for top in asked.children] == [
        ("yang-library", []), ("modules-state", [])
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            """grouping g { leaf-list message-generator-id { type string; } }
            augment "/sn:establish-subscription/sn:output" { uses g; }""",
            (("message-generator-id",), True),
        ),
        (
            """augment "/sn:establish-sub"
                    + "scription/output" { leaf-list message-publisher-ids {type uint32;} }
            augment /yp:push-update { leaf message-publisher-id { type uint32; } }""",
            (("message-publisher-ids", "message-publisher-id"), True),
        ),
        ("augment /sn:subscription-started { leaf-list message-publisher-id {} }",
         (("message-publisher-id",), False)),
        ("leaf message-publisher-idea {}", ((), False)),
    ],
)  # fmt: skip
def test_how_a_module_spells_the_originator_id(text: str, expected: object) -> None:
    assert originator_leaves(text) == expected


STREAMS = """<streams xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications">
<stream><name>NETCONF</name><description>all of them</description><replay-support/>
<replay-log-creation-time>2026-01-01T00:00:00Z</replay-log-creation-time></stream>
<stream><name>alarms</name><replay-support/>
<replay-log-creation-time>2026-01-01T00:00:00Z</replay-log-creation-time>
<replay-log-aged-time>2026-02-01T00:00:00Z</replay-log-aged-time></stream>
<stream><name>bare</name></stream><stream/></streams>"""


def test_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = xml.parse(STREAMS.encode())
    found = read_streams(tree)
    assert found == (
        Stream("NETCONF", "all of them", True, "2026-01-01T00:00:00Z"),
        Stream("alarms", "", True, "2026-02-01T00:00:00Z"),
        Stream("bare"),
    )
    monkeypatch.setattr(netconf_library, "_MAX_STREAMS", 2)
    assert read_streams(tree) == found[:2]


CARS = "http://example.com/yang/cars"
NAMED = f"""<yang-library xmlns="{LIBRARY}"><module-set>
<module><name>cars</name><namespace>{CARS}</namespace></module>
<module><name>bare</name></module>
<import-only-module><name>types</name><namespace>urn:types</namespace></import-only-module>
</module-set></yang-library>"""
NAMED_STATE = f"""<modules-state xmlns="{LIBRARY}">
<module><name>cars</name><namespace>{CARS}</namespace></module>
<module><name>types</name><namespace>urn:types</namespace>
<conformance-type>import</conformance-type></module></modules-state>"""


@pytest.mark.parametrize("text", [NAMED, NAMED_STATE])
def test_namespaces_of_wanted_modules(text: str) -> None:
    tree = xml.parse(text.encode())
    assert namespaces_in(tree, ("cars", "types", "urn:types", "trucks")) == {"cars": CARS}
    assert namespaces_in(tree, (CARS, "urn:none")) == {CARS: CARS}


def test_a_module_without_a_namespace_is_there_all_the_same() -> None:
    assert namespaces_in(xml.parse(NAMED.encode()), ("bare",)) == {"bare": ""}


def test_namespaces_that_a_hello_says() -> None:
    hello = (f"{CARS}?module=cars&amp;revision=2020-01-01", "urn:other", f"{CARS}?module=cars")
    assert namespaces_of(hello, ("cars", "other")) == {"cars": CARS}


def test_further_modules_can_be_asked_for_by_name_and_by_namespace() -> None:
    text = library_filter(relevant=True, further=("cars", f"{CARS}?a&b", "ietf-yang-push"))
    tree = xml.parse(f"<filter>{text}</filter>".encode())
    (modules,) = tree.children[0].find_all("module-set")
    wanted = list(modules.find_all("module"))
    assert [one.text_of("name") for one in wanted].count("ietf-yang-push") == 1
    assert wanted[-2].text_of("name") == "cars"
    assert wanted[-1].text_of("namespace") == f"{CARS}?a&b"
    assert [one.text_of("name") for one in tree.children[1].find_all("module")][-2] == "cars"
