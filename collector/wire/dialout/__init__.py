"""gRPC dial-out: its streams, the telemetry in them, and Protocol Buffers before they are built."""
