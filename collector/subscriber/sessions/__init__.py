"""The NETCONF session, its two implementations, and the bounds on all of them."""
