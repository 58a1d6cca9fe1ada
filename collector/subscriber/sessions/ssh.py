"""What asyncssh is told: options, our keys, whom we trust; and what its errors mean.

What it does: settings -> arguments, host keys compared with the pinned ones, errors -> one
sentence. What it does not: open a connection.

Rules: no file of the user is read but those named in the settings (no ~/.ssh/config, no agent).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncssh
from asyncssh.public_key import get_public_key_algs

from collector.config import PinnedKeys
from collector.errors import ConfigError, SessionError
from collector.model import SECOND
from collector.subscriber.sessions.known_hosts import known_hosts
from collector.subscriber.sessions.session import (
    KEEPALIVE_TRIES,
    SessionSettings,
    algorithm_error,
    auth_error,
    host_key_error,
    key_error,
    network_error,
    plain,
    quieten,
    subsystem_error,
)

quieten("asyncssh")

_CIPHERS = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"
"""Asked for first: a packet costs a third of chacha20-poly1305; all the others stay allowed."""
_RSA = ("rsa-sha2-512", "rsa-sha2-256")
"""How keys of type ``ssh-rsa`` sign (RFC 8332)."""
MAX_BANNERS = 64
MAX_BANNER_OCTETS = 64 * 1024
"""What a device may print while we log in (RFC 4252 §5.4), before it is left (ours)."""


class SshClient(asyncssh.SSHClient):
    """Our end of a connection: compares the host key, and puts up with no flood of banners."""

    def __init__(self, pins: PinnedKeys | None = None) -> None:
        self._pins = pins
        self._connection: asyncssh.SSHClientConnection | None = None
        self._banners = 0
        self._banner_octets = 0
        self.shown = ""
        """Fingerprint of a host key that was not trusted."""
        self.flooded = False
        """Whether there were too many banners."""

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """asyncssh: the TCP connection is there."""
        self._connection = conn

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        """asyncssh: a key that no known_hosts has; at the start and at each new key exchange."""
        fingerprint = key.get_fingerprint()
        if self._pins is not None and fingerprint in self._pins.fingerprints:
            return True
        self.shown = fingerprint
        return False

    def auth_banner_received(self, msg: str, lang: str) -> None:
        """asyncssh: text for a person who logs in. Nobody is here to read it."""
        self._banners += 1
        self._banner_octets += len(msg)
        if self._banners > MAX_BANNERS or self._banner_octets > MAX_BANNER_OCTETS:
            self.flooded = True
            if self._connection is not None:
                self._connection.abort()


def options_of(settings: SessionSettings) -> dict[str, Any]:
    """Arguments of ``asyncssh.connect`` for a device that is known. Raises ConfigError."""
    return common_options(settings.connect_timeout, settings.host_keys) | {
        "username": settings.username,
        "password": None if settings.password is None else settings.password(),
        "client_keys": client_keys(settings),
        "known_hosts": _trusted(settings),
        "keepalive_interval": settings.keepalive / SECOND,
    }


def common_options(timeout: int, pins: PinnedKeys | None) -> dict[str, Any]:
    """What holds for every connection, whoever is at the other end."""
    return {
        "server_host_key_algs": _host_key_algorithms(pins) if pins is not None else (),
        "config": None,
        "agent_path": None,
        "gss_auth": False,
        "gss_kex": False,
        "encryption_algs": _CIPHERS,
        "compression_algs": None,
        "keepalive_count_max": KEEPALIVE_TRIES,
        "login_timeout": timeout / SECOND,
    }


NO_KNOWN_HOSTS: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
"""asyncssh asks ``validate_host_public_key`` about every key then."""


def _trusted(settings: SessionSettings) -> Any:
    if not settings.verify_host_key:
        return None
    if settings.host_keys is not None:
        return NO_KNOWN_HOSTS
    return known_hosts(settings.known_hosts)


def _host_key_algorithms(pins: PinnedKeys) -> list[str]:
    """Those of the pinned types, lest the device show another of its keys, or a certificate."""
    there = [name.decode() for name in get_public_key_algs()]
    if not pins.types:
        return there
    wanted = [name for kind in pins.types for name in (_RSA if kind == "ssh-rsa" else (kind,))]
    return [name for name in wanted if name in there] or there


def client_keys(settings: SessionSettings) -> list[asyncssh.SSHKey] | None:
    """Our private key; a passphrase takes a second on purpose (bcrypt). Raises ConfigError."""
    if not settings.key_file:
        return None
    phrase = None if settings.key_passphrase is None else settings.key_passphrase()
    try:
        return [asyncssh.read_private_key(Path(settings.key_file).expanduser(), phrase)]
    except (OSError, asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise key_error(settings, error) from error


def session_error(
    settings: SessionSettings, error: BaseException, client: SshClient | None = None
) -> SessionError | None:
    """What went wrong while connecting; None: not ours to translate (cancelled, configuration)."""
    where = settings.where
    if client is not None and client.flooded:
        return SessionError(f"{where} sends banners without end before the log-in", reason="ssh")
    match error:
        case SessionError():
            return error
        case asyncssh.HostKeyNotVerifiable():
            return host_key_error(settings, client.shown if client is not None else "")
        case asyncssh.PermissionDenied():
            return auth_error(settings)
        case asyncssh.KeyExchangeFailed():
            return algorithm_error(settings)
        case asyncssh.ChannelOpenError():
            return subsystem_error(settings, str(error))
        case asyncssh.ProtocolError() | asyncssh.ProtocolNotSupported() | asyncssh.MACError():
            text = f"{where} does not speak SSH as it should ({plain(str(error))})"
            return SessionError(text, reason="ssh")
        case asyncssh.DisconnectError():
            return SessionError(
                f"{where} ended the connection ({plain(str(error))})", reason="lost"
            )
        case OSError():
            return network_error(settings, error)
        case ConfigError():
            return None
        case Exception():  # asyncssh hands on whatever the device's octets made it stumble over
            text = f"the SSH of {where} cannot be understood ({type(error).__name__})"
            return SessionError(text, reason="ssh")
        case _:
            return None
