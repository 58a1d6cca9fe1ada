"""Words for people, and the inbox on its own."""

from __future__ import annotations

import logging

import pytest

from collector.errors import ProtocolError
from collector.subscriber.exchanges.refusals import describe
from collector.subscriber.sessions.session import SessionSettings, host_key_error, plain, quieten


def test_what_a_peer_says_cannot_forge_a_log_line() -> None:
    assert plain("no\r\nERROR all is lost \x1b[31m\u2028x") == "no ERROR all is lost [31m x"
    assert plain("x" * 1_000_000) == "x" * 200 + "..."
    assert plain("") == ""
    error = ProtocolError("said\nsomething", identity="period-unsupported", hints={"b": "2\n"})
    assert describe(error) == "period-unsupported (said something); the device hints: b 2"
    assert describe(ProtocolError("in-use", tag="in-use")) == "in-use"


def test_what_to_do_about_a_host_key() -> None:
    error = host_key_error(SessionSettings("core1", "u", port=22, known_hosts="/k"))
    assert str(error).endswith("ssh-keyscan core1 >> /k")
    error = host_key_error(SessionSettings("2001:db8::1", "u", known_hosts="/k"))
    assert "[2001:db8::1]:830" in str(error)
    assert str(error).endswith("ssh-keyscan -p 830 2001:db8::1 >> /k")


@pytest.mark.parametrize(("level", "after"), [(logging.NOTSET, logging.WARNING), (10, 10)])
def test_a_chosen_log_level_is_kept(level: int, after: int) -> None:
    logger = logging.getLogger("tests.quieten")
    logger.setLevel(level)
    quieten("tests.quieten")
    assert logger.level == after
