"""Datagrams -> batches: everything of UDP-notif that needs no socket, and what carries it."""
