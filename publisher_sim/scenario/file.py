"""TOML text -> Scenario.

Every error is a ConfigError that names the file, the key and what is allowed.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from collector.errors import ConfigError
from publisher_sim.scenario.checks import check
from publisher_sim.scenario.whole import Scenario


def load_scenario(path: Path) -> Scenario:
    """Read and check a scenario file.

    Raises:
        ConfigError: it cannot be read, or a value cannot be used; names file and key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError(f"cannot be read: {reason}", file=str(path)) from error
    return parse_scenario(text, file=str(path))


def parse_scenario(text: str, *, file: str = "") -> Scenario:
    """The scenario written in ``text``. Raises ConfigError."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"is not TOML: {error}", file=file) from error
    try:
        scenario = msgspec.convert(values, Scenario)
    except msgspec.ValidationError as error:
        message, _, key = str(error).partition(" - at `")
        raise ConfigError(message, file=file, key=key.strip("`$.")) from error
    check(scenario, file=file)
    return scenario
