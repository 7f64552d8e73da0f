#include "tasks/product.h"

#include <algorithm>
#include <utility>

#include "platform/memory.h"

namespace thalweg {

namespace {

constexpr Index PANEL_BYTES = 48 << 10;   // of a product, before its tail runs on it
constexpr Index BOX_BYTES = 64 << 10;     // of a product's gathered rows
constexpr Index ADDED_BYTES = 192 << 10;  // of its rows before they are added
constexpr Index LYING_ROWS = 64;          // at least, where rows needn't be gathered
constexpr Index LEAST_TILES = 8;          // to cut between
constexpr Index LARGE_BYTES = 512 << 10;  // of an operand
constexpr Index PACKED_ROWS = 96;         // at least, for which it pays to pack b
constexpr Index FAR_BYTES = 1024;         // rows of b so far apart share lines of a cache
constexpr double FLOPS_PER_NANOSECOND = 50;  // float32; float64: half of it

Index rounded_up(Index n, Index multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// Whether nothing of what the first axis goes over lies on something else of it.
bool lies_apart(const Place& place) {
  Index reach = item_size(place.dtype);
  for (int axis = 1; axis < place.rank; ++axis)
    reach += (place.extents[axis] - 1) * place.strides[axis];
  return !is_empty(place) && place.strides[0] >= reach;
}

// The same numbers of rows and columns, which lie anywhere.
Place as_matrix(const Place& place, const Gather& windows) {
  Place matrix = place;
  matrix.rank = 2;
  matrix.extents[0] = windows.rows();
  matrix.extents[1] = windows.columns();
  return matrix;
}

}  // namespace

ProductTask::ProductTask(const Circumstances& circumstances, const ProductStep& step)
    : kernels_(&circumstances.kernels),
      has_bias_(step.bias.has_value()),
      adds_(is_total(circumstances.plan, step.out)) {
  Place a = resolve(circumstances, step.a);
  const Place b = resolve(circumstances, step.b);
  Place out = resolve(circumstances, step.out);
  if (step.row_axes) {
    form_ = Form::gathered;
    windows_ = Gather(a, 0, step.row_axes);
    a = as_matrix(a, windows_);
  } else if (step.out_row_axes) {
    form_ = Form::added;
    windows_ = Gather(out, 0, step.out_row_axes);
    if (lies_apart(out)) parts_ = out.extents[0];
    out = as_matrix(out, windows_);
  }
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
  if (form_ != Form::matrices) choose_box();
  count_units();
  const double rate = FLOPS_PER_NANOSECOND * 4 / static_cast<double>(item);
  work = 2.0 * static_cast<double>(matrix_count_ * product_.m) *
         static_cast<double>(product_.n) * static_cast<double>(product_.k + 1) / rate;
}

void ProductTask::count_units() {
  kernels_->product_tile(product_, &tile_rows_, &tile_columns_);
  if (form_ == Form::added) tile_rows_ = product_.m / parts_;
  const Index row_tiles = (product_.m + tile_rows_ - 1) / tile_rows_;
  const Index column_tiles = (product_.n + tile_columns_ - 1) / tile_columns_;
  product_scratch_ = scratch_of(product_.m, product_.n);
  for (const Index rows : {tile_rows_, product_.m})
    for (const Index columns : {tile_columns_, product_.n})
      product_scratch_ = std::max(product_scratch_, scratch_of(rows, columns));
  if (!columns_at_.empty()) {
    Product lines = product_;
    lines.m = windows_.box_rows(0, panel_rows_);
    lay_lines(0, lines);
    product_scratch_ = std::max(product_scratch_, kernels_->product_scratch(lines));
  }
  scratch_bytes = aligned(std::max(product_scratch_, kernels_->sparse_scratch(product_)));
  if (form_ == Form::added)
    scratch_bytes =
        std::max(scratch_bytes, aligned(kernels_->window_scratch(product_.dtype)));
  if (form_ != Form::matrices) take_box();
  // Of a large b each thread had better read its own columns alone.
  const Index b_bytes = product_.n * product_.k * item_size(product_.dtype);
  const bool is_flat = row_tiles < LEAST_TILES && row_tiles < column_tiles;
  by_columns_ = form_ == Form::matrices &&
                (is_flat || (b_bytes >= LARGE_BYTES && column_tiles >= LEAST_TILES));
  choose_packing();
  starts_slowly = product_scratch_ > 0 || packs_;
  units = matrix_count_ > 1 ? matrix_count_ : by_columns_ ? column_tiles : row_tiles;
  if (form_ == Form::matrices) panel_rows_ = product_.m;
}

// Whether b is read so often, and lies so badly for it, that a copy pays. Of one too large
// for a cache, kernels copy parts.
void ProductTask::choose_packing() {
  const Index row_bytes = product_.b_row * item_size(product_.dtype);
  const bool lies_badly = product_.b_column != 1 || row_bytes % FAR_BYTES == 0;
  const std::size_t bytes = kernels_->packed_bytes(product_);
  packs_ = form_ == Form::matrices && matrix_count_ == 1 && !by_columns_ && lies_badly &&
           product_.m >= PACKED_ROWS && bytes > 0 &&
           bytes <= static_cast<std::size_t>(LARGE_BYTES);
  if (packs_) take_packed();
}

// Room behind all else in scratch.
void ProductTask::take_packed() {
  pack_offset_ = scratch_bytes;
  scratch_bytes += aligned(kernels_->packed_bytes(product_));
}

// Where a box lies in scratch, and how a product sees it.
void ProductTask::choose_box() {
  const Index item = item_size(product_.dtype);
  const Index columns = windows_.columns();
  const Index row_bytes = std::max<Index>(columns * item, 1);
  const Index box_bytes = form_ == Form::added ? ADDED_BYTES : BOX_BYTES;
  panel_rows_ = std::clamp<Index>(box_bytes / row_bytes, 1, product_.m);
  if (form_ == Form::added) {
    product_.c_row = columns;
    segments_ = windows_.segments();
  } else {
    if (windows_.has_lines_for(product_.n)) {
      columns_at_ = windows_.columns_at();
      panel_rows_ = std::min(std::max(panel_rows_, LYING_ROWS), product_.m);
    }
    const bool near = windows_.has_near_columns();
    product_.a_row = near ? columns : 1;
    product_.a_column = near ? 1 : panel_rows_;
  }
}

std::size_t ProductTask::scratch_of(Index rows, Index columns) const {
  Product part = product_;
  part.m = std::min(rows, product_.m);
  part.n = std::min(columns, product_.n);
  return kernels_->product_scratch(part);
}

// A box behind what products want of scratch. A tail runs when both are done with.
void ProductTask::take_box() {
  box_offset_ = scratch_bytes;
  const Index row_bytes = windows_.columns() * item_size(product_.dtype);
  const Index most = std::max<Index>(row_bytes, sizeof(Index));  // or where the rows begin
  scratch_bytes += aligned(static_cast<std::size_t>(panel_rows_ * most));
}

bool ProductTask::takes_tail() const {
  return units > 0 && matrix_count_ == 1 && !by_columns_ && !tail_ && !adds_;
}

void ProductTask::take_tail(std::unique_ptr<MapTask> tail) {
  const Index row_bytes = product_.n * item_size(product_.dtype);
  // A panel reads all of b: of a large one the rows' way to the cache costs less.
  const bool small_b = row_bytes * product_.k <= LARGE_BYTES;
  if (form_ == Form::matrices && (product_scratch_ == 0 || packs_) && small_b &&
      row_bytes * product_.m > PANEL_BYTES * 3 / 2)
    panel_rows_ = rounded_up(std::max<Index>(PANEL_BYTES / row_bytes, 1), tile_rows_);
  work += tail->work;
  scratch_bytes = std::max(scratch_bytes, tail->scratch_bytes);
  if (packs_) take_packed();
  tail_ = std::move(tail);
}

std::size_t ProductTask::pack_at(std::size_t offset) {
  if (units == 0 || form_ != Form::matrices || matrix_count_ > 1) return 0;
  const std::size_t bytes = kernels_->packed_bytes(product_);
  if (bytes) packed_at_ = offset;
  return aligned(bytes);
}

void ProductTask::pack(const Frame& frame) const {
  kernels_->pack_factor(part(frame, nullptr, {}), frame.packed + *packed_at_);
}

bool ProductTask::run(const Frame& frame, std::byte* scratch, Index from, Index to) const {
  if (form_ != Form::matrices)
    run_boxes(frame, scratch, from, to);
  else if (matrix_count_ > 1)
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
  part.packed = packed_at_ ? frame.packed + *packed_at_ : nullptr;
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
    const Product product = part(frame, scratch, matrix);
    if (!kernels_->triangle_product(product)) kernels_->product(product);
  }
}

void ProductTask::run_panels(const Frame& frame, std::byte* scratch, Index from,
                             Index to) const {
  Product whole = part(frame, scratch, {});
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
  if (packs_ && !whole.packed && !is_sparse && rows.m >= PACKED_ROWS) {
    kernels_->pack_factor(whole, scratch + pack_offset_);
    whole.packed = scratch + pack_offset_;
  }
  // What gets ready for each panel had better have one.
  const bool gets_ready = is_sparse || (product_scratch_ > 0 && !whole.packed);
  const Index most = gets_ready ? rows.m : panel_rows_;
  for (Index row = from * tile_rows_; row < end; row += most) {
    Product panel = whole;
    panel.m = std::min(most, end - row);
    panel.a = a + row * product_.a_row * item;
    panel.c = c + row * product_.c_row * item;
    product(panel);
    if (tail_) tail_->run_rows(frame, scratch, row, row + panel.m, product_.n);
  }
}

// In boxes of rows: what is gathered comes from one, what is added goes through one.
void ProductTask::run_boxes(const Frame& frame, std::byte* scratch, Index from,
                            Index to) const {
  const Product whole = part(frame, scratch, {});
  const Index item = item_size(product_.dtype);
  const Index end = std::min(to * tile_rows_, product_.m);
  std::byte* const box = scratch + box_offset_;
  for (Index row = from * tile_rows_, count; row < end; row += count) {
    count = windows_.box_rows(row, std::min(panel_rows_, end - row));
    Product panel = whole;
    panel.m = count;
    if (form_ == Form::gathered) {
      panel.c = static_cast<std::byte*>(whole.c) + row * product_.c_row * item;
      run_gathered(panel, row, box);
    } else {
      panel.a = static_cast<const std::byte*>(whole.a) + row * product_.a_row * item;
      run_added(panel, row, box);
    }
    if (tail_) tail_->run_rows(frame, scratch, row, row + count, product_.n);
  }
}

// To where the rows' windows lie: each at once, if most numbers are 0, or through the box.
void ProductTask::run_added(Product& panel, Index row, std::byte* box) const {
  if (spread(panel, row, box)) return;
  const Product whole = panel;
  panel.c = box;
  run_product(panel);
  add(whole, row, panel.m, box);
}

void ProductTask::run_product(const Product& product) const {
  (kernels_->is_sparse(product) ? kernels_->sparse_product : kernels_->product)(product);
}

// Where the rows lie, if their lines allow; from a copy of them, if not, or if there are
// zeros to be skipped.
void ProductTask::run_gathered(Product& panel, Index row, std::byte* box) const {
  if (!columns_at_.empty()) {
    Product in_place = panel;
    in_place.a = static_cast<const std::byte*>(panel.a) + lay_lines(row, in_place);
    if (!kernels_->is_sparse(in_place)) return kernels_->product(in_place);
  }
  gather(panel, row, panel.m, box);
  panel.a = box;
  run_product(panel);
}

// Row by row, each straight to its window, where most numbers of the rows are 0.
bool ProductTask::spread(const Product& panel, Index row, std::byte* box) const {
  if (panel.a_column != 1 || panel.b_column != 1) return false;
  auto* const at = reinterpret_cast<Index*>(box);
  windows_.starts(row, panel.m, at);
  WindowSpread spread{};
  spread.dtype = panel.dtype;
  spread.rows = panel.m, spread.depth = panel.k;
  spread.segments = static_cast<Index>(segments_.size()), spread.run = windows_.run();
  spread.a = panel.a, spread.a_row = panel.a_row;
  spread.b = panel.b, spread.b_row = panel.b_row;
  spread.c = static_cast<std::byte*>(panel.c) + windows_.offset_of(row);
  spread.at = at;
  spread.segment_at = segments_.data();
  spread.scratch = panel.scratch;
  return kernels_->spread_windows(spread);
}

// How many bytes behind the start of a the first row of the product's is.
Index ProductTask::lay_lines(Index row, Product& product) const {
  Index offset;
  windows_.lay_lines(row, product.m, product, offset);
  product.a_at = columns_at_.data();
  return offset;
}

void ProductTask::gather(const Product& whole, Index row, Index count,
                         std::byte* box) const {
  const Index item = item_size(product_.dtype);
  Index offset;
  Copy copy =
      windows_.box(row, count, product_.a_row * item, product_.a_column * item, offset);
  copy.in = static_cast<const std::byte*>(whole.a) + offset;
  copy.out = box;
  kernels_->copy(copy);
}

void ProductTask::add(const Product& whole, Index row, Index count,
                      const std::byte* box) const {
  const Index item = item_size(product_.dtype);
  Index offset;
  Copy copy = windows_.box(row, count, product_.c_row * item, item, offset);
  std::swap(copy.in_strides, copy.out_strides);
  copy.in = box;
  copy.out = static_cast<std::byte*>(whole.c) + offset;
  kernels_->add_copy(product_.dtype, copy);
}

}  // namespace thalweg
