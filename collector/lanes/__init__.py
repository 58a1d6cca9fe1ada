"""Several processes on one port: lanes, each with its own journal, engine and store.

``run`` is ``collector run`` whatever the number of lanes. Modules: ``plan`` (which device is in
which lane), ``folders`` (where lanes keep their data, what a changed number means), ``lane`` (what
a lane's process does), ``process`` (a lane as the supervisor sees it), ``channel`` (what the two
say to each other), ``supervisor`` (start, stop, signals, reload), ``asking`` and ``answers`` (one
answer out of those of all lanes), ``numbers`` (their metrics and health).

Rules: the supervisor sees no message; it holds the sockets, so that nothing is lost while a lane
starts again, and the number of a lane in the kernel's group stays what it is.
"""

from __future__ import annotations

from collector.lanes.running import run

__all__ = ["run"]
