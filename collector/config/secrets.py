"""Secrets by reference: the configuration names a file or an environment variable.

Does: read a secret at the moment it is needed. Does not: keep it.
Rules: a secret is never part of a message, a ``repr`` or the journal; a password file that other
users can read is refused (ours).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Literal

from collector.config.sessions import NetconfSettings
from collector.errors import ConfigError

_LIMIT = 4096
"""Bytes of a password file that are looked at (ours)."""


def read_secret(
    netconf: NetconfSettings,
    *,
    device: str = "",
    secret: Literal["password", "key_passphrase"] = "password",  # noqa: S107 - the key's name
) -> str | None:
    """A secret of a session; None when the settings name none.

    Raises:
        ConfigError: the file or variable is missing, empty, or readable by other users.
    """
    key = f"device {device}: netconf.{secret}" if device else f"netconf.{secret}"
    return secret_from(
        file=getattr(netconf, f"{secret}_file"), env=getattr(netconf, f"{secret}_env"), key=key
    )


def secret_from(*, file: str | None = None, env: str | None = None, key: str) -> str | None:
    """A secret out of an environment variable or the first line of a file; None when neither is
    named.

    Args:
        file: path of the file.
        env: name of the variable, which comes first.
        key: dotted key without ``_file`` or ``_env``, for the message.

    Raises:
        ConfigError: the file or variable is missing, empty, or readable by other users.
    """
    if env is not None:
        value = os.environ.get(env, "")
        if not value:
            raise ConfigError(f"environment variable {env} is not set or empty", key=f"{key}_env")
        return value
    return None if file is None else _first_line(Path(file), f"{key}_file")


def _first_line(path: Path, key: str) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_LIMIT)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", key=key) from None
    if stat.S_ISREG(mode) and mode & 0o077:
        raise ConfigError(f"{path} can be read by other users; run chmod 600 on it", key=key)
    try:
        line = content.decode().split("\n", 1)[0].rstrip("\r")
    except UnicodeDecodeError:
        line = ""
    if not line:
        raise ConfigError(f"{path} holds no secret in its first line", key=key)
    return line
