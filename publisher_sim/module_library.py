"""The YANG modules that the simulated device says it has, and gives away (RFC 6022).

Does: answer get-schema and ``get`` of ``/netconf-state/schemas``, with the modules of the project,
those of the data that the device pushes, and all that they import, as far as they are installed.
Does not: hold a session (``publishers.netconf_server``), keep a YANG library.

Rules: nothing is read before somebody asks.
"""

from __future__ import annotations

import re
import sys
from functools import cached_property
from pathlib import Path

from collector.errors import ProtocolError, UsageError, WireError
from collector.schema.loader import bundled_modules_folder, find_modules, module_name
from collector.wire.netconf_rpc import Get, OtherOperation, Rpc, encode_reply
from collector.wire.netconf_schemas import (
    ModuleId,
    decode_get_schema,
    dependencies,
    encode_schema,
    encode_schemas,
    latest_revision,
)

PUSHED = ("ietf-interfaces", "ietf-hardware", "ietf-yang-push", "ietf-netconf-monitoring")
"""What the device has beside the project's own modules."""
_GET_SCHEMA = OtherOperation("ietf-netconf-monitoring:get-schema")
_SCHEMAS = "ietf-netconf-monitoring:netconf-state"
_NAMESPACE = re.compile(r"^\s*namespace\s+[\"']([^\"']*)", re.MULTILINE)


class ModuleLibrary:
    """Answers what is about modules."""

    def answer(self, rpc: Rpc, request: bytes) -> bytes | None:
        """The reply to ``request``, which reads as ``rpc``; None when it is about other things."""
        if rpc.operation == _GET_SCHEMA:
            return self._schema(rpc.message_id, request)
        if isinstance(rpc.operation, Get) and _SCHEMAS in (rpc.operation.selects or ()):
            return encode_schemas(
                rpc.message_id,
                [(module, _namespace(text)) for module, text in self.modules.values()],
            )
        return None

    @cached_property
    def modules(self) -> dict[str, tuple[ModuleId, str]]:
        """Name -> the module and its text."""
        files = _files()
        found: dict[str, tuple[ModuleId, str]] = {}
        waiting = [*map(module_name, bundled_modules_folder().glob("*.yang")), *PUSHED]
        while waiting:
            name = waiting.pop()
            if name in files and name not in found:
                text = files[name].read_text(encoding="utf-8")
                found[name] = ModuleId(name, latest_revision(text)), text
                waiting += dependencies(text)
        return dict(sorted(found.items()))

    def _schema(self, message_id: str, request: bytes) -> bytes:
        try:
            wanted = decode_get_schema(request)[1].module
        except WireError as error:
            refused = ProtocolError(str(error), tag="invalid-value")
            return encode_reply(message_id, refused)
        module, text = self.modules.get(wanted.name, (None, ""))
        if module is None or wanted.revision not in ("", module.revision):
            refused = ProtocolError(f"there is no {wanted} here", tag="invalid-value")
            return encode_reply(message_id, refused)
        return encode_schema(message_id, text)


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


def _namespace(text: str) -> str:
    found = _NAMESPACE.search(text)
    return found[1] if found else ""
