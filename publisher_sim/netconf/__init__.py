"""How subscribers come in: NETCONF over SSH (RFC 6241, RFC 6242).

    server          of one device: log-in, session numbers, what goes to which session
    session         one session: hello, framing, messages
    ssh_transport   below it: host keys, listening, calling
    shared_door     one listener for the servers of many devices
    call_home       the device connects, and is server on that (RFC 8071)

Does not: answer rpcs (``master`` does).
"""
