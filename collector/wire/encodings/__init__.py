"""The encodings, each behind the same interface, and the members that all of them share."""
