"""What every message is made of: names, times, plain values and XML."""
