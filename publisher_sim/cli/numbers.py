"""Numbers, as options and in sentences.

Does: refuse ``nan``, which click lets through every limit; say how many of something there are.
Does not: know an option.
"""

from __future__ import annotations

import math
from typing import Any

import click


class Number(click.FloatRange):
    """A finite number from ``min`` to ``max``; give both, or infinity is in it."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number. Raises click.BadParameter."""
        try:
            float(value)
        except ValueError:
            self.fail(f'"{value}" is no number', param, ctx)
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f'"{value}" is no number', param, ctx)
        return number


def counted(count: int, noun: str) -> str:
    """For people: ``1 card``, ``2 cards``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
