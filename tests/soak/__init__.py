"""Soak: a real collector and many simulated devices that break at random, for minutes.

    plan      what goes wrong with which device, from one seed
    devices   the process of all devices
    lab       both processes, their configuration, reloads
    figures   what the collector's process uses, and whether that grows
    judging   verdicts against the truth, row by row
    pretend   the same plan without processes, sockets and time

``python -m tests.soak --help``
"""
