"""Configured subscriptions (RFC 8639 §2.5): planned, written, saved, and their states."""
