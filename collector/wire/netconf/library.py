"""The YANG library of a server: its modules with their features, and its datastores.

Does: the request for the modules that matter to a subscriber, the library out of a reply or a
hello, the event streams, how a module spells the originator id. Does not: fetch modules
(``schemas``), ask anybody.

Rules: names are those of YANG or the entry is left out and counted; a module that is there only
for its types implements nothing; the number of modules is bounded.

Spec: RFC 8525 §3, RFC 7895 §2.1, RFC 6020 §5.6.4, RFC 7950 §5.6.4, RFC 8639 §3.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import unquote_plus
from xml.sax.saxutils import escape, quoteattr

from msgspec import Struct
from msgspec.structs import replace

from collector.errors import WireError
from collector.wire.netconf.schemas import MAX_MODULES, YANG_LIBRARY
from collector.wire.values import names, xml
from collector.wire.values.names import local_name

STREAMS_FILTER: Final = f"<streams xmlns={quoteattr(names.namespace_of(names.SN))}/>"
"""Subtree filter that asks for the event streams."""
RELEVANT: Final = (
    names.SN,
    names.YP,
    *names.GENERATOR_MODULES,
    names.UDP_TRANSPORT,
    names.HTTPS_TRANSPORT,
    names.RECEIVERS,
    names.UDP_OLD,
    "ietf-system-capabilities",
    "ietf-notification-capabilities",
    "ietf-yp-transport-capabilities",
    names.ENVELOPE,
    names.OBSERVATION,
    names.REVISION,
    names.NMDA,
    "ietf-netconf-monitoring",
)
"""Modules that say what can be subscribed to, and how."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,199}")
_REVISION: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LONGEST: Final = 200
"""Characters of a text that are kept; ours."""
_MAX_FEATURES: Final = 1000
"""Features of one module that are kept; ours."""
_MAX_STREAMS: Final = 1000
_PROTOCOL: Final = "urn:ietf:params:netconf:capability:"
_CONCATENATED: Final = re.compile(r"[\"']\s*\+\s*[\"']")
_LEAF: Final = re.compile(rf"\bleaf(?:-list)?\s+({'|'.join(names.GENERATOR_LEAVES)})\s*\{{")
_OUTPUT: Final = re.compile(r"establish-subscription/(?:[\w.-]{1,200}:)?output\b")
_LONGEST_PATH: Final = 300
"""Characters between ``augment`` and the output of establish-subscription; ours."""


class Module(Struct, frozen=True):
    """One module that a server implements."""

    name: str
    revision: str = ""
    """``yyyy-mm-dd``; empty: not said."""
    features: tuple[str, ...] = ()


class Library(Struct, frozen=True):
    """What is implemented."""

    modules: tuple[Module, ...] = ()
    """Each name once; the features of all its entries together."""
    listed: int = 0
    """How many modules the list had; ``modules`` may be the ``RELEVANT`` ones of them."""
    datastores: tuple[str, ...] = ()
    """Identities without their modules; empty: not said."""
    content_id: str = ""
    """Changes when the library does; empty: not said."""
    unusable: int = 0
    """Entries whose name or revision is none of YANG."""

    def module(self, name: str) -> Module | None:
        """The module of that name."""
        return next((one for one in self.modules if one.name == name), None)

    def relevant(self) -> Library:
        """Only what says what can be subscribed to: thousands of devices are kept in memory."""
        return replace(self, modules=tuple(one for one in self.modules if one.name in RELEVANT))


class Stream(Struct, frozen=True):
    """One event stream (RFC 8639 §3.1)."""

    name: str
    description: str = ""
    replay: bool = False
    replay_since: str = ""
    """Time of the oldest record that can be had, as it was written; empty: not said."""


def library_filter(*, relevant: bool, further: Iterable[str] = ()) -> str:
    """Subtree filter for either library.

    Args:
        relevant: only those modules, not some thousand.
        further: names or namespaces of others that are wanted beside these.
    """
    listed = content = ""
    if relevant:
        wanted = (*RELEVANT, *(one for one in further if one not in RELEVANT))
        modules = "".join(f"<module>{_wanted(one)}</module>" for one in wanted)
        content = f"<module-set-id/>{modules}"
        listed = f"<module-set>{modules}</module-set><datastore><name/></datastore><content-id/>"
    scope = f"xmlns={quoteattr(YANG_LIBRARY)}"
    return (
        f"<yang-library {scope}>{listed}</yang-library>"
        f"<modules-state {scope}>{content}</modules-state>"
    )


def _wanted(module: str) -> str:
    tag = "namespace" if _is_namespace(module) else "name"
    return f"<{tag}>{escape(module)}</{tag}>"


def _is_namespace(module: str) -> bool:
    return ":" in module or "/" in module


# --------------------------------------------------------------------------- decode
def namespaces_in(tree: xml.Element, wanted: Iterable[str]) -> dict[str, str]:
    """The namespaces of implemented modules, in either library.

    Args:
        tree: ``<yang-library>`` or ``<modules-state>``.
        wanted: names or namespaces of modules.

    Returns:
        Each of ``wanted`` that is there -> its namespace.
    """
    entries: Iterable[xml.Element] = (
        entry for one in tree.find_all("module-set") for entry in one.find_all("module")
    )
    if tree.name == "modules-state":
        entries = (
            entry
            for entry in tree.find_all("module")
            if entry.text_of("conformance-type") != "import"
        )
    return _namespaces(
        ((entry.text_of("name"), entry.text_of("namespace")) for entry in entries), wanted
    )


