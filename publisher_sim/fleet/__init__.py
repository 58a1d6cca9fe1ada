"""A fleet: very many devices of one kind in one process, for tests of a collector at scale.

members      the scenario of each device
service      all of them on real sockets, behind one door
collecting   the configuration of a collector that subscribes to all of them
figures      what the process costs, and whether it keeps its ticks
running      signals, the line that says "ready", figures
"""
