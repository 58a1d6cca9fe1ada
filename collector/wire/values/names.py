"""Names on the wire: modules, namespaces, wrapper roots, and every spelling of one idea.

Does: say which XML namespace belongs to which YANG module, which wrappers a notification message
comes in, how the originator id was spelled over the years, and which spelling each control mode
writes. Does not: read or write a message.

Rules: an exact table for the modules that mean something to us, a guess by the last part of the
namespace for all others (vendors), never the guess for a module of the table.

Spec: draft-zhou-netconf-multi-stream-originators-10 and its successors
draft-ietf-netconf-distributed-notif-01 to -19; RFC 8639; RFC 8641;
draft-ietf-netconf-notif-envelope.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

# --------------------------------------------------------------------------- modules
SN: Final = "ietf-subscribed-notifications"
YP: Final = "ietf-yang-push"
DS: Final = "ietf-datastores"
MSO: Final = "ietf-multiple-stream-originators"
DN: Final = "ietf-distributed-notif"
DN_OLD: Final = "ietf-distributed-notifications"
"""Name of the module up to draft-ietf-netconf-distributed-notif-02."""
ENVELOPE: Final = "ietf-yp-notification"
OBSERVATION: Final = "ietf-yp-observation"
NETOBS: Final = "ietf-yang-push-netobs-timestamping"
"""Predecessor of ``ietf-yp-observation``."""
SEQUENCING: Final = "ietf-notification-sequencing"
NOTIFICATION: Final = "ietf-notification"
"""Model of the RFC 5277 header for JSON; its namespace is that of RFC 5277."""
MESSAGES: Final = "ietf-notification-messages"
REVISION: Final = "ietf-yang-push-revision"
REVISION_OLD: Final = "ietf-yp-versioning"
"""Spelling seen on Arrcus."""
UDP_TRANSPORT: Final = "ietf-udp-notif-transport"
NETCONF: Final = "ietf-netconf"
NMDA: Final = "ietf-netconf-nmda"
"""get-data and edit-data (RFC 8526)."""
YANG: Final = "yang"
"""No module: what stands for the namespace of ``<action>`` (RFC 7950 §5.3.1)."""
RECEIVERS: Final = "ietf-subscribed-notif-receivers"
UDP_OLD: Final = "ietf-udp-notif"
"""Name of the transport's module in udp-notif-05 to -08."""
HTTPS_TRANSPORT: Final = "ietf-https-notif-transport"

_YANG: Final = "urn:ietf:params:xml:ns:yang:"
NETCONF_BASE: Final = "urn:ietf:params:xml:ns:netconf:base:1.0"
NOTIFICATION_1_0: Final = "urn:ietf:params:xml:ns:netconf:notification:1.0"
NOTIFICATION_MISPRINT: Final = "urn:ietf:params:netconf:capability:notification:1.0"
"""Namespace of ``<notification>`` in the example of RFC 7950 §7.16.3; wrong, but read."""

PREFIXES: Final[dict[str, str]] = {
    SN: "sn",
    YP: "yp",
    DS: "ds",
    MSO: "mso",
    DN: "dn",
    DN_OLD: "dn-old",
    ENVELOPE: "iypn",
    OBSERVATION: "iypo",
    NETOBS: "netobs",
    SEQUENCING: "seq",
    NOTIFICATION: "ietf-notif",
    MESSAGES: "nm",
    REVISION: "ypr",
    REVISION_OLD: "yp-versioning",
    UDP_TRANSPORT: "unt",
    HTTPS_TRANSPORT: "hnt",
    NETCONF: "nc",
    NMDA: "ncds",
    YANG: "yang",
    "ietf-interfaces": "if",
    "ietf-hardware": "hw",
    "ietf-ip": "ip",
    "ietf-yang-patch": "ypatch",
    "ietf-restconf": "rc",
    "ietf-https-notif": "https-notif",
    "ietf-restconf-subscribed-notifications": "rsn",
    RECEIVERS: "snr",
    UDP_OLD: "un",
    "ietf-yang-library": "yanglib",
    "iana-if-type": "ianaift",
    "iana-hardware": "ianahw",
}
"""module -> its usual prefix; also the list of the modules known exactly."""

_OTHER_NAMESPACES: Final = {
    NETCONF: NETCONF_BASE,
    NOTIFICATION: NOTIFICATION_1_0,
    YANG: f"{_YANG}1",
}
NAMESPACES: Final[dict[str, str]] = {
    module: _OTHER_NAMESPACES.get(module, _YANG + module) for module in PREFIXES
}
"""module -> XML namespace."""
_MODULES: Final[dict[str, str]] = {uri: module for module, uri in NAMESPACES.items()} | {
    NOTIFICATION_MISPRINT: NOTIFICATION
}


