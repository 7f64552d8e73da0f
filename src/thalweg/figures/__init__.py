"""Pictures of the core concepts, each from a real run.

Every figure is a module with two functions: `run` trains for real and gives plain data,
`plot` only draws them. `draw` writes both, the picture and its numbers.
"""

from thalweg.figures.draw import FIGURES, draw

__all__ = ["FIGURES", "draw"]
