"""Octets <-> values, both directions, for everything that is said on a wire. No sockets, no clock.

Each room knows only what stands below it::

    netconf       | notifications   what a session says    | what is pushed, in any encoding
    encodings                       JSON, XML, CBOR, GPB, and the members that all share
    subscriptions | dialout         terms, configuration   | gRPC streams and their telemetry
    https_notif                     media types, resources, what a receiver can do
    values                          names, times, plain values, XML

Beside them, knowing nobody: ``udp_notif`` (headers and options, and DTLS around them),
``captures`` (pcap files and the datagrams in them).
"""
