"""Words of formulas that others make up: what NumPy and SciPy have as one function.

None is a primitive: each records the words that it is written in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from thalweg.checks import is_whole
from thalweg.errors import ArgumentError, ShapeError
from thalweg.program import ops
from thalweg.program.arguments import Array, Axis, shape_of, tracing
from thalweg.program.ops import axes_of
from thalweg.program.trace import Tracer, location, operation
from thalweg.program.types import Shape


@operation
def clip(x: Array, min: Array | None = None, max: Array | None = None) -> Array:
    """x, but nothing below min and nothing above max.

    y = minimum(max, maximum(min, x))

    At a bound the derivative is 1, beyond it 0. NaN stays NaN; where min is above max,
    max is given.

    Arguments:
        x: any shape.
        min: the lower bound, of a shape that goes with x's; None for none.
        max: the upper bound; None for none.

    Returns:
        An array of the shape that all three repeat to.

    Raises:
        ArgumentError: there is neither bound.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> tw.clip(np.array([-2.0, 0.5, 3.0]), -1, 1).tolist()
        [-1.0, 0.5, 1.0]
    """
    if min is None and max is None:
        raise ArgumentError(
            f"clip must be given min, max or both, got none{location()}"
        )
    # At a tie the derivative goes to the second, which is x.
    raised = x if min is None else ops.maximum(min, x)
    return raised if max is None else ops.minimum(max, raised)


@operation
def stack(arrays: Sequence[Array], axis: int = 0) -> Array:
    """Arrays of one shape side by side along a new axis.

    Arguments:
        arrays: one or more, of the same shape.
        axis: where the new axis stands in the result.

    Returns:
        An array with one axis more, as long as there are arrays.

    Raises:
        ArgumentError: there are no arrays.
        ShapeError: their shapes differ, or there is no such axis.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> tw.stack([np.array([1, 2, 3]), np.array([4, 5, 6])], axis=-1).tolist()
        [[1, 4], [2, 5], [3, 6]]
    """
    if not len(arrays):
        raise ArgumentError(
            f"stack must be given one or more arrays, got none{location()}"
        )
    shape = shape_of(arrays[0])
    for other in map(shape_of, arrays[1:]):
        if other != shape:
            raise ShapeError(
                f"arrays to stack must have one shape, got {shape} and {other}"
                f"{location()}"
            )
    (place,) = axes_of((*shape, 1), axis)
    wider = (*shape[:place], 1, *shape[place:])
    return ops.concatenate([ops.reshape(each, wider) for each in arrays], place)


@operation
def split(x: Array, sections: int, axis: int = -1) -> list[Array]:
    """Equal parts of an array along an axis, in their order.

    The last axis unless told, so that one product gives what several gates need; NumPy
    splits the first.

    Arguments:
        x: of one axis or more.
        sections: how many parts; the axis must have a multiple of so many elements.
        axis: along which.

    Returns:
        A list of the parts.

    Raises:
        ArgumentError: sections isn't a whole number of 1 or more.
        ShapeError: the parts wouldn't be equal, or there is no such axis.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> i, f, g, o = tw.split(np.arange(16).reshape(2, 8), 4)
        >>> f.tolist()
        [[2, 3], [10, 11]]

    Source: the gates of Hochreiter and Schmidhuber, "Long short-term memory", 1997.
    """
    if not is_whole(sections) or sections < 1:
        raise ArgumentError(
            f"sections must be a whole number, 1 or more, got {sections!r}{location()}"
        )
    shape = shape_of(x)
    (place,) = axes_of(shape, axis)
    if shape[place] % sections:
        raise ShapeError(
            f"axis {axis} must have a multiple of {sections} elements to be split into "
            f"so many equal parts, got {shape[place]} of shape {shape}{location()}"
        )
    size = shape[place] // sections
    known = x if isinstance(x, Tracer) else np.asarray(x)
    whole = (slice(None),) * place
    return [known[*whole, slice(n * size, (n + 1) * size)] for n in range(sections)]


@operation
def variance(
    x: Array, axis: Axis = None, *, ddof: int = 0, keepdims: bool = False
) -> Array:
    """The mean squared distance from the mean, over all axes or over some.

    σ² = Σ (x − μ)² / (n − ddof), with the mean μ of n elements

    Arguments:
        x: any shape.
        axis: one or several; None for all.
        ddof: 0 for the variance of these elements, 1 for an unbiased estimate.
        keepdims: keep the axes, with size 1.

    Returns:
        An array without those axes.

    Raises:
        ShapeError: there are no more than ddof elements, or no such axis.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> x = np.array([[1.0, 3.0], [2.0, 8.0]])
        >>> tw.variance(x, axis=1).tolist(), float(tw.variance(x[1], ddof=1))
        ([1.0, 9.0], 18.0)
    """
    shape = shape_of(x)
    count = math.prod(shape[a] for a in axes_of(shape, axis))
    if count <= ddof:
        raise ShapeError(
            f"a variance with ddof={ddof} must be of more than {ddof} elements, "
            f"got {count} of shape {shape}{location()}"
        )
    distances = ops.square(ops.subtract(x, ops.mean(x, axis, keepdims=True)))
    return ops.divide(ops.sum(distances, axis, keepdims), count - ddof)


@operation
def standard_deviation(
    x: Array, axis: Axis = None, *, ddof: int = 0, keepdims: bool = False
) -> Array:
    """The root of the variance, in the unit of x.

    σ = √(Σ (x − μ)² / (n − ddof))

    Where all elements are equal there is no derivative.

    Arguments:
        x, axis, ddof, keepdims: as in `variance`.

    Returns:
        An array without those axes.

    Raises:
        ShapeError: there are no more than ddof elements, or no such axis.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> float(tw.standard_deviation(np.array([2.0, 8.0])))
        3.0
    """
    return ops.sqrt(variance(x, axis, ddof=ddof, keepdims=keepdims))


@operation
def logsumexp(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """log Σ eˣ over all axes or over some, finite for every finite x.

    y = m + log Σ e^(x − m), with the largest element m

    Arguments:
        x: any shape.
        axis: one or several; None for all.
        keepdims: keep the axes, with size 1.

    Returns:
        An array without those axes; −∞ where each element is.

    Raises:
        ShapeError: there are no elements, or no such axis.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> tw.logsumexp(np.array([1000.0, 1000.0])) == 1000 + np.log(2)
        np.True_

    Source: Blanchard, Higham and Higham, "Accurately computing the log-sum-exp and
    softmax functions", 2021.
    """
    (x,) = ops.as_floats(x)
    largest = ops.stop_gradient(ops.max(x, axis, keepdims=True))
    # An infinity less itself would be NaN.
    shift = ops.where(ops.less(ops.absolute(largest), np.inf), largest, 0)
    with np.errstate(over="ignore", divide="ignore"):  # e^−∞ = 0, log 0 = −∞
        total = ops.sum(ops.exp(ops.subtract(x, shift)), axis, keepdims)
        return ops.log(total) + ops.reshape(shift, shape_of(total))


@operation
def cumulative_sum(x: Array, axis: int | None = None) -> Array:
    """The sum of each element and all before it along an axis.

    yᵢ = x₁ + x₂ + … + xᵢ

    It takes log₂ n additions of shifted arrays, the sums of 2, 4, 8, … elements: faster
    and closer than n additions, and unlike a product with a triangle of ones it leaves
    an infinity out of the sums before it.

    Arguments:
        x: of one axis or more.
        axis: along which; it may be left out where there is one.

    Returns:
        An array of the same shape.

    Raises:
        ShapeError: there is no such axis, or there are several and none is named.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> tw.cumulative_sum(np.array([[1, 2, 3], [4, 5, 6]]), axis=1).tolist()
        [[1, 3, 6], [4, 9, 15]]

    Source: Hillis and Steele, "Data parallel algorithms", 1986.
    """
    shape = shape_of(x)
    if axis is None and len(shape) != 1:
        raise ShapeError(
            f"cumulative_sum must be told the axis of an array of shape {shape}"
            f"{location()}"
        )
    (place,) = axes_of(shape, -1 if axis is None else axis)
    if tracing(x) is None:
        return np.cumsum(x, place)
    return sums_of_shifted(ops.cast_bool(x), shape, place)


def sums_of_shifted(x: Array, shape: Shape, axis: int) -> Array:
    """Cumulative sums: after each step those of twice as many elements.

    >>> x = np.array([1, 2, 3, 4, 5])
    >>> x = np.append(x[:1], x[1:] + x[:-1]); x.tolist()  # of 2
    [1, 3, 5, 7, 9]
    >>> x = np.append(x[:2], x[2:] + x[:-2]); x.tolist()  # of 4
    [1, 3, 6, 10, 14]
    >>> np.append(x[:4], x[4:] + x[:-4]).tolist()  # of 8, which are all
    [1, 3, 6, 10, 15]
    """
    whole, size, done = (slice(None),) * axis, shape[axis], 1
    while done < size:
        first, later = x[*whole, :done], x[*whole, done:]
        before = x[*whole, : size - done]
        x = ops.concatenate([first, later + before], axis)
        done *= 2
    return x
