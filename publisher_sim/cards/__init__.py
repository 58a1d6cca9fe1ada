"""The line cards as the master sees them.

    resource_location   which publisher serves which node
    membership          which are there, and what they can do
    channel             what the master and they say to each other, as values

Does not: know subscriptions (``master`` does), or carry anything (``publishers`` does).
"""
