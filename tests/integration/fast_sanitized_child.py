"""Feed a sanitized build of the compiled core: ``fast_sanitized_child.py MODULE SEED COUNT``.

Run with the sanitizers' library loaded before and with ``PYTHONMALLOC=malloc``, so that each
payload is an allocation of its own and reading one octet behind it is seen. Prints what was taken.
"""

from __future__ import annotations

import ctypes
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random
from types import ModuleType

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.hostile_json import HOSTILE, USUAL, damaged, prefixes, replaced_octets


def load(path: str) -> ModuleType:
    spec = spec_from_file_location("_native", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(path: str, seed: int, count: int) -> None:
    assert hasattr(ctypes.CDLL(None), "__asan_report_load1"), "the sanitizers are not loaded"
    native, random = load(path), Random(seed)
    kinds = ("push", "change", "other")
    taken = 0
    payloads = [*USUAL, *HOSTILE, *prefixes()]
    payloads += [octets for usual in USUAL for octets in replaced_octets(usual)]
    payloads += [damaged(random) for _ in range(count)]
    for first in range(0, len(payloads), 100):
        batch = payloads[first : first + 100]
        _, unusual = native.decode_json(batch, kinds)
        taken += len(batch) - len(unusual)
    print(len(payloads), taken)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
