// Products that sum over the rows of a gathered matrix.
#pragma once

#include "tasks/task.h"

namespace thalweg {

// Whether a product of windows sums over places rather than over the elements of windows:
// over the rows of a batch, or where nothing has rows, over more than it keeps.
bool sums_over_places(const ProductStep& step);

// Of a step whose first matrix has rows and columns of several axes, the batch's rows
// among its columns.
std::unique_ptr<Task> make_product_sum(const Circumstances& circumstances,
                                       const ProductStep& step);

}  // namespace thalweg
