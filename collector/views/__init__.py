"""What a person sees in a terminal: lines, tables, the picture of periods, progress.

Does: turn facts and rows into text; coloured in a terminal, plain everywhere else. Does not: read
anything, decide anything, or print what a peer wrote without taking control characters out.
"""
