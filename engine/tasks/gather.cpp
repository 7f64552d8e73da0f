#include "tasks/gather.h"

#include <algorithm>

#include "tasks/task.h"

namespace thalweg {

namespace {

constexpr Index LEAST_LINE = 4;
constexpr Index NARROW_BYTES = 16;  // columns of fewer bytes fill no vector,
constexpr Index LINE_NUMBERS = 16;  // but adjacent rows do, if they are that many

// The bytes of numbers that are adjacent along the last axis.
Index run_bytes(int rank, const Extents& extents, const Extents& strides, int item) {
  return rank > 0 && strides[rank - 1] == item ? extents[rank - 1] * item : item;
}

}  // namespace

Gather::Gather(const Place& place, int first, int row_axes)
    : item_(item_size(place.dtype)) {
  for (int axis = 0; axis < place.rank; ++axis) {
    const bool is_row = axis >= first && axis < first + row_axes;
    Extents& extents = is_row ? row_extents_ : column_extents_;
    Extents& strides = is_row ? row_strides_ : column_strides_;
    int& rank = is_row ? row_rank_ : column_rank_;
    extents[rank] = place.extents[axis];
    strides[rank++] = place.strides[axis];
    (is_row ? rows_ : columns_) *= place.extents[axis];
  }
  row_rank_ = collapse(row_rank_, row_extents_, {&row_strides_});
  column_rank_ = collapse(column_rank_, column_extents_, {&column_strides_});
  line_ = row_rank_ > 0 ? row_extents_[row_rank_ - 1] : 1;
  lines_ = row_rank_ > 1 ? row_extents_[row_rank_ - 2] : 1;
  near_columns_ = run_bytes(column_rank_, column_extents_, column_strides_, item_) >=
                  run_bytes(row_rank_, row_extents_, row_strides_, item_);
}

Index Gather::box_rows(Index row, Index most) const {
  const Index before = row % line_;
  if (before || line_ > most) return std::min(line_ - before, most);
  const Index left = lines_ - row / line_ % lines_;
  return std::min(left, most / line_) * line_;
}

Index Gather::run() const {
  return run_bytes(column_rank_, column_extents_, column_strides_, item_) / item_;
}

std::vector<Index> Gather::segments() const {
  std::vector<Index> all{0};
  const int rank = column_rank_ - (run() > 1 ? 1 : 0);
  for (int axis = 0; axis < rank; ++axis) {
    std::vector<Index> longer;
    for (const Index start : all)
      for (Index i = 0; i < column_extents_[axis]; ++i)
        longer.push_back(start + i * column_strides_[axis] / item_);
    all = std::move(longer);
  }
  return all;
}

std::vector<Index> Gather::columns_at() const {
  std::vector<Index> all;
  for (const Index start : segments())
    for (Index i = 0; i < run(); ++i) all.push_back(start + i);
  return all;
}

bool Gather::has_lines_for(Index columns) const {
  if (row_rank_ == 0 || line_ < LEAST_LINE) return false;
  const bool adjacent = row_strides_[row_rank_ - 1] == item_;
  return columns * item_ >= NARROW_BYTES || (adjacent && line_ >= LINE_NUMBERS);
}

void Gather::lay_lines(Index row, Index count, Product& product, Index& offset) const {
  offset = offset_of(row);
  const Index step = row_strides_[row_rank_ - 1] / item_;
  product.m = count;
  product.line = std::min(count, line_);
  product.a_row = step;
  product.a_line = row_rank_ > 1 ? row_strides_[row_rank_ - 2] / item_ : 0;
}

Index Gather::offset_of(Index row) const {
  Index offset = 0;
  for (int axis = row_rank_ - 1; axis >= 0; --axis) {
    offset += row % row_extents_[axis] * row_strides_[axis];
    row /= row_extents_[axis];
  }
  return offset;
}

void Gather::starts(Index row, Index count, Index* at) const {
  Index offset;
  const Copy rows = box(row, count, 1, 1, offset);
  const Index lines = row_rank_ > 1 ? rows.extents[0] : 1;
  const Index line_step = row_rank_ > 1 ? rows.in_strides[0] / item_ : 0;
  const Index step = row_rank_ > 0 ? row_strides_[row_rank_ - 1] / item_ : 0;
  for (Index line = 0; line < lines; ++line)
    for (Index i = 0; i < count / lines; ++i) *at++ = line * line_step + i * step;
}

Copy Gather::box(Index row, Index count, Index row_bytes, Index column_bytes,
                 Index& offset) const {
  Copy copy{};
  copy.item_size = item_;
  const auto add = [&](Index extent, Index in, Index out) {
    copy.extents[copy.rank] = extent;
    copy.in_strides[copy.rank] = in;
    copy.out_strides[copy.rank++] = out;
  };
  offset = offset_of(row);
  const Index lines = count > line_ ? count / line_ : 1;
  if (row_rank_ > 1) add(lines, row_strides_[row_rank_ - 2], line_ * row_bytes);
  if (row_rank_ > 0) add(count / lines, row_strides_[row_rank_ - 1], row_bytes);
  Index step = column_bytes * columns_;
  for (int axis = 0; axis < column_rank_; ++axis) {
    step /= std::max<Index>(column_extents_[axis], 1);
    add(column_extents_[axis], column_strides_[axis], step);
  }
  return copy;
}

}  // namespace thalweg
