// What the rules of places, of maps and of other steps share: each has a file.
#pragma once

#include "core/plan.h"

namespace thalweg {

inline void demand(bool holds, const char* rule) {
  if (!holds)
    throw PlanError(rule);  // GCOVR_EXCL_BR_LINE: an error for which there is no memory
}

inline bool is_float(Dtype dtype) {
  return dtype == Dtype::float32 || dtype == Dtype::float64;
}

// What is computed with. Bytes only come in: they are moved, and converted.
inline bool is_number(Dtype dtype) {
  return dtype != Dtype::boolean && dtype != Dtype::uint8;
}

bool same_extents(const Place& a, const Place& b);

inline constexpr int NO_AXIS = -1;

// Bytes from a place's start to the end of its last element, leaving out one axis.
Index reach(const Place& place, int left_out);

// Whether elements of the same number have the same bytes.
bool are_same(const Place& a, const Place& b);

// Whether they surely have no byte in common.
bool are_apart(const Place& a, const Place& b);

bool are_same_or_apart(const Place& a, const Place& b);

void verify_apart(const Place& out, const Place& in);

// Each element has bytes of its own.
void verify_elements_apart(const Place& place);

// The same elements, along each axis from the first in memory to the last. Throws
// PlanError if they start before their buffer.
Place forwards(const Place& place);

// A place inside its buffer, whatever rows a block has. Along an axis that isn't that of
// rows it may run backwards: only what copies elements, or gathers them, can read it then.
void verify_read(const Plan& plan, const Place& place);

// The same of one that runs forwards.
void verify_place(const Plan& plan, const Place& place);

// The same of one that is written, which is marked in its buffer; `adds`: whether its step
// can add to a total.
void verify_written(Plan& plan, const Place& place, bool adds);

// The extent of an axis of rows: a multiple of the rows of the plan.
void verify_rows_extent(const Plan& plan, Index extent);

// A buffer that moves stays within the one around it, at every time.
void verify_moving(const Plan& plan, Buffer& buffer);

// `before`: the step before it, or null.
void verify_map(Plan& plan, const MapStep& step, const Step* before);

}  // namespace thalweg
