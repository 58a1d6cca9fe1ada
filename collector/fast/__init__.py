"""The compiled core: twins in C of a few hot functions, there or not.

Does: say whether the extension module ``_native`` is there, and what it offers. Does not: decide
anything. For each function here there is one in Python that says the same, and each caller takes
the compiled one when ``native`` is there.

Rules: written against the plain C API of CPython, so that building it needs a compiler and nothing
else, the C can be read beside its Python twin, and both run under the sanitizers of the compiler.
What the C is not sure of it hands back to the Python twin, which decides. Nothing of ``collector``
is imported. ``COLLECTOR_PURE_PYTHON=1`` in the environment turns it off.
"""

from __future__ import annotations

import os
from typing import Final, Protocol, cast

__all__ = ["INTERFACE", "PATH", "Native", "native"]

INTERFACE: Final = 1
"""Number of the functions and their arguments, as in ``src/native.h``; raised with every change, so
that a module built from older sources is not used."""


class Native(Protocol):
    """What the extension module offers."""

    INTERFACE: int


def _load() -> Native | None:
    if os.environ.get("COLLECTOR_PURE_PYTHON") == "1":
        return None
    try:
        from collector.fast import _native
    except ImportError:  # not built, or for another Python
        return None
    return cast("Native", _native) if _native.INTERFACE == INTERFACE else None


native: Native | None = _load()
"""The extension module, or None."""
PATH: Final = "pure Python" if native is None else "compiled"
"""Which way the hot functions go, for people."""
