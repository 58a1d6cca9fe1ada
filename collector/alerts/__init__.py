"""Alerts: one sentence whenever a line card falls silent, loses messages, or comes back.

Does: ``AlertDecider`` decides (pure), ``AlertSink`` delivers to log, file, command and webhook.
Does not: repeat itself; what has been said once is said again only when it changes.
"""

from collector.alerts.decision import Alert, AlertDecider, AlertKind
from collector.alerts.delivery import AlertSink

__all__ = ["Alert", "AlertDecider", "AlertKind", "AlertSink"]
