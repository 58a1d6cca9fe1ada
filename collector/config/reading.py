"""Plain tables (from TOML) -> frozen structs, with every fault found at once.

Does: walk a struct type and a table side by side and say for each fault which key it is, what is
wrong and what is allowed; unknown keys get the nearest known one.
Does not: know any particular key, or what two keys mean together.
Rules: a wrong value is never repeated in the message when its key names a secret; what a struct
type says about its keys is worked out once, since ten thousand sections of one type are common.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, inspect

from collector.errors import ConfigError

StructT = TypeVar("StructT", bound=Struct)

_SHOWN_LENGTH = 60
"""Characters of a wrong value that a message repeats (ours)."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""What neither XML nor a terminal takes; surrogates stand for octets that are no UTF-8."""


class Faults:
    """Collects the errors of one file."""

    def __init__(self, file: str = "") -> None:
        self.file = file
        self.found: list[ConfigError] = []

    def add(self, key: str, message: str, allowed: str = "") -> None:
        """Note one fault at the dotted ``key``."""
        self.found.append(ConfigError(message, file=self.file, key=key, allowed=allowed))


def read_struct(
    kind: type[StructT], table: Any, faults: Faults, prefix: str = ""
) -> StructT | None:
    """``table`` as a ``kind``, or None when something in it is wrong (then ``faults`` knows)."""
    if not isinstance(table, Mapping):
        faults.add(prefix, f"{_shown(table)} is not a section", f"[{prefix}] with keys under it")
        return None
    before = len(faults.found)
    known = _keys(kind)
    for key in table:
        if key not in known:
            _unknown_key(_dotted(prefix, key), key, known, faults)
    values: dict[str, Any] = {}
    for key, entry in known.items():
        if key in table:
            values[entry.field] = _read_value(entry, table[key], faults, _dotted(prefix, key))
        elif entry.required:
            faults.add(_dotted(prefix, key), "this key is required", describe(entry.type))
    return kind(**values) if len(faults.found) == before else None


class _Key(Struct, frozen=True):
    """What a struct type says about one of its keys."""

    field: str
    type: Any
    required: bool
    section: type[Struct] | None
    """Of ``[key]``; None where the value is no section."""
    repeated: type[Struct] | None
    """Of each ``[[key]]``; None where it is no list of sections."""
    raw: bool
    """A section for each name, which somebody else reads."""


@cache
def _keys(kind: type[Struct]) -> dict[str, _Key]:
    """Key in the file -> what it is, in the order of the fields."""
    return {
        entry.encode_name: _Key(
            entry.name,
            entry.type,
            entry.required,
            _struct_in(info),
            _struct_repeated(info),
            _are_sections(info),
        )
        for entry in msgspec.structs.fields(kind)
        for info in (inspect.type_info(entry.type),)
    }


def _struct_in(info: inspect.Type) -> type[Struct] | None:
    options = info.types if isinstance(info, inspect.UnionType) else (info,)
    for option in options:
        if isinstance(option, inspect.StructType):
            return option.cls
    return None


def _struct_repeated(info: inspect.Type) -> type[Struct] | None:
    if isinstance(info, inspect.VarTupleType) and isinstance(info.item_type, inspect.StructType):
        return info.item_type.cls
    return None


def _are_sections(info: inspect.Type) -> bool:
    return isinstance(info, inspect.DictType) and isinstance(info.value_type, inspect.DictType)


def _read_value(entry: _Key, value: Any, faults: Faults, key: str) -> Any:
    if entry.section is not None:
        return read_struct(entry.section, value, faults, key)
    if entry.repeated is not None:
        return _read_sections(entry.repeated, value, faults, key)
    if entry.raw:
        return _read_raw(value, faults, key)
    try:
        if isinstance(value, float) and not math.isfinite(value):
            raise msgspec.ValidationError
        found = msgspec.convert(value, entry.type)
    except msgspec.ValidationError:
        faults.add(key, f"{_shown(value)} cannot be used", describe(entry.type))
        return None
    if any(_CONTROL.search(text) for text in _texts(value)):
        faults.add(key, f"{_shown(value)} cannot be used", "text without control characters")
        return None
    return found


