// Products that sum over the rows of a gathered matrix: the gradient of a convolution by
// its filters. c[i, j] = start + sum over l of a[l, i] · b[l, j], where a is gathered.
//
// The sums stay in scratch while one box of rows after another is added to them: from where
// its windows lie, or gathered, if their runs of adjacent numbers are short. They lie
// as c does, or turned: as cᵀ = bᵀ · a, which takes fewer vectors where b is narrow, and
// in which the zeros of b, behind a pooling most of it, can be skipped.
#include "tasks/product_sum.h"

#include <algorithm>

#include "platform/memory.h"
#include "tasks/gather.h"
#include "tasks/task.h"

namespace thalweg {

namespace {

constexpr Index BOX_BYTES = 192 << 10;
constexpr Index LYING_ROWS = 512;  // at a time, where they needn't be gathered
constexpr Index LEAST_RUN = 8;     // of columns that are summed where they lie
constexpr Index LANE_BYTES = 64;
constexpr double FLOPS_PER_NANOSECOND = 50;
constexpr Index UNIT_COLUMNS = 16;  // of c, that a thread takes at least

class ProductSumTask final : public Task {
 public:
  ProductSumTask(const Circumstances& circumstances, const ProductStep& step)
      : kernels_(&circumstances.kernels), adds_(is_total(circumstances.plan, step.out)) {
    const Place a = resolve(circumstances, step.a), b = resolve(circumstances, step.b);
    const Place out = resolve(circumstances, step.out);
    item_ = item_size(out.dtype);
    a_ = Gather(a, step.row_axes, a.rank - step.row_axes);
    a_buffer_ = a.buffer, b_buffer_ = b.buffer, out_buffer_ = out.buffer;
    a_offset_ = a.offset, b_offset_ = b.offset, out_offset_ = out.offset;
    m_ = a_.columns();
    n_ = out.extents[1];
    b_row_ = b.strides[0], b_column_ = b.strides[1], out_row_ = out.strides[0];
    product_.dtype = out.dtype;
    if (m_ == 0 || n_ == 0) return;
    turned_ = is_turned();
    segments_ = a_.segments();
    in_place_ = a_.rows() > 0 && a_.run() >= LEAST_RUN;
    const Index rows = in_place_ ? LYING_ROWS : BOX_BYTES / (m_ * item_);
    most_ = std::clamp<Index>(rows, 1, std::max<Index>(a_.rows(), 1));
    units = (n_ + UNIT_COLUMNS - 1) / UNIT_COLUMNS;
    starts_slowly = true;
    const Product all = product(n_, most_);
    work_bytes_ = aligned(std::max(scratch_of(all), kernels_->window_scratch(out.dtype)));
    starts_bytes_ = aligned(static_cast<std::size_t>(most_) * sizeof(Index));
    if (!in_place_) box_bytes_ = aligned(static_cast<std::size_t>(most_ * m_ * item_));
    scratch_bytes = work_bytes_ + starts_bytes_ + box_bytes_ +
                    aligned(static_cast<std::size_t>(m_ * n_ * item_));
    work = 2.0 * static_cast<double>(m_ * n_) * static_cast<double>(a_.rows() + 1) /
           (FLOPS_PER_NANOSECOND * 4 / static_cast<double>(item_));
  }

  bool run(const Frame& frame, std::byte* scratch, Index from, Index to) const override {
    const Index first = from * UNIT_COLUMNS;
    const Index columns = std::min(to * UNIT_COLUMNS, n_) - first;
    std::byte* const box = scratch + work_bytes_ + starts_bytes_;
    std::byte* const sums = box + box_bytes_;
    const std::byte* const a = frame.bases[a_buffer_] + a_offset_;
    const std::byte* const b = frame.bases[b_buffer_] + b_offset_ + first * b_column_;
    Index row = 0;
    do {
      const Index count = a_.rows() ? a_.box_rows(row, most_) : 0;
      if (turned_ && sum_sparse(a, b, row, count, columns, scratch, sums)) {
        row += count;
        continue;
      }
      Product part = product(columns, count);
      part.scratch = scratch;
      part.c = sums;
      (turned_ ? part.a : part.b) = b + row * b_row_;
      part.accumulate = row > 0;
      if (in_place_) {
        sum_in_place(part, a, row);
      } else {
        if (count) gather(a, row, count, box);
        (turned_ ? part.b : part.a) = box;
        kernels_->product(part);
      }
      row += count;
    } while (row < a_.rows());
    write(sums, columns, frame.bases[out_buffer_] + out_offset_ + first * item_,
          adds_ && frame.adds);
    return true;
  }

 private:
  // Whether the sums take fewer vectors turned; a few more are worth skipped zeros.
  bool is_turned() const {
    const Index lanes = LANE_BYTES / item_;
    const auto vectors = [&](Index numbers) { return (numbers + lanes - 1) / lanes; };
    const Index turned = n_ * vectors(m_), straight = m_ * vectors(n_);
    return turned <= (vectors(m_) > 3 ? 2 * straight : straight);
  }

