"""What runs a network where nobody says otherwise."""

from thalweg.training.execution import Execution

USUAL = Execution()
"""The engine, on as many threads as are fastest."""
