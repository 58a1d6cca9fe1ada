"""Passwords: read when needed, never shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collector.config import NetconfSettings, read_secret
from collector.errors import ConfigError


def netconf(**values: str) -> NetconfSettings:
    return NetconfSettings(host="h", username="u", **values)  # type: ignore[arg-type]


def password_file(folder: Path, content: bytes, mode: int = 0o600) -> str:
    file = folder / "password"
    file.write_bytes(content)
    file.chmod(mode)
    return str(file)


def test_the_first_line_of_a_file(tmp_path: Path) -> None:
    file = password_file(tmp_path, b" hunter2 \r\nsecond line\n")
    assert read_secret(netconf(password_file=file)) == " hunter2 "


def test_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORE7", "hunter2")
    settings = netconf(password_env="CORE7")
    assert read_secret(settings) == "hunter2"
    assert "hunter2" not in repr(settings)


def test_the_passphrase_of_a_key_is_a_secret_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = password_file(tmp_path, b"open sesame\n")
    settings = netconf(key_file="k", key_passphrase_file=file, password_env="CORE7")
    assert read_secret(settings, secret="key_passphrase") == "open sesame"
    monkeypatch.delenv("CORE7", raising=False)
    with pytest.raises(ConfigError, match=r"^netconf\.password_env: .* CORE7 is not set"):
        read_secret(settings)
    monkeypatch.setenv("PHRASE", "x")
    settings = netconf(key_file="k", key_passphrase_env="PHRASE")
    assert read_secret(settings, secret="key_passphrase") == "x"


def test_key_authentication_needs_none() -> None:
    assert read_secret(netconf(key_file="k")) is None
    assert read_secret(netconf(key_file="k"), secret="key_passphrase") is None


@pytest.mark.parametrize("content", [b"", b"\nhunter2", b"\xff\xfe"])
def test_a_file_without_a_password(tmp_path: Path, content: bytes) -> None:
    file = password_file(tmp_path, content)
    with pytest.raises(ConfigError, match="holds no secret") as raised:
        read_secret(netconf(password_file=file), device="core7")
    assert raised.value.key == "device core7: netconf.password_file"


@pytest.mark.skipif(os.name != "posix", reason="file modes of POSIX")
def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = password_file(tmp_path, b"hunter2\n", 0o644)
    with pytest.raises(ConfigError, match="can be read by other users") as raised:
        read_secret(netconf(password_file=file))
    assert "hunter2" not in str(raised.value)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_secret(netconf(password_file=str(tmp_path / "none")))
    with pytest.raises(ConfigError, match="NO_SUCH_VARIABLE is not set"):
        read_secret(netconf(password_env="NO_SUCH_VARIABLE"))
