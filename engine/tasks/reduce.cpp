// Sums, maxima and their positions: any axes, as loops around the kernel's three.
#include <algorithm>

#include "platform/memory.h"
#include "tasks/task.h"
#include "tasks/windows.h"

namespace thalweg {

namespace {

class ReduceTask final : public Task {
 public:
  ReduceTask(const Circumstances& circumstances, const ReduceStep& step, const Place& in,
             const Place& out)
      : kernels_(&circumstances.kernels),
        in_(in.buffer),
        out_(out.buffer),
        in_offset_(in.offset),
        out_offset_(out.offset),
        adds_(is_total(circumstances.plan, step.out)) {
    call_.opcode = step.opcode;
    call_.dtype = in.dtype;
    extents_ = in.extents;
    in_strides_ = in.strides;
    lay_out_result(step, out);
    rank_ = collapse(in.rank, extents_, {&in_strides_, &out_strides_});
    if (step.opcode == Opcode::max && reduced_axes() > 1) gather_first(in);
    choose_axes();
    double elements = 1;
    for (int axis = 0; axis < rank_; ++axis)
      elements *= static_cast<double>(extents_[axis]);
    work = 0.1 * elements;
  }

  bool run(const Frame& frame, std::byte* scratch, Index from, Index to) const override {
    const std::byte* in = frame.bases[in_] + in_offset_;
    if (gathers_) {
      Copy copy = gather_;
      copy.in = in;
      copy.out = scratch;
      kernels_->copy(copy);
      in = scratch;
    }
    Reduction call = call_;
    call.in = in;
    call.out = frame.bases[out_] + out_offset_;
    call.accumulate = adds_ && frame.adds;
    if (loops_) {
      loop(call, 0);
      return true;
    }
    cut(call, from, to);
    kernels_->reduce(call);
    return true;
  }

 private:
  bool is_reduced(int axis) const { return out_strides_[axis] == 0; }

  int reduced_axes() const {
    int count = 0;
    for (int axis = 0; axis < rank_; ++axis) count += is_reduced(axis);
    return count;
  }

  // The result's strides by the axes of what is reduced: 0 along those that go.
  void lay_out_result(const ReduceStep& step, const Place& out) {
    int at = 0;
    for (int axis = 0; axis < step.in.rank; ++axis) {
      const bool gone = step.reduced[static_cast<std::size_t>(axis)];
      out_strides_[axis] = gone ? 0 : out.strides[at];
      at += !(gone && step.opcode == Opcode::argmax);
    }
  }

  // Brings the axes that go to the end, where they are one.
  void gather_first(const Place& in) {
    gathers_ = true;
    gather_.item_size = item_size(in.dtype);
    gather_.rank = rank_;
    Extents out_strides{};
    int at = 0;
    for (const bool reduced : {false, true})
      for (int axis = 0; axis < rank_; ++axis) {
        if (is_reduced(axis) != reduced) continue;
        gather_.extents[at] = extents_[axis];
        gather_.in_strides[at] = in_strides_[axis];
        out_strides[at++] = out_strides_[axis];
      }
    Index stride = gather_.item_size;
    for (int axis = rank_ - 1; axis >= 0; --axis) {
      gather_.out_strides[axis] = in_strides_[axis] = stride;
      extents_[axis] = gather_.extents[axis];
      stride *= extents_[axis];
    }
    out_strides_ = out_strides;
    scratch_bytes = aligned(static_cast<std::size_t>(stride));
    rank_ = collapse(rank_, extents_, {&in_strides_, &out_strides_});
  }

  // The kernel's length is the last axis that goes, its inner one the last axis, its
  // outer one the longest that stays besides. The others are looped over.
  void choose_axes() {
    call_.outer = call_.length = call_.inner = 1;
    int length = rank_ - 1;
    while (length >= 0 && !is_reduced(length)) --length;
    const int inner = rank_ - 1 > length ? rank_ - 1 : -1;
    int outer = -1;
    for (int axis = 0; axis < rank_; ++axis)
      if (axis != inner && !is_reduced(axis) &&
          (outer < 0 || extents_[axis] > extents_[outer]))
        outer = axis;
    if (length >= 0) {
      call_.length = extents_[length];
      call_.in_length = in_strides_[length];
    }
    if (inner >= 0) {
      call_.inner = extents_[inner];
      call_.in_inner = in_strides_[inner];
      call_.out_inner = out_strides_[inner];
    }
    if (outer >= 0) {
      call_.outer = extents_[outer];
      call_.in_outer = in_strides_[outer];
      call_.out_outer = out_strides_[outer];
    }
    for (int axis = 0; axis < rank_; ++axis)
      if (axis != length && axis != inner && axis != outer) loop_axes_[loops_++] = axis;
    const bool is_whole = loops_ || gathers_;
    by_inner_ = call_.outer == 1;
    units = is_whole ? 1 : by_inner_ ? call_.inner : call_.outer;
    grain = by_inner_ ? 64 : 1;
  }

  void cut(Reduction& call, Index from, Index to) const {
    if (units == 1) return;
    auto* const in = static_cast<const std::byte*>(call.in);
    auto* const out = static_cast<std::byte*>(call.out);
    (by_inner_ ? call.inner : call.outer) = to - from;
    call.in = in + from * (by_inner_ ? call.in_inner : call.in_outer);
    call.out = out + from * (by_inner_ ? call.out_inner : call.out_outer);
  }

  // A part beyond the first along an axis that goes is added to the parts before it.
  void loop(const Reduction& call, int depth) const {
    if (depth == loops_) {
      kernels_->reduce(call);
      return;
    }
    const int axis = loop_axes_[static_cast<std::size_t>(depth)];
    Reduction part = call;
    for (Index i = 0; i < extents_[axis]; ++i) {
      part.in = static_cast<const std::byte*>(call.in) + i * in_strides_[axis];
      part.out = static_cast<std::byte*>(call.out) + i * out_strides_[axis];
      part.accumulate = call.accumulate || (i > 0 && is_reduced(axis));
      loop(part, depth + 1);
    }
  }

  const Kernels* kernels_;
  int in_, out_;
  Index in_offset_, out_offset_;
  bool adds_;
  Reduction call_{};
  int rank_ = 0;
  Extents extents_{}, in_strides_{}, out_strides_{};
  int loops_ = 0;
  std::array<int, MAX_RANK> loop_axes_{};
  bool by_inner_ = false;
  bool gathers_ = false;
  Copy gather_{};
};

}  // namespace

std::unique_ptr<Task> make_task(const Circumstances& circumstances,
                                const ReduceStep& step) {
  const Place in = resolve(circumstances, step.in);
  const Place out = resolve(circumstances, step.out);
  // A sum of nothing.
  if (is_empty(in) || is_empty(out)) return make_task(circumstances, ZeroStep{step.out});
  if (is_of_windows(circumstances, step, in))
    return make_window_task(circumstances, step, in, out);
  return std::make_unique<ReduceTask>(circumstances, step, in, out);
}

}  // namespace thalweg
