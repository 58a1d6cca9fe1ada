# What src/module.c defines; what it means is said in ``Native``.

from typing import Any

INTERFACE: int

def gather(source: Any, starts: Any, lengths: Any, offsets: Any, /) -> bytes: ...
def read_envelopes(
    data: Any,
    offsets: Any,
    encoding: Any,
    subscription_id: Any,
    generator: Any,
    generators: list[str | None],
    kind: Any,
    event_time: Any,
    observation_time: Any,
    incomplete: Any,
    sequence_number: Any,
    /,
) -> list[int]: ...
