"""The YANG modules that the simulated device has, and gives away (RFC 6022 §3.1).

Does: find the modules of the project, those of the data that the device pushes, and all that they
import, as far as they are installed; answer get-schema. Does not: hold a session
(``netconf.server``), say which of them are implemented (``master.retrieval.itself``).

Rules: nothing is read before somebody asks, and once for all devices of a process.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path

from msgspec import Struct, structs

from collector.errors import ProtocolError, UsageError, WireError
from collector.schema.loader import bundled_modules_folder, find_modules, module_name
from collector.wire.netconf.rpc import OtherOperation, Rpc, encode_reply
from collector.wire.netconf.schemas import (
    ModuleId,
    decode_get_schema,
    dependencies,
    encode_schema,
    latest_revision,
)
from collector.wire.values import names

PUSHED = (
    "iana-hardware",
    "iana-if-type",
    "ietf-interfaces",
    "ietf-hardware",
    "ietf-yang-push",
    "ietf-netconf-monitoring",
    "ietf-yang-library",
    "ietf-netconf-nmda",
)
"""What the device has beside the project's own modules."""
ORIGINATORS = {
    names.MODE_MSO: names.MSO,
    names.MODE_DN_18: names.DN,
    names.MODE_DN_19: names.DN,
}
"""control mode -> the module that extends subscriptions."""
RECEIVERS = (names.RECEIVERS, names.UDP_TRANSPORT, names.HTTPS_TRANSPORT)
"""With what receivers of configured subscriptions are configured, where they can be."""
_IN_REPLY = """
  augment "/sn:establish-subscription/sn:output" {
    description
      "The split of a dynamic subscription.";
    uses message-publisher-ids;
  }
"""
_GET_SCHEMA = OtherOperation("ietf-netconf-monitoring:get-schema")
_NAMESPACE = re.compile(r"^\s*namespace\s+[\"']([^\"']*)", re.MULTILINE)


class InstalledModule(Struct, frozen=True):
    """One module."""

    id: ModuleId
    namespace: str
    text: str


@cache
def installed_modules() -> dict[str, InstalledModule]:
    """Name -> module, sorted."""
    files = _files()
    found: dict[str, InstalledModule] = {}
    waiting = [*map(module_name, bundled_modules_folder().glob("*.yang")), *PUSHED]
    while waiting:
        name = waiting.pop()
        if name in files and name not in found:
            text = files[name].read_text(encoding="utf-8")
            namespace = _NAMESPACE.search(text)
            module = ModuleId(name, latest_revision(text))
            found[name] = InstalledModule(module, namespace[1] if namespace else "", text)
            waiting += dependencies(text)
    return dict(sorted(found.items()))


@cache
def modules_of(mode: str, *, receivers: bool = False) -> dict[str, InstalledModule]:
    """Those of a device in that control mode: another mode's extension is not there, nor what
    receivers are configured with where they cannot be."""
    found = dict(installed_modules())
    for module in set(ORIGINATORS.values()) - {ORIGINATORS[mode]}:
        found.pop(module, None)
    for module in () if receivers else RECEIVERS:
        found.pop(module, None)
    if mode == names.MODE_DN_18 and names.DN in found:
        found[names.DN] = _of_version_18(found[names.DN])
    return found


def _of_version_18(module: InstalledModule) -> InstalledModule:
    """What -19 left out, and the revision of -18, are all that its module has differently."""
    text = module.text.replace(module.id.revision, "2026-02-21").replace("-notif-19", "-notif-18")
    text = text.replace(
        "-19: no list in the reply to\n       establish-subscription any more.", "-18."
    )
    inside, end, _ = text.rpartition("}")
    return structs.replace(
        module, id=ModuleId(module.id.name, "2026-02-21"), text=f"{inside}{_IN_REPLY}{end}\n"
    )


def answer_get_schema(
    rpc: Rpc, request: bytes, mode: str = names.MODE_MSO, *, receivers: bool = False
) -> bytes | None:
    """The reply to ``request``, which reads as ``rpc``; None when it is about other things.

    ``mode`` and ``receivers`` say which modules there are, as in ``modules_of``.
    """
    if rpc.operation != _GET_SCHEMA:
        return None
    try:
        wanted = decode_get_schema(request)[1].module
    except WireError as error:
        refused = ProtocolError(str(error), tag="invalid-value")
        return encode_reply(rpc.message_id, refused, attributes=rpc.attributes)
    found = modules_of(mode, receivers=receivers).get(wanted.name)
    if found is None or wanted.revision not in ("", found.id.revision):
        refused = ProtocolError(f"there is no {wanted} here", tag="invalid-value")
        return encode_reply(rpc.message_id, refused, attributes=rpc.attributes)
    return encode_schema(rpc.message_id, found.text, rpc.attributes)


def _files() -> dict[str, Path]:
    """Name -> file: the project's own, and the standard ones that come with pyang."""
    folders = [Path(sys.prefix, "share", "yang", "modules"), bundled_modules_folder()]
    found: dict[str, Path] = {}
    for folder in folders:
        try:
            found |= {module_name(path): path for path in find_modules([folder])}
        except UsageError:
            continue  # pyang is installed elsewhere: then there are our own only
    return found
