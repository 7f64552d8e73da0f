"""Passes: from one program to another that means the same."""
