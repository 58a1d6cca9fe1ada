"""The capabilities of the device's hello (RFC 6241 §8.1).

Does not: send it. Rules: ``:notification`` is absent on purpose: it stands for RFC 5277
create-subscription, which this device does not have. A module of YANG 1.1 need not be listed
(RFC 7950 §5.6.4), and most devices list it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from collector.wire.netconf.hello import BASE_1_0, BASE_1_1
from publisher_sim.master.retrieval.itself import Itself
from publisher_sim.scenario import Scenario

_CAPABILITY: Final = "urn:ietf:params:netconf:capability:"


def capabilities(scenario: Scenario, more: Iterable[str] = ()) -> tuple[str, ...]:
    """What the hello of that device says; ``more``: of those who answer other operations."""
    itself = Itself(scenario)
    found = [BASE_1_0, BASE_1_1, f"{_CAPABILITY}xpath:1.0", *more]
    if scenario.retrieval.yang_library == "rfc8525":
        revision = "1.1?revision=2019-01-04&content-id="
        found.append(f"{_CAPABILITY}yang-library:{revision}{itself.content_id}")
    elif scenario.retrieval.yang_library == "rfc7895":
        revision = "1.0?revision=2016-06-21&module-set-id="
        found.append(f"{_CAPABILITY}yang-library:{revision}{itself.content_id}")
    if scenario.behaviour.hello_modules:
        found.extend(_listed(itself))
    return tuple(dict.fromkeys(found))


def _listed(itself: Itself) -> list[str]:
    found = []
    for one in itself.modules:
        if itself.implements(one.id.name):
            features = ",".join(itself.features(one.id.name))
            more = f"&revision={one.id.revision}" if one.id.revision else ""
            more += f"&features={features}" if features else ""
            found.append(f"{one.namespace}?module={one.id.name}{more}")
    return found
