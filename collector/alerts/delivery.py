"""Alerts to the log, a JSON-lines file, a command and a webhook.

Does: hand each alert to every channel that the configuration names. Does not: decide, retry, or
wait: command and webhook run in one thread behind a bounded queue, and what does not fit is
dropped and counted. Does not remember over a restart: trouble that lasts is said once more then.
Rules: no shell; the command sees only a small environment, so that no password of ours is in it; a
webhook follows no redirection; a URL is never logged, since it may carry a token. That a channel
fails is logged when it begins and when it ends, not each time.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from collector.alerts.decision import Alert, AlertDecider, AlertKind
from collector.appended import AppendedFile
from collector.config import AlertSettings
from collector.errors import SinkError
from collector.interfaces import Said
from collector.metrics import Counters
from collector.model import Event, Fact

_log = logging.getLogger("collector.alerts")
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "USER", "TMPDIR")
_GOOD_NEWS = (
    AlertKind.RECOVERED,
    AlertKind.STEADY,
    AlertKind.LEFT,
    AlertKind.DECLARED,
    AlertKind.SENDS,
    AlertKind.CONFIGURED,
)

Channel = Callable[[bytes], None]
"""Delivers one alert as JSON. Raises SinkError."""


class AlertSink:
    """Decides and delivers; one of the sinks that the pipeline writes to."""

    name = "alerts"

    def __init__(self, settings: AlertSettings, counters: Counters | None = None) -> None:
        self._settings = settings
        self._counters = counters or Counters()
        self._decider = AlertDecider()
        self._file = None if settings.file is None else AppendedFile(settings.file, 0o640)
        self._channels = _slow_channels(settings)
        self._waiting: queue.Queue[bytes | None] = queue.Queue(settings.max_queued)
        self._worker: threading.Thread | None = None
        self._failing: set[str] = set()

    def start(self) -> None:
        """Open the file and start the thread. May be called twice. Raises SinkError."""
        if self._file is not None:
            try:
                self._file.open()
            except OSError as error:
                raise SinkError(
                    f"alerts.file {self._settings.file} cannot be written: {error.strerror}",
                    retryable=False,
                ) from None
        if self._channels and self._worker is None:
            self._worker = threading.Thread(target=self._work, name="alerts", daemon=True)
            self._worker.start()

    def write(self, said: Said) -> None:
        """Decide about one batch of verdicts and events and deliver; never waits, never fails."""
        self._decide((*said.verdicts, *said.events))

    def note(self, event: Event) -> None:
        """The same of what somebody saw who reads no journal."""
        self._decide((event,))

    def _decide(self, facts: Sequence[Fact]) -> None:
        for alert in self._decider.receive(facts):
            self.deliver(alert)

    def deliver(self, alert: Alert) -> None:
        """Hand one alert to all channels."""
        if self._settings.log:
            _log.log(logging.INFO if alert.kind in _GOOD_NEWS else logging.WARNING, alert.text)
            self._count("log", "sent")
        line = msgspec.json.encode(alert.row())
        if self._file is not None and self._file.is_open:
            self._try("file", self._append, line)
        if self._channels:
            try:
                self._waiting.put_nowait(line)
            except queue.Full:
                self._count("queue", "dropped")
                self._failed("queue", "alerts wait for the command or webhook; some are dropped")

    def flush(self) -> None:
        """Nothing waits that could be hurried."""

    def stop(self) -> None:
        """Deliver what waits, for at most the time-out, and close. May be called twice."""
        worker, self._worker = self._worker, None
        if worker is not None:
            try:
                self._waiting.put(None, timeout=self._settings.timeout_seconds)
            except queue.Full:
                pass  # the thread is a daemon: it ends with the process
            worker.join(2 * self._settings.timeout_seconds)
        if self._file is not None:
            self._file.close()

    def _append(self, line: bytes) -> None:
        assert self._file is not None
        try:
            self._file.append(line + b"\n")
        except OSError as error:
            raise SinkError(f"cannot be written: {error.strerror}", retryable=True) from None

    def _work(self) -> None:
        while (line := self._waiting.get()) is not None:
            for name, channel in self._channels.items():
                self._try(name, channel, line)

    def _try(self, name: str, channel: Channel, line: bytes) -> None:
        try:
            channel(line)
        except SinkError as error:
            self._count(name, "failed")
            self._failed(name, f"alerts cannot be delivered by {name}: {error}")
            return
        self._count(name, "sent")
        if name in self._failing:
            self._failing.discard(name)
            _log.info("alerts are delivered by %s again", name)

    def _failed(self, name: str, sentence: str) -> None:
        if name not in self._failing:
            self._failing.add(name)
            _log.error("%s", sentence)

    def _count(self, channel: str, result: str) -> None:
        self._counters.alerts.add((channel, result))


def _slow_channels(settings: AlertSettings) -> dict[str, Channel]:
    channels: dict[str, Channel] = {}
    if settings.command:
        channels["command"] = _Command(settings.command, settings.timeout_seconds)
    if settings.webhook is not None:
        channels["webhook"] = _Webhook(settings.webhook, settings.timeout_seconds)
    return channels


class _Command:
    """A program that gets the alert on its standard input."""

    def __init__(self, command: tuple[str, ...], timeout_seconds: float) -> None:
        self._command = command
        self._timeout_seconds = timeout_seconds

    def __call__(self, line: bytes) -> None:
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        try:
            running = subprocess.Popen(  # noqa: S603 - the operator's command, no shell
                self._command, env=environment, start_new_session=True,
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            raise SinkError(f"it cannot be started: {error}", retryable=False) from None
        with running:
            try:
                running.communicate(line + b"\n", timeout=self._timeout_seconds)
            except subprocess.TimeoutExpired:
                # its own session: what it started goes with it
                os.killpg(running.pid, signal.SIGKILL)
                raise SinkError("it takes too long and was ended", retryable=True) from None
        if running.returncode:
            raise SinkError(f"it ended with status {running.returncode}", retryable=True)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any, **_more: Any) -> None:
        """Refuse: a redirection could lead from https to anywhere."""
        return


class _Webhook:
    """A URL that the alert is posted to."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._opener = urllib.request.build_opener(_NoRedirect())

    def __call__(self, line: bytes) -> None:
        request = urllib.request.Request(  # noqa: S310 - https or loopback, checked in the config
            self._url, data=line, headers={"Content-Type": "application/json"}, method="POST"
        )
        try:
            with self._opener.open(request, timeout=self._timeout_seconds) as answer:
                answer.read(1024)
        except urllib.error.HTTPError as error:
            error.close()
            raise SinkError(f"the webhook answered {error.code}", retryable=True) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise SinkError(f"the webhook is not reached: {reason}", retryable=True) from None
