"""The known_hosts file as asyncssh is asked about it, thousands of times.

Does: read a file once for as long as it does not change, and find the entries of a host. Does not:
decide what they mean; that is asyncssh's.

Rules: reading 2,000 lines takes 30 ms, and looking for a name among as many hashed ones 40 ms with
asyncssh, for each session that is opened. So the file is kept, and a hashed entry is written in
plain, in memory, once its name was asked for.
"""

from __future__ import annotations

import base64
import hmac
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import asyncssh

from collector.errors import ConfigError

_HASHED = "|1|"
"""How ``ssh-keygen -H`` begins a line: HMAC-SHA1 of the name under a salt of its own."""


class KnownHosts:
    """The entries of one file; called as asyncssh calls a ``known_hosts`` function."""

    def __init__(self, text: str) -> None:
        """Raises ValueError: a line that is none."""
        lines = [line.strip() for line in text.splitlines()]
        self._hashed = [_salted(line) for line in lines if line.startswith(_HASHED)]
        """Salt, digest, key."""
        plain = "\n".join(line for line in lines if not line.startswith(_HASHED))
        self._entries = asyncssh.import_known_hosts(plain)
        self._asked: set[str] = set()
        """Names whose hashed entries are among the plain ones by now."""

    def __call__(self, host: str, addr: str, port: int | None) -> Any:
        """The keys of a host, as ``SSHKnownHosts.match`` gives them."""
        if self._hashed:
            for name in (host, addr):
                self._disclose(name)
                self._disclose(f"[{name}]:{port}")
        return self._entries.match(host, addr, port)

    def _disclose(self, name: str) -> None:
        if name in self._asked:
            return
        self._asked.add(name)
        octets = name.encode()
        for salt, digest, key in self._hashed:
            if hmac.digest(salt, octets, "sha1") == digest:
                self._entries.load(f"{name} {key}")


def _salted(line: str) -> tuple[bytes, bytes, str]:
    name, _, key = line.partition(" ")
    try:
        salt, digest = name.removeprefix(_HASHED).split("|")
        return base64.b64decode(salt, validate=True), base64.b64decode(digest, validate=True), key
    except ValueError:
        raise ValueError("a hashed host name cannot be read") from None


def known_hosts(path: str) -> KnownHosts:
    """What is in the file now; an absent one has no keys, and every check fails as it should.

    Raises:
        ConfigError: it cannot be read.
    """
    file = Path(path).expanduser()
    try:
        found = file.stat()
        return _read(file, found.st_mtime_ns, found.st_size, found.st_ino)
    except FileNotFoundError:
        return KnownHosts("")
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


@lru_cache(maxsize=64)
def _read(path: os.PathLike[str], _modified: int, _size: int, _inode: int) -> KnownHosts:
    """Raises OSError, ValueError."""
    return KnownHosts(Path(path).read_text())
