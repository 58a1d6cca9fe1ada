"""Message IDs: what was seen, what is missing, which run counts, who is suspected of a hole."""
