"""Configured subscriptions in ``collector devices``: what devices should push without being asked.

Does not: ask devices (``collector configure`` does). Rule: what is heard counts; a subscription is
heard while at least one of its generators is followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from collector.config import Config
from collector.core.views import OriginatorState
from collector.pipeline.settings import engine_settings


def configured_rows(config: Config, heard: Iterable[OriginatorState]) -> list[dict[str, Any]]:
    """A row for each configured subscription on each of its devices."""
    generators: dict[tuple[str, str], dict[str, int]] = {}
    for one in heard:
        if one.subscription_name and one.last_arrival is not None:
            key = (one.device, one.subscription_name)
            generators.setdefault(key, {})[one.generator] = one.subscription_id
    return list(_rows(config, generators))


def _rows(
    config: Config, generators: dict[tuple[str, str], dict[str, int]]
) -> Iterator[dict[str, Any]]:
    known = engine_settings(config).known
    for one in config.subscriptions:
        if one.configured_id is None:
            continue
        for device in config.devices:
            if "*" not in one.devices and device.name not in one.devices:
                continue
            heard = generators.get((device.name, one.name), {})
            taken = (
                number
                for (name, number), told in known.items()
                if (name, told.name) == (device.name, one.name) and number != one.configured_id
            )
            yield {
                "device": device.name,
                "subscription": one.name,
                "id": next(iter(heard.values()), next(taken, one.configured_id)),
                "heard": bool(heard),
                "generators": len(heard),
            }
