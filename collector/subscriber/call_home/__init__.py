"""Call home over SSH (RFC 8071): who calls, and the sessions on those connections."""
