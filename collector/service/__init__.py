"""The running collector: everything is put together here, and only here.

``run`` is the daemon, ``subscribe_once`` the one-shot, ``Service`` what both (and the demo) start
and stop. Modules: ``lifecycle`` (order of start and stop), ``intake`` (the way in), ``ticker``
(time), ``recovering`` (what the journal knows after a restart), ``housekeeping`` (store, snapshots,
retention), ``commands`` (the control socket).

The names are loaded when they are first used: the lanes' supervisor needs parts of it only.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collector.service.lifecycle import Service
    from collector.service.running import run, subscribe_once

_HOME = {"Service": "lifecycle", "run": "running", "subscribe_once": "running"}

__all__ = ["Service", "run", "subscribe_once"]


def __getattr__(name: str) -> Any:
    module = _HOME.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)
