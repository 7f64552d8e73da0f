"""The version of thalweg, which the command and reports name."""

__version__ = "0.6.0"
