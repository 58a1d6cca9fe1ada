"""Marking: the DSCP in the IP header of what a socket sends (RFC 8639 §2.3, RFC 2474)."""

from __future__ import annotations

import socket

_ECN_BITS = 2
"""Below the code point in the octet of the header."""


def mark(sending: socket.socket, dscp: int) -> None:
    """From now on. Raises OSError: the system does not let us."""
    octet = dscp << _ECN_BITS
    if sending.family == socket.AF_INET6:
        sending.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, octet)
    else:
        sending.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, octet)
