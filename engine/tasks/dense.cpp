#include "tasks/dense.h"

#include "platform/memory.h"

namespace thalweg {

namespace {

Place made_dense(const Place& place) {
  Place dense = place;
  Index stride = item_size(place.dtype);
  for (int axis = place.rank - 1; axis >= 0; --axis) {
    dense.strides[axis] = stride;
    stride *= place.extents[axis];
  }
  return dense;
}

}  // namespace

Index count_elements(const Place& place) {
  Index count = 1;
  for (int axis = 0; axis < place.rank; ++axis) count *= place.extents[axis];
  return count;
}

Index bytes_of(const Place& place) {
  return count_elements(place) * item_size(place.dtype);
}

Copy copy_between(const Place& in, const Place& out) {
  Copy copy{};
  Extents extents = out.extents;
  Extents in_strides = in.strides;
  Extents out_strides = out.strides;
  copy.item_size = item_size(in.dtype);
  copy.rank = collapse(out.rank, extents, {&in_strides, &out_strides});
  for (int axis = 0; axis < copy.rank; ++axis) {
    copy.extents[axis] = extents[axis];
    copy.in_strides[axis] = in_strides[axis];
    copy.out_strides[axis] = out_strides[axis];
  }
  return copy;
}

Dense::Dense(const Circumstances& circumstances, const Place& place,
             std::size_t& scratch_bytes)
    : kernels_(&circumstances.kernels),
      buffer_(place.buffer),
      offset_(place.offset),
      moves_(!is_contiguous(place)),
      scratch_(scratch_bytes) {
  if (!moves_) return;
  in_ = copy_between(place, made_dense(place));
  out_ = copy_between(made_dense(place), place);
  scratch_bytes += aligned(static_cast<std::size_t>(bytes_of(place)));
}

}  // namespace thalweg
