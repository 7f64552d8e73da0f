// Copies, zeros, rows of tables, random bits.
#include <cstring>

#include "platform/memory.h"
#include "tasks/task.h"

namespace thalweg {

namespace {

Index count_elements(const Place& place) {
  Index count = 1;
  for (int axis = 0; axis < place.rank; ++axis) count *= place.extents[axis];
  return count;
}

Index bytes_of(const Place& place) {
  return count_elements(place) * item_size(place.dtype);
}

// A copy between places of the same extents, its pointers still missing. The result's are
// those of the block: what stands still along its rows has those of any block.
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

Place made_dense(const Place& place) {
  Place dense = place;
  Index stride = item_size(place.dtype);
  for (int axis = place.rank - 1; axis >= 0; --axis) {
    dense.strides[axis] = stride;
    stride *= place.extents[axis];
  }
  return dense;
}

// A place as elements in order: where it lies, or copied to scratch.
class Dense {
 public:
  Dense(const Circumstances& circumstances, const Place& place, std::size_t& scratch_bytes)
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

  bool moves() const { return moves_; }

  std::byte* where(const Frame& frame, std::byte* scratch) const {
    return moves_ ? scratch + scratch_ : frame.bases[buffer_] + offset_;
  }

  std::byte* read(const Frame& frame, std::byte* scratch) const {
    if (moves_) move(in_, frame.bases[buffer_] + offset_, scratch + scratch_);
    return where(frame, scratch);
  }

  void write(const Frame& frame, std::byte* scratch) const {
    if (moves_) move(out_, scratch + scratch_, frame.bases[buffer_] + offset_);
  }

 private:
  void move(Copy copy, const std::byte* in, std::byte* out) const {
    copy.in = in;
    copy.out = out;
    kernels_->copy(copy);
  }

  const Kernels* kernels_;
  int buffer_;
  Index offset_;
  bool moves_;
  std::size_t scratch_;
  Copy in_{}, out_{};
};

class CopyTask final : public Task {
 public:
  // in: null for zeros.
  CopyTask(const Circumstances& circumstances, const Place* in, const Place& out,
           bool is_total)
      : kernels_(&circumstances.kernels),
        zeros_(!in),
        total_(is_total),
        in_(in ? in->buffer : 0),
        out_(out.buffer),
        in_offset_(in ? in->offset : 0),
        out_offset_(out.offset),
        dtype_(out.dtype),
        addend_(circumstances, in ? *in : out, scratch_bytes) {
    if (is_empty(out)) return;
    Place source = in ? *in : out;
    if (zeros_) source.strides = {};
    copy_ = copy_between(source, out);
    if (copy_.rank == 0) {
      copy_.rank = 1;
      copy_.extents[0] = 1;
      copy_.in_strides[0] = copy_.out_strides[0] = copy_.item_size;
      if (zeros_) copy_.in_strides[0] = 0;
    }
    const Index item = copy_.item_size;
    dense_ = copy_.rank == 1 && copy_.out_strides[0] == item &&
             (zeros_ || copy_.in_strides[0] == item);
    const bool is_whole = total_ && !zeros_ && addend_.moves();
    units = is_whole ? 1 : copy_.extents[0];
    whole_ = is_whole;
    grain = copy_.rank == 1 ? 64 : 1;
    work = static_cast<double>(bytes_of(out)) / BYTES_PER_NANOSECOND;
  }

  bool run(const Frame& frame, std::byte* scratch, Index from, Index to) const override {
    const bool adds = total_ && frame.adds;
    if (adds && zeros_) return true;
    std::byte* const out = frame.bases[out_] + out_offset_;
    if (adds)
      add(frame, scratch, out, from, to);
    else
      copy(frame, out, from, to);
    return true;
  }

 private:
  void add(const Frame& frame, std::byte* scratch, std::byte* out, Index from,
           Index to) const {
    const std::byte* const in = addend_.read(frame, scratch);
    Index each = 1;
    for (int axis = whole_ ? 0 : 1; axis < copy_.rank; ++axis) each *= copy_.extents[axis];
    const Index start = from * each * copy_.item_size;
    kernels_->accumulate(dtype_, (to - from) * each, out + start, in + start);
  }

  void copy(const Frame& frame, std::byte* out, Index from, Index to) const {
    static const double zero = 0;
    auto* const in =
        zeros_ ? reinterpret_cast<const std::byte*>(&zero) : frame.bases[in_] + in_offset_;
    Copy copy = copy_;
    if (!whole_) copy.extents[0] = to - from;
    copy.in = in + from * copy_.in_strides[0];
    copy.out = out + from * copy_.out_strides[0];
    const auto bytes = static_cast<std::size_t>(copy.extents[0] * copy_.item_size);
    if (!dense_)
      kernels_->copy(copy);
    else if (zeros_)
      std::memset(copy.out, 0, bytes);
    else
      std::memmove(copy.out, copy.in, bytes);
  }

  const Kernels* kernels_;
  bool zeros_, total_, dense_ = false, whole_ = false;
  int in_, out_;
  Index in_offset_, out_offset_;
  Dtype dtype_;
  Dense addend_;
  Copy copy_{};
};

class TakeTask final : public Task {
 public:
  TakeTask(const Circumstances& circumstances, const Place& table, const Place& indices,
           const Place& out)
      : kernels_(&circumstances.kernels),
        table_(table.buffer),
        table_offset_(table.offset),
        table_stride_(table.strides[0]),
        rows_(table.extents[0]),
        indices_(circumstances, indices, scratch_bytes),
        out_(circumstances, out, scratch_bytes) {
    if (is_empty(out)) return;
    count_ = count_elements(indices);
    row_bytes_ = bytes_of(out) / count_;
    whole_ = indices_.moves() || out_.moves();
    units = whole_ ? 1 : count_;
    work = static_cast<double>(bytes_of(out)) / BYTES_PER_NANOSECOND;
  }

