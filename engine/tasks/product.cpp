#include "tasks/product.h"

#include <algorithm>

#include "platform/memory.h"

namespace thalweg {

namespace {

constexpr Index PANEL_BYTES = 12 << 10;      // of a product, before its tail runs on it
constexpr Index LEAST_TILES = 8;             // to cut between
constexpr Index LARGE_BYTES = 512 << 10;     // of an operand
constexpr double FLOPS_PER_NANOSECOND = 50;  // float32; float64: half of it

Index rounded_up(Index n, Index multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

}  // namespace

ProductTask::ProductTask(const Circumstances& circumstances, const ProductStep& step)
    : kernels_(&circumstances.kernels),
      has_bias_(step.bias.has_value()),
      adds_(is_total(circumstances.plan, step.out)) {
  const Place a = resolve(circumstances, step.a);
  const Place b = resolve(circumstances, step.b);
  const Place out = resolve(circumstances, step.out);
  const int rank = out.rank;
  const Index item = item_size(out.dtype);
  product_.dtype = out.dtype;
  product_.m = std::min(a.extents[rank - 2], out.extents[rank - 2]);
  product_.n = std::min(b.extents[rank - 1], out.extents[rank - 1]);
  product_.k = std::min(a.extents[rank - 1], b.extents[rank - 2]);
  product_.a_row = a.strides[rank - 2] / item;
  product_.a_column = a.strides[rank - 1] / item;
  product_.b_row = b.strides[rank - 2] / item;
  product_.b_column = b.strides[rank - 1] / item;
  product_.c_row = out.strides[rank - 2] / item;
  a_ = {a.buffer, a.offset, a.strides};
  b_ = {b.buffer, b.offset, b.strides};
  out_ = {out.buffer, out.offset, out.strides};
  if (has_bias_) bias_ = {step.bias->buffer, step.bias->offset, {}};
  for (int axis = 0; axis < rank - 2; ++axis)
    matrices_[axis] = std::min({a.extents[axis], b.extents[axis], out.extents[axis]});
  matrices_rank_ = collapse(rank - 2, matrices_, {&a_.strides, &b_.strides, &out_.strides});
  for (int axis = 0; axis < matrices_rank_; ++axis) matrix_count_ *= matrices_[axis];
  if (product_.m == 0 || product_.n == 0 || matrix_count_ == 0) return;
  count_units();
  const double rate = FLOPS_PER_NANOSECOND * 4 / static_cast<double>(item);
  work = 2.0 * static_cast<double>(matrix_count_ * product_.m) *
         static_cast<double>(product_.n) * static_cast<double>(product_.k + 1) / rate;
}

void ProductTask::count_units() {
  kernels_->product_tile(product_, &tile_rows_, &tile_columns_);
  const Index row_tiles = (product_.m + tile_rows_ - 1) / tile_rows_;
  const Index column_tiles = (product_.n + tile_columns_ - 1) / tile_columns_;
  product_scratch_ = scratch_of(product_.m, product_.n);
  for (const Index rows : {tile_rows_, product_.m})
    for (const Index columns : {tile_columns_, product_.n})
      product_scratch_ = std::max(product_scratch_, scratch_of(rows, columns));
  scratch_bytes = aligned(std::max(product_scratch_, kernels_->sparse_scratch(product_)));
  // Of a large b each thread had better read its own columns alone.
  const Index b_bytes = product_.n * product_.k * item_size(product_.dtype);
  const bool is_flat = row_tiles < LEAST_TILES && row_tiles < column_tiles;
  by_columns_ = is_flat || (b_bytes >= LARGE_BYTES && column_tiles >= LEAST_TILES);
  starts_slowly = product_scratch_ > 0;
  units = matrix_count_ > 1 ? matrix_count_ : by_columns_ ? column_tiles : row_tiles;
  panel_rows_ = product_.m;
}

std::size_t ProductTask::scratch_of(Index rows, Index columns) const {
  Product part = product_;
  part.m = std::min(rows, product_.m);
  part.n = std::min(columns, product_.n);
  return kernels_->product_scratch(part);
}

bool ProductTask::takes_tail() const {
  return units > 0 && matrix_count_ == 1 && !by_columns_ && !tail_ && !adds_;
}

void ProductTask::take_tail(std::unique_ptr<MapTask> tail) {
  const Index row_bytes = product_.n * item_size(product_.dtype);
  // A panel reads all of b: of a large one the rows' way to the cache costs less.
  const bool small_b = row_bytes * product_.k <= LARGE_BYTES;
  if (product_scratch_ == 0 && small_b && row_bytes * product_.m > PANEL_BYTES * 3 / 2)
    panel_rows_ = rounded_up(std::max<Index>(PANEL_BYTES / row_bytes, 1), tile_rows_);
  work += tail->work;
  scratch_bytes = std::max(scratch_bytes, tail->scratch_bytes);
  tail_ = std::move(tail);
}

bool ProductTask::run(const Frame& frame, std::byte* scratch, Index from, Index to) const {
  if (matrix_count_ > 1)
    run_matrices(frame, scratch, from, to);
  else
    run_panels(frame, scratch, from, to);
  return true;
}

// The whole product at one index of the matrices.
Product ProductTask::part(const Frame& frame, std::byte* scratch,
                          const Extents& matrix) const {
  const auto at = [&](const Side& side) {
    std::byte* start = frame.bases[side.buffer] + side.offset;
    for (int axis = 0; axis < matrices_rank_; ++axis)
      start += matrix[axis] * side.strides[axis];
    return start;
  };
  Product part = product_;
  part.a = at(a_);
  part.b = at(b_);
  part.c = at(out_);
  part.bias = has_bias_ ? frame.bases[bias_.buffer] + bias_.offset : nullptr;
  part.accumulate = adds_ && frame.adds;
  part.scratch = scratch;
  return part;
}

void ProductTask::run_matrices(const Frame& frame, std::byte* scratch, Index from,
                               Index to) const {
  for (Index number = from; number < to; ++number) {
    Extents matrix{};
    Index rest = number;
    for (int axis = matrices_rank_ - 1; axis >= 0; --axis) {
      matrix[axis] = rest % matrices_[axis];
      rest /= matrices_[axis];
    }
    kernels_->product(part(frame, scratch, matrix));
  }
}

void ProductTask::run_panels(const Frame& frame, std::byte* scratch, Index from,
                             Index to) const {
  const Product whole = part(frame, scratch, {});
  const Index item = item_size(product_.dtype);
  auto* const a = static_cast<const std::byte*>(whole.a);
  auto* const b = static_cast<const std::byte*>(whole.b);
  auto* const c = static_cast<std::byte*>(whole.c);
  if (by_columns_) {
    Product strip = whole;
    const Index first = from * tile_columns_;
    strip.n = std::min(to * tile_columns_, product_.n) - first;
    strip.b = b + first * product_.b_column * item;
    strip.c = c + first * item;
    if (whole.bias) strip.bias = static_cast<const std::byte*>(whole.bias) + first * item;
    (kernels_->is_sparse(strip) ? kernels_->sparse_product : kernels_->product)(strip);
    return;
  }
  const Index end = std::min(to * tile_rows_, product_.m);
  Product rows = whole;
  rows.m = end - from * tile_rows_;
  rows.a = a + from * tile_rows_ * product_.a_row * item;
  const bool is_sparse = kernels_->is_sparse(rows);
  const auto product = is_sparse ? kernels_->sparse_product : kernels_->product;
  const Index most = is_sparse ? rows.m : panel_rows_;  // it gets ready for each panel
  for (Index row = from * tile_rows_; row < end; row += most) {
    Product panel = whole;
    panel.m = std::min(most, end - row);
    panel.a = a + row * product_.a_row * item;
    panel.c = c + row * product_.c_row * item;
    product(panel);
    if (tail_) tail_->run_rows(frame, scratch, row, row + panel.m, product_.n);
  }
}

}  // namespace thalweg
