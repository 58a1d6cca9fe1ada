"""Receiver instances of configured subscriptions, both directions: udp-notif and https.

Does: the entries of ``receiver-instances`` as values, read in every spelling that is in use,
written in the one asked for. Does not: know subscriptions (``config``), or a network.

Rules: what is inside the TLS containers is XML text that is handed on; an instance of another
transport keeps its name alone.

Spec: draft-ietf-netconf-udp-notif-26 §7 (and -05 to -09), draft-ietf-netconf-https-notif-15 and
-16, ietf-subscribed-notif-receivers.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, quoteattr

from msgspec import Struct, structs

from collector.errors import UsageError
from collector.wire import https_notif
from collector.wire.values import names, plain, xml

UDP_NOTIF: Final = "udp-notif"
HTTPS: Final = "https"
TRANSPORTS: Final = (UDP_NOTIF, HTTPS)
"""Identities, without their modules, of what is known here."""


class Spelling(Struct, frozen=True):
    """How one version of the drafts writes an instance."""

    module: str
    """That defines the container, and the identity of the transport."""
    address: str = ""
    """Leaves of udp-notif; empty for https."""
    port: str = ""


SPELLINGS: Final[dict[str, Spelling]] = {
    "udp-notif-26": Spelling(names.UDP_TRANSPORT, "remote-address", "remote-port"),
    "udp-notif-09": Spelling(names.UDP_TRANSPORT, "address", "port"),
    "udp-notif-08": Spelling(names.UDP_OLD, "address", "port"),
    "https-notif-16": Spelling(names.HTTPS_TRANSPORT),
    "https-notif-15": Spelling(names.HTTPS_TRANSPORT),
}
"""name -> how instances look. ``udp-notif-09``: the new module with the old leaves, as the -13
draft on versioning still prints it."""
NEWEST: Final[dict[str, str]] = {UDP_NOTIF: "udp-notif-26", HTTPS: "https-notif-16"}
"""transport -> its spelling today."""


class ReceiverInstance(Struct, frozen=True):
    """One entry of ``receiver-instances``: where notifications are sent."""

    name: str
    transport: str = ""
    """``udp-notif`` or ``https``; empty: another one, of which nothing else is known."""
    address: str = ""
    """IP address or host name."""
    port: int = 0
    path: str = ""
    """https: what comes before the names of the resources, as in ``/yang-push``."""
    secure: bool = False
    """DTLS or TLS."""
    tls: str = ""
    """What stands inside the container ``dtls`` or ``tls-client-parameters``, as XML text."""
    enable_segmentation: bool = True
    """udp-notif alone; so are the next two."""
    max_segment_size: int | None = None
    """Octets, UDP-notif header included."""
    local_address: str | None = None
    spelling: str = ""
    """Key of ``SPELLINGS``; empty: the newest."""

    @property
    def spelled(self) -> Spelling:
        """How it is written. Raises UsageError."""
        name = self.spelling or NEWEST.get(self.transport, "")
        if name not in SPELLINGS or not name.startswith(self.transport):
            raise UsageError(f"{name or self.transport!r} is no spelling of a receiver instance")
        return SPELLINGS[name]


# --------------------------------------------------------------------------- decode
def read_instance(element: xml.Element) -> ReceiverInstance:
    """One ``<receiver-instance>``.

    Raises:
        WireError: ``bad-value``.
    """
    name = plain.read_text(element.text_of("name"), "name")
    for child in element.children:
        if child.name == "udp-notif-receiver":
            return _read_udp(name, child)
        if child.name == "https-receiver":
            return _read_https(name, child)
    return ReceiverInstance(name)


def _read_udp(name: str, element: xml.Element) -> ReceiverInstance:
    new = element.find("remote-address") is not None
    transport_module = names.module_of(element.namespace) == names.UDP_TRANSPORT
    spelling = "udp-notif-26" if new else "udp-notif-09" if transport_module else "udp-notif-08"
    leaves = SPELLINGS[spelling]
    dtls = element.find("dtls")
    size = element.text_of("max-segment-size")
    return ReceiverInstance(
        name,
        UDP_NOTIF,
        element.text_of(leaves.address),
        plain.read_uint(element.text_of(leaves.port), leaves.port, 65535),
        secure=dtls is not None,
        tls="" if dtls is None else xml.inner_text(dtls),
        enable_segmentation=plain.read_boolean(
            element.text_of("enable-segmentation", "true"), "enable-segmentation"
        ),
        max_segment_size=plain.read_uint(size, "max-segment-size", 65535) if size else None,
        local_address=element.text_of("local-address") or None,
        spelling=spelling,
    )


def _read_https(name: str, element: xml.Element) -> ReceiverInstance:
    endpoint = element.find("relay-notification-endpoint")
    if endpoint is not None:
        return _read_endpoint(name, endpoint)
    tls = element.find("tls")
    stack = tls or element.find("tcp") or element
    tcp, http = stack.find("tcp-client-parameters"), stack.find("http-client-parameters")
    port = "" if tcp is None else tcp.text_of("remote-port")
    inside = stack.find("tls-client-parameters")
    return ReceiverInstance(
        name,
        HTTPS,
        "" if tcp is None else tcp.text_of("remote-address"),
        plain.read_uint(port or ("80" if tls is None else "443"), "remote-port", 65535),
        path="" if http is None else http.text_of("path"),
        secure=tls is not None,
        tls="" if inside is None else xml.inner_text(inside),
        spelling="https-notif-15",
    )


def _read_endpoint(name: str, endpoint: xml.Element) -> ReceiverInstance:
    uri = endpoint.text_of("uri")
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise plain.bad_value("uri", uri) from None
    if parts.scheme not in ("http", "https") or not host:
        raise plain.bad_value("uri", uri)
    secure = parts.scheme == "https"
    inside = endpoint.find("tls-client-parameters")
    return ReceiverInstance(
        name,
        HTTPS,
        host,
        port or (443 if secure else 80),
        path=parts.path.removesuffix(https_notif.RELAY_NOTIFICATION),
        secure=secure,
        tls="" if inside is None else xml.inner_text(inside),
        spelling="https-notif-16",
    )


# --------------------------------------------------------------------------- encode
def write_instance(instance: ReceiverInstance) -> str:
    """``<receiver-instance>`` as XML text that stands alone.

    Raises:
        UsageError: a transport or spelling that is not known.
    """
    spelled = instance.spelled
    receiver = (
        _write_udp(instance, spelled) if instance.transport == UDP_NOTIF else _write_https(instance)
    )
    return (
        f"<receiver-instance xmlns={quoteattr(names.NAMESPACES[names.RECEIVERS])}>"
        f"{_leaf('name', instance.name)}{receiver}</receiver-instance>"
    )


def _leaf(name: str, value: str | int) -> str:
    return f"<{name}>{escape(str(value))}</{name}>"


def _write_udp(instance: ReceiverInstance, spelled: Spelling) -> str:
    text = _leaf(spelled.address, instance.address) + _leaf(spelled.port, instance.port)
    if instance.local_address is not None:
        text += _leaf("local-address", instance.local_address)
    if instance.secure:
        text += f"<dtls>{instance.tls}</dtls>"
    text += _leaf("enable-segmentation", str(instance.enable_segmentation).lower())
    if instance.max_segment_size is not None:
        text += _leaf("max-segment-size", instance.max_segment_size)
    namespace = quoteattr(names.NAMESPACES[spelled.module])
    return f"<udp-notif-receiver xmlns={namespace}>{text}</udp-notif-receiver>"


def _write_https(instance: ReceiverInstance) -> str:
    if instance.spelling == "https-notif-15":
        text = _write_stack(instance)
    else:
        text = _write_endpoint(
            instance, "capabilities-endpoint", https_notif.CAPABILITIES
        ) + _write_endpoint(instance, "relay-notification-endpoint", https_notif.RELAY_NOTIFICATION)
    namespace = quoteattr(names.NAMESPACES[names.HTTPS_TRANSPORT])
    return f"<https-receiver xmlns={namespace}>{text}</https-receiver>"


def _write_endpoint(instance: ReceiverInstance, name: str, resource: str) -> str:
    scheme = "https" if instance.secure else "http"
    host = f"[{instance.address}]" if ":" in instance.address else instance.address
    uri = f"{scheme}://{host}:{instance.port}{instance.path.rstrip('/')}{resource}"
    tls = f"<tls-client-parameters>{instance.tls}</tls-client-parameters>" if instance.tls else ""
    return f"<{name}>{_leaf('uri', uri)}{tls}</{name}>"


def _write_stack(instance: ReceiverInstance) -> str:
    tls = f"<tls-client-parameters>{instance.tls}</tls-client-parameters>"
    name = "tls" if instance.secure else "tcp"
    return (
        f"<{name}><tcp-client-parameters>{_leaf('remote-address', instance.address)}"
        f"{_leaf('remote-port', instance.port)}</tcp-client-parameters>"
        f"{tls if instance.secure else ''}<http-client-parameters>{_leaf('path', instance.path)}"
        f"</http-client-parameters></{name}>"
    )


def same_instance(one: ReceiverInstance, other: ReceiverInstance) -> bool:
    """Do both send to the same place in the same way, however they are called and spelled?"""
    return _content(one) == _content(other)


def _content(instance: ReceiverInstance) -> ReceiverInstance:
    return structs.replace(instance, name="", spelling="", path=instance.path.rstrip("/"))
