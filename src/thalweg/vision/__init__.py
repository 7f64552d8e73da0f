"""Images become arrays, and arrays a tested network."""
