"""The words that options take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from collector.cli.one_shot import one_shot_config
from collector.cli.options import Length, Moment, data_folder, parse_moment
from collector.cli.subscribe import subscribe
from collector.errors import ConfigError, UsageError
from tests.unit.verdict_maker import NOON

SECOND = 10**9


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", NOON + 90 * SECOND),
        ("-90s", NOON),
        ("-1.5m", NOON),
        ("-1h", NOON - 3510 * SECOND),
        ("-7d", NOON + (90 - 7 * 86400) * SECOND),
        ("-1w", NOON + (90 - 7 * 86400) * SECOND),
        ("today", NOON - 43200 * SECOND),
        ("yesterday", NOON - (43200 + 86400) * SECOND),
        ("2026-01-01", NOON - 43200 * SECOND),
        ("2026-01-01T12:00:00Z", NOON),
        ("2026-01-01T13:00:00+01:00", NOON),
        ("2026-01-01 12:00:00", NOON),
        ("2026-01-01T12:00:00.000001Z", NOON + 1000),
    ],
)
def test_moments(text: str, moment: int) -> None:
    assert parse_moment(text, NOON + 90 * SECOND) == moment


@pytest.mark.parametrize(
    "text", ["", "noon", "-1", "-1y", "1h", "-" + "9" * 30 + "d", "2026-13-01"]
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError):
        parse_moment(text, NOON)
    with pytest.raises(click.BadParameter, match="is no time; as 2026"):
        Moment().convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "seconds"), [("10", 10), ("10s", 10), ("500ms", 0.5), ("2m", 120), ("1.5h", 5400)]
)
def test_lengths(text: str, seconds: float) -> None:
    assert Length().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1", "x", "1y", "1e9", "nan"])
def test_what_is_no_length(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no length of time"):
        Length().convert(text, None, None)


# --------------------------------------------------------------------------- where the data is
def test_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        UsageError, match="there is no data folder yang-push-data; collector run makes it"
    ):
        data_folder(None, None)
    (tmp_path / "yang-push-data").mkdir()
    assert data_folder(None, None) == Path("yang-push-data")
    (tmp_path / "other").mkdir()
    assert data_folder(str(tmp_path / "other"), None) == tmp_path / "other"
    (tmp_path / "collector.toml").write_text('[collector]\ndata_dir = "other"\n')
    assert data_folder(None, None) == tmp_path / "other"
    with pytest.raises(ConfigError, match=r"none\.toml"):
        data_folder(None, "none.toml")


# --------------------------------------------------------------------------- one shot
def one_shot(**changes: Any) -> Any:
    values: dict[str, Any] = {
        "host": "192.0.2.7",
        "listen": "[::1]:0",
        "settings": {
            "port": 8300, "username": "u", "password_file": None, "key_file": "/k",
            "known_hosts": None, "session": "asyncssh", "sources": ("127.0.1.1",), "period": 1.0,
            "xpath": "/ietf-interfaces:interfaces", "namespaces": ("if=urn:x",),
        },
    }  # fmt: skip
    values["settings"] |= changes.pop("settings", {})
    return one_shot_config(**(values | changes))


def test_options_become_a_configuration() -> None:
    config = one_shot()
    device, subscription = config.devices[0], config.subscriptions[0]
    assert (config.udp_notif.address, config.udp_notif.port) == ("::1", 0)
    assert not config.metrics.enabled
    assert device.name == "192.0.2.7"
    assert device.sources == ("127.0.1.1",)
    assert device.netconf.port == 8300
    assert subscription.namespaces == {"if": "urn:x"}
    assert subscription.period == SECOND


def test_all_that_can_be_asked_for(tmp_path: Path) -> None:
    """Through the command line itself, up to where it would connect."""
    (tmp_path / "filter.xml").write_text("<interfaces/>")
    words = [
        *("192.0.2.7", "--user", "u", "--key-file", "/k", "--subtree"),
        *(str(tmp_path / "filter.xml"), "--on-change", "--dampening", "500ms", "--no-sync"),
        *("--exclude", "move", "--exclude", "insert", "--stop-after", "10m", "--no-renew"),
        *("--dscp", "0", "--weighting", "0", "--dependency", "7", "--accept-hints"),
        *("--module-version", "ietf-interfaces=2018-02-20", "--encoding", "encode-xml"),
    ]
    with subscribe.make_context("subscribe", words) as context:
        asked = one_shot_config(host="192.0.2.7", listen="[::1]:0", settings=context.params)
    (one,) = asked.subscriptions
    assert (one.subtree, one.on_change, one.dampening_seconds) == ("<interfaces/>", True, 0.5)
    assert (one.sync_on_start, one.excluded_changes) == (False, ("move", "insert"))
    assert (one.stop_after_seconds, one.renew, one.accept_hints) == (600, False, True)
    assert (one.dscp, one.weighting, one.dependency) == (0, 0, "7")
    assert (one.module_versions, one.encoding) == (
        {"ietf-interfaces": "2018-02-20"},
        "encode-xml",
    )


def test_a_stream_can_be_asked_for() -> None:
    words = ["192.0.2.7", "--user", "u", "--key-file", "/k", "--stream", "NETCONF"]
    times = ["--replay-start-time", "2026-01-01T00:00:00Z", "--stop-time", "2026-01-02T00:00:00Z"]
    for more, expected in (
        ([], (None, None, None)),
        (["--replay", "1h"], (None, 3600, None)),
        ([*times, "--filter-name", "f"], (times[1], None, times[3])),
    ):
        params = subscribe.make_context("subscribe", [*words, *more]).params
        asked = one_shot_config(host="192.0.2.7", listen="[::1]:0", settings=params)
        (one,) = asked.subscriptions
        assert (one.replay_start_time, one.replay_seconds, one.stop_time) == expected
        assert (one.stream, one.asked_datastore, one.asked_encoding) == (
            *("NETCONF", None),
            "encode-xml",
        )


def test_the_password_is_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLLECTOR_PASSWORD", raising=False)
    with pytest.raises(UsageError, match="no way to log in is given: --password-file"):
        one_shot(settings={"key_file": None})
    monkeypatch.setenv("COLLECTOR_PASSWORD", "hunter2")
    config = one_shot(settings={"key_file": None})
    assert config.devices[0].netconf.password_env == "COLLECTOR_PASSWORD"
    assert "hunter2" not in repr(config)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"listen": "10003"}, r'--listen "10003" is not ADDRESS:PORT'),
        ({"listen": "host:x"}, r"is not ADDRESS:PORT"),
        ({"settings": {"namespaces": ("if",)}}, r'"if" is not --ns PREFIX=URI'),
        ({"settings": {"module_versions": ("a=",)}}, r'"a=" is not MODULE=REVISION'),
        (
            {"settings": {"xpath": "interfaces"}},
            r"command line: subscription\[1\]\.xpath: .* start at the root",
        ),
        ({"settings": {"xpath": None}}, r"either xpath, subtree or filter_name"),
        ({"listen": "localhost:1"}, r'udp_notif\.address: "localhost" is not an IP address'),
        ({"settings": {"period": 0.001}}, r"subscription\[1\]\.period_seconds: 0\.001"),
    ],
)
def test_bad_options_are_named(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises((UsageError, ConfigError), match=sentence):
        one_shot(**changes)
