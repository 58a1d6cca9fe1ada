"""What known publishers do otherwise than the drafts say: one switch each, set per device.

Stored in journals (CONFIG records) and used in configurations, so none is ever renamed.
"""

from __future__ import annotations

import enum


class Quirk(enum.StrEnum):
    """A switch under ``[[device]] quirks``; where the drafts are kept none is needed."""

    LAST_FLAG_IN_TOP_BIT = "last-flag-in-top-bit"
    """The segmentation option has L in its highest bit, the Segment Number below it (Arrcus)."""
    UNKNOWN_OPTIONS = "unknown-options"
    """Its messages carry options that nobody knows; they are kept, which -26 §4 forbids."""
    IDS_PER_PUBLISHER = "ids-per-publisher"
    """Message IDs count for all subscriptions of a publisher id together, as -26 §3.2 says."""
    IDS_PER_SUBSCRIPTION = "ids-per-subscription"
    """Message IDs count for each subscription alone (Huawei VRP, Cisco IOS XR)."""
    OLD_MEDIA_TYPES = "old-media-types"
    """Version 1 with the numbers of udp-notif -02 and -03: media type 0 is CBOR."""
    SEVERAL_MESSAGES = "several-messages"
    """A datagram may hold several messages, one behind the other."""
    LEGACY_HEADER = "legacy-header"
    """Headers of version 0 are always those of udp-pub-channel-05, whatever their flags."""


WIRE_QUIRKS = frozenset(Quirk) - {Quirk.IDS_PER_PUBLISHER, Quirk.IDS_PER_SUBSCRIPTION}
"""Those that receivers heed; the others are the engine's."""
