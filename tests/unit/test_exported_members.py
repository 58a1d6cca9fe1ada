"""The public names are a promise, and importing the package costs nothing."""

from __future__ import annotations

import subprocess
import sys

import collector

HEAVY = (
    "asyncssh", "click", "cbor2", "duckdb", "grpc", "lxml", "msgspec", "ncclient", "numpy",
    "prometheus_client", "pyang", "pyarrow", "rich", "asyncio", "xmltodict",
)  # fmt: skip


PROMISED = """
    CollectorError Config ConfigError Encoding Event IntakeFullError Outcome PeerError ProtocolError
    ReceivedBatch Receiver Said SessionError Sink SinkError SubscriptionRow UsageError Verdict
    WireError check_config load_config
"""
"""What other programs import; a name may come, none may go."""


def test_the_public_names() -> None:
    assert collector.__all__ == PROMISED.split()
    assert len(collector.__all__) < 25


def test_every_public_name_can_be_had_and_no_other() -> None:
    for name in collector.__all__:
        assert getattr(collector, name).__name__ == name
    assert set(collector._HOME) == set(collector.__all__)
    assert set(collector.__all__) <= set(dir(collector))
    assert not hasattr(collector, "no_such_name")


def test_importing_the_package_loads_no_library() -> None:
    code = f"import sys, collector; print(*(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
