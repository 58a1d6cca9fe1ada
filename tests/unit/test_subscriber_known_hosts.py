"""The known_hosts file: plain and hashed entries, read once for as long as it does not change."""

from __future__ import annotations

import base64
import hmac
import os
from pathlib import Path

import asyncssh
import pytest

from collector.errors import ConfigError
from collector.subscriber.sessions import known_hosts as room
from collector.subscriber.sessions.known_hosts import KnownHosts, known_hosts

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
HASHED = "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= " + KEY
"""Of 192.168.1.61: the example in sshd(8), with another key."""


def keys(entries: KnownHosts, host: str, addr: str = "192.0.2.1", port: int | None = None) -> int:
    return len(entries(host, addr, port)[0])


def hashed(name: str, salt: bytes) -> str:
    digest = base64.b64encode(hmac.digest(salt, name.encode(), "sha1")).decode()
    return f"|1|{base64.b64encode(salt).decode()}|{digest} {KEY}"


def test_the_example_of_openssh() -> None:
    entries = KnownHosts(HASHED)
    assert [keys(entries, "192.168.1.61") for _ in range(2)] == [1, 1]
    assert keys(entries, "192.168.1.62") == 0
    assert keys(entries, "core7", "192.168.1.61") == 1
    assert keys(entries, "192.168.1.61", port=830) == 1  # without a port it is for all of them


@pytest.mark.parametrize("host", ["core7", "core8", "192.0.2.7", "[core7]:830", "nobody"])
@pytest.mark.parametrize("port", [None, 830, 831])
def test_it_finds_what_asyncssh_finds(host: str, port: int | None) -> None:
    lines = [
        f"core7 {KEY}",
        f"[core7]:830 {KEY}",
        f"core8,192.0.2.7 {KEY}",
        f"@revoked * {KEY}",
        f"*.example {KEY}",
        hashed("core7", b"1"),
        hashed("[core7]:830", b"2"),
        hashed("[192.0.2.9]:831", b"3"),
        "# a comment",
        "",
    ]
    theirs = asyncssh.import_known_hosts("\n".join(lines))
    ours = KnownHosts("\n".join(lines))
    for addr in ("192.0.2.7", "192.0.2.9"):
        found, expected = ours(host, addr, port), theirs.match(host, addr, port)
        assert [len(kind) for kind in found] == [len(kind) for kind in expected]


def test_a_file_is_read_again_when_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "known_hosts"
    assert keys(known_hosts(str(path)), "core7") == 0
    path.write_text(f"core7 {KEY}\n")
    first = known_hosts(str(path))
    assert known_hosts(str(path)) is first
    assert keys(first, "core7") == 1
    path.write_text(f"core8 {KEY}\n")
    os.utime(path, ns=(1, 1))
    assert keys(known_hosts(str(path)), "core7") == 0
    room._read.cache_clear()


@pytest.mark.parametrize("text", ["|1|no", "|1|%|% " + KEY, "lonely"])
def test_what_cannot_be_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(text)
    with pytest.raises(ConfigError, match="cannot be read"):
        known_hosts(str(path))
