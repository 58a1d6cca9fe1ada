"""sent-event-records of a device whose publishers are processes: what they made, told over gRPC."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest

from collector.wire.netconf.rpc import EstablishSubscription, Get
from collector.wire.udp_notif.datagrams import decode_header
from tests.integration.sim_subscriber import Receiver, terms
from tests.integration.test_sim_device import CARDS, HEAD, Device

pytestmark = pytest.mark.integration


def test_the_master_reports_what_its_agents_made(tmp_path: Path) -> None:
    """Cards that drop half of their messages count them all: the difference is what was lost."""
    receiver = Receiver()
    drops = '[[fault]]\nkind = "drop"\ncard = "lc1"\nat_period = 5\nuntil_period = 8\n'
    heard: list[int] = []

    def take() -> int:
        heard.extend(decode_header(octets).publisher_id for _, octets in receiver.take())
        return len(heard)

    async def scene() -> None:
        device = Device(tmp_path, receiver, HEAD.format(periods=0) + CARDS + drops)
        await device.start()
        async with device.subscriber() as subscriber:
            wanted = terms(400_000_000)
            assert (await subscriber.ask(EstablishSubscription(wanted))).ok
            deadline = time.monotonic() + 30
            lost, sent = 0, 0
            while lost < 3 and time.monotonic() < deadline:
                await asyncio.sleep(0.05)
                entries = (await subscriber.ask(Get())).subscriptions or ()
                if not entries:
                    break
                sent = entries[0].receivers[0].sent_event_records or 0
                lost = max(lost, sent - take())
                assert entries[0].receivers[0].excluded_event_records == 0
            assert lost == 3
            assert sent >= 3 * 8
        device.process.send_signal(signal.SIGTERM)
        await device.end()

    try:
        asyncio.run(scene())
    finally:
        receiver.close()
    assert set(heard) == {1, 101, 102}
