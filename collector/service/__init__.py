"""The running collector: everything is put together here, and only here.

``run`` is the daemon, ``subscribe_once`` the one-shot, ``Service`` what both (and the demo) start
and stop. Modules: ``lifecycle`` (order of start and stop), ``intake`` (the way in), ``ticker``
(time), ``recovering`` (what the journal knows after a restart), ``housekeeping`` (store, snapshots,
retention), ``commands`` (the control socket).
"""

from collector.service.lifecycle import Service
from collector.service.running import run, subscribe_once

__all__ = ["Service", "run", "subscribe_once"]
