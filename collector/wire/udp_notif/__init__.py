"""UDP-notif datagrams: header and options, both directions, and where they lie in DTLS."""
