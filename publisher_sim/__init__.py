"""A simulated device with a master and line cards that push YANG-Push telemetry on their own.

What it is for: proving a collector. It does what draft-zhou-netconf-multi-stream-originators-10
asks of a device, breaks it on purpose along a scenario, and writes down which verdict every period
deserves. It imports floor 0, ``collector.wire`` and ``collector.schema``, nothing else of the
collector; its truth imports nothing of it at all.

    cli            the ``publisher-sim`` command
    fleet          very many devices in one process
    device         one device at work, on real sockets or in pretend time
    netconf        how subscribers come in: NETCONF over SSH, either way
    publishers     the sockets that data leaves through, a file per transport
    master         sessions, rpcs, subscriptions: who answers and decides (pure)
    agent          a line card that pushes its part (pure)
    subscriptions  what a subscriber asks for, and whether this device can do it
    users          who may log in, and what they may do and see
    sources        what can be subscribed to: the datastore and the event streams
    cards          which cards are there, what each serves, and what is said to it
    scenario       what a device is and what goes wrong with it, as values
    scenarios      those that come with the simulator, as TOML
    data           the entries of the datastore, and what a filter selects of them
    truth          which verdict each period deserves, written beside the run
    distort        captures with faults whose truth is known
    files          what is written appears whole or not at all

From top to bottom: each imports only what stands below it.
"""
