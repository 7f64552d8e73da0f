// Reductions of small windows that lie between other axes.
#pragma once

#include "tasks/task.h"

namespace thalweg {

// Whether a reduction is over windows whose channels are adjacent.
bool is_of_windows(const Circumstances& circumstances, const ReduceStep& step,
                   const Place& in);

std::unique_ptr<Task> make_window_task(const Circumstances& circumstances,
                                       const ReduceStep& step, const Place& in,
                                       const Place& out);

}  // namespace thalweg
