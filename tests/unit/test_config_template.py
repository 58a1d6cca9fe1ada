"""What ``collector init`` writes is a configuration, whole and true."""

from __future__ import annotations

import re
import tomllib

import msgspec
import pytest

from collector.config import parse_config, settings, types
from collector.config.reading import describe
from collector.config.template import field_notes, template

SECTIONS = [
    kind
    for kind in vars(settings).values()
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind is not msgspec.Struct
]


def uncommented() -> str:
    """The template with every ``#key`` and ``#[section]`` line switched on."""
    return "\n".join(
        line[1:] if re.match(r"#\S", line) else line for line in template().splitlines()
    )


def test_as_written_it_sets_nothing() -> None:
    assert parse_config(template()) == parse_config("")


def test_switched_on_it_says_the_defaults() -> None:
    config, default = parse_config(uncommented()), parse_config("")
    for section in msgspec.structs.fields(default):
        if not isinstance(getattr(default, section.name), tuple):
            assert getattr(config, section.name) == getattr(default, section.name)
    assert config.devices[0].name == "core7"
    assert config.subscriptions[0].period_seconds == 10
    assert config.known_subscriptions[0].id == 4711
    assert config.receiver_instances[0].port == 10003


def test_every_key_is_in_it() -> None:
    text = template()
    for kind in SECTIONS:
        for entry in msgspec.structs.fields(kind):
            name = entry.encode_name
            if name not in ("netconf", "device", "devices", "subscription", "namespaces"):
                assert re.search(rf"\b{name}\b", text), f"{kind.__name__}.{name}"


def test_examples_of_keys_without_a_default_are_toml() -> None:
    examples = re.findall(r"^# Not set\. Example: (.*)$", template(), re.M)
    assert examples
    for example in examples:
        tomllib.loads(example)


@pytest.mark.parametrize("kind", [k for k in SECTIONS if k.__name__ != "Config"])
def test_every_key_says_what_it_means(kind: type[msgspec.Struct]) -> None:
    notes = field_notes(kind)
    for entry in msgspec.structs.fields(kind):
        if entry.name != "netconf":
            assert len(notes[entry.name]) > 15, entry.name


def test_lines_fit_a_terminal() -> None:
    assert max(map(len, template().splitlines())) <= 100


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (bool, "true or false"),
        (types.Port, "a whole number from 1 to 65535"),
        (settings.Retention, "a whole number not below 0"),
        (settings.Timeout, "a number above 0 up to 600"),
        (settings.Timeout | None, "a number above 0 up to 600"),
        (dict[str, str], "a table of key = text"),
        (settings.Text, "text, not empty"),
        (str, "text"),
        (tuple[str, ...], "a list [..] of texts"),
        (settings.NetconfSettings, "a section"),
    ],
)
def test_limits_in_words(kind: object, text: str) -> None:
    assert describe(kind) == text
