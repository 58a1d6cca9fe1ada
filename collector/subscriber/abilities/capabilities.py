"""What a device says that it can: asked for in an open NETCONF session, put together.

Does: YANG library where the hello lists no modules, the tree of RFC 9196, event streams. Does not:
open the session, write to a journal (it is given ``ask``), judge what is wanted (``checks``).

Rules: what is refused or unreadable is not known, never an error, and why is kept; a session that
ends is the caller's trouble.

Spec: RFC 9196, RFC 8525 §3, RFC 7895 §2, RFC 7950 §5.6.4 (YANG 1.1 modules are not in the hello).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from collector.errors import ProtocolError, WireError
from collector.model import SelectionFilter
from collector.subscriber.sessions.session import plain
from collector.wire.netconf.capabilities import (
    SYSTEM_FILTER,
    SystemCapabilities,
    read_capabilities,
)
from collector.wire.netconf.library import (
    STREAMS_FILTER,
    Library,
    Module,
    Stream,
    library_filter,
    library_of,
    namespaces_in,
    namespaces_of,
    protocol_capabilities,
    read_library,
    read_streams,
)
from collector.wire.values import names, xml

Ask = Callable[[SelectionFilter], Awaitable[xml.Element | None]]
"""``get`` with that filter -> ``<data>``. Raises ProtocolError, SessionError."""

HELLO = "hello"
YANG_LIBRARY = "yang-library"
SYSTEM_CAPABILITIES = "system-capabilities"
STREAMS = "streams"
SYSTEM_MODULE = "ietf-system-capabilities"


class Extension(Struct, frozen=True):
    """The module by which a device names its message generators."""

    module: Module
    leaves: tuple[str, ...]
    """Spellings of the originator id; empty: not known."""
    in_reply: bool | None
    """Whether replies to establish-subscription carry the list; None: not known."""
    source: str
    """Who says that the module is there."""
    leaves_source: str = ""
    """``module``: its text; ``revision``: what is known of it; empty: nobody says."""


class DeviceCapabilities(Struct, frozen=True):
    """What is known of one device; the sources are named as they are shown to people."""

    hello: Library = Library()
    """Of the modules that the hello lists those that matter here."""
    protocol: tuple[str, ...] = ()
    """Optional parts of NETCONF that the hello offers."""
    library: Library | None = None
    """What the YANG library says of the modules that matter here; None: not known."""
    library_source: str = YANG_LIBRARY
    """``yang-library`` or ``modules-state``."""
    system: SystemCapabilities | None = None
    """None: the device does not say."""
    streams: tuple[Stream, ...] | None = None
    """None: not known."""
    namespaces: Mapping[str, str] = {}
    """Modules that wanted filters name, and that are there -> namespace."""
    absent: tuple[str, ...] = ()
    """Modules that they name, and that are not there."""
    absent_from: str = ""
    """Who says so."""
    unanswered: Mapping[str, str] = {}
    """What was asked for without a use -> why, a clause."""

    def module(self, name: str) -> tuple[Module | None, str]:
        """A module, and who says that it is there; the library knows more than the hello."""
        library = self.library
        if library is not None and (found := library.module(name)) is not None:
            return found, self.library_source
        found = self.hello.module(name)
        return found, HELLO if found is not None else ""

    @property
    def lists_modules(self) -> str:
        """The best list of modules for what is not there: a source, empty: there is none."""
        if self.library is not None and self.library.listed:
            return self.library_source
        return HELLO if self.hello.listed else ""


async def look(
    ask: Ask,
    hello: Sequence[str],
    *,
    thorough: bool = False,
    streams: bool = False,
    modules: Collection[str] = (),
) -> DeviceCapabilities:
    """What a device says.

    Args:
        ask: sends a request.
        hello: its capabilities.
        thorough: ask for everything, also where the hello lists the modules of a publisher.
        streams: ask for the event streams too.
        modules: names or namespaces of modules that are to be looked for.

    Raises:
        SessionError: the session ended.
    """
    listed = _hello(hello)
    protocol = protocol_capabilities(hello)
    namespaces = namespaces_of(hello, modules)
    left = tuple(one for one in modules if one not in namespaces)
    library, source = None, YANG_LIBRARY
    questions = _Questions(ask)
    if thorough or listed.module(names.YP) is None:
        library, source, there = await questions.library(relevant=not thorough, modules=left)
        namespaces |= there
    # a hello that lists YANG 1.1 modules lists all; another one only where there is no library
    # (RFC 7950 §5.6.4)
    who = source if library is not None and library.listed else ""
    if library is None and (listed.module(names.YP) or "yang-library" not in protocol):
        who = HELLO if listed.listed else ""
    found = DeviceCapabilities(
        listed,
        protocol,
        library,
        source,
        namespaces=namespaces,
        absent=tuple(one for one in left if one not in namespaces) if who else (),
        absent_from=who,
    )
    system = None
    if thorough or found.module(SYSTEM_MODULE)[0] is not None:
        system = await questions.system()
    listed_streams = None
    if thorough or streams:
        tree = await questions.tree(STREAMS_FILTER, STREAMS)
        listed_streams = None if tree is None else read_streams(tree)
    unanswered = questions.unanswered
    return replace(found, system=system, streams=listed_streams, unanswered=unanswered)


def _hello(capabilities: Sequence[str]) -> Library:
    try:
        return library_of(capabilities).relevant()
    except WireError:
        return Library()


class _Questions:
    """Those of one look."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.unanswered: dict[str, str] = {}

    async def library(
        self, *, relevant: bool, modules: Collection[str]
    ) -> tuple[Library | None, str, dict[str, str]]:
        """The library of RFC 8525, else that of RFC 7895: one request for both; and the namespaces
        of ``modules`` that are in it."""
        selection = library_filter(relevant=relevant, further=modules)
        data = await self._data(selection, YANG_LIBRARY)
        for source in (YANG_LIBRARY, "modules-state"):
            tree = None if data is None else data.find(source)
            if tree is not None and tree.children:
                try:
                    return read_library(tree).relevant(), source, namespaces_in(tree, modules)
                except WireError as error:
                    self._note(YANG_LIBRARY, error)
                    break
        return None, YANG_LIBRARY, {}

    async def system(self) -> SystemCapabilities | None:
        """The tree of RFC 9196."""
        tree = await self.tree(SYSTEM_FILTER, SYSTEM_CAPABILITIES)
        try:
            return None if tree is None else read_capabilities(tree)
        except WireError as error:
            self._note(SYSTEM_CAPABILITIES, error)
            return None

    async def tree(self, subtree: str, name: str) -> xml.Element | None:
        """What is selected, from the node of that name on."""
        data = await self._data(subtree, name)
        return None if data is None else data.find(name)

    async def _data(self, subtree: str, name: str) -> xml.Element | None:
        try:
            return await self._ask(SelectionFilter("subtree", subtree))
        except (ProtocolError, WireError) as error:
            self._note(name, error)
            return None

    def _note(self, name: str, error: ProtocolError | WireError) -> None:
        if isinstance(error, WireError):
            self.unanswered[name] = f"what it says cannot be read: {plain(str(error))}"
            return
        said = "" if str(error).endswith(error.tag) else f" ({plain(str(error))})"
        self.unanswered[name] = f"it refuses with {plain(error.tag)}{said}"
