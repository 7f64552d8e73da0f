"""How a formula becomes a program.

In the order in which a formula travels: `ops` are its words, `trace` records it,
`stabilize` makes it safe, `differentiate` gives its gradient, `simplify` does algebra,
`plan` places it in memory, `interpret` runs it, and `compile` knows the order.
"""

from thalweg.program.compile import compile, formula, gradient, value_and_gradient

__all__ = ["compile", "formula", "gradient", "value_and_gradient"]
