"""Subscriptions and their revisions: begun, changed, ended, held against the device's view."""
