"""What of the configuration the engine has to know.

The configuration itself is a journal record (``RecordKind.CONFIG``), so that a journal explains its
verdicts by itself; this turns it into the engine's own words. Seconds become ns here.
"""

from __future__ import annotations

import msgspec

from collector.config import Config, redacted
from collector.core.settings import ANY_DEVICE, EngineSettings, NamedSubscription
from collector.model import SECOND


def encode_config(config: Config) -> bytes:
    """The payload of a CONFIG record: JSON, secrets removed."""
    return msgspec.json.encode(redacted(config))


def decode_config(payload: bytes) -> Config:
    """The configuration out of a CONFIG record; keys that a later version added are refused.

    Raises:
        msgspec.ValidationError: written by another version with other keys.
    """
    return msgspec.json.decode(payload, type=Config)


def engine_settings(config: Config) -> EngineSettings:
    """Grace, expectations, periods and generator names, by device and subscription name."""
    verdicts = config.verdicts
    named: dict[tuple[str, str], NamedSubscription] = {}
    for subscription in config.subscriptions:
        value = NamedSubscription(
            grace=subscription.grace,
            expect=subscription.expect or None,
            period=subscription.period,
        )
        for device in subscription.devices:
            named[device if device != "*" else ANY_DEVICE, subscription.name] = value
    grace = verdicts.grace_seconds
    return EngineSettings(
        grace=None if grace is None else round(grace * SECOND),
        named=named,
        generators={d.name: dict(d.generators) for d in config.devices if d.generators},
        forget_after=verdicts.forget_after_seconds * SECOND,
    )
