"""A period from its first record to its deadline, and what is learned at its end."""
