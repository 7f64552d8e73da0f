"""Sizes that aren't known while a formula is traced, such as the number of rows.

A size in a shape is a whole number, or a sum such as ``3·rows + 1``. So one trace
serves any number of rows. What isn't the same whatever the number, such as whether
there are 10 rows, is an error: the formula needs the number.

>>> flattened = ROWS * 28 * 28
>>> flattened // 784, flattened == 784 * ROWS, flattened == ROWS
(rows, True, False)
>>> at(flattened, {"rows": 10})
7840

A number that follows from sizes in another way, such as 1/rows in a mean, is a recipe:
it stands in a program as a constant of which the value comes later.

>>> at(1 / ROWS, {"rows": 4})
0.25

There are two rows or more: with one, an axis of rows looks like any axis of size 1, and
a formula may choose another way. To type checkers a size is a whole number.
"""

from __future__ import annotations

import operator
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn, cast

import numpy as np

from thalweg.errors import TracingError
from thalweg.program.types import ArrayType, Dtype, NumpyArray, Shape, as_numpy

PACKAGE_FOLDER = str(Path(__file__).parents[1])
FEWEST = 2  # of what a name stands for
TRIED = (2, 3, 1000, 2**31)
"""Numbers at which a condition on a recipe is asked; it must hold at all of them."""

WHOLE: Any = (int, np.integer)
KNOWN: Any = (int, float, np.integer, np.floating)

Sizes = Mapping[str, int]
Monomial = tuple[str, ...]
Terms = dict[Monomial, int]


class UnknownSizeError(TracingError):
    """A formula needs a size as a number, but while it is traced there is none."""


