"""A second, naive reader of notification messages, written from the drafts and the digest alone.

It knows nothing of the product's tables: one dictionary walk over what ``json.loads`` or
``xmltodict`` gives, no types, no refusals. Slow and short, for comparison only.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

import xmltodict

HEADER = {
    "event_time": ("event-time", "eventTime"),
    "hostname": ("hostname", "sysName"),
    "sequence_number": ("sequence-number", "sequenceNumber"),
}
KINDS = (
    "push-update", "push-change-update", "subscription-started", "subscription-modified",
    "subscription-suspended", "subscription-resumed", "subscription-terminated",
    "subscription-completed", "replay-completed",
)  # fmt: skip
ORIGINATOR = re.compile(r"message-(publisher|generator|observation-domain)-ids?")


def naive_time(text: str) -> int:
    """ns since 1970, by the standard library and a split for the digits it cannot hold."""
    text = text.strip().upper().replace("Z", "+00:00")
    whole, fraction, zone = re.fullmatch(r"(.{19})(?:\.(\d+))?(.*)", text).groups()  # type: ignore[union-attr]  # the texts here are all times
    seconds = round(datetime.fromisoformat(whole + zone).timestamp())
    return seconds * 10**9 + int(((fraction or "") + "0" * 9)[:9])


def local(name: str) -> str:
    return name.split(":")[-1]


def by_local(members: Any) -> dict[str, Any]:
    return {local(name): value for name, value in members.items()} if members else {}


def naive_decode(message: dict[str, Any], *, strict: bool = True) -> dict[str, Any]:
    """Members of a message with a wrapper, by the names of ``model.Notification``."""
    ((root, wrapper),) = message.items()
    found: dict[str, Any] = {"root": root}
    outer = by_local(wrapper)
    for name, spellings in HEADER.items():
        found[name] = next((outer[s] for s in spellings if s in outer), None)
    if found["event_time"] is not None:
        found["event_time"] = naive_time(found["event_time"])
    if found["sequence_number"] is not None:
        found["sequence_number"] = int(found["sequence_number"])
    holder = outer.get("contents", outer.get("notification-contents", outer))
    body = next((v for k, v in by_local(holder).items() if k in KINDS), None)
    if body is None and not strict:
        return found
    found["kind"] = next(k for k in by_local(holder) if k in KINDS)
    leaves = by_local(body)
    found["subscription_id"] = int(leaves.get("id", leaves.get("identifier")))
    if found["kind"].startswith("push"):
        given = next((v for k, v in leaves.items() if ORIGINATOR.fullmatch(k)), None)
        given = given[0] if isinstance(given, list) else given
        found["generator"] = None if given is None else str(int(given))
        observed = leaves.get("timestamp", leaves.get("observation-time"))
        found["observation_time"] = None if observed is None else naive_time(observed)
        found["point_in_time"] = leaves.get("point-in-time")
        found["incomplete_update"] = "incomplete-update" in leaves
    return found


def naive_decode_xml(octets: bytes) -> dict[str, Any]:
    """The same out of XML; the default namespace stands where JSON has the module."""
    ((tag, wrapper),) = xmltodict.parse(octets).items()
    wrapper = {name: _text(value) for name, value in wrapper.items() if name[0] != "@"}
    root = {"envelope": "ietf-yp-notification:envelope"}.get(tag, f"ietf-notification:{tag}")
    return naive_decode({root: wrapper})


def _text(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) <= {"@xmlns", "#text"} and "#text" in value:
            return value["#text"]
        return {name: _text(member) for name, member in value.items() if name[0] != "@"}
    return [_text(entry) for entry in value] if isinstance(value, list) else value


# --------------------------------------------------------------------------- and into XML
SPECIAL = {"ietf-notification": "urn:ietf:params:xml:ns:netconf:notification:1.0"}


def naive_xml_of(message: dict[str, Any]) -> bytes:
    """A JSON message as XML, by string joining: a default namespace on every qualified name."""
    ((root, wrapper),) = message.items()
    return _element(root, wrapper).encode()


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        if value == [None]:
            return _element(name, {})
        return "".join(_element(name, entry) for entry in value)
    module, _, tag = name.rpartition(":")
    space = SPECIAL.get(module, f"urn:ietf:params:xml:ns:yang:{module}")
    start = f'<{tag} xmlns="{space}">' if module else f"<{tag}>"
    if isinstance(value, dict):
        inside = "".join(_element(inner, member) for inner, member in value.items())
    else:
        inside = escape(str(value).lower() if isinstance(value, bool) else str(value))
    return f"{start}{inside}</{tag}>"
