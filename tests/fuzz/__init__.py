"""Decoders fed with anything: what may come out is a value or an error of the tree, in bounds."""
