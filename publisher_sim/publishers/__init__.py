"""The sockets of the simulated device, one file per transport; mirror of the collector's receivers."""
