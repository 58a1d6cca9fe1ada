"""Feed a sanitized build of the compiled core: ``fast_sanitized_child.py MODULE SEED COUNT``.

Run with the sanitizers' library loaded before and with ``PYTHONMALLOC=malloc``, so that each
payload is an allocation of its own and reading one octet behind it is seen. Prints what was taken.
"""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random
from types import ModuleType

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests import hostile_json, hostile_xml
from tests.fast_columns import JSON, OUTPUTS, XML, EnvelopeColumns, envelope_rows
from tests.fast_gather import one_by_chance

COLUMNS = ("offsets", "encoding", *OUTPUTS)


def load(path: str) -> ModuleType:
    spec = spec_from_file_location("_native", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def batch_refused(native: ModuleType, batch: list[bytes], random: Random) -> None:
    """Offsets by chance: read where they point into the data, refused where they do not."""
    columns = EnvelopeColumns(batch)
    columns.data = bytearray(columns.data)[: random.randrange(len(columns.data) + 1)]
    row = random.randrange(len(columns.offsets))
    columns.offsets[row] = random.choice([-1, -(2**31), 2**31 - 1, random.randrange(10_000)])
    with suppress(ValueError):
        columns.read(native)
    for name in COLUMNS:
        uneven = EnvelopeColumns(batch)
        setattr(uneven, name, getattr(uneven, name)[:-1])
        try:
            uneven.read(native)
        except ValueError:
            continue
        raise AssertionError(f"a short column {name} was taken")


def main(path: str, seed: int, count: int) -> None:
    assert hasattr(ctypes.CDLL(None), "__asan_report_load1"), "the sanitizers are not loaded"
    native, random = load(path), Random(seed)
    fed = taken = 0
    for encoding, hostile in ((JSON, hostile_json), (XML, hostile_xml)):
        payloads = [*hostile.USUAL, *hostile.HOSTILE, *hostile.prefixes()]
        payloads += [octets for usual in hostile.USUAL for octets in hostile.replaced_octets(usual)]
        payloads += [hostile.damaged(random) for _ in range(count)]
        fed += len(payloads)
        for first in range(0, len(payloads), 100):
            batch = payloads[first : first + 100]
            rows = envelope_rows(native, batch, [encoding] * len(batch))
            taken += len(batch) - rows.count(None)
            batch_refused(native, batch, random)
    assert sum(one_by_chance(native, random) for _ in range(1000)) > 100
    print(fed, taken)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
