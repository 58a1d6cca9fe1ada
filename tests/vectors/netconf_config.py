"""Configured subscriptions as routers have them."""

from __future__ import annotations

SN = "urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"
YP = "urn:ietf:params:xml:ns:yang:ietf-yang-push"
SNR = "urn:ietf:params:xml:ns:yang:ietf-subscribed-notif-receivers"
UNT = "urn:ietf:params:xml:ns:yang:ietf-udp-notif-transport"

DEPLOYED = f"""
<subscriptions xmlns="{SN}">
  <receiver-instances xmlns="{SNR}">
    <receiver-instance><name>R1</name>
      <udp-notif-receiver xmlns="{UNT}">
        <remote-address>192.0.2.1</remote-address><remote-port>10100</remote-port>
        <enable-segmentation>true</enable-segmentation><max-segment-size>1400</max-segment-size>
      </udp-notif-receiver></receiver-instance></receiver-instances>
  <subscription><id>100</id>
    <datastore xmlns="{YP}" xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores"
      >ds:operational</datastore>
    <datastore-xpath-filter xmlns="{YP}" xmlns:if="urn:ietf:params:xml:ns:yang:ietf-interfaces"
      >/if:interfaces/if:interface</datastore-xpath-filter>
    <transport xmlns:unt="{UNT}">unt:udp-notif</transport>
    <encoding>encode-json</encoding>
    <receivers><receiver><name>R1</name>
      <receiver-instance-ref xmlns="{SNR}">R1</receiver-instance-ref></receiver></receivers>
    <periodic xmlns="{YP}"><period>6000</period><anchor-time>2025-01-01T00:00:30Z</anchor-time>
    </periodic>
  </subscription></subscriptions>
"""
"""As those of three vendors had it in 2025, below ``<config>`` or ``<data>``."""
