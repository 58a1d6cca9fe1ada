"""NETCONF messages, both directions: framing, hello, requests, replies, errors, and schemas."""
