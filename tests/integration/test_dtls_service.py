"""A whole collector with DTLS and quirks: devices by certificate, reload, status, replay."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("OpenSSL", reason="pyOpenSSL is not installed (extra dtls)")

from collector.config import read_config_table
from collector.journal import JournalReader
from collector.pipeline.replay import replay
from collector.service import Service
from collector.service.commands import status
from tests.certificates import certified
from tests.dtls_ends import SocketClient, client_context
from tests.vectors import udp_notif as vectors
from tests.waiting import until

pytestmark = pytest.mark.integration


def config_in(folder: Path, **device: Any) -> Any:
    table: dict[str, Any] = {
        "collector": {"data_dir": str(folder / "data")},
        "udp_notif": {"enabled": False},
        "metrics": {"enabled": False},
        "dtls": certified(folder).sections(),
        "device": [{"name": "core7", "certificates": ["Publisher.example"], **device}],
    }
    return read_config_table(table)


def test_a_device_by_its_certificate_and_its_quirks_by_reload(tmp_path: Path) -> None:
    known = certified(tmp_path)

    async def run() -> None:
        service = Service(config_in(tmp_path))
        await service.start()
        try:
            (receiver,) = service.receivers
            context = client_context(known.authority.file, known.publisher)
            with SocketClient(context, receiver.local_port) as client:  # type: ignore[attr-defined]
                await asyncio.to_thread(client.shake_hands)
                client.send(vectors.LEGACY_FLAGS)
                await until(lambda: status(service)["quirks_needed"] != {})
                unset = {"core7 legacy-header (unset)": 1}
                assert status(service)["quirks_needed"] == unset
                await service.reload(config_in(tmp_path, quirks=["legacy-header"]))
                assert service.at_restart == []
                client.send(vectors.LEGACY_FLAGS)
                await until(lambda: len(status(service)["quirks_needed"]) == 2)
                both = unset | {"core7 legacy-header (set)": 1}
                assert status(service)["quirks_needed"] == both
            assert service.pipeline.counts.unknown_source_messages == 0
            assert service.counters.connections[("dtls",)] == 1
        finally:
            await service.stop()

    asyncio.run(run())
    payloads = [
        (batch.session[row], batch.kind[row], batch.payload[row])
        for frame in JournalReader(tmp_path / "data").read()
        for batch in [frame.batch()]
        for row in range(len(batch))
        if batch.peer[row]
    ]
    session = "certificate:publisher.example"
    assert [(one, kind) for one, kind, _ in payloads] == [(session, 2), (session, 0)]
    assert payloads[1][2] == b"<a/"
    replayed = replay(tmp_path / "data")
    assert sum(replayed.rejected.values()) == 1, "what it holds is no notification"
