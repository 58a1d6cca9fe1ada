"""The terms of subscriptions, and subscriptions and receivers as a device is configured."""
