"""The tables ``[receiver]`` and ``[receiver.tls]``: where updates go, and how."""

from __future__ import annotations

from typing import Literal

from publisher_sim.scenario.table import Table
from publisher_sim.scenario.transports import TransportName


class Tls(Table, frozen=True):
    """How publishers meet a receiver over TLS or DTLS; paths of PEM files."""

    ca: str = ""
    """Who signs receivers. Empty: no TLS, where the transport can do without."""
    certificate: str = ""
    """What publishers show, its chain behind it; empty: none."""
    key: str = ""
    """Its private key, without a passphrase."""
    server_name: str = ""
    """Name that the receiver's certificate must have; empty: the receiver's address."""


class Receiver(Table, frozen=True):
    """Where all publishers push to: in ``mso`` mode a device is preconfigured with it."""

    transport: TransportName = "udp-notif"
    """``netconf``: no receiver at all, the master forwards the pieces of its agents on the session
    that subscribed (RFC 8640 §6); address and port mean nothing then."""
    address: str = "127.0.0.1"
    port: int = 10003
    tls: Tls = Tls()
    path: str = "/yang-push"
    """Over ``https-notif``: what comes before the names of the resources."""
    yang_data: bool = False
    """Over ``https-notif``: whether media types are those of https-notif-16, as in
    ``application/yang-data+json``."""
    framing: Literal["single", "counted"] = "single"
    """Over ``dtls``: one datagram in each record (udp-notif-26), or behind its length in decimal
    digits (up to -25)."""
