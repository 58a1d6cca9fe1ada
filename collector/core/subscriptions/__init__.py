"""Subscriptions and their revisions: begun, changed, ended, silent, seen by the device."""
