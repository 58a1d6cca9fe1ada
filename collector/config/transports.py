"""The keys of the receivers: where messages come in, over which transport, and within which bounds.

Rules: as in ``settings``. A receiver that is not enabled costs nothing, not even its import.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from collector.config.types import BindPort, Text, Timeout


class ReceiverSettings(Struct, frozen=True, kw_only=True):
    """A section of a receiver of ours: named as the receiver, ``_`` for ``-``."""


class UdpNotifSettings(ReceiverSettings, frozen=True, kw_only=True):
    """The UDP-notif receiver (draft-ietf-netconf-udp-notif)."""

    enabled: bool = True
    """Whether to receive UDP-notif at all."""
    address: Text = "127.0.0.1"
    """Address to listen on; 0.0.0.0 or :: for every interface. UDP-notif is not encrypted and
    anybody who reaches the port can send, so choose the interface of the management network."""
    port: BindPort = 10003
    """UDP port; 0 lets the system choose."""
    receive_buffer_bytes: Annotated[int, Meta(ge=65536, le=2**30)] = 192 * 2**20
    """Socket buffer that is asked for, in bytes. The kernel may grant less (net.core.rmem_max); a
    warning says so."""


class ReassemblySettings(Struct, frozen=True, kw_only=True):
    """Messages that arrive in several segments (draft-ietf-netconf-udp-notif, section 4)."""

    window_seconds: Annotated[float, Meta(gt=0, le=20)] = 10.0
    """Seconds that a half-built message waits for its missing segments."""
    max_segments: Annotated[int, Meta(ge=64, le=32768)] = 128
    """Segments of one message; more are refused. At least 64 (udp-notif-26, section 5.2)."""
    max_message_bytes: Annotated[int, Meta(ge=98_304, le=64 * 2**20)] = 262_144
    """Bytes of one whole message; longer ones are refused. At least 96 KiB (udp-notif-26)."""
    max_half_built_per_peer: Annotated[int, Meta(ge=1, le=100_000)] = 256
    """Half-built messages of one source address at a time."""
    max_half_built: Annotated[int, Meta(ge=1, le=1_000_000)] = 4096
    """Half-built messages of all sources at a time."""
    max_half_built_bytes: Annotated[int, Meta(ge=2**20, le=2**36)] = 64 * 2**20
    """Bytes of all half-built messages at a time, 512 added for each segment; above it the oldest
    are given up. Two whole messages always fit. Every receiver of datagrams and every lane has its
    own, and keeps up to 48 MiB of finished ones, so that it knows their duplicates."""


class TlsServerSettings(Struct, frozen=True, kw_only=True):
    """What a receiver shows and demands over TLS or DTLS. The files are read again when they
    change; who is connected stays connected."""

    certificate_file: Text | None = None
    """File with the certificate that is shown, PEM, its chain behind it."""
    key_file: Text | None = None
    """File with its private key, PEM, without a passphrase."""
    client_ca_file: Text | None = None
    """File with the authorities that sign the certificates of publishers, PEM."""
    client_certificates: Literal["required", "optional", "none"] = "required"
    """Whether publishers have to show a certificate. Without one a publisher is known by its
    address alone."""
    client_names: tuple[Text, ...] = ()
    """Names that the certificate of a publisher must have, as in "core7.example.net" or
    "*.example.net"; without any, whoever an authority signed may send."""


class DtlsSettings(ReceiverSettings, TlsServerSettings, frozen=True, kw_only=True):
    """UDP-notif over DTLS 1.2 (draft-ietf-netconf-udp-notif, section 6); needs the extra "dtls".
    The socket buffer is that of [udp_notif]."""

    enabled: bool = False
    """Whether to receive UDP-notif over DTLS."""
    address: Text = "127.0.0.1"
    """Address to listen on; 0.0.0.0 or :: for every interface."""
    port: BindPort = 10004
    """UDP port; 0 lets the system choose."""
    framing: Literal["auto", "single", "counted"] = "auto"
    """How messages lie in DTLS records: "single" is one in each (draft -26), "counted" has the
    length in decimal digits before each message (up to -25), "auto" looks at the first octet, which
    cannot tell where there are private media types."""
    idle_timeout_seconds: Annotated[float, Meta(gt=0, le=86_400)] = 600.0
    """Seconds without a message after which a session is closed."""
    max_sessions: Annotated[int, Meta(ge=1, le=100_000)] = 10_000
    """Sessions at a time, unfinished handshakes among them; each takes about 90 kB of memory."""


class HttpsNotifSettings(ReceiverSettings, TlsServerSettings, frozen=True, kw_only=True):
    """The HTTPS receiver (draft-ietf-netconf-https-notif)."""

    enabled: bool = False
    """Whether to receive notifications over HTTPS."""
    address: Text = "127.0.0.1"
    """Address to listen on; 0.0.0.0 or :: for every interface."""
    port: BindPort = 10443
    """TCP port; 0 lets the system choose."""
    path: Text = "/yang-push"
    """What comes before /capabilities and /relay-notification in the URLs."""
    plain_http: bool = False
    """Whether to go without TLS; only on a loopback address, as behind a proxy."""
    max_message_bytes: Annotated[int, Meta(ge=98_304, le=64 * 2**20)] = 1_048_576
    """Bytes of one notification; longer ones are refused with 413."""
    max_connections: Annotated[int, Meta(ge=1, le=100_000)] = 10_000
    """Connections at a time."""
    idle_timeout_seconds: Annotated[float, Meta(gt=0, le=86_400)] = 600.0
    """Seconds without a request after which a connection is closed."""
    request_timeout_seconds: Timeout = 30.0
    """Seconds that a request may take to arrive."""


class GrpcDialoutSettings(ReceiverSettings, TlsServerSettings, frozen=True, kw_only=True):
    """The gRPC dial-out receiver: Cisco MdtDialout and Huawei dataPublish."""

    enabled: bool = False
    """Whether to receive telemetry over gRPC."""
    address: Text = "127.0.0.1"
    """Address to listen on; 0.0.0.0 or :: for every interface."""
    port: BindPort = 10057
    """TCP port; 0 lets the system choose."""
    plaintext: bool = False
    """Whether to go without TLS, as many routers do; only on a loopback address or with
    insecure = true."""
    insecure: bool = False
    """Whether plaintext is allowed on other addresses: anybody who reaches the port can send and
    read along."""
    max_message_bytes: Annotated[int, Meta(ge=98_304, le=64 * 2**20)] = 4_194_304
    """Bytes of one message, all chunks of it together."""
    max_streams: Annotated[int, Meta(ge=1, le=100_000)] = 10_000
    """Streams at a time."""
