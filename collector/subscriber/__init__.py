"""Management sessions, and the subscriptions that are kept up on them.

``manager`` is the door; each room knows only what stands below it::

    manager                             one runner for each device
    device                              its session, from one to the next
    dynamic   | configured | call_home  subscriptions asked for | in its configuration | who calls
    abilities | exchanges  | asked      what it can | requests, replies | the terms at this moment
    wanted                              what the operator wants of which device
    sessions                            NETCONF over SSH: asyncssh, ncclient, bounds
    states    | backoff                 what people are told | how long to wait
"""
