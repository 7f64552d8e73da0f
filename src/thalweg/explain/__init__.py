"""A network as the formulas and kernels that run."""
