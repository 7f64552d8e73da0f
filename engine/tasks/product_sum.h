// Products that sum over the rows of a gathered matrix.
#pragma once

#include "tasks/task.h"

namespace thalweg {

// Of a step whose first matrix has rows and columns of several axes, the batch's rows
// among its columns.
std::unique_ptr<Task> make_product_sum(const Circumstances& circumstances,
                                       const ProductStep& step);

}  // namespace thalweg
