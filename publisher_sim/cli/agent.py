"""``publisher-sim agent``: one line card's process, started by ``run``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(hidden=True, epilog="Example: started by publisher-sim run, not by people.")
@click.option("--setup", type=click.Path(path_type=Path), required=True, help="Scenario, JSON.")
@click.option("--card", required=True, help="Name of the card.")
@click.option("--life", type=int, default=0, help="Processes that the card had before.")
@click.option("--channel", required=True, help="unix:PATH of the master's channel.")
@click.option("--account", type=click.Path(path_type=Path), required=True, help="Account file.")
@click.option("--standby", is_flag=True, help="Wait for a line on standard input.")
def agent(setup: Path, card: str, life: int, channel: str, account: Path, standby: bool) -> None:
    """Serve the component subscriptions of one card until the master is gone."""
    from publisher_sim.device.agent_process import run_agent

    run_agent(setup, card, life, channel, account, standby=standby)
