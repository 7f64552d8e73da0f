"""What learning from any kind of data shares: rows in parts, targets, scores, runs."""
