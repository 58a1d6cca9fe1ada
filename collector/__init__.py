"""A YANG-Push telemetry collector that says, for every period of every subscription, whether
each line card of the device delivered its piece, and if not, which one and why.

The names below are the public ones; each is loaded when it is first used, so that
``import collector`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
"""As ``typing.TYPE_CHECKING``, whose import would be most of what this module costs."""
if TYPE_CHECKING:
    from typing import Any

    from collector.config import Config, check_config, load_config
    from collector.errors import (
        CollectorError,
        ConfigError,
        IntakeFullError,
        PeerError,
        ProtocolError,
        SessionError,
        SinkError,
        UsageError,
        WireError,
    )
    from collector.interfaces import Encoding, Receiver, Said, Sink
    from collector.model import Event, Outcome, ReceivedBatch, SubscriptionRow, Verdict

_HOMES = {
    "collector.config": ("Config", "check_config", "load_config"),
    "collector.errors": (
        "CollectorError",
        "ConfigError",
        "IntakeFullError",
        "PeerError",
        "ProtocolError",
        "SessionError",
        "SinkError",
        "UsageError",
        "WireError",
    ),
    "collector.interfaces": ("Encoding", "Receiver", "Said", "Sink"),
    "collector.model": ("Event", "Outcome", "ReceivedBatch", "SubscriptionRow", "Verdict"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__version__ = "0.1.0"
__all__ = [
    "CollectorError",
    "Config",
    "ConfigError",
    "Encoding",
    "Event",
    "IntakeFullError",
    "Outcome",
    "PeerError",
    "ProtocolError",
    "ReceivedBatch",
    "Receiver",
    "Said",
    "SessionError",
    "Sink",
    "SinkError",
    "SubscriptionRow",
    "UsageError",
    "Verdict",
    "WireError",
    "check_config",
    "load_config",
]


def __getattr__(name: str) -> Any:
    module = _HOME.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
