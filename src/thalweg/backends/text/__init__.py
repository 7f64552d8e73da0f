"""Programs as the formulas that a textbook prints."""
