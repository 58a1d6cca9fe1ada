"""Members: the scenario of each device of a fleet, made from one for all.

Does: name, address, seed and cards of each. Does not: run anything. Rules: devices differ in name,
seed (so that they break at different messages) and in what a collector knows them by: an address
of their own, or a user name of their own behind a shared port.
"""

from __future__ import annotations

import ipaddress

from msgspec import Struct, structs

from collector.errors import ConfigError
from publisher_sim.scenario import Card, Scenario, check

MAX_DEVICES = 20_000
MAX_CARDS = 256
"""A device; ours, as the one above."""
FIRST_ADDRESS = "127.10.0.1"


class Muster(Struct, frozen=True):
    """How a fleet is made of one scenario."""

    devices: int
    cards: int | None = None
    """Of each device; None: as the scenario says."""
    first_address: str = FIRST_ADDRESS
    """Of the first device; each next one has the next address."""
    shared_port: bool = False
    """All devices at the scenario's address and port, told apart by user name."""


def members(scenario: Scenario, muster: Muster) -> list[Scenario]:
    """The devices, in order. Raises ConfigError: a value cannot be used."""
    if not 1 <= muster.devices <= MAX_DEVICES:
        raise ConfigError("is out of range", key="--devices", allowed=f"1 to {MAX_DEVICES}")
    if muster.cards is not None:
        scenario = _with_cards(scenario, muster.cards)
    if muster.shared_port:
        _require_sessions(scenario)
    first = _first(muster)
    digits = max(4, len(str(muster.devices)))
    found = []
    for number in range(muster.devices):
        name = f"{number + 1:0{digits}}"
        one = structs.replace(
            scenario, name=f"{scenario.name}-{name}", seed=scenario.seed + number,
        )  # fmt: skip
        if muster.shared_port:
            user = f"{scenario.netconf.username}-{name}"
            one = structs.replace(one, netconf=structs.replace(one.netconf, username=user))
        else:
            one = structs.replace(one, address=str(first + number))
        found.append(one)
    check(found[0], file="")  # the others differ in nothing that a check looks at
    return found


def _first(muster: Muster) -> ipaddress.IPv4Address:
    allowed = "an address from 127.0.0.1 on, with room for all devices below 127.255.255.255"
    try:
        first = ipaddress.IPv4Address(muster.first_address)
        last = first + (muster.devices - 1)
    except ValueError as error:
        raise ConfigError(
            f"{muster.first_address} cannot be used", key="--first-address", allowed=allowed
        ) from error
    if not (first.is_loopback and last.is_loopback) or str(last) == "127.255.255.255":
        raise ConfigError(
            f"{first} to {last} cannot be used", key="--first-address", allowed=allowed
        )
    return first


def _require_sessions(scenario: Scenario) -> None:
    """Behind one address only a session says whose an update is."""
    if scenario.receiver.transport != "netconf":
        raise ConfigError(
            f"updates over {scenario.receiver.transport} from one address cannot be told apart",
            key="--shared-port",
            allowed='--first-address, or receiver.transport "netconf"',
        )


def _with_cards(scenario: Scenario, count: int) -> Scenario:
    """The scenario's own cards, as many as wanted, then further ones like its last."""
    if not 0 <= count <= MAX_CARDS:
        raise ConfigError("is out of range", key="--cards", allowed=f"0 to {MAX_CARDS}")
    cards = list(scenario.card[:count])
    pattern = cards[-1] if cards else Card("linecard", 100)
    number = max((one.publisher_id for one in scenario.publishers), default=0)
    for more in range(len(cards) + 1, count + 1):
        number = (number + 1) % 2**32
        cards.append(
            structs.replace(
                pattern,
                name=f"extra{more}",
                publisher_id=number,
                interfaces=tuple(f"extra{more}/{n}" for n in range(len(pattern.interfaces) or 1)),
                hardware=tuple(f"extra{more}" for _ in pattern.hardware[:1]),
                generator_id=f"{pattern.generator_id}-{more}" if pattern.generator_id else "",
            )
        )
    return structs.replace(scenario, card=tuple(cards))
