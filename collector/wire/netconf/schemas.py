"""The modules of a NETCONF server: which ones it has, and their text.

Does: the request for each list of modules that a server may keep, the lists as values, modules out
of the capabilities of a hello, ``get-schema`` both ways, and what the text of a module names.
Does not: parse YANG (``schema``), ask anybody (``subscriber.abilities.modules``), make file names.

Rules: names and revisions are those of YANG (RFC 7950 §6.2, §7.1.9) or the entry is counted as
unusable, so that neither can ever be a path; the number of modules and the length of a text are
bounded; only modules that are there as YANG count.

Spec: RFC 6022 §3.1, RFC 8525 §3, RFC 7895 §2.1, RFC 6020 §5.6.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import parse_qs
from xml.sax.saxutils import escape, quoteattr

from msgspec import Struct

from collector.errors import WireError
from collector.wire.netconf.errors import is_warning, read_error
from collector.wire.values import xml
from collector.wire.values.names import NETCONF_BASE, local_name

MONITORING: Final = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
"""RFC 6022 §5."""
YANG_LIBRARY: Final = "urn:ietf:params:xml:ns:yang:ietf-yang-library"
"""RFC 8525 §4, RFC 7895 §2.2."""
MAX_MODULES: Final = 10_000
"""Modules and submodules of one server (ours; real ones have up to 3,000)."""
MAX_MODULE: Final = 8 * 1024 * 1024
"""Characters of one module (ours; the largest of a vendor have 2 MiB)."""

SOURCES: Final[dict[str, str]] = {
    "yang-library": f"<yang-library xmlns={quoteattr(YANG_LIBRARY)}/>",
    "modules-state": f"<modules-state xmlns={quoteattr(YANG_LIBRARY)}/>",
    "netconf-state": f"<netconf-state xmlns={quoteattr(MONITORING)}><schemas/></netconf-state>",
}
"""Lists that a server may keep, best first -> the subtree filter that asks for it. The third one
knows what can be fetched, but not always what is implemented."""

_IDENTIFIER: Final = r"[A-Za-z_][A-Za-z0-9_.-]{0,199}"
_NAME: Final = re.compile(_IDENTIFIER)
_DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_REVISION: Final = re.compile(_DATE)
_LONGEST_ID: Final = 200
"""Characters of a content-id that are kept (ours)."""
_STRING_OR_COMMENT: Final = re.compile(
    r"\"(?:[^\"\\]++|\\.)*+\"?|'[^']*+'?|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?", re.DOTALL
)
"""RFC 7950 §6.1; one that is not closed goes to the end, so that the work stays linear."""
_DEPENDENCY: Final = re.compile(
    rf"(?<![^\s;{{}}])(?:import\s++({_IDENTIFIER})\s*+\{{|include\s++({_IDENTIFIER})\s*+[{{;])"
)
_REVISION_STATEMENT: Final = re.compile(rf"(?<![^\s;{{}}])revision\s++({_DATE})\s*+[{{;]")


class ModuleId(Struct, frozen=True, order=True):
    """One module or submodule."""

    name: str
    """A YANG identifier of at most 200 characters."""
    revision: str = ""
    """``yyyy-mm-dd``; empty: it has none, or nobody said."""

    def __str__(self) -> str:
        """``name@revision``, as files of modules are called (RFC 7950 §5.2)."""
        return f"{self.name}@{self.revision}" if self.revision else self.name


class Inventory(Struct, frozen=True):
    """What a server says that it has."""

    modules: tuple[ModuleId, ...] = ()
    """Each once, in the order of the list."""
    content_id: str = ""
    """``content-id`` or ``module-set-id``: changes when the modules do; empty: not said."""
    unusable: int = 0
    """Entries whose name or revision is none of YANG."""


class GetSchema(Struct, frozen=True):
    """RFC 6022 §3.1; the format is always ``yang``."""

    module: ModuleId


# --------------------------------------------------------------------------- lists of modules
def decode_inventory(reply: bytes) -> Inventory:
    """The reply to ``encode_list_request``; empty where the server keeps no such list.

    Raises:
        ProtocolError: the server refused.
        WireError: ``bad-xml``, ``too-deep``, ``bad-rpc-reply``, ``too-many-modules``.
    """
    data = _reply_of(reply).find("data")
    for tree in () if data is None else data.children:
        if tree.namespace == YANG_LIBRARY and tree.name == "yang-library":
            return _inventory(_library_entries(tree), tree.text_of("content-id"))
        if tree.namespace == YANG_LIBRARY and tree.name == "modules-state":
            entries = _with_submodules(tree.find_all("module"))
            return _inventory(entries, tree.text_of("module-set-id"))
        if tree.namespace == MONITORING and tree.name == "netconf-state":
            return _inventory(_schema_entries(tree))
    return Inventory()


def inventory_of(capabilities: Iterable[str]) -> Inventory:
    """Modules that a hello names (RFC 6020 §5.6.4); it names no submodules. Raises WireError."""
    found = []
    for capability in capabilities:
        query = parse_qs(capability.partition("?")[2], max_num_fields=None)
        if "module" in query:
            found.append((query["module"][0], query.get("revision", [""])[0]))
    return _inventory(found)


def _library_entries(library: xml.Element) -> Iterator[tuple[str, str]]:
    for module_set in library.find_all("module-set"):
        yield from _with_submodules(module_set.find_all("module"))
        yield from _with_submodules(module_set.find_all("import-only-module"))


def _with_submodules(modules: Iterable[xml.Element]) -> Iterator[tuple[str, str]]:
    for module in modules:
        for one in (module, *module.find_all("submodule")):
            yield one.text_of("name"), one.text_of("revision")


def _schema_entries(state: xml.Element) -> Iterator[tuple[str, str]]:
    schemas = state.find("schemas")
    for schema in () if schemas is None else schemas.find_all("schema"):
        if local_name(schema.text_of("format")) == "yang":
            yield schema.text_of("identifier"), schema.text_of("version")


def _inventory(entries: Iterable[tuple[str, str]], content_id: str = "") -> Inventory:
    found: dict[ModuleId, None] = {}
    unusable = 0
    for name, revision in entries:
        if _NAME.fullmatch(name) and (not revision or _REVISION.fullmatch(revision)):
            found[ModuleId(name, revision)] = None
        else:
            unusable += 1
        if len(found) > MAX_MODULES:
            raise WireError("too-many-modules", f"there are more than {MAX_MODULES:,} modules")
    return Inventory(tuple(found), content_id[:_LONGEST_ID], unusable)


def encode_list_request(message_id: str, source: str) -> bytes:
    """Ask for a list of modules; ``source`` is a key of ``SOURCES``."""
    return _rpc(message_id, f'<get><filter type="subtree">{SOURCES[source]}</filter></get>')


# --------------------------------------------------------------------------- get-schema
def decode_get_schema(request: bytes) -> tuple[str, GetSchema]:
    """The message-id and what is asked for.

    Raises:
        WireError: ``bad-xml``, ``too-deep``; ``bad-rpc``: no get-schema, or a name that is none.
    """
    root = xml.parse(request)
    asked = root.find("get-schema")
    if asked is None or asked.namespace != MONITORING:
        raise WireError("bad-rpc", "the rpc is no get-schema", clause="RFC 6022 §3.1")
    found = _inventory([(asked.text_of("identifier"), asked.text_of("version"))])
    if not found.modules:
        raise WireError("bad-rpc", "identifier or version is none", clause="RFC 6022 §3.1")
    return root.attributes.get("message-id", ""), GetSchema(found.modules[0])


def decode_schema(reply: bytes, name: str) -> str:
    """The text of module ``name`` out of the reply to its get-schema.

    Raises:
        ProtocolError: the server refused.
        WireError: ``bad-xml``, ``too-deep``, ``bad-rpc-reply``; ``bad-module``: longer than
            ``MAX_MODULE``, or no YANG module or submodule of that name.
    """
    data = _reply_of(reply).find("data")
    text = "" if data is None else data.text
    if len(text) > MAX_MODULE:
        raise WireError("bad-module", f"{name} has more than {MAX_MODULE:,} characters")
    if not re.search(rf"(?<![\w.-])(?:sub)?module\s++([\"']?){re.escape(name)}\1\s*+\{{", text):
        raise WireError("bad-module", f"what came is no YANG module {name}", field="data")
    return text


def encode_get_schema(message_id: str, request: GetSchema) -> bytes:
    """Ask for a module as YANG; without its revision where it has none."""
    module = request.module
    version = f"<version>{module.revision}</version>" if module.revision else ""
    return _rpc(
        message_id,
        f"<get-schema xmlns={quoteattr(MONITORING)}><identifier>{module.name}</identifier>"
        f"{version}<format>yang</format></get-schema>",
    )


def encode_schema(
    message_id: str, text: str, attributes: Mapping[str, str] | None = None
) -> bytes:  # fmt: skip
    """Answer a get-schema with the text of the module; ``attributes`` as in ``Rpc``."""
    content = f"<data xmlns={quoteattr(MONITORING)}>{escape(text)}</data>"
    return _reply(message_id, content, attributes or {})


def _reply_of(reply: bytes) -> xml.Element:
    """The ``<rpc-reply>`` without error. Raises ProtocolError, WireError."""
    root = xml.parse(reply)
    if root.name != "rpc-reply" or root.namespace != NETCONF_BASE:
        raise WireError("bad-rpc-reply", "this is no rpc-reply", clause="RFC 6241 §4.2")
    for error in root.find_all("rpc-error"):
        if not is_warning(error):
            raise read_error(error)
    return root


def _reply(message_id: str, content: str, attributes: Mapping[str, str]) -> bytes:
    returned = xml.attributes_text({"message-id": message_id, **attributes})
    start = f"<rpc-reply{returned} xmlns={quoteattr(NETCONF_BASE)}>"
    return f"{start}{content}</rpc-reply>".encode()


def _rpc(message_id: str, operation: str) -> bytes:
    return (
        f"<rpc message-id={quoteattr(message_id)} xmlns={quoteattr(NETCONF_BASE)}>{operation}</rpc>"
    ).encode()


# --------------------------------------------------------------------------- text of a module
def latest_revision(text: str) -> str:
    """The latest revision that the text of a module names; empty: none."""
    return max(_REVISION_STATEMENT.findall(_statements(text)), default="")


def dependencies(text: str) -> tuple[str, ...]:
    """Modules that it imports and submodules that it includes, each once."""
    found = (match[1] or match[2] for match in _DEPENDENCY.finditer(_statements(text)))
    return tuple(dict.fromkeys(found))


def _statements(text: str) -> str:
    """The text without comments and prose, for descriptions show modules as examples."""
    return _STRING_OR_COMMENT.sub(_short, text)


def _short(match: re.Match[str]) -> str:
    """A name or date without its quotes; nothing of all others."""
    inside = match[0][1:-1]
    return inside if _NAME.fullmatch(inside) or _REVISION.fullmatch(inside) else " "
