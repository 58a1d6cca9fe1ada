"""The sockets of the simulated device, one file per transport: mirror of the receivers."""
