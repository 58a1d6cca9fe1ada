"""How the users of a simulated device log in."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.errors import ConfigError
from publisher_sim.scenario import Configured, Netconf, Scenario, User
from publisher_sim.users.credentials import authorized_keys, passwords

SET = "SIM_TEST_PASSWORD"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUBLISHER_SIM_PASSWORD", raising=False)
    monkeypatch.setenv(SET, "from the environment")


def test_each_user_has_a_password_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\r\nsecond line")
    scenario = Scenario(
        netconf=Netconf(username="op", password_file=str(tmp_path / "secret")),
        user=(User("guest", password_env=SET),),
    )
    assert passwords(scenario) == {"op": "from a file", "guest": "from the environment"}
    assert authorized_keys(scenario) == {}


def test_keys_do_without_passwords(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("ssh-ed25519 AAAA one")
    keys = str(tmp_path / "keys")
    scenario = Scenario(
        netconf=Netconf(authorized_keys=keys), user=(User("guest", authorized_keys=keys),)
    )
    assert passwords(scenario) == {}
    assert authorized_keys(scenario) == dict.fromkeys(
        ("collector", "guest"), "ssh-ed25519 AAAA one"
    )
    assert passwords(Scenario(configured=Configured())) == {}, "it pushes unasked"


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        (Scenario(), "netconf: nobody could log in"),
        (
            Scenario(
                netconf=Netconf(password_env=SET),
                user=(User("a", password_env=SET), User("b", password_env="UNSET")),
            ),
            r"user\[1\]: b could not log in .*the environment variable UNSET",
        ),
        (
            Scenario(netconf=Netconf(password_file="/nowhere/at/all")),
            "netconf.password_file: /nowhere/at/all cannot be read: No such file",
        ),
    ],
)
def test_who_could_not_log_in_is_said(scenario: Scenario, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        passwords(scenario)
    assert "from the environment" not in str(caught.value)


def test_keys_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        authorized_keys(Scenario(netconf=Netconf(authorized_keys=str(tmp_path / "keys"))))
