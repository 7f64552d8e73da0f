// Rows of tables by their numbers: taken, or added.
#include <cstring>

#include "tasks/dense.h"

namespace thalweg {

namespace {

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

}  // namespace

std::unique_ptr<Task> make_task(const Circumstances& circumstances, const IndexStep& step) {
  const Place in = resolve(circumstances, step.in);
  const Place indices = resolve(circumstances, step.indices);
  const Place out = resolve(circumstances, step.out);
  if (step.takes()) return std::make_unique<TakeTask>(circumstances, in, indices, out);
  return std::make_unique<ScatterAddTask>(circumstances, in, indices, out,
                                          is_total(circumstances.plan, step.out));
}

}  // namespace thalweg
