"""XPath 1.0 as a device takes it in filters: the subset that is refused or evaluated, never half.

Does: read an expression word by word, give every name its namespace, say what it needs of the
data, and hand the rest to the XML library. Does not: select (``filters`` does).

Rules (RFC 8639 §6, ``stream-xpath-filter``; RFC 8641 §3.6): prefixes are those of the filter, and
module names; a name without prefix has the namespace of the step before it, as in RFC 7951 paths;
the context node is the root of the data. Refused with a sentence for the subscriber: parent,
sibling and attribute axes, positions (entries have no order here), ``//`` or absolute paths within
a predicate, variables, functions beyond ``FUNCTIONS``. Identities are compared as
``module:identity``. Length and number of tokens are limited, so that evaluation is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from lxml import etree
from msgspec import Struct

from collector.wire.values import names
from publisher_sim.data.module_library import installed_modules

LIMIT: Final = 4096
"""Characters of a filter that are looked at; ours."""
MAX_TOKENS: Final = 256
"""Ours."""
FUNCTIONS: Final = frozenset(
    (
        "boolean", "ceiling", "concat", "contains", "count", "false", "floor", "local-name",
        "namespace-uri", "normalize-space", "not", "number", "round", "starts-with", "string",
        "string-length", "substring", "substring-after", "substring-before", "sum", "translate",
        "true",
    )
)  # fmt: skip
"""Of the core library, those that need neither order nor position."""
MODULES: Final[dict[str, str]] = names.NAMESPACES | {
    "ietf-netconf-monitoring": "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring",
    "ietf-system-capabilities": "urn:ietf:params:xml:ns:yang:ietf-system-capabilities",
    "ietf-notification-capabilities": "urn:ietf:params:xml:ns:yang:ietf-notification-capabilities",
    "ietf-netconf-notifications": "urn:ietf:params:xml:ns:yang:ietf-netconf-notifications",
}
"""Modules that are known without a look at what is installed -> namespace."""
_KEYS: Final = frozenset(("name",))
"""Predicates on nothing but these hold for the life of a list entry."""
_AXES: Final = ("child", "self", "descendant", "descendant-or-self")
_TESTS: Final = ("node", "text")
_NAME: Final = r"[A-Za-z_][\w.-]*"
_TOKEN: Final = re.compile(
    rf"\s*(?:(?P<literal>\"[^\"]*\"|'[^']*')|(?P<number>\d+(?:\.\d*)?|\.\d+)"
    rf"|(?P<name>{_NAME}(?::(?:{_NAME}|\*))?)"
    r"|(?P<mark>//|::|\.\.|!=|<=|>=|[/|+\-=<>()\[\]@,.*$]))\s*",
    re.ASCII,
)
_OPERATORS: Final = ("and", "or", "mod", "div")
_PROBE: Final = etree.Element("data")


class FilterUnsupportedError(Exception):
    """The filter is outside what this device evaluates; the text is the hint for the subscriber."""


class Expression(Struct, frozen=True):
    """One expression, every name with a prefix of ``namespaces``."""

    text: str
    relaxed: str
    """Without the predicates that depend on more than list keys: what it could ever select."""
    namespaces: dict[str, str]
    guarded: tuple[str, ...]
    """Paths without predicates to the nodes that have one."""
    dynamic: bool
    """What it selects depends on values that may change."""
    keyed: bool
    """It depends on list keys."""


def read(text: str, namespaces: Mapping[str, str], *, boolean: bool = False) -> Expression:
    """An expression that selects nodes, or, with ``boolean``, any that says yes or no.

    Raises:
        FilterUnsupportedError: it is no XPath, or beyond the subset.
    """
    if len(text) > LIMIT:
        raise FilterUnsupportedError(f"a filter of more than {LIMIT} characters")
    reader = _Reader(namespaces, boolean=boolean)
    position = count = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or not match.lastgroup:
            raise FilterUnsupportedError(f"{text[position : position + 20]!r} is no XPath")
        if count == MAX_TOKENS:
            raise FilterUnsupportedError(f"an XPath of more than {MAX_TOKENS} words")
        reader.take(match.lastgroup, match[match.lastgroup], text[match.end() :])
        position, count = match.end(), count + 1
    return reader.finished()


class _Level(Struct):
    """Inside a predicate or parentheses, or (the first one) outside of all."""

    opener: str
    base: str | None
    """Prefix of the node that it belongs to."""
    prefix: str | None
    """Of the last name of the path that is being read."""
    start: int
    """Where its text begins among the parts."""
    relaxed: int
    """Likewise in the relaxed form."""
    names: set[str]
    """Local names within."""
    free: bool = False
    """It has what is no list key: ``.``, ``*``, node tests."""


class _Reader:
    """One expression while it is read."""

    def __init__(self, namespaces: Mapping[str, str], *, boolean: bool) -> None:
        self._declared = namespaces
        self._boolean = boolean
        self._used: dict[str, str] = {}
        self._parts: list[str] = []
        self._relaxed: list[str] = []
        self._bare: list[str] = []
        """The path outside of predicates, so far."""
        self._levels = [_Level("", None, None, 0, 0, set())]
        self._before = ""
        self._after_operand = False
        """An operator, not an operand, may come next."""
        self._deep = False
        """The path has a ``//``."""
        self._guarded: list[str] = []
        self._dynamic = self._keyed = False

    # ------------------------------------------------------------------ tokens
    def take(self, kind: str, word: str, rest: str) -> None:
        """The next word, and what stands behind it."""
        if kind == "name":
            self._name(word, rest)
        elif kind == "mark":
            self._mark(word)
        else:
            self._outside(word)
            self._emit(word, operand=True)
        self._before = word

    def _name(self, word: str, rest: str) -> None:
        if self._after_operand:
            if word not in _OPERATORS:
                raise FilterUnsupportedError(f"{word!r} stands where an operator must")
            self._outside(word)
            self._emit(f" {word} ", operand=False)
        elif rest.startswith("::"):
            if word not in _AXES:
                raise FilterUnsupportedError(f"the axis {word!r} is not followed here")
            if word.startswith("descendant"):
                self._once_deep()
            self._path_begins(None)
            self._emit(word, operand=False)
        elif rest.startswith("("):
            self._function(word)
        else:
            self._node(word)

    def _function(self, word: str) -> None:
        if word in _TESTS:
            if len(self._levels) == 1:
                raise FilterUnsupportedError(f"{word}() is no node of the data model")
            self._levels[-1].free = True
        elif word not in FUNCTIONS:
            raise FilterUnsupportedError(f"the function {word}() is not evaluated here")
        else:
            self._outside(f"{word}()")
        self._emit(word, operand=False)

    def _node(self, word: str) -> None:
        prefix, colon, local = word.rpartition(":")
        level = self._levels[-1]
        follows = self._before in ("/", "//", "::") and level.prefix is not None
        if not colon:
            inherited = level.prefix if follows else level.base
            if inherited is None:
                raise FilterUnsupportedError(f"{local!r} needs a prefix: which module is it of?")
            prefix = inherited
        self._namespace(prefix)
        level.prefix = prefix
        for one in self._levels:
            one.names.add(local)
        if local == "*":
            level.free = True
        self._emit(f"{prefix}:{local}", operand=True)

    def _path_begins(self, prefix: str | None) -> None:
        """Unless it goes on: then the names that follow have the prefix of those before."""
        if self._before not in ("/", "//"):
            self._levels[-1].prefix = prefix

    def _namespace(self, prefix: str) -> None:
        meant = self._declared.get(prefix, prefix)
        uri = meant if ":" in meant or "/" in meant else _namespace_of(meant)
        if not uri:
            raise FilterUnsupportedError(f"no module {meant!r} here, nor a namespace for it")
        self._used[prefix] = uri

    def _mark(self, word: str) -> None:
        if word == "*" and self._after_operand:
            self._outside(word)
            self._emit(word, operand=False)
        elif word in ("[", "("):
            self._open(word)
        elif word in ("]", ")"):
            self._close(word)
        elif word in ("/", "//"):
            self._slash(word)
        elif word in ("..", "@", "$"):
            what = {"..": "the parent of a node", "@": "an attribute", "$": "a variable"}[word]
            raise FilterUnsupportedError(f"{what} is not looked at here")
        elif word in (".", "*"):
            self._levels[-1].free = True
            self._path_begins(self._levels[-1].base)
            self._emit(word, operand=True)
        elif word == "|":
            self._bare, self._deep = [], False
            self._emit(word, operand=False)
        else:
            if word not in ("::", ","):
                self._outside(word)
            self._emit(word, operand=False)

    def _slash(self, word: str) -> None:
        inside = any(level.opener == "[" for level in self._levels)
        if word == "//":
            if inside:
                raise FilterUnsupportedError("'//' within a predicate is not evaluated here")
            self._once_deep()
        if self._after_operand:
            self._emit(word, operand=False)
            return
        if inside:
            raise FilterUnsupportedError(
                "an absolute path within a predicate is not evaluated here"
            )
        self._levels[-1].prefix = None
        # the data hangs below one element, whose name nobody knows
        self._emit("/*", operand=True)
        self._pending(word)

    def _pending(self, word: str) -> None:
        """What follows the root: ``/`` alone is the root itself."""
        self._parts.append(word)
        self._relaxed.append(word)
        self._bare.append(word)
        self._after_operand = False

    def _once_deep(self) -> None:
        if self._deep:
            raise FilterUnsupportedError("'//' only once in a path")
        self._deep = True

    # ------------------------------------------------------------------ predicates, parentheses
    def _open(self, word: str) -> None:
        outer = self._levels[-1]
        if word == "(" and len(self._levels) == 1:
            self._outside("(")
        if word == "[" and not self._after_operand:
            raise FilterUnsupportedError("a predicate without a node before it")
        base = outer.prefix if word == "[" else outer.base
        if word == "[" and len(self._levels) == 1:
            self._guarded.append("".join(self._bare))
        self._levels.append(_Level(word, base, None, len(self._parts), len(self._relaxed), set()))
        self._emit(word, operand=False)

    def _close(self, word: str) -> None:
        level = self._levels.pop()
        if {"]": "[", ")": "("}[word] != level.opener:
            raise FilterUnsupportedError(f"{word!r} closes nothing")
        self._emit(word, operand=True)
        self._levels[-1].free |= level.free
        if word == "]":
            self._predicate(level)

    def _predicate(self, level: _Level) -> None:
        inside = "".join(self._parts[level.start + 1 : -1])
        if isinstance(_evaluate(inside, self._used), float):
            raise FilterUnsupportedError("a position: entries have no order here")
        if len(self._levels) > 1:
            return
        if level.free or not level.names <= _KEYS:
            self._dynamic = True
            del self._relaxed[level.relaxed :]
        else:
            self._keyed = True

    def _outside(self, word: str) -> None:
        """Paths joined with ``|`` are all that selects nodes."""
        if len(self._levels) == 1 and not self._boolean:
            raise FilterUnsupportedError(f"{word} outside of a predicate selects no nodes")

    def _emit(self, text: str, *, operand: bool) -> None:
        self._parts.append(text)
        self._relaxed.append(text)
        if len(self._levels) == 1 and text not in ("|", "]"):
            self._bare.append(text)
        self._after_operand = operand

    # ------------------------------------------------------------------ end
    def finished(self) -> Expression:
        """The whole. Raises FilterUnsupportedError."""
        if len(self._levels) > 1:
            raise FilterUnsupportedError(f"{self._levels[-1].opener!r} is not closed")
        text = _without_last_slash("".join(self._parts))
        relaxed = _without_last_slash("".join(self._relaxed))
        _evaluate(text, self._used)
        return Expression(
            text, relaxed, self._used, tuple(self._guarded), self._dynamic, self._keyed
        )


def _namespace_of(module: str) -> str:
    """Of a module of the device (RFC 8639 §6: their names are prefixes); empty for others."""
    known = MODULES.get(module)
    if known is None:
        found = installed_modules().get(module)
        known = "" if found is None else found.namespace
    return known


def _without_last_slash(text: str) -> str:
    """``/`` alone, the root of the data, was written as the element that the data hangs below."""
    return re.sub(r"(?:^|(?<=\|))/\*/(?=\||$)", "/*", text)


def _evaluate(text: str, namespaces: dict[str, str]) -> object:
    """Its value on no data: what matters is that it has one, and of which type."""
    try:
        return compiled(text, namespaces)(_PROBE)
    except (etree.XPathError, ValueError) as error:  # the latter: characters that XML has not
        raise FilterUnsupportedError(f"no XPath: {error}") from error


def compiled(text: str, namespaces: dict[str, str]) -> etree.XPath:
    """What evaluates it. Raises etree.XPathError."""
    return etree.XPath(text, namespaces=namespaces or None, smart_strings=False, regexp=False)
