"""Entry points -> classes: which receivers, encodings and sinks are installed, of any package.

Does: look names up, say clearly what is missing or broken, find the encodings of other packages by
media type. Does not: build or start anything, or read the configuration (``sections``).
Rules: a group is ``yang_push_collector.<kind>``; the name of an entry point is the name that
configuration and messages use. A plug-in that cannot be imported or does not meet its contract is
an error that names it and the cause, and never keeps the others from being used. Of two with one
name ours wins, else that of the package which comes first in the alphabet. What is installed is
asked once and does not change while the process lives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, cast

from msgspec import Struct

from collector.errors import ConfigError
from collector.interfaces import Encoding, Receiver, Sink
from collector.model import MediaType

OURS: Final = "yang-push-collector"
"""Our package."""
KINDS: Final = ("receivers", "encodings", "sinks")
GOOD: Final = "good"
_PREFIX = "yang_push_collector."
_EXTRAS = {"OpenSSL": "dtls"}
"""Module that may be missing -> the extra that brings it."""
_METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "receivers": ("start", "drain", "stop"),
    "encodings": ("decode", "decode_contents", "encode"),
    "sinks": ("start", "write", "flush", "stop"),
}
MEDIA_TYPES: Final = range(1 << 16)
"""What fits into the journal."""


class Installed(Struct, frozen=True):
    """One entry point, for people."""

    kind: str
    """``receiver``, ``encoding`` or ``sink``."""
    name: str
    package: str
    """Distribution that brings it; empty when nobody says."""
    version: str
    state: str
    """``good``, or the sentence that says why it cannot be used."""


def names(kind: str) -> list[str]:
    """Names of all installed plug-ins of a kind: ``receivers``, ``encodings`` or ``sinks``."""
    return sorted({point.name for point in _points(kind)})


def receiver_class(name: str) -> type[Receiver]:
    """The receiver called ``name``. Raises ConfigError."""
    return cast("type[Receiver]", load("receivers", name))


def encoding_class(name: str) -> type[Encoding]:
    """The encoding called ``name``. Raises ConfigError."""
    return cast("type[Encoding]", load("encodings", name))


def sink_class(name: str) -> type[Sink]:
    """The sink called ``name``. Raises ConfigError."""
    return cast("type[Sink]", load("sinks", name))


def load(kind: str, name: str) -> Any:
    """The class behind an entry point.

    Raises:
        ConfigError: not installed, cannot be imported, or is none of that kind.
    """
    for point in _points(kind):
        if point.name == name:
            return _imported(point, kind)
    installed = ", ".join(names(kind))
    raise ConfigError(
        f'no {_one(kind)} called "{name}" is installed'
        + ("" if installed else "; install the package itself (pip install -e .)"),
        allowed=installed,
    )


def installed() -> list[Installed]:
    """All plug-ins, each looked into: those that cannot be used say why."""
    found = []
    for kind in KINDS:
        seen: set[str] = set()
        for point in _points(kind):
            state = _state(point, kind, hidden=point.name in seen)
            seen.add(point.name)
            version = "" if point.dist is None else point.dist.version
            found.append(Installed(_one(kind), point.name, _package(point), version, state))
    return found


def _state(point: EntryPoint, kind: str, *, hidden: bool) -> str:
    if hidden:
        return "not used: another package has one of this name"
    try:
        _imported(point, kind)
    except ConfigError as error:
        return str(error)
    return _further()[1].get(point.name, GOOD) if kind == "encodings" else GOOD


# --------------------------------------------------------------------------- encodings
def further_encodings() -> Mapping[int, Encoding]:
    """Media type -> encoding, of other packages than ours. Never raises."""
    return _further()[0]


def broken_encodings() -> Sequence[str]:
    """Of other packages: why they cannot be used, a sentence each."""
    return list(_further()[1].values())


@cache
def _further() -> tuple[Mapping[int, Encoding], Mapping[str, str]]:
    """Those that can be used by media type, and by name why others cannot."""
    found: dict[int, Encoding] = {}
    broken: dict[str, str] = {}
    points = {point.name: point for point in reversed(_points("encodings"))}
    taken = {int(one): one.name.lower().replace("_", "-") for one in MediaType}
    for name, point in sorted(points.items()):
        if _is_ours(point):
            continue
        try:
            encoding = _made(point)
        except ConfigError as error:
            broken[name] = str(error)
            continue
        owner = taken.setdefault(encoding.media_type, name)
        if owner != name:
            why = f"its media type {encoding.media_type} is that of {owner}"
            broken[name] = str(_cannot(point, "encodings", why))
        else:
            found[encoding.media_type] = encoding
    return found, broken


def _made(point: EntryPoint) -> Encoding:
    """Raises ConfigError."""
    cls = _imported(point, "encodings")
    try:
        made: Encoding = cls()
    except Exception as error:
        raise _cannot(point, "encodings", f"it cannot be made: {_said(error)}") from error
    return made


# --------------------------------------------------------------------------- one entry point
def _imported(point: EntryPoint, kind: str) -> Any:
    """Whatever a module of another package does when it is imported, it is said as one sentence."""
    try:
        found = point.load()
    except Exception as error:
        extra = _EXTRAS.get(getattr(error, "name", None) or "")
        named = isinstance(error, ImportError | AttributeError)
        raise ConfigError(
            f"{_one(kind)} {point.name} cannot be loaded from {point.value}:"
            f" {error if named else _said(error)}"
            + (f"; pip install '{OURS}[{extra}]' brings it" if extra else "")
        ) from error
    unmet = _unmet(kind, found, point.name)
    if unmet:
        raise _cannot(point, kind, unmet)
    return found


def _unmet(kind: str, found: Any, name: str) -> str:
    """What of the contract a class does not meet, in a few words; empty: nothing."""
    if not isinstance(found, type):
        return "it is no class"
    said = getattr(found, "name", None)
    if said != name:
        return f"its attribute name is {said!r}, not that of the entry point"
    missing = [method for method in _METHODS[kind] if not callable(getattr(found, method, None))]
    if missing:
        return f"it has no method {' and no '.join(missing)}"
    if kind == "encodings":
        return _unmet_of_encoding(found)
    settings = getattr(found, "settings", None)
    if not (isinstance(settings, type) and issubclass(settings, Struct)):
        return "its attribute settings is no msgspec Struct with the keys of its section"
    return ""


def _unmet_of_encoding(found: Any) -> str:
    media_type = getattr(found, "media_type", None)
    if type(media_type) is not int or media_type not in MEDIA_TYPES:
        return "its attribute media_type is no whole number from 0 to 65535"
    for attribute in ("identity", "content_type"):
        if not isinstance(getattr(found, attribute, None), str):
            return f"its attribute {attribute} is no text"
    return ""


def _cannot(point: EntryPoint, kind: str, why: str) -> ConfigError:
    return ConfigError(f"{_one(kind)} {point.name} of {_package(point)} cannot be used: {why}")


def _said(error: Exception) -> str:
    """A foreign error on one line."""
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _one(kind: str) -> str:
    return kind.removesuffix("s")


def _package(point: EntryPoint) -> str:
    return "" if point.dist is None else point.dist.name


def _is_ours(point: EntryPoint) -> bool:
    return _package(point).replace("_", "-").lower() == OURS


def _points(kind: str) -> list[EntryPoint]:
    """Ours first."""
    found = entry_points(group=_PREFIX + kind)
    return sorted(found, key=lambda p: (not _is_ours(p), _package(p), p.name, p.value))
