"""What the engine remembers of a device, its stored form, and the arithmetic of its times."""
