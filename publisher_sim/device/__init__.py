"""A device at work: the pure state machines of master and agents, carried by the world.

    run             from a scenario to a running device, until a signal comes
    service         one device on real sockets
    crew            its agents: as processes of their own, or as tasks
    agent_process   what such a process runs
    device_truth    what it deserves to be told
    truth_keeping   when that is written to its file
    surroundings    what devices of one process share
    simulate        a device in pretend time, without sockets

Clocks, sockets, processes and signals are met here, in ``fleet``, ``netconf`` and ``publishers``.
"""