class Number:
    """A number that isn't known yet; arithmetic on it gives a `Recipe`."""

    def __add__(self, other: Any) -> Any:
        return recipe(operator.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return recipe(operator.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return recipe(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Any:
        return recipe(operator.sub, other, self)

    def __mul__(self, other: Any) -> Any:
        return recipe(operator.mul, self, other)

    def __rmul__(self, other: Any) -> Any:
        return recipe(operator.mul, other, self)

    def __truediv__(self, other: Any) -> Any:
        return recipe(quotient, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return recipe(quotient, other, self)

    def __pow__(self, other: Any) -> Any:
        return recipe(power, self, other)

    def __rpow__(self, other: Any) -> Any:
        return recipe(power, other, self)

    def __neg__(self) -> Any:
        return recipe(operator.neg, self)

    def __abs__(self) -> Any:
        return recipe(operator.abs, self)

    def __bool__(self) -> bool:
        self._is_unknown()

    def __index__(self) -> int:
        self._is_unknown()

    def __int__(self) -> int:
        self._is_unknown()

    def __float__(self) -> float:
        self._is_unknown()

    def _is_unknown(self) -> NoReturn:
        raise UnknownSizeError(f"{self} isn't known while a formula is traced")


class Size(Number):
    """A size that follows from others: a polynomial with whole coefficients.

    Arguments:
        terms: the coefficient of each product of names; ``{("rows",): 3, (): 1}`` is
            3·rows + 1.
    """

    __slots__ = ("terms",)

    def __init__(self, terms: Terms) -> None:
        self.terms = tuple(sorted(terms.items(), reverse=True))

    def __repr__(self) -> str:
        texts = [term_text(names, factor) for names, factor in self.terms]
        return " + ".join(texts).replace("+ -", "- ")

    def __hash__(self) -> int:
        return hash(self.terms)

    def __eq__(self, other: object) -> bool:
        terms = terms_of(other)
        if terms is None or terms == dict(self.terms):
            return terms is not None
        # To thalweg they are two; a formula that asks would choose by the number.
        asking = sys._getframe(1).f_code.co_filename  # pyright: ignore[reportPrivateUsage]
        if not asking.startswith(PACKAGE_FOLDER):
            require_decided(self - other)
        return False

    def at(self, sizes: Sizes) -> int:
        """The size where the names stand for these numbers."""
        return sum(factor * product(sizes[n] for n in ns) for ns, factor in self.terms)

    # Whole arithmetic -----------------------------------------------------------------

    def __add__(self, other: Any) -> Any:
        added = terms_of(other)
        if added is None:
            return recipe(operator.add, self, other)
        found = dict(self.terms)
        for names, factor in added.items():
            found[names] = found.get(names, 0) + factor
        return collapsed(found)

    def __mul__(self, other: Any) -> Any:
        factors = terms_of(other)
        if factors is None:
            return recipe(operator.mul, self, other)
        found: Terms = {}
        for ours, a in self.terms:
            for theirs, b in factors.items():
                names = tuple(sorted(ours + theirs))
                found[names] = found.get(names, 0) + a * b
        return collapsed(found)

    def __radd__(self, other: Any) -> Any:
        return self + other

    def __rmul__(self, other: Any) -> Any:
        return self * other

    def __neg__(self) -> Any:
        return self * -1

    def __sub__(self, other: Any) -> Any:
        if terms_of(other) is None:
            return recipe(operator.sub, self, other)
        return self + other * -1

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __floordiv__(self, other: Any) -> Any:
        return divided(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return divided(other, self)

    def __mod__(self, other: Any) -> int:
        divided(self, other)
        return 0

    def __rmod__(self, other: Any) -> int:
        divided(other, self)
        return 0

    # What is the same for all that the names may stand for ----------------------------

    def __bool__(self) -> bool:
        return self > 0

    def __lt__(self, other: Any) -> bool:
        return is_positive(other - self)

    def __le__(self, other: Any) -> bool:
        return not is_positive(self - other)

    def __gt__(self, other: Any) -> bool:
        return is_positive(self - other)

    def __ge__(self, other: Any) -> bool:
        return not is_positive(other - self)


def term_text(names: Monomial, factor: int) -> str:
    """One term: ``3·rows``."""
    text = "·".join(names)
    return text if text and factor == 1 else "·".join([str(factor), *names])


def product(numbers: Iterable[int]) -> int:
    """The product of whole numbers."""
    result = 1
    for number in numbers:
        result *= number
    return result


def terms_of(value: Any) -> Terms | None:
    """A whole number or a size as terms; None for anything else."""
    if isinstance(value, Size):
        return dict(value.terms)
    if isinstance(value, bool) or not isinstance(value, WHOLE):
        return None
    return {(): int(value)} if value else {}


def collapsed(terms: Terms) -> Any:
    """A size of these terms, or the whole number that it is."""
    kept = {names: factor for names, factor in terms.items() if factor}
    if kept.keys() <= {()}:
        return kept.get((), 0)
    return Size(kept)


def rank(names: Monomial) -> tuple[int, list[str]]:
    """The order of terms: by degree, then by names; a product keeps it."""
    return len(names), sorted(names, reverse=True)


def divided(above: Any, below: Any) -> Any:
    """The quotient, if it is a whole one for all that the names stand for.

    The leading term of what is left is divided by that of the divisor, until nothing is
    left: (rows² + rows) / (rows + 1) is rows.
    """
    left, divisor = terms_of(above), terms_of(below)
    if left is None or divisor is None:
        raise UnknownSizeError(f"{above} / {below} isn't known to be a whole number")
    if not divisor:
        raise UnknownSizeError(f"{above} can't be divided by 0")
    names = max(divisor, key=rank)
    factor = divisor[names]
    result: Any = 0
    while left:
        top = max(left, key=rank)
        share = left[top]
        missing = Counter(top)
        missing.subtract(names)
        if share % factor or min(missing.values(), default=0) < 0:
            raise UnknownSizeError(f"{above} isn't known to be so many times {below}")
        term = collapsed({tuple(sorted(missing.elements())): share // factor})
        result = result + term
        left = terms_of(collapsed(left) - term * below) or {}
    return result


def require_decided(difference: Any) -> None:
    """Two sizes differ for all that the names may stand for."""
    if not is_positive(difference):
        is_positive(-difference)


def is_positive(value: Any) -> bool:
    """Whether a size is above 0, for all that the names may stand for.

    With n = 2 + m, a sum in which no term is negative is so for every m.
    """
    terms = terms_of(value)
    if terms is None:
        raise UnknownSizeError(f"{value} can't be compared while a formula is traced")
    shifted: Any = 0
    for names, factor in terms.items():
        term: Any = factor
        for name in names:
            term = term * (collapsed({(name,): 1, (): FEWEST}))
        shifted = shifted + term
    factors = terms_of(shifted) or {}
    if all(factor >= 0 for factor in factors.values()) and factors.get((), 0) > 0:
        return True
    if all(factor <= 0 for factor in factors.values()):
        return False
    raise UnknownSizeError(f"whether {value} is above 0 depends on its numbers")


ROWS = cast(int, Size({("rows",): 1}))
"""The number of rows of a batch."""

LENGTH = cast(int, Size({("length",): 1}))
"""The number of times of a sequence."""


# Numbers that follow from sizes -------------------------------------------------------


class Recipe(Number):
    """A number, or an array, that is computed when the sizes are known.

    Arguments:
        function: what computes it.
        operands: what it takes: numbers, arrays, sizes and other recipes.
        attributes: what it takes by name.
    """

    __slots__ = ("attributes", "function", "key", "operands")

    def __init__(
        self,
        function: Callable[..., Any],
        operands: tuple[Any, ...],
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        self.function = function
        self.operands = operands
        self.attributes = dict(attributes or {})
        parts = tuple(map(key_of, operands))
        self.key = function, parts, tuple(self.attributes.items())

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", "recipe")
        return f"{name}({', '.join(map(repr, self.operands))})"

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recipe) and self.key == other.key

    def at(self, sizes: Sizes) -> Any:
        """What it gives where the names stand for these numbers."""
        return self.function(*(at(o, sizes) for o in self.operands), **self.attributes)


class RecipeArray:
    """An array of known type that is computed when the sizes are known."""

    __slots__ = ("recipe", "type")

    def __init__(self, recipe: Recipe | Size, type: ArrayType) -> None:
        self.recipe = recipe
        self.type = type

    @property
    def key(self) -> Any:
        """What is equal only for equal arrays."""
        return self.recipe, self.type

    @property
    def shape(self) -> Shape:
        """The shape, which is known."""
        return self.type.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype, as NumPy names it."""
        return np.dtype(self.type.dtype)

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.type.size

    def __repr__(self) -> str:
        return repr(self.recipe)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecipeArray) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def item(self) -> Recipe:
        """The one number in it."""
        return Recipe(item, (self,))

    def at(self, sizes: Sizes) -> NumpyArray:
        """The array where the names stand for these numbers."""
        with np.errstate(all="ignore"):
            found = as_numpy(self.recipe.at(sizes), self.type.dtype)
        found = np.array(found).reshape(self.shape)  # of its own: nobody changes it
        found.flags.writeable = False
        return found


def quotient(x: Any, y: Any) -> Any:
    """x / y."""
    return x / y


def power(x: Any, y: Any) -> Any:
    """x to the power y."""
    return x**y


def item(array: NumpyArray) -> Any:
    """The one number of an array, as Python has it."""
    return array.item()


def key_of(operand: Any) -> Any:
    """An operand as something that can be looked up."""
    if isinstance(operand, np.ndarray):
        array = cast(NumpyArray, operand)
        return array.dtype, array.shape, array.tobytes()
    return operand


def recipe(function: Callable[..., Any], *operands: Any) -> Any:
    """A number that follows from others, if they are numbers."""
    if not all(isinstance(each, (*KNOWN, Number)) for each in operands):
        return NotImplemented
    return Recipe(function, operands)


def number_array(number: Any, dtype: Dtype) -> RecipeArray:
    """A size or a recipe of a number as an array without axes.

    What was taken out of such an array is that array again.
    """
    if isinstance(number, Recipe) and number.function is item:
        (array,) = number.operands
        if array.type == ArrayType((), dtype):
            return array
    return RecipeArray(number, ArrayType((), dtype))


def holds(condition: Callable[[Any], bool], number: Any) -> bool:
    """Whether a condition holds of a number, whatever the names stand for.

    Of a recipe it is asked at several numbers, as far apart as they may be.
    """
    if not isinstance(number, Recipe | Size):
        return condition(number)
    names = names_in(number)
    return all(condition(at(number, dict.fromkeys(names, n))) for n in TRIED)


def names_in(value: Any) -> set[str]:
    """The names of what a value follows from."""
    if isinstance(value, Size):
        return {name for names, _ in value.terms for name in names}
    if isinstance(value, Recipe):
        return set[str]().union(*map(names_in, value.operands))
    if isinstance(value, RecipeArray):
        return names_in(value.recipe)
    if isinstance(value, tuple):
        return set[str]().union(*map(names_in, cast(tuple[Any, ...], value)))
    return set()


LATER = (Size, Recipe, RecipeArray)


def at(value: Any, sizes: Sizes) -> Any:
    """A size, a recipe, or a tuple with such, where the names stand for numbers."""
    if type(value) in LATER:
        return value.at(sizes)
    if type(value) is tuple:
        return shape_at(cast(tuple[Any, ...], value), sizes)
    return value


def shape_at(shape: tuple[Any, ...], sizes: Sizes) -> tuple[Any, ...]:
    """What has a number for each axis, where the names stand for numbers."""
    if any(type(each) in LATER for each in shape):
        return tuple(at(each, sizes) for each in shape)
    return shape


def type_at(type: ArrayType, sizes: Sizes) -> ArrayType:
    """A type where the names stand for numbers."""
    shape = shape_at(type.shape, sizes)
    return type if shape is type.shape else ArrayType(shape, type.dtype)


def as_size(value: Any) -> int:
    """A whole number that a formula gives as a size, or a size."""
    return cast(int, value) if isinstance(value, Size) else int(operator.index(value))
