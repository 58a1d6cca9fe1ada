"""What an agent process runs: register, serve until the channel ends or SIGTERM comes.

Does not: outlive the master; the end of the channel is the end of the process.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import msgspec

from collector.errors import ConfigError, UsageError
from publisher_sim.agent import AgentPublisher, register_of
from publisher_sim.cards.channel import Heartbeat
from publisher_sim.publishers.agent_channel import ChannelClient
from publisher_sim.publishers.agent_loop import AccountFile, loop_of
from publisher_sim.publishers.timers import Timers
from publisher_sim.scenario import Card, Scenario

HEARTBEAT_SECONDS = 1.0
"""Ours."""


def run_agent(
    setup: Path, card: str, life: int, target: str, account: Path, *, standby: bool
) -> None:
    """Run one agent until its master is gone.

    Args:
        setup: file with the scenario as JSON.
        card: which card it is.
        life: how many processes this card had before.
        target: of the channel, ``unix:PATH``.
        account: file to write its facts to.
        standby: wait for a line on standard input before registering.

    Raises:
        ConfigError: the setup cannot be read, or the address cannot be bound.
    """
    try:
        scenario = msgspec.json.decode(setup.read_bytes(), type=Scenario)
        found = scenario.publisher(card)
    except (OSError, msgspec.MsgspecError, KeyError) as error:
        raise ConfigError(f"is no setup for {card!r}: {error}", file=str(setup)) from error
    if standby and not sys.stdin.readline():
        return
    try:
        file = AccountFile(account)
    except OSError as error:
        raise UsageError(f"{account} cannot be written: {error.strerror}") from error
    try:
        asyncio.run(_serve(scenario, found, life, target, file))
    finally:
        file.close()


async def _serve(scenario: Scenario, card: Card, life: int, target: str, file: AccountFile) -> None:
    agent = AgentPublisher(scenario, card, f"{card.name}/{life}")
    client = ChannelClient(target)
    clock = Timers().clock(scenario.behaviour.clock_shift)
    loop = loop_of(scenario, agent, file.note, client.say, clock)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, client.close)
    client.say(register_of(scenario, agent, card))
    beating = asyncio.create_task(_beat(client, card.name))
    try:
        async for message in client.messages():
            loop.receive(message)
    finally:
        beating.cancel()
        loop.close()


async def _beat(client: ChannelClient, card: str) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        client.say(Heartbeat(card))
