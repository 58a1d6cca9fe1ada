"""The sockets of the simulated device; those of the transports mirror the receivers.

    senders          what a way out is, and which a transport has
    udp_notif, dtls, https_notif, grpc_dialout   the ways out, a file per transport
    roads, lending, marking   a way out to several receivers, a shared one, its DSCP
    agent_channel, agent_messages   the stream between master and agents, and what is in it
    agent_loop, timers   what wakes an agent, and does what it decides

Does not: decide anything (``master`` and ``agent`` do).
"""
