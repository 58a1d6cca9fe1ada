"""What the pipeline keeps beside the engine: counts, and the parts of a snapshot.

Does not: count, or restore anything (``flow`` does).
"""

from __future__ import annotations

from msgspec import Struct

UNKNOWN_SOURCES_KEPT = 1024
"""Addresses of unknown senders that are remembered for people (ours)."""


class PipelineCounts:
    """What the pipeline counted; plain numbers that the service shows as metrics."""

    def __init__(self) -> None:
        self.rejected: dict[str, int] = {}
        """reason word -> messages whose payload was refused."""
        self.unknown_source_messages = 0
        self.unknown_sources: dict[str, int] = {}
        """address -> messages, of the first ``UNKNOWN_SOURCES_KEPT``."""


class Rest(Struct):
    """What is kept between batches and belongs to no device."""

    last_arrival: int = 0
    config: bytes = b""
    sessions: dict[str, str] = {}
    """session id -> device, of the sessions that are up."""


class DevicePart(Struct, array_like=True):
    """The snapshot of one device."""

    engine: bytes
    coverage: bytes
    patches: bytes = b""
    cross_check: bytes = b""
    hearing: bytes = b""
    soon: bytes = b""
