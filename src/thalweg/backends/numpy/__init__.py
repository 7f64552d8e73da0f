"""NumPy: what every instruction means."""
