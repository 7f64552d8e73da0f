"""A model of a series: what comes after the last rows of a table."""
