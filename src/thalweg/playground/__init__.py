"""Experiments to look at while they run: what `thalweg play` shows."""
