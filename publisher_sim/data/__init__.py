"""The data of a device, as values that follow from names and times; no scenario is known here.

    entries          the list entries, and what each holds at an instant
    module_library   the YANG modules that the device has, and gives away
    filters          subtree filters, and the door to those in XPath
    xpath            the subset of XPath 1.0 that a device takes
    selection        what a filter selects of the entries
    cbor_values      the same data as CBOR has it

Rule: two processes with the same seed agree about all of it without talking.
"""
