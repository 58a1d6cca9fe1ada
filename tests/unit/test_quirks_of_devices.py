"""``[[device]] quirks``: from the configuration into receivers, the engine, and the journal."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from collector.config import parse_config
from collector.errors import ConfigError
from collector.metrics import Counters
from collector.model import Quirk
from collector.pipeline.settings import (
    decode_config,
    encode_config,
    engine_settings,
    strict_sources,
    wire_quirks,
)
from collector.receivers.datagrams.counters import ReceiveCounters
from collector.service import gauges

TEXT = """
[[device]]
name = "arrcus"
sources = ["192.0.2.1", "192.0.2.2"]
certificates = ["arrcus 1"]
strict = true
quirks = ["last-flag-in-top-bit", "ids-per-subscription"]

[[device]]
name = "plain"
sources = ["192.0.2.3"]
quirks = ["ids-per-publisher"]
"""


def test_who_has_to_heed_what() -> None:
    config = parse_config(TEXT)
    told = frozenset({Quirk.LAST_FLAG_IN_TOP_BIT})
    senders = ("192.0.2.1", "192.0.2.2", "certificate:arrcus 1")
    assert wire_quirks(config) == dict.fromkeys(senders, told)
    assert strict_sources(config) == set(senders)
    assert engine_settings(config).per_subscription == {"arrcus": True, "plain": False}


def test_the_journal_remembers_them() -> None:
    config = parse_config(TEXT)
    again = decode_config(encode_config(config))
    assert wire_quirks(again) == wire_quirks(config)
    assert engine_settings(again) == engine_settings(config)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ('quirks = ["ids-per-publisher", "ids-per-subscription"]', "both ways"),
        ('quirks = ["unknown-options"]\nstrict = true', "strict discards"),
        ('quirks = ["arrcus"]', "last-flag-in-top-bit"),
        ('quirks = "legacy-header"', "a list"),
    ],
)
def test_what_cannot_be(keys: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        parse_config(f'[[device]]\nname = "x"\nsources = ["192.0.2.1"]\n{keys}')
    assert "device[1].quirks" in str(caught.value)


def test_metrics_name_the_device() -> None:
    received = ReceiveCounters()
    for sender in ("192.0.2.1", "192.0.2.9 certificate:arrcus 1", "192.0.2.2 certificate:x"):
        received.quirks.count(sender, Quirk.LAST_FLAG_IN_TOP_BIT, is_on=True)
    received.quirks.count("192.0.2.9", Quirk.LEGACY_HEADER, is_on=False, times=3)
    received.quirks.count("192.0.2.9 certificate:y", Quirk.LEGACY_HEADER, is_on=False)
    engine = SimpleNamespace(per_subscription=lambda: {"arrcus": 2, "other": 1})
    service = SimpleNamespace(
        config=parse_config(TEXT),
        receivers=[SimpleNamespace(counters=received), SimpleNamespace(counters=1), object()],
        pipeline=SimpleNamespace(engine=engine),
        counters=Counters(),
    )
    gauges._quirks(cast(Any, service))
    assert dict(service.counters.quirks_needed.items()) == {
        ("arrcus", "last-flag-in-top-bit", "set"): 3,
        ("192.0.2.9", "legacy-header", "unset"): 3,
        ("certificate:y", "legacy-header", "unset"): 1,
        ("arrcus", "ids-per-subscription", "set"): 2,
        ("other", "ids-per-subscription", "unset"): 1,
    }
