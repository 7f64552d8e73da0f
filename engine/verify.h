// What the rules of places, of maps and of other steps share: each has a file.
#pragma once

#include "plan.h"

namespace thalweg {

inline void demand(bool holds, const char* rule) {
  if (!holds) throw PlanError(rule);
}

inline bool is_float(Dtype dtype) {
  return dtype == Dtype::float32 || dtype == Dtype::float64;
}

inline bool is_number(Dtype dtype) { return dtype != Dtype::boolean; }

bool same_extents(const Place& a, const Place& b);

// A place inside its buffer, whatever rows a block has.
void verify_place(const Plan& plan, const Place& place);

// The same of one that is written, which is marked in its buffer; `adds`: whether its step
// can add to a total.
void verify_written(Plan& plan, const Place& place, bool adds);

// The extent of an axis of rows: a multiple of the rows of the plan.
void verify_rows_extent(const Plan& plan, Index extent);

// `before`: the step before it, or null.
void verify_map(Plan& plan, const MapStep& step, const Step* before);

}  // namespace thalweg
