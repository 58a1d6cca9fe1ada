"""Scenarios that come with the simulator: ``publisher-sim scenarios`` lists them."""
