"""The rows of all primitives, a file a family.

They are entered in the order of these imports, which is that of the engine's opcodes.
"""

# ruff: noqa: I001

from thalweg.program.families import constants as constants
from thalweg.program.families import elementwise as elementwise
from thalweg.program.families import reductions as reductions
from thalweg.program.families import views as views
from thalweg.program.families import windows as windows
from thalweg.program.families import products as products
from thalweg.program.families import indexing as indexing
from thalweg.program.families import random as random
from thalweg.program.families import loops as loops
