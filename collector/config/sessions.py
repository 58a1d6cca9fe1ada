"""The keys of NETCONF sessions: how one device is reached, who may call, and what all of them may
take together.

Rules: as in ``settings``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from collector.config.types import BindPort, Port, Text, Timeout


class NetconfSettings(Struct, frozen=True, kw_only=True):
    """The management session to a device: where subscriptions are established."""

    host: Annotated[str, Meta(max_length=4096)] = ""
    """Name or address of the device; nothing for one that calls home."""
    port: Port = 830
    """TCP port of NETCONF over SSH."""
    call_home: bool = False
    """Whether the device calls and is not connected to (RFC 8071); it comes to the address of
    [call_home] and is known by host_keys."""
    username: Text
    """User name of the session."""
    password_file: Text | None = None
    """File whose first line is the password."""
    password_env: Text | None = None
    """Environment variable that holds the password."""
    key_file: Text | None = None
    """Private key for public-key authentication."""
    key_passphrase_file: Text | None = None
    """File whose first line is the passphrase of the private key."""
    key_passphrase_env: Text | None = None
    """Environment variable that holds the passphrase of the private key."""
    known_hosts: Text | None = None
    """File of known host keys; without it the user's own ~/.ssh/known_hosts. An unknown host key
    is refused."""
    host_keys: tuple[Text, ...] = ()
    """The device's own host keys, instead of known_hosts: public keys as in "ssh-ed25519 AAAA.." or
    fingerprints as in "SHA256:..". No other key is accepted, whatever a file says."""
    session: Literal["asyncssh", "ncclient"] = "asyncssh"
    """Which client holds the session; ncclient for a vendor that needs its device handlers."""
    device_handler: Text = "default"
    """Device handler of ncclient, as in "iosxr" or "huaweiyang"."""
    connect_timeout_seconds: Timeout = 10.0
    """Seconds for connect, log-in and hello."""
    rpc_timeout_seconds: Timeout = 30.0
    """Seconds that a request may wait for its reply, and a message for its end."""


class SessionsSettings(Struct, frozen=True, kw_only=True):
    """The NETCONF sessions of all devices together."""

    connects_per_second: Annotated[float, Meta(ge=0.1, le=1000)] = 50.0
    """Sessions that are opened in a second at most. Each log-in costs a few milliseconds of CPU;
    when many devices were lost together, this is what keeps the rest going meanwhile."""
    max_connecting: Annotated[int, Meta(ge=1, le=10_000)] = 512
    """Devices that are connected to at the same time. Those that do not answer hold a place until
    connect_timeout_seconds are over, and others should not wait for them."""
    max_message_bytes: Annotated[int, Meta(ge=65_536, le=256 * 2**20)] = 16 * 2**20
    """Bytes of one message of a device; a longer one ends its session."""
    max_unfinished_bytes: Annotated[int, Meta(ge=2**20, le=2**36)] = 256 * 2**20
    """Bytes of unfinished messages of all sessions at a time; above it the session that holds most
    is ended."""


class CallHomeSettings(Struct, frozen=True, kw_only=True):
    """Where devices call home over SSH (RFC 8071): those with [device.netconf] call_home = true.

    With several lanes each listens on the same port for its own devices, and a call reaches the
    lane of its device by its address, which must be one of the device's sources."""

    enabled: bool = False
    """Whether calls are taken."""
    address: Text = "127.0.0.1"
    """Address to listen on; 0.0.0.0 or :: for every interface. Whoever reaches the port makes us
    compute a key exchange, so choose the interface of the management network."""
    port: BindPort = 4334
    """TCP port; 0 lets the system choose."""
    max_callers: Annotated[int, Meta(ge=1, le=10_000)] = 256
    """Callers that are not logged in yet, at a time; a quarter of them from one address. More are
    refused and call again, as are those whose turn would not come within timeout_seconds."""
    timeout_seconds: Timeout = 10.0
    """Seconds that a caller may take until we are logged in."""
