"""How a formula becomes a program.

In the order in which a formula travels: `ops` are its words, `trace` records it, the
passes make it safe, differentiate it and do algebra, and `compile` knows their order.
"""

from thalweg.program import families as families  # whoever imports a part has all rows
