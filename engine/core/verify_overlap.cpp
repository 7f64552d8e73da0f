// The rules of memory that places share. docs/architecture.md states them ("Overlap").
#include <algorithm>
#include <utility>
#include <vector>

#include "core/verify.h"

namespace thalweg {

namespace {

bool same_strides(const Place& a, const Place& b) {
  for (int axis = 0; axis < a.rank; ++axis)
    if (a.extents[axis] > 1 && a.strides[axis] != b.strides[axis]) return false;
  return true;
}

// Whether an axis of each has one stride, in which both keep to bytes of their own: like
// the left and the right columns of a matrix.
bool interleave(const Place& a, int axis_a, const Place& b, int axis_b) {
  const Index stride = a.strides[axis_a];
  if (stride == 0 || b.strides[axis_b] != stride) return false;
  const Index apart = b.origin_offset % stride - a.origin_offset % stride;
  const Index start = apart < 0 ? apart + stride : apart;
  return start >= reach(a, axis_a) && start + reach(b, axis_b) <= stride;
}

bool interleave(const Place& a, const Place& b) {
  for (int i = 0; i < a.rank; ++i)
    for (int j = 0; j < b.rank; ++j)
      if (interleave(a, i, b, j)) return true;
  return false;
}

}  // namespace

bool are_same(const Place& a, const Place& b) {
  return a.buffer == b.buffer && a.offset == b.offset &&
         item_size(a.dtype) == item_size(b.dtype) && same_extents(a, b) &&
         same_strides(a, b);
}

// Places that move alike lie to each other as at the first time; else they are apart if
// all that they ever reach is.
bool are_apart(const Place& given_a, const Place& given_b) {
  if (given_a.origin != given_b.origin || is_empty(given_a) || is_empty(given_b))
    return true;
  const Place a = forwards(given_a), b = forwards(given_b);
  const bool alike = a.moves == b.moves;
  const Index end_a = a.origin_offset + reach(a, NO_AXIS) + (alike ? 0 : a.span);
  const Index end_b = b.origin_offset + reach(b, NO_AXIS) + (alike ? 0 : b.span);
  return end_a <= b.origin_offset || end_b <= a.origin_offset ||
         (alike && interleave(a, b));
}

bool are_same_or_apart(const Place& a, const Place& b) {
  return are_same(a, b) || are_apart(a, b);
}

void verify_apart(const Place& out, const Place& in) {
  demand(are_apart(out, in), "a step writes over what it reads");
}

void verify_elements_apart(const Place& place) {
  if (is_empty(place)) return;
  std::vector<std::pair<Index, Index>> axes;  // strides and extents
  for (int axis = 0; axis < place.rank; ++axis)
    if (place.extents[axis] > 1)
      axes.emplace_back(place.strides[axis], place.extents[axis]);
  std::sort(axes.begin(), axes.end());
  Index bytes = item_size(place.dtype);
  for (const auto& [stride, extent] : axes) {
    demand(stride >= bytes, "elements of a written place lie on each other");
    bytes += (extent - 1) * stride;
  }
}

}  // namespace thalweg
