"""Who is expected in a period, and until when."""
