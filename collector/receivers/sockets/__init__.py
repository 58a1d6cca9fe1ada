"""Sockets for receivers: opened, read many datagrams at once, shared by lanes; drops and times."""
