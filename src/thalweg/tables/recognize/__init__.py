"""Recognize in which form the cells of a column of texts are written, and say why."""
