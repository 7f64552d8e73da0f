"""Models as safe files."""
