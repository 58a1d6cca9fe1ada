"""A simulated device with a master and line cards that push YANG-Push telemetry on their own.

What it is for: proving a collector. It does what draft-zhou-netconf-multi-stream-originators-10
asks of a device, breaks it on purpose along a scenario, and writes down which verdict every period
deserves. It imports floor 0, ``collector.wire`` and ``collector.schema``, nothing else of the
collector; its truth imports nothing of it at all.

    cli         the ``publisher-sim`` command
    scenario    what a device is and what goes wrong with it, as values
    scenarios   those that come with the simulator, as TOML
    service     one device on real sockets (``simulate``: the same in pretend time)
    master      sessions, rpcs, subscriptions: who answers and decides (pure)
    retrieval   get, get-config and get-data: one tree of what the device says of itself
    agent       a line card that pushes its part (pure); ``agent_process``: one as a process
    channel     what the master and its agents say to each other
    publishers  the sockets, a file per transport
    truth       which verdict each period deserves, written beside the run
    distort     captures with faults whose truth is known
    fleet       very many devices in one process
"""
