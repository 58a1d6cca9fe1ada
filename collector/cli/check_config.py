"""``collector check-config``."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.cli.options import DEFAULT_CONFIG

if TYPE_CHECKING:
    from collector.config import Config


@click.command(epilog="Example: collector check-config collector.toml")
@click.argument("file", default=DEFAULT_CONFIG, type=click.Path(dir_okay=False))
def check_config(file: str) -> int:
    """Say whether a configuration can be used.

    Every fault is named with its key and with what is allowed; exit status 2 when there is one.
    Nothing is started and no device is asked. Files of passwords, keys and certificates that cannot
    be read here are said, but are no fault: they may be on another machine. Certificates that can
    be read and not be used are one.
    """
    from collector.config import check_config as check

    config, faults = check(file)
    if config is not None:
        from collector.sections import faults_of

        faults = faults_of(config, file)
    for fault in faults:
        click.echo(str(fault), err=True)
    if config is None or faults:
        click.echo(f"{len(faults)} fault{'s' if len(faults) != 1 else ''}", err=True)
        return 2
    if config.collector.lanes > 1 and not _steerable(config):
        return 2
    unusable = [why for section in _tls_sections(config) if (why := _tls_fault(config, section))]
    if unusable:
        for why in unusable:
            click.echo(f"{file}: {why}", err=True)
        click.echo(f"{len(unusable)} fault{'s' if len(unusable) != 1 else ''}", err=True)
        return 2
    devices, subscriptions = len(config.devices), len(config.subscriptions)
    click.echo(f"{file}: good; devices: {devices}, subscriptions: {subscriptions}")
    for remark in _missing_files(config):
        click.echo(remark, err=True)
    if not devices:
        click.echo("No [[device]] is configured yet, so nothing will be judged.", err=True)
    return 0


def _steerable(config: Config) -> bool:
    """Say how devices are shared out; False when their addresses cannot be steered."""
    from collector.errors import ConfigError
    from collector.lanes.plan import plan_of
    from collector.receivers.sockets.steering import MAX_INSTRUCTIONS

    try:
        plan = plan_of(config, config.collector.lanes)
    except ConfigError as error:
        click.echo(f"{error}\n1 fault", err=True)
        return False
    shares = ", ".join(str(len(lane.devices)) for lane in plan.configs)
    click.echo(
        f"lanes: {plan.lanes}, with {shares} devices; steering them takes {len(plan.program)} of"
        f" {MAX_INSTRUCTIONS} instructions"
    )
    return True


def _tls_sections(config: Config) -> Iterator[str]:
    """The receivers that will show a certificate."""
    if config.https_notif.enabled and not config.https_notif.plain_http:
        yield "https_notif"
    if config.grpc_dialout.enabled and not config.grpc_dialout.plaintext:
        yield "grpc_dialout"
    if config.dtls.enabled:
        yield "dtls"


def _tls_paths(config: Config, section: str) -> Iterator[tuple[str, str]]:
    settings = getattr(config, section)
    for key in ("certificate_file", "key_file", "client_ca_file"):
        path = getattr(settings, key)
        if path is not None and (key != "client_ca_file" or settings.client_certificates != "none"):
            yield key, path


def _tls_fault(config: Config, section: str) -> str:
    """Why certificates that are all here cannot be used; "" when they can, or are elsewhere."""
    from collector.errors import ConfigError
    from collector.receivers.refusals import Refusals
    from collector.receivers.tls.server import ServerTls

    if any(_why_unreadable(path) for _, path in _tls_paths(config, section)):
        return ""
    try:
        ServerTls(getattr(config, section), section=section, refusals=Refusals(section)).load()
    except ConfigError as error:
        return str(error)
    return ""


def _why_unreadable(path: str) -> str:
    """ "" for what can be read, and for what is no file at all, which opening could wait for."""
    try:
        if stat.S_ISREG(os.stat(path).st_mode):
            Path(path).open("rb").close()
    except OSError as error:
        return error.strerror or "no reason"
    return ""


def _named_files(config: Config) -> Iterator[tuple[str, str]]:
    """Key and path of what the start, or a log-in, will read."""
    from collector.sections import enabled

    for section in _tls_sections(config):
        for key, path in _tls_paths(config, section):
            yield f"{section}.{key}", path
    for number, device in enumerate(config.devices, 1):
        for key in ("password_file", "key_file", "key_passphrase_file", "known_hosts"):
            named: str | None = getattr(device.netconf, key, None)
            if named is not None:
                yield f"device[{number}].netconf.{key}", named
    for kind, tables in (("receiver", config.receivers), ("sink", config.sinks)):
        for name in enabled(tables):
            for key, path in tables[name].items():
                if key.endswith("_file") and isinstance(path, str):  # "file" may be made
                    yield f"{kind}.{name}.{key}", path


def _missing_files(config: Config) -> Iterator[str]:
    """A sentence for each file that cannot be read; thousands of devices can share one."""
    keys: dict[str, list[str]] = {}
    for key, path in _named_files(config):
        keys.setdefault(path, []).append(key)
    for path, (first, *others) in keys.items():
        if why := _why_unreadable(path):
            more = f" and {len(others)} more" if others else ""
            yield f"{first}{more}: {path} cannot be read: {why}"