def namespaces_of(capabilities: Iterable[str], wanted: Iterable[str]) -> dict[str, str]:
    """As ``namespaces_in``, of the modules that a hello lists."""
    found = (capability.partition("?") for capability in capabilities)
    return _namespaces(((_query(text).get("module", ""), uri) for uri, _, text in found), wanted)


def _namespaces(entries: Iterable[tuple[str, str]], wanted: Iterable[str]) -> dict[str, str]:
    looked_for = frozenset(wanted)
    found: dict[str, str] = {}
    for name, namespace in entries:
        for one in looked_for & {name, namespace}:
            found[one] = namespace[:_LONGEST]
    return found


def read_library(tree: xml.Element) -> Library:
    """``<yang-library>`` of RFC 8525 or ``<modules-state>`` of RFC 7895.

    Raises:
        WireError: ``too-many-modules``.
    """
    if tree.name == "modules-state":
        entries = (
            entry
            for entry in tree.find_all("module")
            if entry.text_of("conformance-type") != "import"
        )
        return _library(map(_entry, entries), content_id=tree.text_of("module-set-id"))
    sets = tree.find_all("module-set")
    return _library(
        (_entry(entry) for one in sets for entry in one.find_all("module")),
        tuple(local_name(one.text_of("name")) for one in tree.find_all("datastore")),
        tree.text_of("content-id"),
    )


def library_of(capabilities: Iterable[str]) -> Library:
    """What a hello says: its modules, and the content-id of the library behind it.

    Raises:
        WireError: ``too-many-modules``.
    """
    entries: list[tuple[str, str, list[str]]] = []
    content_id = ""
    for capability in capabilities:
        uri, _, text = capability.partition("?")
        query = _query(text)
        if "module" in query:
            features = query.get("features", "").split(",")
            entries.append((query["module"], query.get("revision", ""), features))
        elif uri.startswith(f"{_PROTOCOL}yang-library:"):
            content_id = query.get("content-id") or query.get("module-set-id", "")
    return _library(entries, content_id=content_id)


def _query(text: str) -> dict[str, str]:
    """The parameters of a URI; the library's way costs a second for some thousand modules."""
    found = dict(part.partition("=")[::2] for part in text.split("&"))
    return {name: unquote_plus(value) for name, value in found.items()} if "%" in text else found


def protocol_capabilities(capabilities: Iterable[str]) -> tuple[str, ...]:
    """Names of the optional parts of NETCONF that a hello offers, as in ``candidate``."""
    found = (
        capability.removeprefix(_PROTOCOL).partition(":")[0]
        for capability in capabilities
        if capability.startswith(_PROTOCOL)
    )
    return tuple(dict.fromkeys(name for name in found if _NAME.fullmatch(name)))


def read_streams(tree: xml.Element) -> tuple[Stream, ...]:
    """``<streams>``; of more than a thousand the first ones."""
    found: list[Stream] = []
    for entry in tree.find_all("stream"):
        if entry.text_of("name") and len(found) < _MAX_STREAMS:
            since = entry.text_of("replay-log-aged-time")
            found.append(
                Stream(
                    entry.text_of("name")[:_LONGEST],
                    entry.text_of("description")[:_LONGEST],
                    entry.find("replay-support") is not None,
                    (since or entry.text_of("replay-log-creation-time"))[:_LONGEST],
                )
            )
    return tuple(found)


def originator_leaves(text: str) -> tuple[tuple[str, ...], bool]:
    """How the text of a module spells the originator id, and whether replies carry the list."""
    text = _CONCATENATED.sub("", text)
    leaves = tuple(dict.fromkeys(_LEAF.findall(text)))
    return leaves, any(_augments(text, found.start()) for found in _OUTPUT.finditer(text))


def _augments(text: str, at: int) -> bool:
    """Whether the path that goes on at ``at`` is the argument of an augment statement."""
    before = text[max(0, at - _LONGEST_PATH) : at].rpartition("augment")
    return bool(before[1]) and not set(before[2]) & set("{};")


def _entry(element: xml.Element) -> tuple[str, str, list[str]]:
    features = [feature.text for feature in element.find_all("feature")]
    return element.text_of("name"), element.text_of("revision"), features


def _library(
    entries: Iterable[tuple[str, str, list[str]]],
    datastores: tuple[str, ...] = (),
    content_id: str = "",
) -> Library:
    revisions: dict[str, str] = {}
    features: dict[str, dict[str, None]] = {}
    unusable = 0
    for name, revision, named in entries:
        if not _NAME.fullmatch(name) or (revision and not _REVISION.fullmatch(revision)):
            unusable += 1
            continue
        revisions.setdefault(name, revision)
        features.setdefault(name, {}).update(_features(named))
        if len(revisions) > MAX_MODULES:
            raise WireError("too-many-modules", f"there are more than {MAX_MODULES:,} modules")
    modules = tuple(
        Module(name, revision, tuple(features[name])) for name, revision in revisions.items()
    )
    return Library(modules, len(modules), datastores[:_LONGEST], content_id[:_LONGEST], unusable)


def _features(named: Iterable[str]) -> Iterator[tuple[str, None]]:
    found = (name for name in named if _NAME.fullmatch(name))
    return ((name, None) for name, _ in zip(found, range(_MAX_FEATURES), strict=False))
