"""What all checks of a scenario need: the scenario, and errors that name file, key and values."""

from __future__ import annotations

from collections import Counter
from functools import cached_property

from collector.errors import ConfigError
from publisher_sim.scenario.whole import Scenario

LONGEST_NAME = 255
"""Characters; ours."""
_SHOWN = 40
"""Characters of a bad name that are said; ours."""


class Checks:
    """One scenario under test; each check raises ConfigError for the first bad value."""

    def __init__(self, scenario: Scenario, file: str = "") -> None:
        self.scenario = scenario
        self.file = file

    @cached_property
    def names(self) -> set[str]:
        """Of all publishers, the master's own among them."""
        return {one.name for one in self.scenario.publishers}

    def require(self, good: bool, key: str, message: str, allowed: str) -> None:
        """Raise ConfigError unless ``good``."""
        if not good:
            raise ConfigError(message, file=self.file, key=key, allowed=allowed)

    def within(self, value: float, low: float, high: float, key: str) -> None:
        """``value`` is from ``low`` to ``high``."""
        self.require(low <= value <= high, key, f"{value} is out of range", f"{low} to {high}")

    def named(self, value: str, key: str) -> None:
        """``value`` can be a name: in XML, on a command line and in a table."""
        good = 0 < len(value) <= LONGEST_NAME and value.isprintable() and value == value.strip()
        shown = repr(value if len(value) <= _SHOWN else value[:_SHOWN] + "...")
        self.require(
            good, key, f"{shown} is no name",
            f"1 to {LONGEST_NAME} printable characters, without blanks around them",
        )  # fmt: skip

    def once(
        self, values: list[str] | list[int], key: str, what: str, allowed: str = "each one once"
    ) -> None:
        """No value stands twice."""
        twice = [value for value, count in Counter(values).items() if count > 1]
        self.require(not twice, f"{key}.{what}", f"{twice[:1]} is used twice", allowed)
