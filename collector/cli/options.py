"""Options that several commands share, and the words that they take.

Times: RFC 3339, a date, ``now``, ``today``, ``yesterday``, or so long ago (``-90s``, ``-1h``,
``-7d``). Without a zone a time is UTC, as everything that is printed.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

_AGO = re.compile(r"-(\d{1,9}(?:\.\d{1,3})?)\s*([smhdw])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LENGTH = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*(ms|s|m|h|d)?")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, None: 1}
_ALLOWED = "as 2026-01-31T12:00:00Z, today, yesterday, or -15m, -1h, -7d"
DEFAULT_FOLDER = "yang-push-data"
DEFAULT_CONFIG = "collector.toml"

F = TypeVar("F")


class Moment(click.ParamType[int]):
    """A moment as ns since 1970."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Text -> ns since 1970."""
        if isinstance(value, int):
            return value
        try:
            return parse_moment(str(value), time.time_ns())
        except ValueError:
            self.fail(f'"{value}" is no time; {_ALLOWED}', param, ctx)


class Length(click.ParamType[float]):
    """A length of time as seconds."""

    name = "seconds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """``10``, ``10s``, ``500ms``, ``2m`` -> seconds."""
        match = _LENGTH.fullmatch(str(value).strip())
        if match is None or float(match[1]) <= 0:
            self.fail(f'"{value}" is no length of time; as 10, 500ms, 10s, 2m or 1h', param, ctx)
        return float(match[1]) * _SECONDS[match[2]]


def parse_moment(text: str, now: int) -> int:
    """ns since 1970 of ``text``, seen from ``now`` (ns since 1970). Raises ValueError."""
    text = text.strip()
    if text == "now":
        return now
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return now - round(float(ago[1]) * _UNITS[ago[2]] * 1e9)
    if text in ("today", "yesterday"):
        day = datetime.fromtimestamp(now // 10**9, UTC).date()
        text = str(day if text == "today" else day - timedelta(days=1))
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


def config_option(function: Any) -> Any:
    """``-c FILE``."""
    return click.option(
        "-c", "--config", "config_file", default=DEFAULT_CONFIG, show_default=True,
        type=click.Path(dir_okay=False), metavar="FILE", help="Configuration file.",
    )(function)  # fmt: skip


def store_option(function: Any) -> Any:
    """``--store DIR``, else the folder that the configuration names."""
    function = click.option(
        "-c", "--config", "config_file", default=None, type=click.Path(dir_okay=False),
        metavar="FILE",
        help="Configuration that names the data folder.  [default: collector.toml, if it is there]",
    )(function)  # fmt: skip
    return click.option(
        "--store", "folder", default=None, type=click.Path(file_okay=False), metavar="DIR",
        help=f"Data folder.  [default: that of the configuration, or {DEFAULT_FOLDER}]",
    )(function)  # fmt: skip


def json_option(function: Any) -> Any:
    """``--json``."""
    return click.option(
        "--json", "as_json", is_flag=True, help="One JSON object a line, for other programs."
    )(function)


def data_folder(folder: str | None, config_file: str | None) -> Path:
    """The data folder that ``--store`` or the configuration names.

    Raises:
        UsageError: there is no such folder.
        ConfigError: the configuration cannot be used.
    """
    from collector.errors import UsageError

    if folder is None and (config_file is not None or Path(DEFAULT_CONFIG).exists()):
        from collector.config import load_config

        folder = load_config(config_file or DEFAULT_CONFIG).collector.data_dir
    path = Path(folder or DEFAULT_FOLDER)
    if not path.is_dir():
        raise UsageError(
            f"there is no data folder {path}; collector run makes it, --store DIR or -c FILE name"
            " another"
        )
    return path
