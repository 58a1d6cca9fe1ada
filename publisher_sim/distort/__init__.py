"""Captures with faults whose truth is known: messages in, messages and truth out.

    reading      packets of a capture -> messages
    periods      which period of its originator a message belongs to, by look-ahead
    steady       the steady part again, one originator as many line cards
    plan         what is to go wrong; its spelling on the command line
    device       faults of the device: silence, restart, clock
    network      faults on the way: loss, duplicates, order, delay
    truth        what was sent and what arrived, and the verdict it deserves
    payload      times and ids inside a payload rewritten
    writing      messages -> packets, truth -> lines

``messages``, ``periods``, ``truth`` and the faults are plain values and loops: they import nothing
of the collector, so the truth cannot agree with the collector's mistakes.
"""
