"""TLS and DTLS of the receivers: what we show, whom we admit, and a publisher's sessions."""
