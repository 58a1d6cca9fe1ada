"""Notification messages of any encoding: one, many as columns, the nodes and edits they hold."""
