"""The management sessions of a service: the manager, who takes the calls of devices, open files.

Does: build them from the configuration. Does not: start or stop them (``lifecycle``).
"""

from __future__ import annotations

import logging
import resource
import socket
from typing import TYPE_CHECKING

from collector.config import Config
from collector.interfaces import Clock, Intake
from collector.metrics import Counters
from collector.receivers.refusals import Refusals
from collector.subscriber.manager import SubscriptionManager

if TYPE_CHECKING:
    from collector.subscriber.call_home.listener import CallHome

log = logging.getLogger(__name__)

CALL_HOME = "call-home"
"""Its name in metrics and in ``collector status``."""
SPARE_FILES = 256
"""Open files for everything but sessions (ours)."""


def manager_of(
    config: Config,
    intake: Intake,
    clock: Clock,
    counters: Counters,
    *,
    opened: socket.socket | None = None,
) -> SubscriptionManager:
    """Of the sessions to all devices; nothing is connected yet.

    ``opened``: a socket that listens for calls already.
    """
    calls = _calls_of(config, opened)
    return SubscriptionManager(
        intake, clock, sessions=config.sessions, calls=calls, counters=counters
    )


def _calls_of(config: Config, opened: socket.socket | None) -> CallHome | None:
    if not config.call_home.enabled:
        return None
    from collector.subscriber.call_home.listener import CallHome  # loads asyncssh

    return CallHome(
        config.call_home,
        per_second=config.sessions.connects_per_second,
        refused=Refusals(CALL_HOME).add,
        opened=opened,
    )


def allow_open_files(config: Config) -> None:
    """Ask the system for as many open files as the devices need; say so where it grants fewer."""
    needed = sum(device.netconf is not None for device in config.devices) + SPARE_FILES
    if config.call_home.enabled:
        needed += config.call_home.max_callers
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    granted = soft
    if soft < needed and soft != resource.RLIM_INFINITY:
        granted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))
    if granted < needed and granted != resource.RLIM_INFINITY:
        log.warning(
            "The system allows %d open files; sessions to all devices may need %d. "
            "Raise the limit (ulimit -n, LimitNOFILE=).",
            granted,
            needed,
        )
