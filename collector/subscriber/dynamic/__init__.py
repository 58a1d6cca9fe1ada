"""Dynamic subscriptions (RFC 8639 §2.4): asked for, kept, changed, and whole again."""
