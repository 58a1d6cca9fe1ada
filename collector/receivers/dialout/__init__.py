"""gRPC dial-out: TLS in front of its library, and messages read ahead of the intake."""
