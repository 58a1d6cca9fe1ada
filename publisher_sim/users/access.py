"""Access: what a user of the device may do and see, by two levels.

Does: the level of a user, rules in the manner of RFC 8341: operations that a level may not ask for,
data that it may not see. Does not: log anybody in (the server does).

Rules: ``full`` may do everything; ``limited`` may read, subscribe, and end what is its own. What is
``nacm:default-deny-all`` (kill-subscription, RFC 8639 §8) or writes needs ``full``. A denied
operation is ``access-denied`` and has changed nothing; data that may not be read is left out
without a word, before any filter looks at it (RFC 8341 §3.2.4), or a content match could ask for
it. The list of generators shows where resources are (base draft §13), so it is never for
``limited``. A user that nobody configured is ``limited``. Data of a module that a user may not read
is neither shown nor pushed to it (RFC 8641 §3.9).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from lxml import etree

from collector.errors import ProtocolError
from collector.wire.values import names
from publisher_sim.data.entries import TREES
from publisher_sim.scenario import Scenario

FULL: Final = "full"
LIMITED: Final = "limited"
DENIED: Final = frozenset(
    {
        f"{names.SN}:kill-subscription",
        *(
            f"{names.NETCONF}:{name}"
            for name in (
                "cancel-commit", "commit", "copy-config", "delete-config", "discard-changes",
                "edit-config",
                "kill-session", "lock", "unlock",
            )
        ),
        f"{names.YANG}:action",
    }
)  # fmt: skip
"""Operations that only ``full`` may ask for, and the action that resets a receiver."""
EVERY_MODULE: Final[tuple[str, ...]] = tuple(TREES)
"""Modules of the data that publishers serve."""
_SN: Final = names.NAMESPACES[names.SN]
_SUBSCRIPTIONS: Final = f"{{{_SN}}}subscriptions/{{{_SN}}}subscription"


class Access:
    """The users of one device."""

    def __init__(self, scenario: Scenario) -> None:
        netconf = scenario.netconf
        self._levels: dict[str, str] = {one.name: one.access for one in scenario.user}
        self._levels[netconf.username] = netconf.access
        self._reads: dict[str, tuple[str, ...]] = {one.name: one.reads for one in scenario.user}

    def level(self, user: str) -> str:
        """``full`` or ``limited``."""
        return self._levels.get(user, LIMITED)

    def reads(self, user: str) -> tuple[str, ...]:
        """Modules whose data it may read."""
        return self._reads.get(user, EVERY_MODULE)


def permit(level: str, operation: str) -> None:
    """Raise ProtocolError where the level may not ask for ``module:local-name``."""
    if level != FULL and operation in DENIED:
        raise ProtocolError(
            f"{names.local_name(operation)} needs more rights than this user has",
            tag="access-denied",
        )


def sees_generators(level: str) -> bool:
    """Whether lists of message generators are for it."""
    return level == FULL


def hide(
    root: etree._Element, level: str, own: Collection[int], reads: Collection[str] = EVERY_MODULE
) -> None:
    """Take what a user may not see out of a data tree.

    Args:
        root: above the top-level nodes; changed.
        level: of who asks.
        own: ids of the subscriptions of who asks.
        reads: modules whose data is for who asks.
    """
    for top in list(root):
        module = names.module_of(etree.QName(top).namespace or "")
        if module in EVERY_MODULE and module not in reads:
            _remove(top)
    if level == FULL:
        return
    for entry in root.findall(_SUBSCRIPTIONS):
        if int(entry.findtext(f"{{{_SN}}}id", "0")) not in own:
            _remove(entry)
            continue
        for leaf in list(entry):
            if etree.QName(leaf).localname in names.GENERATOR_LEAVES:
                _remove(leaf)


def _remove(node: etree._Element) -> None:
    parent = node.getparent()
    assert parent is not None  # only what was found below a root comes here
    parent.remove(node)
