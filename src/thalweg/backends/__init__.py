"""What runs or shows a finished program: the engine, NumPy, text."""
