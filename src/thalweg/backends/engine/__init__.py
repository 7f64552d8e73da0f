"""The engine: rows in blocks, kernels, plans as words, and the C++ that runs them."""
