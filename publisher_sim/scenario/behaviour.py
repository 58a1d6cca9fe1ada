"""How devices in the field differ from the drafts: single quirks, and routers that have several.

Does: say what each name of ``behaves_like`` means, as one value. Does not: act on it; each place
that sends or answers asks the value. Rules: quirks add up; a router is its quirks, as seen in
captures and sources of 2024 to 2026; where a quirk takes away what a verdict lives on, the truth
says what is deserved without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Literal

from msgspec import Struct, structs

from collector.wire.values import names

SECOND = 1_000_000_000


class Behaviour(Struct, frozen=True):
    """What a device does; by default what the drafts say."""

    lists: bool = True
    """It says who delivers."""
    ids_per: Literal["publisher", "subscription"] = "publisher"
    """What Message IDs count; udp-notif-26 §3.2 says publisher."""
    first_message_id: int | None = None
    """None: random in each life of a process (udp-notif-26 §3.2)."""
    sequence_per: Literal["publisher", "subscription"] = "publisher"
    first_sequence_number: int = 1
    """The envelope starts at 1 (notif-envelope §3.2)."""
    update_per_node: bool = False
    """One push-update for each list entry, rather than ``updates_per_period``."""
    straggles: bool = False
    """The last update of a tick leaves long after the others."""
    anchor_off: float = 0.0
    """Ticks are so much off the anchor-time that was asked for and is said, part of the period."""
    stamps_off: float = 0.0
    """Times in updates are so much off the moment they are made, part of the period."""
    clock_seconds: float = 0.0
    """The clock of the whole device is so much ahead, either sign."""
    reply_after_push: bool = False
    """The first updates of a subscription come before the reply with its id."""
    terminates_deleted: bool = False
    """subscription-terminated comes before the ok of delete-subscription."""
    hints: bool = True
    """Refusals say what would be accepted."""
    identities: Literal["error-app-tag", "reason", "none"] = "error-app-tag"
    """Where refusals say why: as RFC 8640 §7 has it, as RFC 8650 §3.3, or nowhere."""
    hello_modules: bool = True
    """The hello names its YANG modules."""
    root: str = ""
    """Wrapper of updates, one of ``names.ROOT_FORMS``; empty: as ``[push] header`` says."""
    change_root: str = ""
    """Wrapper of state changes where that is another one."""
    times: bool = True
    """Updates say when they were made."""
    last_flag_in_top_bit: bool = False
    """The segmentation option has its flag in the highest bit."""
    port_per_subscription: bool = False
    """Each subscription has a source port of its own."""
    patch_ids: Literal["counted", "unbroken", "constant", "named"] = "counted"
    """RFC 8641 §3.7 counts them from 0 behind each push-update; some go on counting there, some say
    0 each time, some put text before the number."""
    publisher_id: int | None = None
    """The one Message Publisher ID of all that it sends: it has no cards that speak. None: as the
    scenario says."""

    @property
    def clock_shift(self) -> int:
        """``clock_seconds`` in ns."""
        return round(self.clock_seconds * SECOND)

    @property
    def needs_json(self) -> bool:
        """Its wrappers exist in JSON alone."""
        return bool(self.root or self.change_root)


QUIRKS: dict[str, dict[str, Any]] = {
    "no-list": {"lists": False},
    "ids-per-subscription": {"ids_per": "subscription"},
    "ids-from-0": {"first_message_id": 0},
    "ids-from-1": {"first_message_id": 1},
    "sequence-from-0": {"first_sequence_number": 0},
    "sequence-per-subscription": {"sequence_per": "subscription"},
    "update-per-node": {"update_per_node": True},
    "stragglers": {"straggles": True},
    "anchor-ignored": {"anchor_off": 0.3},
    "measured-early": {"stamps_off": -0.28},
    "stamped-late": {"stamps_off": 0.05},
    "clock-ahead": {"clock_seconds": 7.0},
    "clock-behind": {"clock_seconds": -7.0},
    "clock-of-yesterday": {"clock_seconds": -86_400.0},
    "reply-after-push": {"reply_after_push": True},
    "terminated-before-ok": {"terminates_deleted": True},
    "no-hints": {"hints": False},
    "reason-in-error-info": {"identities": "reason"},
    "reason-nowhere": {"identities": "none", "hints": False},
    "no-modules-in-hello": {"hello_modules": False},
    "notification-root": {"root": names.ROOT_NOTIFICATION},
    "mixed-root": {"change_root": names.ROOT_ARRCUS},
    "bare-notification": {"root": names.ROOT_BARE},
    "no-times": {"times": False},
    "last-flag-in-top-bit": {"last_flag_in_top_bit": True},
    "port-per-subscription": {"port_per_subscription": True},
    "patch-ids-unbroken": {"patch_ids": "unbroken"},
    "patch-ids-constant": {"patch_ids": "constant"},
    "patch-ids-named": {"patch_ids": "named"},
    "publisher-id-0": {"publisher_id": 0},
}  # fmt: skip
"""name -> what it changes."""
ROUTERS: dict[str, tuple[str, ...]] = {
    "huawei-olt": (
        "no-list", "ids-from-0", "sequence-from-0", "sequence-per-subscription", "measured-early",
        "terminated-before-ok", "patch-ids-constant",
    ),
    "huawei-vrp": ("ids-per-subscription", "ids-from-0", "stamped-late", "no-hints"),
    "huawei-ne40e": ("ids-from-0", "notification-root", "update-per-node", "stragglers"),
    "cisco-xr": (
        "no-list", "ids-per-subscription", "ids-from-0", "port-per-subscription", "publisher-id-0",
        "reason-nowhere",
    ),
    "6wind": ("anchor-ignored", "publisher-id-0", "reply-after-push"),
    "arrcus": ("last-flag-in-top-bit", "mixed-root", "publisher-id-0", "no-modules-in-hello"),
    "sysrepo": ("bare-notification", "no-times", "ids-from-1", "reason-nowhere"),
}  # fmt: skip
"""name -> its quirks. What else is known of them (lists of their modules, paths without a leading
slash) has no effect on a collector's verdicts and is left out."""
NAMES = (*ROUTERS, *QUIRKS)


def quirks_of(wanted: Iterable[str]) -> tuple[str, ...]:
    """Single quirks, those of routers among them, each once. Raises KeyError: no such name."""
    found: dict[str, None] = {}
    for name in wanted:
        for quirk in ROUTERS.get(name, (name,)):
            found.setdefault(quirk)
            QUIRKS[quirk]
    return tuple(found)


@lru_cache(maxsize=256)
def behaviour_of(wanted: tuple[str, ...]) -> Behaviour:
    """What devices of these names do; a later one wins. Raises KeyError: no such name."""
    behaviour = Behaviour()
    for quirk in quirks_of(wanted):
        behaviour = structs.replace(behaviour, **QUIRKS[quirk])
    return behaviour