def _texts(value: Any) -> Iterator[str]:
    """All of it that is text: a value, or those of a list or table, with their keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for pair in value.items() for one in pair for text in _texts(one))
    elif isinstance(value, Sequence):
        yield from (text for one in value for text in _texts(one))


def _read_sections(
    kind: type[Struct], value: Any, faults: Faults, key: str
) -> tuple[Struct | None, ...] | None:
    if not isinstance(value, Sequence) or isinstance(value, str):
        faults.add(key, f"[{key}] stands for one section", f"[[{key}]], which can be repeated")
        return None
    return tuple(
        read_struct(kind, item, faults, f"{key}[{number}]") for number, item in enumerate(value, 1)
    )


def _read_raw(value: Any, faults: Faults, key: str) -> dict[str, dict[str, Any]] | None:
    """Nothing of it is shown: nobody here knows which of its keys name a secret."""
    before = len(faults.found)
    if not isinstance(value, Mapping):
        faults.add(key, "this is not a section", f"[{key}.NAME] with keys under it")
        return None
    for name, table in value.items():
        if not isinstance(table, Mapping):
            faults.add(f"{key}.{name}", "this is not a section", f"[{key}.NAME] with keys under it")
    return dict(value) if len(faults.found) == before else None


def _unknown_key(dotted: str, key: str, fields: Mapping[str, Any], faults: Faults) -> None:
    near = difflib.get_close_matches(key, fields, n=1, cutoff=0.6)
    if key in ("password", "passphrase"):
        faults.add(
            dotted, "a secret does not belong into this file", "password_file or password_env"
        )
    elif key == "mode" and dotted.startswith("subscription["):  # an earlier version had it
        faults.add(dotted, "this is read from what the device says; leave it out")
    elif near:
        faults.add(dotted, f"unknown key, did you mean {near[0]}?")
    else:
        faults.add(dotted, "unknown key", ", ".join(fields))


def _dotted(prefix: str, key: str) -> str:
    return f"{prefix}.{key}" if prefix else key


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    if isinstance(value, bool):
        text = text.lower()
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= _SHOWN_LENGTH else text[:_SHOWN_LENGTH] + "..."


# --------------------------------------------------------------------------- what is allowed
def describe(kind: Any) -> str:
    """What a value of this type may be, for people: ``a whole number from 1 to 65535``."""
    return _describe(inspect.type_info(kind))


def _describe(info: inspect.Type) -> str:
    if isinstance(info, inspect.BoolType):
        return "true or false"
    if isinstance(info, inspect.IntType | inspect.FloatType):
        noun = "a whole number" if isinstance(info, inspect.IntType) else "a number"
        return " ".join((noun, *_bounds(info)))
    if isinstance(info, inspect.LiteralType):
        values = [f'"{value}"' for value in info.values]
        return " or ".join(values) if len(values) < 3 else f"one of {', '.join(values)}"
    if isinstance(info, inspect.VarTupleType):
        return f"a list [..] of {_plural(info.item_type)}"
    if isinstance(info, inspect.DictType):
        return "a table of key = text"
    if isinstance(info, inspect.StructType):
        return "a section"
    if isinstance(info, inspect.UnionType):
        options = (_describe(o) for o in info.types if not isinstance(o, inspect.NoneType))
        return " or ".join(options)
    return _describe_text(info)


def _describe_text(info: inspect.Type) -> str:
    if isinstance(info, inspect.StrType) and info.pattern:
        return f"text without control characters, * or space in front, up to {info.max_length} long"
    return "text, not empty" if isinstance(info, inspect.StrType) and info.min_length else "text"


def _plural(item: inspect.Type) -> str:
    return "texts" if isinstance(item, inspect.StrType) else _describe(item)


def _bounds(info: inspect.IntType | inspect.FloatType) -> list[str]:
    low = (
        [f"above {_number(info.gt)}"]
        if info.gt is not None
        else [f"from {_number(info.ge)}"]
        if info.ge is not None
        else []
    )
    if info.le is None:
        return [text.replace("from 0", "not below 0") for text in low]
    return [*low, ("to " if info.ge is not None else "up to ") + _number(info.le)]


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)
