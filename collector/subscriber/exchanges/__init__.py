"""Requests and replies on a session: in the journal, lent to commands, and what a refusal means."""
