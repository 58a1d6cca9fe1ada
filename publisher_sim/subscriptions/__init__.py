"""What a subscriber asks for, and whether this device can do it.

    global_subscription   a subscription to the datastore, as asked; accepted or refused
    event_acceptance      the same of an event stream
    notifiable            whether an on-change subscription could ever say anything
    named_filters         what a filter's name stands for
    module_versions       whether the module versions asked for are the installed ones

Does not: keep subscriptions, or say anything (``master`` does).
"""
