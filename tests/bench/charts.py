"""Small pictures in SVG: one or more panels of points over the same values, with their numbers.

Does: lay out and write text. Does not: measure, or open files. The values on the horizontal axis
stand at equal distances under their names, since most of them grow by factors.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from msgspec import Struct

_WIDTH, _TOP, _BOTTOM = 720, 70, 50
_LEFT, _RIGHT, _PANEL, _GAP = 70, 30, 170, 46
_HEAD = 34
"""Height of the title of a panel, and of a number below it."""
_BLUE, _INK, _FAINT = "#1f5fa8", "#222222", "#dddddd"


class Panel(Struct, frozen=True):
    """One quantity."""

    title: str
    values: list[float]


def draw(title: str, subtitle: str, names: Sequence[str], panels: Sequence[Panel]) -> str:
    """The picture as text.

    Args:
        title: what it is about.
        subtitle: what stays the same in all of it.
        names: of the values on the horizontal axis.
        panels: one value for each name, each.
    """
    height = _TOP + len(panels) * (_PANEL + _GAP) + _BOTTOM - _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" fill="{_INK}">',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        _text(_LEFT, 26, title, 17, weight="bold"),
        _text(_LEFT, 46, subtitle, 12),
    ]
    places = _across(len(names))
    for number, panel in enumerate(panels):
        parts += _panel(panel, places, _TOP + 12 + number * (_PANEL + _GAP))
    last = _TOP + 12 + len(panels) * (_PANEL + _GAP) - _GAP
    for place, name in zip(places, names, strict=True):
        parts.append(_text(place, last + 20, name, 12, anchor="middle"))
    return "\n".join([*parts, "</svg>", ""])


def ticks(most: float) -> list[float]:
    """Round numbers from 0 to somewhat above ``most``, four to six of them."""
    if not most > 0:
        return [0.0, 1.0]
    raw = most / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * one for one in (1, 2, 2.5, 5, 10) if power * one >= raw)
    return [step * number for number in range(math.ceil(most / step - 1e-9) + 1)]


def _panel(panel: Panel, places: list[float], top: float) -> Iterator[str]:
    marks = ticks(max(panel.values) * 1.05)  # room for the number of the highest
    bottom, most = top + _PANEL, marks[-1]

    def height(value: float) -> float:
        return bottom - (_PANEL - _HEAD) * value / most

    yield _text(_LEFT, top + 4, panel.title, 12, weight="bold")
    for mark in marks:
        at = height(mark)
        yield (
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}" '
            f'stroke="{_FAINT}"/>'
        )
        yield _text(_LEFT - 8, at + 4, f"{mark:g}", 11, anchor="end")
    points = [(place, height(value)) for place, value in zip(places, panel.values, strict=True)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    yield f'<polyline points="{line}" fill="none" stroke="{_BLUE}" stroke-width="2"/>'
    for (x, y), value in zip(points, panel.values, strict=True):
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{_BLUE}"/>'
        yield _text(x, y - 9, _short(value), 11, anchor="middle")


def _across(count: int) -> list[float]:
    room = _WIDTH - _LEFT - _RIGHT
    return [_LEFT + room * (number + 0.5) / count for number in range(count)]


def _short(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _text(
    x: float, y: float, text: str, size: int, *, anchor: str = "start", weight: str = "normal"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{escape(text)}</text>'
    )
