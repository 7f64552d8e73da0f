"""What may be declared of how numbers are written; light, as help texts show it."""

DECIMALS = (".", ",")
THOUSANDS = (",", ".", "'", "space")
LIMITS = ("bound", "missing")
"""What <0.5 may be taken for: the number itself, or a missing cell."""
TARGET_SCALES = ("linear", "log")
