"""Whether updates would follow the module versions that a subscription asks for.

Does not: know modules (``module_library`` does). Rules: a revision has to be the installed one; no
module here has a version of its own, so asking for one is refused. Spec:
draft-ietf-netconf-yang-notifications-versioning-13 §3, §5.
"""

from __future__ import annotations

from collector.model import SubscriptionTerms
from collector.wire.netconf.errors import refusal
from publisher_sim.data.module_library import installed_modules


def check_versions(terms: SubscriptionTerms) -> None:
    """Raises ProtocolError."""
    for name, revision, version in terms.module_versions:
        installed = installed_modules().get(name)
        has = "" if installed is None else installed.id.revision
        if revision and revision != has:
            known = f"revision {has} of {name}" if has else f"no {name}"
            raise refusal("revision-unsupported", f"{known} here, not {revision}")
        if version:
            raise refusal("version-unsupported", f"{name} has no versions here")
