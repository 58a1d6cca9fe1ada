"""Capture files: frames, and the UDP datagrams in them."""
