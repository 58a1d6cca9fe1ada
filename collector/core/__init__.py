"""The pure state machines of the collector: reassembly and completeness. No sockets, no clock.

``engine`` is the door of completeness; each room knows only what stands below it::

    engine                       records and time in, facts out
    placing       | views        one message on its way       | what people may see
    subscriptions                registry, ends, cross-check
    periods                      what is kept of a period, its close, what is learned then
    judging       | originators  verdicts and amendments      | who came, left, was not announced
    context                      what all of these share
    expectation   | numbering    who, and until when          | Message IDs, holes, suspects
    memory        | settings     what is remembered           | what the operator says

Beside them, each with its own door: ``assembly`` (segments -> messages), ``on_change`` (edits),
``node_sets`` (coverage), ``inventory`` (which device).
"""
