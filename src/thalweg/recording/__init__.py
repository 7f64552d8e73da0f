"""A run that a page plays: what is kept of every epoch, and the page itself."""

from thalweg.recording.record import record
from thalweg.recording.recording import Recording

__all__ = ["Recording", "record"]
