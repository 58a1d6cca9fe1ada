"""Reading a scenario file, and the rules that keep its truth decidable.

Does not: run anything. Every error is a ConfigError that names the file, the key and what is
allowed. The rules on faults: they start after the fifth period and end two periods before the run
does; delays are below grace/2 or above twice the grace, so that a message is clearly in time or
clearly late; late ones touch one tick at a time, 20 periods apart, because an observer learns
from each.
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections import Counter
from pathlib import Path

import msgspec

from collector.errors import ConfigError
from collector.model import SECOND, SelectionFilter
from collector.wire import names
from publisher_sim.scenario import MASTER, MESSAGE_FAULTS, REASONS, Fault, Scenario
from publisher_sim.selection import FilterUnsupportedError, select
from publisher_sim.transports import TRANSPORTS

FIRST_FAULT = 5
"""First tick that a fault may touch."""
QUIET_END = 2
"""Ticks at the end of the run that no fault touches."""
LATE_APART = 20
"""Ticks between two faults that make messages late."""
LATEST_OFFSET = 0.45
"""Part of the period by which a publisher has sent; beyond a half it would be the next tick's."""


def load_scenario(path: Path) -> Scenario:
    """Read and check a scenario file.

    Raises:
        ConfigError: it cannot be read, or a value cannot be used; names file and key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError(f"cannot be read: {reason}", file=str(path)) from error
    return parse_scenario(text, file=str(path))


def parse_scenario(text: str, *, file: str = "") -> Scenario:
    """The scenario written in ``text``. Raises ConfigError."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"is not TOML: {error}", file=file) from error
    try:
        scenario = msgspec.convert(values, Scenario)
    except msgspec.ValidationError as error:
        message, _, key = str(error).partition(" - at `")
        raise ConfigError(message, file=file, key=key.strip("`$.")) from error
    check(scenario, file=file)
    return scenario


def check(scenario: Scenario, *, file: str = "") -> None:
    """Raise ConfigError for the first value that cannot be used."""
    checks = _Checks(scenario, file)
    checks.device()
    checks.publishers()
    for number, fault in enumerate(scenario.fault):
        checks.fault(f"fault[{number}]", fault)
    checks.late_faults()
    checks.configured()


