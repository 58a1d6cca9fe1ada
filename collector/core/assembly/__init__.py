"""Segments -> whole messages (draft-ietf-netconf-udp-notif-26 §4.1, §5.2): ``reassembly``."""