  // Where b is mostly zeros, each of its other numbers by the window where it lies.
  bool sum_sparse(const std::byte* a, const std::byte* b, Index row, Index count,
                  Index columns, std::byte* scratch, std::byte* sums) const {
    if (count == 0 || b_column_ != item_) return false;
    auto* const at = reinterpret_cast<Index*>(scratch + work_bytes_);
    a_.starts(row, count, at);
    Index offset;
    a_.box(row, count, 1, 1, offset);
    WindowSum sum{};
    sum.dtype = product_.dtype;
    sum.depth = count, sum.filters = columns;
    sum.segments = static_cast<Index>(segments_.size());
    sum.run = a_.run();
    sum.a = a + offset;
    sum.at = at;
    sum.segment_at = segments_.data();
    sum.span = at[count - 1] + segments_.back() + sum.run;
    sum.b = b + row * b_row_;
    sum.b_row = b_row_ / item_;
    sum.c = sums;
    sum.accumulate = row > 0;
    sum.scratch = scratch;
    return kernels_->sum_windows(sum);
  }

  // Bytes between the box's rows and between its columns.
  Index box_row() const { return a_.has_near_columns() ? m_ * item_ : item_; }
  Index box_column() const { return a_.has_near_columns() ? item_ : most_ * item_; }

  void gather(const std::byte* a, Index row, Index count, std::byte* box) const {
    Index offset;
    Copy copy = a_.box(row, count, box_row(), box_column(), offset);
    copy.in = a + offset;
    copy.out = box;
    kernels_->copy(copy);
  }

  // Of a box of so many rows, for some columns of c.
  Product product(Index columns, Index depth) const {
    Product part = product_;
    part.m = turned_ ? columns : m_;
    part.n = turned_ ? m_ : columns;
    part.k = depth;
    part.c_row = part.n;
    Index& b_row = turned_ ? part.a_column : part.b_row;
    Index& b_column = turned_ ? part.a_row : part.b_column;
    Index& a_row = turned_ ? part.b_row : part.a_column;
    Index& a_column = turned_ ? part.b_column : part.a_row;
    b_row = b_row_ / item_, b_column = b_column_ / item_;
    a_row = box_row() / item_, a_column = box_column() / item_;
    return part;
  }

  // One run of adjacent columns after the other, where the windows lie.
  void sum_in_place(Product part, const std::byte* a, Index row) const {
    auto* const at =
        reinterpret_cast<Index*>(static_cast<std::byte*>(part.scratch) + work_bytes_);
    a_.starts(row, part.k, at);
    const std::byte* const first = a + a_.offset_of(row);
    auto* const sums = static_cast<std::byte*>(part.c);
    part = run_of(part, at);
    const Index step = a_.run() * (turned_ ? 1 : part.c_row) * item_;
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      (turned_ ? part.b : part.a) = first + segments_[i] * item_;
      part.c = sums + static_cast<Index>(i) * step;
      kernels_->product(part);
    }
  }

  // A product with one run of columns instead of all.
  Product run_of(Product part, const Index* at) const {
    if (turned_) {
      part.n = a_.run();
      part.b_at = at;
      part.b_column = 1;
    } else {
      part.m = part.line = a_.run();
      part.a_at = at;
      part.a_row = 1;
    }
    return part;
  }

  // Enough for any cut of it.
  std::size_t scratch_of(const Product& all) const {
    std::size_t most = 0;
    for (Index before = 0; before < n_; before += UNIT_COLUMNS)
      for (const Index columns : {n_ - before, std::min(before + UNIT_COLUMNS, n_)}) {
        const Product part = product(columns, all.k);
        most = std::max(most, kernels_->product_scratch(
                                  in_place_ ? run_of(part, segments_.data()) : part));
      }
    return most;
  }

  void write(const std::byte* sums, Index columns, std::byte* out, bool adds) const {
    Copy copy{};
    copy.item_size = static_cast<int>(item_);
    copy.rank = 2;
    copy.extents[0] = m_, copy.extents[1] = columns;
    copy.in = sums;
    copy.in_strides[0] = turned_ ? item_ : columns * item_;
    copy.in_strides[1] = turned_ ? m_ * item_ : item_;
    copy.out = out;
    copy.out_strides[0] = out_row_, copy.out_strides[1] = item_;
    adds ? kernels_->add_copy(product_.dtype, copy) : kernels_->copy(copy);
  }

  const Kernels* kernels_;
  bool adds_, turned_ = false, in_place_ = false;
  Index item_ = 0;
  Gather a_;
  int a_buffer_ = 0, b_buffer_ = 0, out_buffer_ = 0;
  Index a_offset_ = 0, b_offset_ = 0, out_offset_ = 0;
  Index m_ = 0, n_ = 0, most_ = 0;
  Index b_row_ = 0, b_column_ = 0, out_row_ = 0;  // in bytes
  Product product_{};
  std::vector<Index> segments_;
  std::size_t work_bytes_ = 0, starts_bytes_ = 0, box_bytes_ = 0;
};

}  // namespace

bool sums_over_places(const ProductStep& step) {
  if (!step.row_axes || step.bias) return false;
  const Place& a = step.a;
  return a.rows_axis == step.row_axes ||
         (a.rows_axis < 0 && step.b.extents[0] > step.out.extents[0]);
}

std::unique_ptr<Task> make_product_sum(const Circumstances& circumstances,
                                       const ProductStep& step) {
  return std::make_unique<ProductSumTask>(circumstances, step);
}

}  // namespace thalweg
