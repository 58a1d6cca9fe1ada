"""What a simulated device refuses beside its limits: on-change, versions, what it does not have."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from collector.model import OnChange, SelectionFilter
from collector.model import SubscriptionTerms as Terms
from collector.wire.netconf.rpc import (
    DeleteSubscription,
    EstablishSubscription,
    KillSubscription,
    ModifySubscription,
    OtherOperation,
    ResyncSubscription,
)
from publisher_sim.data.module_library import installed_modules
from publisher_sim.netconf.server import CAPABILITIES
from publisher_sim.scenario import Card, Configured, Limits
from tests.unit.test_sim_master import NOW, SECOND, TERMS, Driver, error_of

ON_CHANGE = Terms(datastore="operational", on_change=OnChange(), encoding="encode-json")
PORT = "/ietf-interfaces:interfaces/interface"


def on_change(path: str) -> Terms:
    return structs.replace(ON_CHANGE, selection_filter=SelectionFilter("xpath", path))


# --------------------------------------------------------------------------- on-change
@pytest.mark.parametrize(
    ("path", "error"),
    [
        (f"{PORT}/statistics", ("operation-not-supported", "on-change-unsupported")),
        (f"{PORT}/type", ("operation-failed", "unchanging-selection")),
        (f"{PORT}/type | {PORT}/statistics", ("operation-failed", "unchanging-selection")),
        ("/ietf-hardware:hardware/component/class", ("operation-failed", "unchanging-selection")),
    ],
)
@pytest.mark.clause("8641-4.4.1")
def test_a_selection_that_nothing_can_be_said_of(path: str, error: tuple[str, str]) -> None:
    driver = Driver()
    assert error_of(driver.ask(EstablishSubscription(on_change(path)))) == error
    number = driver.establish(ON_CHANGE)
    changed = structs.replace(on_change(path), encoding=None)
    assert error_of(driver.ask(ModifySubscription(number, changed))) == error


@pytest.mark.parametrize(
    "path",
    [
        f"{PORT}/oper-status",
        f"{PORT}[name='eth1'] | {PORT}/statistics",
        f"{PORT}[name='nowhere']/type",  # RFC 8641 §3.9: it may come to exist
    ],
)
@pytest.mark.clause("8641-3.9-c")
def test_a_selection_that_may_be_said_of(path: str) -> None:
    assert Driver().ask(EstablishSubscription(on_change(path))).ok


def test_what_comes_and_goes_is_a_change_whatever_is_selected() -> None:
    card = Card("lc1", 101, interfaces=("eth1",), transient=("sub7",))
    driver = Driver(register=False)
    driver.scenario = structs.replace(driver.scenario, card=(card,))
    driver.master = type(driver.master)(driver.scenario)
    driver.master.session_opened("1", "collector", NOW)
    driver.register("lc1")
    assert driver.ask(EstablishSubscription(on_change(f"{PORT}/type"))).ok


@pytest.mark.clause("8641-4.4.4")
def test_a_resynchronisation_that_became_too_big() -> None:
    driver = Driver(limits=Limits(nodes_per_sync=2))
    number = driver.establish(ON_CHANGE)
    assert driver.ask(ResyncSubscription(number)).ok
    one = driver.master.life_cycle.get(number)
    assert one is not None
    one.shares["lc1"] = one.shares["lc1"] * 2
    error = driver.ask(ResyncSubscription(number)).error
    assert error is not None
    assert (error.tag, error.identity) == ("too-big", "sync-too-big")
    assert error.hints["object-count-limit"] == "2"


# --------------------------------------------------------------------------- versions
@pytest.mark.parametrize(
    ("versions", "identity"),
    [
        ((("ietf-interfaces", "1999-01-01", ""),), "revision-unsupported"),
        ((("no-such-module", "2020-01-01", ""),), "revision-unsupported"),
        ((("ietf-interfaces", "", "1.0.0"),), "version-unsupported"),
    ],
)
def test_versions_that_are_not_here(
    versions: tuple[tuple[str, str, str], ...], identity: str
) -> None:
    terms = structs.replace(TERMS, module_versions=versions)
    assert error_of(Driver().ask(EstablishSubscription(terms))) == ("invalid-value", identity)


def test_the_installed_revision_is_followed() -> None:
    revision = installed_modules()["ietf-interfaces"].id.revision
    terms = structs.replace(TERMS, module_versions=(("ietf-interfaces", revision, ""),))
    assert Driver().ask(EstablishSubscription(terms)).ok


# --------------------------------------------------------------------------- what is not there
@pytest.mark.clause("8639-2.4.5-b", "8639-2.4.6-d")
@pytest.mark.parametrize("operation", [KillSubscription, DeleteSubscription])
def test_a_configured_subscription_cannot_be_ended_by_an_rpc(operation: Any) -> None:
    driver = Driver(configured=Configured(subscription_id=7))
    driver.master.configure(NOW)
    refused = error_of(driver.ask(operation(7)))
    assert refused == ("invalid-value", "no-such-subscription")
    assert driver.master.life_cycle.get(7) is not None


@pytest.mark.clause("8640-3-a", "8640-3-b", "8640-3-d")
def test_there_is_no_subscription_of_rfc_5277() -> None:
    driver = Driver()
    driver.establish()
    refused = driver.ask(OtherOperation("notifications:create-subscription"))
    assert error_of(refused)[0] == "operation-not-supported"
    assert not [one for one in CAPABILITIES if ":capability:notification:" in one]


@pytest.mark.clause("8640-4-a", "8639-2.4.2-a")
def test_xml_is_written_and_is_what_no_encoding_means() -> None:
    driver = Driver()
    for asked in ("encode-xml", None):
        terms = structs.replace(TERMS, encoding=asked)
        assert driver.ask(EstablishSubscription(terms)).ok
        assert {one.encoding for one in driver.told().values()} == {"encode-xml"}


@pytest.mark.clause("8639-2.4.3-a")
def test_a_modification_that_is_refused_leaves_it_suspended() -> None:
    driver = Driver()
    number = driver.establish()
    one = driver.master.life_cycle.get(number)
    assert one is not None
    driver.master.life_cycle.suspend(one, "scenario", "insufficient-resources", NOW)
    wrong = structs.replace(TERMS, period=SECOND // 100)
    assert error_of(driver.ask(ModifySubscription(number, wrong)))[1] == "period-unsupported"
    assert one.suspended
    assert one.terms.period == SECOND
