// Copies and zeros.
#include <cstring>

#include "tasks/dense.h"

namespace thalweg {

namespace {

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

}  // namespace thalweg
