"""Where messages come in: one file a transport, and the rooms that these are made of.

udp_notif, dtls, https_notif, grpc_dialout    the receivers, found by entry point
datagrams         datagrams -> batches, a socket and a loop around it
https | dialout   connections and their requests | gRPC behind our TLS
sockets | tls     the kernel's sockets, steering to lanes | who is let in
refusals, each_second                         what several of them use
"""
