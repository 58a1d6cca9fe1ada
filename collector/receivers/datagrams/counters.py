"""What a UDP-notif receiver counts, from the datagram up to the message.

Does: hold the numbers. Does not: export them (``collector.metrics``). Segments thrown away are
counted by ``core.assembly.reassembly``, what the kernel drops by the receiver.
"""

from __future__ import annotations

from collector.receivers.datagrams.quirks import QuirksNeeded


class ReceiveCounters:
    """What was received and refused since the start; every datagram is counted once."""

    __slots__ = (
        "datagrams", "half_built", "half_built_unrecorded", "messages", "octets", "quirks",
        "rejected", "rejected_unrecorded", "segments", "unknown_media_types", "unknown_options",
    )  # fmt: skip

    def __init__(self) -> None:
        self.datagrams = 0
        self.octets = 0
        """Of these datagrams."""
        self.messages = 0
        """Handed on whole, put together or not."""
        self.segments = 0
        """Datagrams that were segments."""
        self.half_built = 0
        """Messages said to be half built; some of them come whole later."""
        self.half_built_unrecorded = 0
        """Of these: without a record, because there were too many in a second."""
        self.rejected: dict[str, int] = {}
        """Reason word of the WireError -> datagrams."""
        self.rejected_unrecorded = 0
        """Of the rejected ones: without a record, because there were too many in a second."""
        self.unknown_options: dict[int, int] = {}
        """Option type -> times that a message was kept that carries it (§4: MUST discard)."""
        self.quirks = QuirksNeeded()
        """Where a publisher did not keep to the draft, and with which switch it is read."""
        self.unknown_media_types = 0
        """Messages of a private or unassigned media type."""

    def stats(self) -> dict[str, int]:
        """All of it under fixed words; ``rejected/R`` by reason R."""
        stats = {
            "datagrams": self.datagrams,
            "octets": self.octets,
            "messages": self.messages,
            "segments": self.segments,
            "half-built": self.half_built,
            "half-built-unrecorded": self.half_built_unrecorded,
            "rejected-unrecorded": self.rejected_unrecorded,
            "unknown-options": sum(self.unknown_options.values()),
            "unknown-media-types": self.unknown_media_types,
        }
        return stats | {f"rejected/{word}": count for word, count in self.rejected.items()}
