"""Entry points -> classes: which receivers, encodings and sinks are installed.

Does: look names up and say clearly what is missing. Does not: build or start anything.
Rules: a group is ``yang_push_collector.<kind>``; the name of an entry point is the name that
configuration and messages use; a plug-in whose module cannot be imported is an error that names
the module and the cause, and never keeps the others from being used.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from collector.errors import ConfigError
from collector.interfaces import Encoding, Receiver, Sink

_PREFIX = "yang_push_collector."
_EXTRAS = {"OpenSSL": "dtls"}
"""Module that may be missing -> the extra that brings it."""


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
        ConfigError: not installed, or its module cannot be imported.
    """
    for point in _points(kind):
        if point.name == name:
            return _imported(point, kind)
    installed = ", ".join(names(kind))
    raise ConfigError(
        f'no {kind.rstrip("s")} called "{name}" is installed'
        + ("" if installed else "; install the package itself (pip install -e .)"),
        allowed=installed,
    )


def _imported(point: EntryPoint, kind: str) -> Any:
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        extra = _EXTRAS.get(getattr(error, "name", None) or "")
        raise ConfigError(
            f"{kind.rstrip('s')} {point.name} cannot be loaded from {point.value}: {error}",
            allowed=f"pip install 'yang-push-collector[{extra}]' brings it" if extra else "",
        ) from error


def _points(kind: str) -> list[EntryPoint]:
    return list(entry_points(group=_PREFIX + kind))
