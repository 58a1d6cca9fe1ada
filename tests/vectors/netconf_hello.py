"""The hello of RFC 6242, typed from its figure, white space and line ends as printed there."""

from __future__ import annotations

HELLO_OF_RFC6242 = b"""<?xml version="1.0" encoding="UTF-8"?>
<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">
  <capabilities>
    <capability>
      urn:ietf:params:netconf:base:1.1
    </capability>
    <capability>
      urn:ietf:params:ns:netconf:capability:startup:1.0
    </capability>
  </capabilities>
  <session-id>4</session-id>
</hello>
"""
"""The server's hello in the figure of RFC 6242 §3.1."""
