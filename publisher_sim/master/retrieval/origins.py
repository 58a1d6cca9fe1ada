"""Where configuration in ``operational`` is from (RFC 8342 §5.3.4; RFC 8526 §3.1.1, with-origin).

Does: annotate list entries; what is below an entry has its origin, as the annotation says, and
containers without presence have none. Does not: filter by origin, which get-data could ask for.

Rules: entries that are there since the hardware is are ``system``; what somebody has configured is
``intended``; a dynamic subscription was learned from whoever asked for it (ours).
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from collector.wire.values import names
from publisher_sim.data.entries import TREES
from publisher_sim.data.filters import namespace_of

NAMESPACE: Final = "urn:ietf:params:xml:ns:yang:ietf-origin"
ATTRIBUTE: Final = f"{{{NAMESPACE}}}origin"
_SYSTEM: Final = frozenset(
    f"{{{namespace_of(module)}}}{container}" for module, (container, _) in TREES.items()
)
_SN: Final = f"{{{names.NAMESPACES[names.SN]}}}"
_CONFIGURED: Final = f"{_SN}configured-subscription-state"


def annotate(root: etree._Element) -> None:
    """Say it of every list entry of configuration; ``root``: above the top-level nodes."""
    for top in root:
        if top.tag in _SYSTEM:
            _mark(top, "system")
        elif top.tag == f"{_SN}filters":
            _mark(top, "intended")
        elif top.tag == f"{_SN}subscriptions":
            for one in top:
                configured = one.find(_CONFIGURED) is not None
                one.set(ATTRIBUTE, "or:intended" if configured else "or:learned")


def _mark(container: etree._Element, origin: str) -> None:
    """Entries have keys inside, which state of the container itself has not."""
    for one in container:
        if len(one):
            one.set(ATTRIBUTE, f"or:{origin}")
