"""What ``collector subscribe`` can ask for: the options, and the section that they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TextIO

import click

from collector.cli.options import Length
from collector.command_line import Whole
from collector.errors import UsageError

_PLAIN = (
    "datastore", "stream", "xpath", "filter_name",
    "period", "accept_hints", "on_change", "dampening", "excluded",
    "replay", "replay_start_time", "stop_time", "stop_after",
    "encoding", "dscp", "weighting", "dependency",
)  # fmt: skip
"""Parameters whose value is that of a key of ``[[subscription]]``."""
_KEYS = {
    "period": "period_seconds",
    "dampening": "dampening_seconds",
    "stop_after": "stop_after_seconds",
    "replay": "replay_seconds",
    "excluded": "excluded_changes",
}
"""Parameter -> the key of ``[[subscription]]``, where the names differ."""


def _encodings(context: click.Context, option: click.Parameter, start: str) -> list[str]:
    """For the completion of shells."""
    known = ("encode-json", "encode-xml", "encode-cbor")
    return [one for one in known if one.startswith(start)]


def subscription_options(function: Any) -> Any:
    """In the order in which a person decides: of what, which part, when, how."""
    for option in reversed((*_of_what(), *_when(), *_how())):
        function = option(function)
    return function


def _of_what() -> list[Any]:
    return [
        _text("--datastore", "NAME", "Datastore (RFC 8342).  [default: operational]"),
        _text("--stream", "NAME", 'Event stream instead of a datastore, as in "NETCONF".'),
        _text("--xpath", "XPATH", "What is selected; prefixes are module names."),
        click.option(
            "--ns", "namespaces", multiple=True, metavar="P=URI",
            help="Namespace of a prefix that is no module name; can be repeated.",
        ),
        click.option(
            "--subtree", type=click.File("r"), metavar="FILE",
            help="What is selected, as a subtree filter in XML.",
        ),
        _text(
            "--filter-name", "NAME", "What is selected, as a filter that the device has by that"
            " name.",
        ),
    ]  # fmt: skip


def _when() -> list[Any]:
    return [
        _length("--period", "Seconds between updates."),
        _flag("--accept-hints", "When the device refuses the period, ask for the one it hints."),
        _flag("--on-change", "Updates when something changed, instead of each period."),
        _length("--dampening", "With --on-change: least time between two updates."),
        _flag("--no-sync", "With --on-change: do not send everything at the beginning."),
        click.option(
            "--exclude", "excluded", multiple=True,
            type=click.Choice(["create", "delete", "insert", "move", "replace"]),
            help="With --on-change: a kind of change that is not sent; can be repeated.",
        ),
        _length("--replay", "With --stream: how far back kept events are sent."),
        _text("--replay-start-time", "TIME", "With --stream: from when on kept events are sent."),
        _text("--stop-time", "TIME", "When the subscription ends, in RFC 3339."),
        _length(
            "--stop-after", "How long the device is asked to keep the subscription; it is"
            " prolonged.",
        ),
        _flag("--no-renew", "With --stop-after: do not prolong."),
    ]  # fmt: skip


def _how() -> list[Any]:
    return [
        click.option(
            "--encoding", metavar="IDENTITY", shell_complete=_encodings,
            help="Encoding of the notifications: encode-json, encode-xml, encode-cbor, or"
            " MODULE:IDENTITY with --ns MODULE=URI.  [default: encode-json, of a stream"
            " encode-xml]",
        ),
        click.option("--dscp", type=Whole(0, 63), help="DSCP of the updates."),
        click.option(
            "--weighting", type=Whole(0, 255), help="Share among those of one DSCP."
        ),
        _text("--dependency", "ID", "Subscription of the device that goes first."),
        click.option(
            "--module-version", "module_versions", multiple=True, metavar="MODULE=REVISION",
            help="Revision or version that the updates must follow; can be repeated.",
        ),
    ]  # fmt: skip


def _text(name: str, form: str, text: str) -> Any:
    return click.option(name, metavar=form, help=text)


def _length(name: str, text: str) -> Any:
    return click.option(name, type=Length(), help=text)


def _flag(name: str, text: str) -> Any:
    return click.option(name, is_flag=True, default=None, help=text)


def subscription_table(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The section ``[[subscription]]``.

    Args:
        settings: parameters of the command, those of ``subscription_options`` among them.

    Raises:
        UsageError: a pair that is none, or a file that is no text.
    """
    table = {_KEYS.get(name, name): settings[name] for name in _PLAIN if settings.get(name)}
    for name in ("dscp", "weighting"):  # 0 is a value
        if settings.get(name) is not None:
            table[name] = settings[name]
    if settings.get("no_sync"):
        table["sync_on_start"] = False
    if settings.get("no_renew"):
        table["renew"] = False
    for name, form in (("namespaces", "--ns PREFIX=URI"), ("module_versions", "MODULE=REVISION")):
        if settings.get(name):
            table[name] = dict(_pair(text, form) for text in settings[name])
    if settings.get("subtree") is not None:
        table["subtree"] = _text_of(settings["subtree"])
    return {"name": "subscribe", **table}


def _text_of(file: TextIO) -> str:
    try:
        return file.read()
    except UnicodeDecodeError:
        raise UsageError(f"{file.name} is no text in UTF-8, so no subtree filter") from None


def _pair(text: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise UsageError(f'"{text}" is not {form}')
    return name, value
