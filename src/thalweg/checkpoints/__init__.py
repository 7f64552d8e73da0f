"""Runs that are written down, and gone on with."""
