"""``collector configure``."""

from __future__ import annotations

import click

from collector.cli.options import config_option, json_option
from collector.cli.reaching import wait_option


@click.command(
    epilog="""\b
Examples:
  collector configure --dry-run -c collector.toml
  collector configure core7 core8 --yes -c collector.toml
  collector configure core7 --remove -c collector.toml
"""
)
@click.argument("devices", nargs=-1, metavar="[DEVICE]...")
@click.option("--dry-run", is_flag=True, help="Show what would be changed, change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--remove", is_flag=True, help="Take what is configured for us away again.")
@click.option(
    "--prune", is_flag=True,
    help="Remove what was configured for subscriptions that are not in the configuration any more.",
)  # fmt: skip
@wait_option
@click.option(
    "--no-confirm",
    is_flag=True,
    help="Commit at once, where the device could take it back unless it shows the subscriptions.",
)
@click.option(
    "--startup/--no-startup",
    default=None,
    help="Copy running to startup, where the device starts with that, whatever else is not saved"
    " yet; or never. Without it: unless others have changes there that are not saved.",
)
@json_option
@config_option
def configure(
    devices: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    remove: bool,
    prune: bool,
    wait: float | None,
    no_confirm: bool,
    startup: bool | None,
    as_json: bool,
    config_file: str,
) -> int:
    """Configure subscriptions and receivers on devices (RFC 8639, section 2.5).

    Every [[subscription]] with a configured_id is compared with what DEVICE has, without names with
    that of all; what differs is shown, and written after a yes, through candidate where there is
    one. A device that can take a commit back is told to keep it only once it shows what was
    written. What is there and does the same under another id is taken over; what belongs to others
    is never touched, and a device where it is in the way is left as it is. Exit status 1 when a
    device refused, something of others is in the way or it would not survive a reboot, with
    --dry-run also when something would be changed.
    """
    from collector.cli.configuring import configure_all
    from collector.subscriber.configured.writing import How

    return configure_all(
        config_file,
        devices,
        dry_run=dry_run,
        yes=yes,
        as_json=as_json,
        wait=wait,
        how=How(remove=remove, prune=prune, confirm=not no_confirm, startup=startup),
    )
