"""A simulated device with a master and line cards that push YANG-Push telemetry on their own.

What it is for: proving a collector. It does what draft-zhou-netconf-multi-stream-originators-10
asks of a device, breaks it on purpose along a scenario, and writes down which verdict every period
deserves. It imports floor 0, ``collector.wire`` and ``collector.schema``, nothing else of the
collector; its truth imports nothing of it at all.
"""
