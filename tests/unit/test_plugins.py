"""Entry points."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint

import pytest

from collector import plugins
from collector.errors import ConfigError
from collector.interfaces import Sink
from collector.sinks.jsonl import JsonLinesSink


def test_what_is_installed_is_found() -> None:
    assert "jsonl" in plugins.names("sinks")
    assert {"yang-data-json", "yang-data-xml", "yang-data-cbor"} <= set(plugins.names("encodings"))
    assert "udp-notif" in plugins.names("receivers")
    assert plugins.sink_class("jsonl") is JsonLinesSink
    assert isinstance(JsonLinesSink("-"), Sink)


@pytest.mark.parametrize("name", plugins.names("encodings"))
def test_encodings_have_their_own_name(name: str) -> None:
    assert plugins.encoding_class(name)().name == name


def test_what_is_missing_is_said() -> None:
    with pytest.raises(ConfigError, match=r'^no sink called "kafka" .*\(allowed: .*jsonl'):
        plugins.sink_class("kafka")


def test_a_plug_in_that_cannot_be_imported_names_its_module(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = EntryPoint("broken", "no_such_module:Thing", "yang_push_collector.receivers")
    monkeypatch.setattr(plugins, "entry_points", lambda group: [broken])
    with pytest.raises(ConfigError, match="receiver broken cannot be loaded from no_such_module"):
        plugins.receiver_class("broken")


def test_nothing_installed_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "entry_points", lambda group: [])
    with pytest.raises(ConfigError, match="install the package"):
        plugins.sink_class("jsonl")


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("dtls", "tls.dtls_sessions", "tls.dtls_context", "tls.dtls_session"):
        monkeypatch.delitem(sys.modules, f"collector.receivers.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "OpenSSL", None)
    with pytest.raises(ConfigError, match=r"pip install 'yang-push-collector\[dtls\]'"):
        plugins.receiver_class("dtls")
