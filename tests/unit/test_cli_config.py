"""``collector init`` and ``collector check-config``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from collector.cli import status_of
from tests.certificates import Authority


def test_what_init_writes_check_config_accepts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "c.toml")
    assert status_of(["init", "-o", file]) == 0
    assert file in capsys.readouterr().err
    assert status_of(["check-config", file]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{file}: good; devices: 0, subscriptions: 0\n"
    assert "nothing will be judged" in captured.err


def test_init_replaces_nothing_without_being_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "c.toml"
    file.write_text("mine")
    assert status_of(["init", "-o", str(file)]) == 2
    assert "is there already; --force replaces it" in capsys.readouterr().err
    assert file.read_text() == "mine"
    assert status_of(["init", "-o", str(file), "--force"]) == 0
    assert "[collector]" in file.read_text()
    assert status_of(["init", "-o", str(tmp_path / "no" / "c.toml")]) == 2


@pytest.mark.parametrize("before", [None, "mine"])
def test_init_on_a_full_disk_leaves_what_was_there(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    before: str | None,
) -> None:
    file = tmp_path / "c.toml"
    if before is not None:
        file.write_text(before)
    real = os.fdopen

    def half(*arguments: Any, **options: Any) -> Any:
        opened = real(*arguments, **options)
        write = opened.write

        def failing(text: str) -> int:
            write(text[:9000])
            opened.flush()
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(opened, "write", failing)
        return opened

    monkeypatch.setattr(os, "fdopen", half)
    assert status_of(["init", "-o", str(file), "--force"]) == 2
    assert capsys.readouterr().err == (
        f"collector: {file} cannot be written: No space left on device\n"
    )
    assert [one.read_text() for one in tmp_path.iterdir()] == ([before] if before else [])


def test_init_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["init", "-o", "-"]) == 0
    assert "[udp_notif]" in capsys.readouterr().out


def test_check_config_names_every_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "c.toml"
    file.write_text("[udp_notif]\nprot = 1\nport = -1\n")
    assert status_of(["check-config", str(file)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        f"{file}: udp_notif.prot: unknown key, did you mean port?",
        f"{file}: udp_notif.port: -1 cannot be used (allowed: a whole number from 0 to 65535)",
        "2 faults",
    ]


def test_check_config_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "c.toml"
    file.write_text("[[device]]\nname = 'a'\nsources = ['192.0.2.1']\n")
    assert status_of(["check-config", str(file)]) == 0
    assert capsys.readouterr() == (f"{file}: good; devices: 1, subscriptions: 0\n", "")


def test_check_config_says_which_secrets_are_not_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "c.toml"
    (tmp_path / "hosts").write_text("")
    file.write_text(
        '[[device]]\nname = "a"\nsources = ["192.0.2.1"]\n'
        '[[device]]\nname = "b"\n[device.netconf]\nhost = "192.0.2.2"\nusername = "u"\n'
        'password_file = "none"\nknown_hosts = "hosts"\n'
        '[[device]]\nname = "c"\n[device.netconf]\nhost = "192.0.2.3"\nusername = "u"\n'
        'password_file = "none"\n'
    )
    assert status_of(["check-config", str(file)]) == 0
    assert capsys.readouterr().err == (
        f"device[2].netconf.password_file and 1 more: {tmp_path / 'none'} cannot be read:"
        " No such file or directory\n"
    )


def test_check_config_looks_at_certificates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    authority = Authority(tmp_path)
    ours, other = authority.issue("a"), authority.issue("b")

    def checked(section: str, certificate: Path, key: Path) -> tuple[int, str]:
        file = tmp_path / "c.toml"
        file.write_text(
            f'[{section}]\nenabled = true\ncertificate_file = "{certificate}"\n'
            f'key_file = "{key}"\nclient_ca_file = "{authority.file}"\n[[device]]\nname = "a"\n'
            'sources = ["192.0.2.1"]\n'
        )
        return status_of(["check-config", str(file)]), capsys.readouterr().err

    for section in ("https_notif", "grpc_dialout", "dtls"):
        assert checked(section, ours.certificate, ours.key) == (0, "")
        status, said = checked(section, ours.certificate, other.key)
        assert status == 2
        assert said == (
            f"{tmp_path / 'c.toml'}: {section}.key_file: {other.key} is not the key of the"
            " certificate (allowed: a certificate and its private key in PEM)\n1 fault\n"
        )
        status, said = checked(section, tmp_path / "none.pem", ours.key)
        assert status == 0
        assert said == (
            f"{section}.certificate_file: {tmp_path / 'none.pem'} cannot be read:"
            " No such file or directory\n"
        )
