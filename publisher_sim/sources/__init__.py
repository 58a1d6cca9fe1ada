"""What can be subscribed to: the datastore and the event streams.

    datastore   its list entries at an instant, and when they change
    flaps       when something of it is away for a while
    events      what happens on the device, and what of it is kept for replay

Both follow from the scenario and the time: all processes of a device see the same.
"""
