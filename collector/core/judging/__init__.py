"""The verdict on a period: said, amended, and forgotten when nothing can change it."""
