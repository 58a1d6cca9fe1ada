# What src/module.c defines; what it means is said in ``Native``.

from collections.abc import Sequence

from collector.fast import JsonColumns, Kind

INTERFACE: int

def decode_json(
    payloads: Sequence[bytes], kinds: tuple[Kind, Kind, Kind], /
) -> tuple[JsonColumns[Kind], list[int]]: ...
