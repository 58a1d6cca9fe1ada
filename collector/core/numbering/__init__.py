"""Message IDs: what was seen, which are missing, and who is suspected of a hole."""
