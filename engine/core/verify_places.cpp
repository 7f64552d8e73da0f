// The rules of places: inside their buffers, aligned, written only where that is allowed.
#include "core/verify.h"

namespace thalweg {

Index reach(const Place& place, int left_out) {
  Index bytes = item_size(place.dtype);
  for (int axis = 0; axis < place.rank; ++axis) {
    if (axis == left_out || place.extents[axis] == 0) continue;
    Index span;
    if (__builtin_mul_overflow(place.extents[axis] - 1, place.strides[axis], &span) ||
        __builtin_add_overflow(bytes, span, &bytes) || bytes > MOST_BYTES)
      throw PlanError("a place leaves its buffer");
  }
  return bytes;
}

namespace {

// The strides of a place without elements are looked at too: they are calculated with.
void verify_within(const Buffer& buffer, const Place& place) {
  const Index bytes = reach(place, NO_AXIS);
  const Index end = is_empty(place) ? 0 : bytes;
  demand(place.offset <= buffer.bytes - end, "a place leaves its buffer");
}

// Each row of the block moves a place on by the bytes of a row of its buffer, and the
// place stays within the row: so it fits whatever rows a block has.
void verify_rows_place(const Plan& plan, const Buffer& buffer, const Place& place) {
  if (place.rows_axis < 0) {  // it sees all rows at once, so a run must have them all
    verify_within(buffer, place);
    return;
  }
  const Index row_bytes = buffer.bytes / plan.rows;
  const Index stride = place.strides[place.rows_axis];
  const Index parts = place.extents[place.rows_axis] / plan.rows;
  Index moved;
  demand(!__builtin_mul_overflow(stride, parts, &moved) && moved == row_bytes,
         "a place's stride along its rows axis is not that of the rows of its buffer");
  const Index bytes = reach(place, place.rows_axis);
  demand(is_empty(place) || place.offset + bytes <= stride, "a place leaves its row");
}

// The same of a buffer that moves over one of rows: within what the buffer has of a row.
void verify_moving_rows_place(const Plan& plan, const Buffer& buffer, const Place& place) {
  const Place& start = buffer.start;
  demand((place.rows_axis < 0) == (start.rows_axis < 0),
         "a place has a rows axis and its moving buffer none, or the other way round");
  if (place.rows_axis < 0) {
    verify_within(buffer, place);
    return;
  }
  const Index parts = place.extents[place.rows_axis] / plan.rows;
  Index moved;
  demand(!__builtin_mul_overflow(place.strides[place.rows_axis], parts, &moved) &&
             moved == origin_of(plan, place).bytes / plan.rows,
         "a place's stride along its rows axis is not that of the rows of its buffer");
  const Index bytes = reach(place, place.rows_axis);
  demand(is_empty(place) || place.offset + bytes <= reach(start, start.rows_axis),
         "a place leaves its row");
}

}  // namespace

void verify_moving(const Plan& plan, Buffer& buffer) {
  const Place& start = buffer.start;
  Place all = start;  // with the times as an axis of its own
  demand(all.rank < MAX_RANK, "a moving buffer has too many axes");
  all.extents[all.rank] = buffer.times;
  all.strides[all.rank] = buffer.move;
  ++all.rank;
  verify_place(plan, all);
  buffer.bytes = is_empty(start) ? 0 : reach(start, NO_AXIS);
}

bool same_extents(const Place& a, const Place& b) {
  if (a.rank != b.rank) return false;
  for (int axis = 0; axis < a.rank; ++axis)
    if (a.extents[axis] != b.extents[axis]) return false;
  return true;
}

void verify_rows_extent(const Plan& plan, Index extent) {
  demand(plan.rows > 0 && extent > 0 && extent % plan.rows == 0,
         "the extent of a rows axis is no multiple of the plan's rows");
}

Place forwards(const Place& place) {
  Place result = place;
  for (int axis = 0; axis < place.rank; ++axis) {
    if (place.strides[axis] >= 0) continue;
    result.strides[axis] = -place.strides[axis];
    if (place.extents[axis] == 0) continue;
    Index span;
    if (__builtin_mul_overflow(place.extents[axis] - 1, place.strides[axis], &span) ||
        __builtin_add_overflow(result.offset, span, &result.offset) || result.offset < 0)
      throw PlanError("a place leaves its buffer");
  }
  result.origin_offset -= place.offset - result.offset;
  return result;
}

void verify_place(const Plan& plan, const Place& place) {
  for (int axis = 0; axis < place.rank; ++axis)
    demand(place.strides[axis] >= 0, "a place runs backwards where it must not");
  verify_read(plan, place);
}

void verify_read(const Plan& plan, const Place& given) {
  demand(given.rows_axis < 0 || given.strides[given.rows_axis] >= 0, "rows run backwards");
  const Place place = forwards(given);
  const Buffer& buffer = plan.buffers[static_cast<std::size_t>(place.buffer)];
  const Index item = item_size(place.dtype);
  demand(buffer.is_there, "a place names a moving buffer outside of its loop");
  demand(buffer.kind == BufferKind::arena || buffer.dtype == place.dtype,
         "a place has another dtype than its buffer");
  demand(place.offset % item == 0, "an offset is no multiple of the item size");
  for (int axis = 0; axis < place.rank; ++axis)
    demand(place.strides[axis] % item == 0, "a stride is no multiple of the item size");
  if (place.rows_axis >= 0) verify_rows_extent(plan, place.extents[place.rows_axis]);
  if (buffer.kind == BufferKind::rows)
    verify_rows_place(plan, buffer, place);
  else if (origin_of(plan, place).kind == BufferKind::rows)
    verify_moving_rows_place(plan, buffer, place);
  else
    verify_within(buffer, place);
}

void verify_written(Plan& plan, const Place& place, bool adds) {
  Buffer& buffer = plan.buffers[static_cast<std::size_t>(place.origin)];
  demand(buffer.kind != BufferKind::constant, "a constant is written");
  demand(buffer.kind != BufferKind::total || (adds && plan.depth == 0),
         "this step can't write a total");
  demand(buffer.kind != BufferKind::total || place.rows_axis < 0,
         "a total's place has a rows axis");
  verify_place(plan, place);
  verify_elements_apart(place);
  buffer.written = true;
}

}  // namespace thalweg
