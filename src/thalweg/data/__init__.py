"""A person's table becomes arrays: read, infer, split, encode."""
