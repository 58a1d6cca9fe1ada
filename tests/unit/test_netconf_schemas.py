"""Lists of modules and get-schema; replies typed after the examples of RFC 6022, 8525 and 7895."""

from __future__ import annotations

import pytest

from collector.errors import ProtocolError, WireError
from collector.wire.netconf import schemas as netconf_schemas
from collector.wire.netconf.schemas import (
    GetSchema,
    Inventory,
    ModuleId,
    decode_get_schema,
    decode_inventory,
    decode_schema,
    dependencies,
    encode_get_schema,
    encode_list_request,
    encode_schema,
    inventory_of,
    latest_revision,
)
from collector.wire.values import xml

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
LIBRARY = "urn:ietf:params:xml:ns:yang:ietf-yang-library"


def reply(content: str) -> bytes:
    return f'<rpc-reply message-id="101" xmlns="{BASE}">{content}</rpc-reply>'.encode()


YANG_LIBRARY = f"""<data><yang-library xmlns="{LIBRARY}"
    xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores">
  <module-set><name>state-modules</name>
    <module><name>ietf-hardware</name><revision>2018-03-13</revision>
      <namespace>urn:ietf:params:xml:ns:yang:ietf-hardware</namespace></module>
    <module><name>example-vendor</name>
      <namespace>urn:example:vendor</namespace>
      <submodule><name>example-vendor-types</name><revision>2018-01-12</revision></submodule>
      <submodule><name>example-vendor-more</name></submodule>
      <feature>fast</feature><deviation>example-vendor-deviations</deviation></module>
    <import-only-module><name>ietf-yang-types</name><revision>2013-07-15</revision>
      <namespace>urn:ietf:params:xml:ns:yang:ietf-yang-types</namespace></import-only-module>
    <import-only-module><name>ietf-yang-types</name><revision>2010-09-24</revision>
    </import-only-module>
  </module-set>
  <module-set><name>config-modules</name>
    <module><name>ietf-hardware</name><revision>2018-03-13</revision></module>
  </module-set>
  <schema><name>state-schema</name><module-set>state-modules</module-set></schema>
  <datastore><name>ds:operational</name><schema>state-schema</schema></datastore>
  <content-id>75a43df9bd56b92aacc156a2958fbe12312fb285</content-id>
</yang-library></data>"""

MODULES_STATE = f"""<data><modules-state xmlns="{LIBRARY}">
  <module-set-id>a1</module-set-id>
  <module><name>foo</name><revision>2015-06-01</revision>
    <schema>https://example.com/foo.yang</schema><conformance-type>implement</conformance-type>
    <submodule><name>foo-sub</name><revision></revision></submodule></module>
  <module><name>bar</name><revision/><conformance-type>import</conformance-type></module>
</modules-state></data>"""

SCHEMAS = f"""<data><netconf-state xmlns="{MONITORING}" xmlns:ncm="{MONITORING}"><schemas>
  <schema><identifier>foo</identifier><version>1.0</version><format>xsd</format>
    <namespace>http://example.com/foo</namespace>
    <location>ftp://ftp.example.com/schemas/foo_1.0.xsd</location></schema>
  <schema><identifier>bar</identifier><version>2008-06-01</version><format>yang</format>
    <location>NETCONF</location></schema>
  <schema><identifier>bar-types</identifier><version>2008-06-01</version>
    <format>ncm:yang</format><location>NETCONF</location></schema>
</schemas></netconf-state></data>"""

EXPECTED = [
    (
        YANG_LIBRARY,
        Inventory(
            (
                ModuleId("ietf-hardware", "2018-03-13"),
                ModuleId("example-vendor"),
                ModuleId("example-vendor-types", "2018-01-12"),
                ModuleId("example-vendor-more"),
                ModuleId("ietf-yang-types", "2013-07-15"),
                ModuleId("ietf-yang-types", "2010-09-24"),
            ),
            "75a43df9bd56b92aacc156a2958fbe12312fb285",
        ),
    ),
    (
        MODULES_STATE,
        Inventory((ModuleId("foo", "2015-06-01"), ModuleId("foo-sub"), ModuleId("bar")), "a1"),
    ),
    (SCHEMAS, Inventory((ModuleId("bar", "2008-06-01"), ModuleId("bar-types", "2008-06-01")))),
    (f'<data><netconf-state xmlns="{MONITORING}"/></data>', Inventory()),
    ('<data><yang-library xmlns="urn:example:other"><content-id>1</content-id></yang-library>'
     '<netconf-state/><modules-state/></data>', Inventory()),
    ("<data/>", Inventory()),
    ("<ok/>", Inventory()),
]  # fmt: skip