  bool run(const Frame& frame, std::byte* scratch, Index from, Index to) const override {
    const auto* const indices =
        reinterpret_cast<const std::int32_t*>(indices_.read(frame, scratch));
    std::byte* const out = out_.where(frame, scratch);
    const Index first = whole_ ? 0 : from;
    const Index count = whole_ ? count_ : to - from;
    const bool good =
        kernels_->take(count, row_bytes_, frame.bases[table_] + table_offset_,
                       table_stride_, rows_, indices + first, out + first * row_bytes_);
    out_.write(frame, scratch);
    return good;
  }

 private:
  const Kernels* kernels_;
  int table_;
  Index table_offset_, table_stride_, rows_;
  Dense indices_, out_;
  Index count_ = 0, row_bytes_ = 0;
  bool whole_ = false;
};

class ScatterAddTask final : public Task {
 public:
  ScatterAddTask(const Circumstances& circumstances, const Place& x, const Place& indices,
                 const Place& out, bool is_total)
      : kernels_(&circumstances.kernels),
        total_(is_total),
        dtype_(out.dtype),
        x_(circumstances, x, scratch_bytes),
        indices_(circumstances, indices, scratch_bytes),
        out_(out.buffer),
        out_offset_(out.offset),
        out_bytes_(bytes_of(out)),
        rows_(out.extents[0]),
        count_(count_elements(indices)) {
    if (is_empty(out) && count_ == 0) return;
    width_ = 1;
    for (int axis = 1; axis < out.rank; ++axis) width_ *= out.extents[axis];
    units = 1;
    work = static_cast<double>(bytes_of(x) + out_bytes_) / BYTES_PER_NANOSECOND;
  }

  bool run(const Frame& frame, std::byte* scratch, Index, Index) const override {
    std::byte* const out = frame.bases[out_] + out_offset_;
    if (!(total_ && frame.adds)) std::memset(out, 0, static_cast<std::size_t>(out_bytes_));
    if (count_ == 0) return true;
    const auto* const indices =
        reinterpret_cast<const std::int32_t*>(indices_.read(frame, scratch));
    return kernels_->scatter_add(dtype_, count_, width_, x_.read(frame, scratch), indices,
                                 rows_, out);
  }

 private:
  const Kernels* kernels_;
  bool total_;
  Dtype dtype_;
  Dense x_, indices_;
  int out_;
  Index out_offset_, out_bytes_, rows_, count_, width_ = 0;
};

class RandomBitsTask final : public Task {
 public:
  RandomBitsTask(const Circumstances& circumstances, const RandomBitsStep& step,
                 const Place& out)
      : kernels_(&circumstances.kernels), step_(step) {
    const Index count = count_elements(out);
    if (count == 0) return;
    if (step.out.rows_axis == 0) row_elements_ = count / circumstances.rows;
    units = count;
    grain = 64;
    work = 0.5 * static_cast<double>(count);
  }

  bool run(const Frame& frame, std::byte*, Index from, Index to) const override {
    std::uint32_t seed, step;
    std::memcpy(&seed, frame.bases[step_.seed.buffer] + step_.seed.offset, sizeof seed);
    std::memcpy(&step, frame.bases[step_.step.buffer] + step_.step.offset, sizeof step);
    auto* const out =
        reinterpret_cast<std::uint32_t*>(frame.bases[step_.out.buffer] + step_.out.offset);
    kernels_->random_bits(seed, step, step_.operation,
                          frame.first_row * row_elements_ + from, to - from, out + from);
    return true;
  }

 private:
  const Kernels* kernels_;
  RandomBitsStep step_;
  Index row_elements_ = 0;
};

}  // namespace

std::unique_ptr<Task> make_task(const Circumstances& circumstances, const CopyStep& step) {
  const Place in = resolve(circumstances, step.in);
  return std::make_unique<CopyTask>(circumstances, &in, resolve(circumstances, step.out),
                                    is_total(circumstances.plan, step.out));
}

std::unique_ptr<Task> make_task(const Circumstances& circumstances, const ZeroStep& step) {
  return std::make_unique<CopyTask>(circumstances, nullptr,
                                    resolve(circumstances, step.out),
                                    is_total(circumstances.plan, step.out));
}

std::unique_ptr<Task> make_task(const Circumstances& circumstances, const TakeStep& step) {
  return std::make_unique<TakeTask>(circumstances, resolve(circumstances, step.table),
                                    resolve(circumstances, step.indices),
                                    resolve(circumstances, step.out));
}

std::unique_ptr<Task> make_task(const Circumstances& circumstances,
                                const ScatterAddStep& step) {
  return std::make_unique<ScatterAddTask>(
      circumstances, resolve(circumstances, step.x), resolve(circumstances, step.indices),
      resolve(circumstances, step.out), is_total(circumstances.plan, step.out));
}

std::unique_ptr<Task> make_task(const Circumstances& circumstances,
                                const RandomBitsStep& step) {
  return std::make_unique<RandomBitsTask>(circumstances, step,
                                          resolve(circumstances, step.out));
}

}  // namespace thalweg
