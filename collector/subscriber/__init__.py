"""Management sessions, and the subscriptions that are kept up on them."""