class _Checks:
    def __init__(self, scenario: Scenario, file: str) -> None:
        self._scenario = scenario
        self._file = file
        self._names = {one.name for one in scenario.publishers}

    def _require(self, good: bool, key: str, message: str, allowed: str) -> None:
        if not good:
            raise ConfigError(message, file=self._file, key=key, allowed=allowed)

    def _within(self, value: float, low: float, high: float, key: str) -> None:
        self._require(low <= value <= high, key, f"{value} is out of range", f"{low} to {high}")

    def device(self) -> None:
        """The device as a whole."""
        scenario = self._scenario
        self._require(bool(scenario.name), "name", "is empty", "any text")
        for key, address in (
            ("address", scenario.address),
            ("receiver.address", scenario.receiver.address),
        ):
            self._require(_is_address(address), key, f"{address!r} is no address", "an IP address")
        self._require(
            (":" in scenario.address) == (":" in scenario.receiver.address), "receiver.address",
            f"{scenario.receiver.address} cannot be reached from {scenario.address}",
            "IPv4 for both, or IPv6 for both",
        )  # fmt: skip
        self._within(scenario.netconf.port, 0, 65_535, "netconf.port")
        self._within(scenario.receiver.port, 1, 65_535, "receiver.port")
        self._within(scenario.periods, 0, 10_000_000, "periods")
        self._within(scenario.seed, 0, 2**63 - 1, "seed")
        push = scenario.push
        self._within(push.updates_per_period, 1, 64, "push.updates_per_period")
        self._within(push.max_segment_size, 64, 65_507, "push.max_segment_size")
        self._transport()
        period = scenario.period
        self._within(period.minimum_seconds, 0.01, 86_400, "period.minimum_seconds")
        self._within(
            period.maximum_seconds, period.minimum_seconds, 86_400 * 366, "period.maximum_seconds"
        )
        self._within(
            period.seconds, period.minimum_seconds, period.maximum_seconds, "period.seconds"
        )
        if scenario.grace_seconds is not None:
            self._within(scenario.grace_seconds, 0.01, 3600, "grace_seconds")

    def _transport(self) -> None:
        """What the transport can carry."""
        scenario = self._scenario
        transport, push = scenario.receiver.transport, scenario.push
        for one in scenario.encodings:
            self._require(
                one in scenario.traits.media_types, "push.encodings",
                f"{one} is not defined over {transport}", ", ".join(scenario.traits.media_types),
            )  # fmt: skip
        self._require(
            bool(scenario.encodings), "push.encodings", "is empty",
            ", ".join(scenario.traits.media_types),
        )  # fmt: skip
        self._require(
            scenario.encoding in scenario.encodings, "push.encoding",
            f"{scenario.encoding} is not what it can write over {transport}",
            ", ".join(scenario.encodings),
        )  # fmt: skip
        self._require(
            push.header in scenario.traits.headers, "push.header",
            f"{push.header} is not defined over {transport}", ", ".join(scenario.traits.headers),
        )  # fmt: skip
        tls = scenario.receiver.tls
        self._require(
            bool(tls.certificate) == bool(tls.key), "receiver.tls.key",
            "a certificate and its key belong together", "both, or none of them",
        )  # fmt: skip

    def publishers(self) -> None:
        """The master and the cards."""
        scenario = self._scenario
        self._within(scenario.master.loss_detection_seconds, 0, 3, "master.loss_detection_seconds")
        self._once([one.name for one in scenario.publishers], "card", "name")
        self._once([one.publisher_id for one in scenario.publishers], "card", "publisher_id")
        self._once([one.generator for one in scenario.publishers], "card", "generator_id")
        for kind in ("interfaces", "hardware"):
            owned = [node for one in scenario.publishers for node in getattr(one, kind)]
            self._once(owned, "card", kind)
        for number, card in enumerate(scenario.publishers):
            key = MASTER if card.name == MASTER else f"card[{number - 1}]"
            self._within(card.publisher_id, 0, 2**32 - 1, f"{key}.publisher_id")
            self._require(
                card.phase >= 0 and card.arc >= 0 and card.phase + card.arc <= LATEST_OFFSET,
                f"{key}.phase", f"with arc {card.arc} ends too late",
                f"phase and arc from 0, together up to {LATEST_OFFSET} of the period",
            )  # fmt: skip
            self._require(
                not card.generator_id or self._can_say_text(), f"{key}.generator_id",
                "is text, which neither the header of UDP-notif nor distributed-notif can carry",
                f"control_mode {names.MODE_MSO} over netconf or https-notif, or empty",
            )  # fmt: skip

    def _can_say_text(self) -> bool:
        """May a Message Generator ID be text?"""
        scenario = self._scenario
        said_inside = scenario.traits.notifications and scenario.traits.numbers != "message-id"
        return scenario.control_mode == names.MODE_MSO and said_inside

    def _once(self, values: list[str] | list[int], key: str, what: str) -> None:
        twice = [value for value, count in Counter(values).items() if count > 1]
        self._require(
            not twice, f"{key}.{what}", f"{twice[:1]} is used twice",
            "each one once, the master included",
        )  # fmt: skip

    def fault(self, key: str, fault: Fault) -> None:
        """One entry of the timeline."""
        scenario = self._scenario
        last = scenario.periods - QUIET_END if scenario.periods else None
        self._require(
            fault.at_period >= FIRST_FAULT, f"{key}.at_period", "is too early",
            f"{FIRST_FAULT} or later: faults start after the fifth period",
        )  # fmt: skip
        until = fault.until
        self._require(
            until is None or until > fault.at_period, f"{key}.until_period",
            "is not after at_period", f"{fault.at_period + 1} or later",
        )  # fmt: skip
        self._require(
            last is None or max(fault.at_period + 1, until or 0) <= last, f"{key}.until_period",
            "is too late", f"up to {last}: faults end two periods before the run does",
        )  # fmt: skip
        self._within(fault.probability, 0, 1, f"{key}.probability")
        reasons = REASONS.get(fault.kind, ())
        self._require(
            not fault.reason or fault.reason in reasons, f"{key}.reason",
            f"{fault.reason!r} is no reason to {fault.kind}", ", ".join(reasons) or "none",
        )  # fmt: skip
        self._fault_target(key, fault)
        self._fault_seconds(key, fault)
        self._fault_transport(key, fault)

    def _fault_target(self, key: str, fault: Fault) -> None:
        names = ", ".join(sorted(self._names))
        if fault.kind in ("kill", "pull", "move"):
            cards = self._names - ({MASTER} if fault.kind != "move" else set())
            self._require(
                fault.card in cards, f"{key}.card", f"{fault.card!r} cannot be hit by {fault.kind}",
                ", ".join(sorted(cards)),
            )  # fmt: skip
        elif fault.card:
            self._require(
                fault.card in self._names and fault.kind in MESSAGE_FAULTS, f"{key}.card",
                f"{fault.card!r} cannot be hit by {fault.kind}", names,
            )  # fmt: skip
        if fault.moves_to or fault.kind == "move":
            self._require(
                fault.moves_to in self._names and fault.moves_to != fault.card, f"{key}.moves_to",
                f"{fault.moves_to!r} cannot take over", names,
            )  # fmt: skip

    def _fault_seconds(self, key: str, fault: Fault) -> None:
        period, grace = self._scenario.period_ns, self._scenario.effective_grace
        amount = abs(round(fault.seconds * SECOND))
        if fault.kind == "delay":
            limit = max(2 * period, 20 * SECOND)
            self._require(
                0 < amount < grace // 2 or 2 * grace < amount < limit, f"{key}.seconds",
                f"{fault.seconds} leaves it open whether a message is late",
                f"below {grace / 2 / SECOND:g} or {2 * grace / SECOND:g} to {limit / SECOND:g}",
            )  # fmt: skip
        elif fault.kind in ("reorder", "duplicate"):
            self._require(
                amount < grace // 2, f"{key}.seconds", f"{fault.seconds} may make messages late",
                f"below {grace / 2 / SECOND:g}",
            )  # fmt: skip
        elif fault.kind == "clock_skew":
            self._require(
                0 < amount <= 0.3 * period or amount >= 0.75 * period, f"{key}.seconds",
                f"{fault.seconds} is about half a period, which can be told neither way",
                f"up to {0.3 * period / SECOND:g} or from {0.75 * period / SECOND:g}",
            )  # fmt: skip

    def _fault_transport(self, key: str, fault: Fault) -> None:
        transport = self._scenario.receiver.transport
        over_udp = [name for name, traits in TRANSPORTS.items() if traits.segments]
        possible = self._scenario.traits.segments
        self._require(
            possible or fault.kind != "corrupt", f"{key}.kind",
            f"corrupt cannot happen over {transport}, which carries messages whole and intact",
            f"any other kind, or receiver.transport {' or '.join(over_udp)}",
        )  # fmt: skip
        self._require(
            possible or not fault.datagrams, f"{key}.datagrams",
            f"messages are not cut into datagrams over {transport}",
            f"false, or receiver.transport {' or '.join(over_udp)}",
        )  # fmt: skip

    def configured(self) -> None:
        """A subscription of the device's own."""
        one, mode = self._scenario.configured, self._scenario.control_mode
        self._require(
            one is not None or mode != names.MODE_DN_19, "control_mode",
            f"{mode} has no dynamic subscriptions", "another mode, or a table [configured]",
        )  # fmt: skip
        if one is None:
            return
        self._within(one.subscription_id, 0, 2**32 - 1, "configured.subscription_id")
        self._require(
            self._scenario.receiver.transport != "netconf", "receiver.transport",
            "nobody's session is there to push on without being asked",
            ", ".join(name for name in TRANSPORTS if name != "netconf"),
        )  # fmt: skip
        try:
            select(SelectionFilter("xpath", one.xpath))
        except FilterUnsupportedError as error:
            raise ConfigError(str(error), file=self._file, key="configured.xpath") from error
        for number, fault in enumerate(self._scenario.fault):
            untold = fault.kind in REASONS and not self._scenario.announces
            self._require(
                not untold, f"fault[{number}].kind", f"nobody would be told of {fault.kind}",
                "any other kind, or state changes that are sent",
            )  # fmt: skip

    def late_faults(self) -> None:
        """Faults that make messages late: one tick each, far apart."""
        grace = self._scenario.effective_grace
        before: int | None = None
        late = [
            (fault.at_period, number, fault)
            for number, fault in enumerate(self._scenario.fault)
            if fault.kind == "delay" and fault.seconds * SECOND > grace
        ]
        for at_period, number, fault in sorted(late, key=lambda entry: entry[0]):
            self._require(
                fault.until == at_period + 1, f"fault[{number}].until_period",
                "makes messages of several ticks late", f"{at_period + 1}",
            )  # fmt: skip
            self._require(
                before is None or at_period - before >= LATE_APART, f"fault[{number}].at_period",
                "is too near another late delay", f"{LATE_APART} periods apart",
            )  # fmt: skip
            before = at_period


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
