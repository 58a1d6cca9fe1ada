"""Every error that leaves this package, in one tree that says whose fault it is.

    CollectorError
     ├── ConfigError            the operator's: names file, key and what is allowed
     ├── PeerError              the peer's
     │    ├── WireError         bytes that break a rule: reason word, octet offset, field, clause
     │    ├── ProtocolError     a request refused (rpc-error): tag, identity, hints
     │    └── SessionError      a connection that could not be made or was lost
     ├── SinkError              the store's or another output's; says whether a retry can help
     │    └── IntakeFullError   the journal takes nothing more for now (disk full)
     └── UsageError             a command called with something it cannot use

A message is one clear sentence for a person. A ``reason`` is a short fixed word for a counter.
"""

from __future__ import annotations

from collections.abc import Mapping


class CollectorError(Exception):
    """Base of all errors raised on purpose by this package."""


class ConfigError(CollectorError):
    """The configuration cannot be used. Raised at start-up only."""

    def __init__(self, message: str, *, file: str = "", key: str = "", allowed: str = "") -> None:
        self.file = file
        """Path of the configuration file, empty when the value came from elsewhere."""
        self.key = key
        """Dotted name of the key, as in ``device[2].netconf.port``."""
        self.allowed = allowed
        """What would be accepted, for people."""
        where = ": ".join(part for part in (file, key) if part)
        text = f"{where}: {message}" if where else message
        super().__init__(f"{text} (allowed: {allowed})" if allowed else text)


class PeerError(CollectorError):
    """The other side broke a rule or went away."""


class WireError(PeerError):
    """Octets that cannot be decoded. Counted under ``reason``; the process goes on."""

    def __init__(
        self, reason: str, message: str, *, offset: int = 0, field: str = "", clause: str = ""
    ) -> None:
        self.reason = reason
        """Short fixed word, the label of a counter, as in ``bad-header-length``."""
        self.offset = offset
        """Octets from the start of the datagram or payload to the bad field."""
        self.field = field
        """Name of the bad field, in the specification's spelling."""
        self.clause = clause
        """The clause that is broken, as in ``draft-ietf-netconf-udp-notif-26 §3.2``."""
        where = f" at octet {offset}" + (f" ({field})" if field else "")
        super().__init__(f"{message}{where}" + (f", {clause}" if clause else ""))


class ProtocolError(PeerError):
    """The peer answered a request with an rpc-error (RFC 6241 §4.3, RFC 8640 §7)."""

    def __init__(
        self,
        message: str,
        *,
        tag: str = "operation-failed",
        identity: str = "",
        path: str = "",
        hints: Mapping[str, str] | None = None,
    ) -> None:
        self.tag = tag
        """``error-tag``."""
        self.identity = identity
        """Identity out of ``error-app-tag`` without its module, as in ``period-unsupported``."""
        self.path = path
        """``error-path``, empty when absent."""
        self.hints: dict[str, str] = dict(hints or {})
        """Leaves of ``error-info``: period-hint (centiseconds), filter-failure-hint, ..."""
        super().__init__(message)


class SessionError(PeerError):
    """A management session could not be opened, or ended."""

    def __init__(self, message: str, *, reason: str = "lost", retryable: bool = True) -> None:
        self.reason = reason
        """Short fixed word: ``refused``, ``timeout``, ``host-key``, ``auth``, ``lost``, ..."""
        self.retryable = retryable
        """False where trying again cannot heal it (wrong host key, wrong password)."""
        super().__init__(message)


class SinkError(CollectorError):
    """An output could not be written."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        self.retryable = retryable
        super().__init__(message)


class IntakeFullError(SinkError):
    """Nothing more is taken for now; what was acknowledged is safe. Heals when there is room."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=True)


class UsageError(CollectorError):
    """A command or function was asked for something that it cannot do."""
