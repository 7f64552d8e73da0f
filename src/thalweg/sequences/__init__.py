"""A model of sequences: a class, or a number, of the rows that belong together."""
