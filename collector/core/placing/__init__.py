"""One message on its way into its period: the straight line, and whatever is not common."""
