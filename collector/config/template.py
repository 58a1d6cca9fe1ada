"""The commented configuration that ``collector init`` writes.

Does: put the text, limit and default of every key of ``settings`` in front of it, so that file and
code never differ. Rules: a line ``# text`` is for reading, a line ``#key = value`` (no space)
becomes a setting when its ``#`` is taken away; as written, the file sets nothing.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator
from typing import Any

import msgspec

from collector.config import sessions, settings, subscriptions
from collector.config.reading import describe

_WIDTH = 98
_PLAIN = (
    "text",
    "text, not empty",
    "true or false",
    "a list [..] of texts",
    "a table of key = text",
)
"""Limits that say nothing an example does not say."""
_EXAMPLES: dict[str, dict[str, Any]] = {
    "DeviceSettings": {
        "name": "core7",
        "sources": ["192.0.2.7", "192.0.2.71", "192.0.2.72"],
    },
    "NetconfSettings": {
        "host": "192.0.2.7",
        "username": "telemetry",
        "password_file": "core7.password",
    },
    "SubscriptionSettings": {
        "name": "interface-counters",
        "devices": ["*"],
        "xpath": "/ietf-interfaces:interfaces",
        "period_seconds": 10,
    },
    "ReceiverInstanceSettings": {
        "name": "collector",
        "address": "192.0.2.1",
        "port": 10003,
    },
    "KnownSubscriptionSettings": {
        "id": 4711,
        "name": "configured-counters",
        "period_seconds": 60,
    },
}
"""What an operator has to say himself: shown as the example, the rest with its default."""
_UNSET = {
    "file": "alerts.jsonl",
    "webhook": "https://alerts.example.net/hook",
    "grace_seconds": 0.5,
    "stream": "NETCONF",
    "filter_name": "interfaces-only",
    "datastore": "operational",
    "stop_time": "2030-01-01T00:00:00Z",
    "stop_after_seconds": 600,
    "replay_start_time": "2026-01-01T00:00:00Z",
    "replay_seconds": 3600,
    "dscp": 16,
    "weighting": 32,
    "dependency": "alarms",
    "password_env": "CORE7_PASSWORD",
    "key_file": "private.key",
    "key_passphrase_file": "core7.passphrase",
    "key_passphrase_env": "CORE7_PASSPHRASE",
    "known_hosts": "known_hosts",
    "certificate_file": "collector.pem",
    "client_ca_file": "publishers-ca.pem",
    "encoding": "encode-json",
    "label": "Sub3",
    "configured_id": 100,
    "tls_parameters": "<server-authentication/>",
    "max_segment_size": 1400,
    "folder": "yang",
    "schema_folder": "yang/core7",
    "sid_folder": "sid",
    "subtree": '<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces"/>',
}
"""What a key without a default may look like; written so that it stays prose."""
_PLUG_INS = {
    "receivers": "A receiver of another package has a section [receiver.NAME] with keys of its own:"
    " `collector plugins` says which there are. It is enabled by being there; enabled = false"
    " leaves it out.",
    "sinks": 'An output has a section [sink.NAME], as [sink.jsonl] with file = "facts.jsonl",'
    " which gets verdicts, events and subscriptions as JSON, one object a line.",
}
"""Sections whose keys a plug-in says."""


def template() -> str:
    """The whole commented file."""
    parts = [
        "# Configuration of the YANG-Push collector.",
        "# Every key is here with its default, commented out. To set one, take its # away; devices",
        "# and subscriptions begin with a [[section]] that needs its # taken away too, and can be",
        "# repeated. `collector check-config FILE` says whether the result can be used.",
        "",
    ]
    for entry in msgspec.structs.fields(settings.Config):
        if entry.name == "devices":
            parts += _section(settings.DeviceSettings, "[[device]]", skip=("netconf", "generators"))
            parts += _section(sessions.NetconfSettings, "[device.netconf]")
            parts += _generators()
        elif entry.name == "subscriptions":
            parts += _section(subscriptions.SubscriptionSettings, "[[subscription]]")
        elif entry.name == "receiver_instances":
            parts += _section(subscriptions.ReceiverInstanceSettings, "[[receiver_instance]]")
        elif entry.name == "known_subscriptions":
            parts += _section(subscriptions.KnownSubscriptionSettings, "[[known_subscription]]")
        elif entry.name in _PLUG_INS:
            parts += ["", *_comment(_PLUG_INS[entry.name]), ""]
        else:
            parts += _section(entry.type, f"[{entry.encode_name}]")
    return "\n".join(parts).rstrip() + "\n"


def _section(kind: type[msgspec.Struct], header: str, *, skip: tuple[str, ...] = ()) -> list[str]:
    # [[device]] and [[subscription]] would be one more device and subscription, so they stay prose
    mark = "#" if kind.__name__ in _EXAMPLES else ""
    lines = ["", *_comment(inspect.getdoc(kind) or ""), f"{mark}{header}"]
    notes = field_notes(kind)
    examples = _EXAMPLES.get(kind.__name__, {})
    for entry in sorted(msgspec.structs.fields(kind), key=lambda entry: entry.name != "enabled"):
        if entry.name in skip:
            continue
        allowed = describe(entry.type)
        limit = "" if allowed in _PLAIN else f" ({allowed})"
        lines += ["", *_comment(notes[entry.name] + limit)]
        shown = examples.get(entry.name, _default(entry))
        if shown is None:
            lines.append(f"# Not set. Example: {entry.name} = {_toml(_UNSET[entry.name])}")
        else:
            lines.append(f"#{entry.name} = {_toml(shown)}")
    return [*lines, ""]


def _generators() -> list[str]:
    text = field_notes(settings.DeviceSettings)["generators"]
    return ["", *_comment(text), "#[device.generators]", '#"1" = "linecard 1"', ""]


def _default(entry: msgspec.structs.FieldInfo) -> Any:
    if entry.default_factory is not msgspec.NODEFAULT:
        return entry.default_factory()
    if entry.default is msgspec.NODEFAULT or entry.default is None:
        return None
    return list(entry.default) if isinstance(entry.default, tuple) else entry.default


def _toml(value: Any) -> str:
    # strings, numbers, booleans, lists of strings and {} are spelled alike in JSON and TOML
    text = json.dumps(value)
    return f"'{value}'" if "\\" in text else text


def _comment(text: str) -> Iterator[str]:
    for line in textwrap.wrap(" ".join(text.split()), _WIDTH, break_on_hyphens=False):
        yield f"# {line}"


def field_notes(kind: type) -> dict[str, str]:
    """field name -> the text that stands under it in the source, here or in a class above."""
    notes: dict[str, str] = {}
    for base in kind.__bases__:
        if issubclass(base, msgspec.Struct) and base is not msgspec.Struct:
            notes |= field_notes(base)
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    for field, note in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(note, ast.Expr)
            and isinstance(note.value, ast.Constant)
        ):
            notes[field.target.id] = inspect.cleandoc(str(note.value.value))
    return notes