def namespace_of(module: str) -> str:
    """XML namespace of a module; of an unknown one the form that RFC 6991 modules have.

    A text with a ``:`` or ``/`` is taken for a namespace already.
    """
    if ":" in module or "/" in module:
        return module
    return NAMESPACES.get(module) or _YANG + module


def has_known_namespace(module: str) -> bool:
    """Whether ``namespace_of`` is no guess: IETF and IANA build theirs alike (RFC 8407 §4.9)."""
    return module in NAMESPACES or module.startswith(("ietf-", "iana-"))


def module_of(namespace: str) -> str:
    """Module of an XML namespace; of an unknown one the last part, as vendors build them.

    Where that part would pass for a module known here, the whole namespace is the answer.
    """
    known = _MODULES.get(namespace)
    if known is not None:
        return known
    last = namespace.rpartition(":")[2].rpartition("/")[2]
    return namespace if not last or last in NAMESPACES else last


def local_name(name: str) -> str:
    """``local`` of ``module:local``; also of an identity with prefix."""
    return name.rpartition(":")[2]


# --------------------------------------------------------------------------- wrappers
ROOT_ENVELOPE: Final = "ietf-yp-notification:envelope"
"""draft-ietf-netconf-notif-envelope §3.1; in XML ``<envelope>``."""
ROOT_NOTIFICATION: Final = "ietf-notification:notification"
"""The RFC 5277 header; in XML ``<notification>`` of RFC 5277 §4."""
ROOT_RESTCONF: Final = "ietf-restconf:notification"
"""RFC 8040 §6.4, JSON only."""
ROOT_HTTPS: Final = "ietf-https-notif:notification"
"""draft-ietf-netconf-https-notif-15, JSON only."""
ROOT_ARRCUS: Final = "ietf-yp-notification:notification"
"""A mixture of the first two, seen on Arrcus; read, never written."""
ROOT_MESSAGES: Final = "ietf-notification-messages:message"
"""draft-ietf-netconf-notification-messages-08: the base document's own wrapper."""
ROOT_BARE: Final = "bare"
"""No wrapper: ``{"module:notification": {...}}``, seen on sysrepo; no event time."""

ROOT_CISCO: Final = "cisco-telemetry"
"""``Telemetry`` of Cisco's gRPC dial-out, in GPB or JSON: no notification, but read as one."""
ROOT_HUAWEI: Final = "huawei-telemetry"
"""``Telemetry`` of Huawei's gRPC dial-out."""

ROOT_FORMS: Final = (
    ROOT_ENVELOPE,
    ROOT_NOTIFICATION,
    ROOT_RESTCONF,
    ROOT_HTTPS,
    ROOT_ARRCUS,
    ROOT_MESSAGES,
    ROOT_BARE,
)
"""Wrappers of notifications: values of ``Notification.root``, beside the two of gRPC dial-out."""

# --------------------------------------------------------------------------- originator id
GENERATOR_MODULES: Final = (DN, MSO, DN_OLD)
"""Modules that defined the originator id, the best first."""
GENERATOR_LEAVES: Final = (
    "message-publisher-id",
    "message-publisher-ids",
    "message-generator-id",
    "message-observation-domain-id",
)
"""Every spelling: distributed-notif -14..-19 and -08, -09..-13, base document, -01..-07."""


class GeneratorLeaf(Struct, frozen=True):
    """How one control mode spells the originator id."""

    module: str
    leaf: str
    numeric: bool
    """uint32, else string."""
    in_reply: bool
    """True where the establish-subscription reply carries the list."""


MODE_MSO: Final = "mso"
MODE_DN_18: Final = "distributed-notif-18"
MODE_DN_19: Final = "distributed-notif-19"
CONTROL_MODES: Final[dict[str, GeneratorLeaf]] = {
    MODE_MSO: GeneratorLeaf(MSO, "message-generator-id", numeric=False, in_reply=True),
    MODE_DN_18: GeneratorLeaf(DN, "message-publisher-id", numeric=True, in_reply=True),
    MODE_DN_19: GeneratorLeaf(DN, "message-publisher-id", numeric=True, in_reply=False),
}
"""control mode -> the leaf-list it writes in replies, state changes and ``/subscriptions``.

Inside push-update and push-change-update it is ``ietf-distributed-notif:message-publisher-id`` in
every mode: the base document defines no leaf there.
"""