@pytest.mark.parametrize(("content", "expected"), EXPECTED)
def test_each_list_is_read(content: str, expected: Inventory) -> None:
    assert decode_inventory(reply(content)) == expected


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "/etc/passwd", ".hidden", "-rf", "a/b", "a\\b", "a b", "", "a@b", "naïve",
     "x" * 201, "a:b"],
)  # fmt: skip
def test_a_name_that_could_be_a_path_is_no_module(name: str) -> None:
    listed = f"<module><name>{name}</name></module><module><name>good</name></module>"
    content = f'<data><modules-state xmlns="{LIBRARY}">{listed}</modules-state></data>'
    found = decode_inventory(reply(content))
    assert found == Inventory((ModuleId("good"),), unusable=1)


@pytest.mark.parametrize("revision", ["1.0", "2008-06-1", "2008-06-01/..", "٢٠٠٨-06-01", "today"])
def test_a_revision_is_a_date(revision: str) -> None:
    assert inventory_of([f"urn:example:a?module=a&revision={revision}"]) == Inventory(unusable=1)


def test_a_hello_names_modules() -> None:
    found = inventory_of(
        [
            "urn:ietf:params:netconf:base:1.1",
            "urn:ietf:params:netconf:capability:yang-library:1.1?revision=2019-01-04&content-id=7",
            "http://example.com/syslog?module=syslog&revision=2008-04-01&features=local-storage",
            "http://example.com/plain?module=plain",
        ]
    )
    assert found.modules == (ModuleId("syslog", "2008-04-01"), ModuleId("plain"))


def test_a_list_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netconf_schemas, "MAX_MODULES", 2)
    hello = [f"urn:example:{name}?module={name}" for name in "abab"]
    assert len(inventory_of(hello).modules) == 2
    with pytest.raises(WireError) as caught:
        inventory_of([*hello, "urn:example:c?module=c"])
    assert caught.value.reason == "too-many-modules"


def test_a_long_content_id_is_cut() -> None:
    content = f"<content-id>{'x' * 5000}</content-id>"
    found = decode_inventory(
        reply(f'<data><yang-library xmlns="{LIBRARY}">{content}</yang-library></data>')
    )
    assert len(found.content_id) == 200


@pytest.mark.parametrize(
    ("source", "namespace", "path"),
    [
        ("yang-library", LIBRARY, ["yang-library"]),
        ("modules-state", LIBRARY, ["modules-state"]),
        ("netconf-state", MONITORING, ["netconf-state", "schemas"]),
    ],
)
def test_a_list_is_asked_for_with_a_subtree_filter(
    source: str, namespace: str, path: list[str]
) -> None:
    root = xml.parse(encode_list_request("7", source))
    assert (root.namespace, root.name, root.attributes) == (BASE, "rpc", {"message-id": "7"})
    node = root.children[0].children[0]
    assert (root.children[0].name, node.name, node.attributes) == (
        "get", "filter", {"type": "subtree"},
    )  # fmt: skip
    for name in path:
        node = node.children[0]
        assert (node.namespace, node.name) == (namespace, name)
    assert not node.children


# --------------------------------------------------------------------------- get-schema
BAR = """module bar {
  namespace "http://example.com/bar";
  prefix b;
  include bar-sub;
  import bar-types { prefix bt; revision-date 2008-06-01; }
  import "quoted" {
    prefix q;
  }
  import bar-types { prefix again; }
  include 'bar-more' { revision-date 2008-06-01; }
  // import commented { prefix c; } "
  /* import * / too { prefix c; } ' */ include last;
  description "as in \\"x\\":
    import shown { prefix s; }
    revision 2030-01-01;";
  contact 'http://example.com/
    include shown; \\';
  not-import dashed { prefix d; }
  revision 2007-01-01;
  revision "2008-06-01" { description "a < b & c"; }
}"""


def test_the_request_of_rfc_6022() -> None:
    printed = f"""<rpc message-id="101" xmlns="{BASE}">
      <get-schema xmlns="{MONITORING}">
        <identifier>bar</identifier><version>2008-06-01</version><format>yang</format>
      </get-schema></rpc>""".encode()
    wanted = GetSchema(ModuleId("bar", "2008-06-01"))
    assert decode_get_schema(printed) == ("101", wanted)
    assert decode_get_schema(encode_get_schema("101", wanted)) == ("101", wanted)
    ours = xml.parse(encode_get_schema("1", wanted)).children[0]
    assert [(one.name, one.text) for one in ours.children] == [
        ("identifier", "bar"), ("version", "2008-06-01"), ("format", "yang"),
    ]  # fmt: skip
    assert ours.namespace == MONITORING
    assert b"<version>" not in encode_get_schema("1", GetSchema(ModuleId("bar")))


