"""On-change subscriptions: is the sequence of edits of an originator whole?"""
