"""Which clause of which standard is proved by which test: the catalogue, and the table of it.

``catalogue`` lists every MUST of RFC 8639, 8640, 8641, 8071 and the base draft that concerns either
end. A test that proves one carries ``@pytest.mark.clause("<id>")``; several ids are allowed.
``python -m tests.clauses`` prints the table, and fails when a clause has neither a test nor a
reason, or when a test names a clause that is not listed.
"""