@pytest.mark.parametrize(
    "request_",
    [
        f'<rpc message-id="1" xmlns="{BASE}"><get/></rpc>',
        f'<rpc message-id="1" xmlns="{BASE}"><get-schema/></rpc>',
        f'<rpc xmlns="{BASE}"><get-schema xmlns="{MONITORING}"/></rpc>',
    ],
)
def test_what_is_no_get_schema(request_: str) -> None:
    with pytest.raises(WireError) as caught:
        decode_get_schema(request_.encode())
    assert caught.value.reason == "bad-rpc"


def test_the_reply_of_rfc_6022() -> None:
    escaped = BAR.replace("&", "&amp;").replace("<", "&lt;")
    assert decode_schema(reply(f'<data xmlns="{MONITORING}">{escaped}</data>'), "bar") == BAR
    assert decode_schema(reply(f"<data><![CDATA[\n{BAR}\n]]></data>"), "bar") == BAR
    assert decode_schema(encode_schema("1", BAR), "bar") == BAR
    returned = xml.parse(encode_schema("1", BAR, {"urn:x a": "<1>"})).attributes
    assert returned == {"message-id": "1", "urn:x a": "<1>"}
    submodule = 'submodule "bar-sub"\n{ belongs-to bar { prefix b; } }'
    assert decode_schema(encode_schema("1", submodule), "bar-sub") == submodule


@pytest.mark.parametrize(
    "content",
    ["<data/>", "<ok/>", "<data>module foo { }</data>", "<data>not-module bar { }</data>",
     "<data>module bar.x { }</data>", "<data><module>module bar { }</module></data>",
     "<data>module 'bar\" { }</data>"],
)  # fmt: skip
def test_what_is_not_that_module(content: str) -> None:
    with pytest.raises(WireError) as caught:
        decode_schema(reply(content), "bar")
    assert caught.value.reason == "bad-module"


def test_a_module_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netconf_schemas, "MAX_MODULE", len(BAR))
    assert decode_schema(encode_schema("1", BAR), "bar")
    with pytest.raises(WireError, match="more than"):
        decode_schema(encode_schema("1", BAR + "x"), "bar")


def test_a_refusal_is_an_error_and_a_warning_is_none() -> None:
    error = (
        "<rpc-error><error-type>application</error-type><error-tag>invalid-value</error-tag>"
        "<error-severity>{}</error-severity><error-message>no such schema</error-message>"
        "</rpc-error>"
    )
    for decode in (decode_inventory, lambda octets: decode_schema(octets, "bar")):
        with pytest.raises(ProtocolError, match="no such schema"):
            decode(reply(error.format("error")))
    warned = reply(error.format("warning") + "<data>module bar { }</data>")
    assert decode_schema(warned, "bar") == "module bar { }"


@pytest.mark.parametrize("octets", [b"<hello/>", b'<rpc-reply xmlns="urn:x"/>'])
def test_what_is_no_reply(octets: bytes) -> None:
    with pytest.raises(WireError) as caught:
        decode_inventory(octets)
    assert caught.value.reason == "bad-rpc-reply"


def test_what_a_text_names() -> None:
    assert dependencies(BAR) == ("bar-sub", "bar-types", "quoted", "bar-more", "last")
    assert latest_revision(BAR) == "2008-06-01"
    assert latest_revision("module x { }") == ""
    assert dependencies('import x { prefix x; } description "include y; \\\\') == ("x",)
    assert dependencies("include x; /* include y;") == ("x",)
    assert str(ModuleId("bar", "2008-06-01")) == "bar@2008-06-01"
    assert str(ModuleId("bar")) == "bar"


@pytest.mark.parametrize("start", ["", '"', "'", "module y {"])
@pytest.mark.parametrize(
    "piece", ['\\"', '"\\', "/*", "'\\", "/*/", "import ", "import\n", "revision ", "module x "]
)
def test_a_hostile_text_is_read_in_linear_time(start: str, piece: str) -> None:
    """A quadratic reader would need hours."""
    text = start + piece * 200_000
    assert dependencies(text) == ()
    assert latest_revision(text) == ""
    with pytest.raises(WireError):
        decode_schema(encode_schema("1", text), "x")
