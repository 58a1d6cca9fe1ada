"""The list entries that each generator holds: overlap, coverage, and nodes that moved."""
