// Windows whose elements are worked on side by side: reduced, shared among, and added up.
#include "tasks/windows.h"

#include <algorithm>

#include "tasks/dense.h"

namespace thalweg {

namespace {

constexpr Index MOST_ELEMENTS = 64;  // of a window that is reduced so

// Places with windows, in three arrays or two.
class WindowTask final : public Task {
 public:
  using Kernel = void (*)(const Windows&);

  WindowTask(const Circumstances& circumstances, Opcode opcode,
             const std::array<bool, MAX_RANK>& gone, const Place& in, const Place& out,
             const Place* part)
      : kernel_(part ? circumstances.kernels.share_max
                     : circumstances.kernels.reduce_windows),
        in_(in.buffer),
        out_(out.buffer),
        part_(part ? part->buffer : 0),
        in_offset_(in.offset),
        out_offset_(out.offset),
        part_offset_(part ? part->offset : 0) {
    if (is_empty(in)) return;
    windows_.dtype = in.dtype;
    windows_.opcode = opcode;
    lay_out(gone, in, out, part ? *part : out);
    units = windows_.extents[0];
    work = 0.5 * static_cast<double>(bytes_of(in)) / BYTES_PER_NANOSECOND;
  }

  bool run(const Frame& frame, std::byte*, Index from, Index to) const override {
    Windows windows = windows_;
    windows.extents[0] = to - from;
    windows.in_elements = in_elements_.data();
    windows.out_elements = out_elements_.data();
    windows.in = frame.bases[in_] + in_offset_ + from * windows.in_strides[0];
    windows.out = frame.bases[out_] + out_offset_ + from * windows.out_strides[0];
    windows.part = frame.bases[part_] + part_offset_ + from * windows.part_strides[0];
    kernel_(windows);
    return true;
  }

 private:
  void lay_out(const std::array<bool, MAX_RANK>& gone, const Place& in, const Place& out,
               const Place& part) {
    Extents extents{}, ins{}, outs{}, parts{};
    int kept = 0;
    in_elements_ = out_elements_ = {0};
    const int last = in.rank - 1;
    const bool adjacent = are_adjacent({in, out, part}, last) && !gone[last];
    windows_.channels = adjacent ? in.extents[last] : 1;
    for (int axis = 0; axis < (adjacent ? last : in.rank); ++axis) {
      if (gone[static_cast<std::size_t>(axis)]) {
        multiply(in_elements_, in.extents[axis], in.strides[axis]);
        multiply(out_elements_, in.extents[axis], out.strides[axis]);
        continue;
      }
      extents[kept] = in.extents[axis];
      ins[kept] = in.strides[axis];
      outs[kept] = out.strides[axis];
      parts[kept++] = part.strides[axis];
    }
    windows_.elements = static_cast<Index>(in_elements_.size());
    windows_.rank = collapse(kept, extents, {&ins, &outs, &parts});
    if (windows_.rank == 0) extents[windows_.rank++] = 1;
    std::copy(extents.begin(), extents.end(), windows_.extents);
    std::copy(ins.begin(), ins.end(), windows_.in_strides);
    std::copy(outs.begin(), outs.end(), windows_.out_strides);
    std::copy(parts.begin(), parts.end(), windows_.part_strides);
  }

  static bool are_adjacent(const std::vector<Place>& places, int axis) {
    return std::all_of(places.begin(), places.end(), [&](const Place& place) {
      return place.extents[axis] == 1 || place.strides[axis] == item_size(place.dtype);
    });
  }

  // The elements along one axis more.
  static void multiply(std::vector<Index>& elements, Index extent, Index stride) {
    std::vector<Index> all;
    for (const Index element : elements)
      for (Index i = 0; i < extent; ++i) all.push_back(element + i * stride);
    elements = std::move(all);
  }

  Kernel kernel_;
  int in_, out_, part_;
  Index in_offset_, out_offset_, part_offset_;
  Windows windows_{};
  std::vector<Index> in_elements_, out_elements_;
};

class AddTask final : public Task {
 public:
  AddTask(const Circumstances& circumstances, const Place& in, const Place& out)
      : kernels_(&circumstances.kernels),
        dtype_(out.dtype),
        in_(in.buffer),
        out_(out.buffer),
        in_offset_(in.offset),
        out_offset_(out.offset) {
    if (is_empty(in)) return;
    copy_.item_size = item_size(out.dtype);
    copy_.rank = out.rank;
    std::copy_n(in.extents.begin(), in.rank, copy_.extents);
    std::copy_n(in.strides.begin(), in.rank, copy_.in_strides);
    std::copy_n(out.strides.begin(), out.rank, copy_.out_strides);
    axis_ = out.rows_axis;  // rows lie apart, and may be added at a time
    units = axis_ < 0 ? 1 : copy_.extents[axis_];
    work = static_cast<double>(bytes_of(in)) / BYTES_PER_NANOSECOND;
  }

  bool run(const Frame& frame, std::byte*, Index from, Index to) const override {
    Copy copy = copy_;
    const std::byte* in = frame.bases[in_] + in_offset_;
    std::byte* out = frame.bases[out_] + out_offset_;
    if (axis_ >= 0) {
      in += from * copy.in_strides[axis_];
      out += from * copy.out_strides[axis_];
      copy.extents[axis_] = to - from;
    }
    copy.in = in;
    copy.out = out;
    kernels_->add_copy(dtype_, copy);
    return true;
  }

 private:
  const Kernels* kernels_;
  Dtype dtype_;
  int in_, out_;
  Index in_offset_, out_offset_;
  Copy copy_{};
  int axis_ = -1;
};

}  // namespace

bool is_of_windows(const Circumstances& circumstances, const ReduceStep& step,
                   const Place& in) {
  if (step.opcode == Opcode::argmax || is_total(circumstances.plan, step.out)) return false;
  const int last = in.rank - 1;
  if (last < 1 || step.reduced[static_cast<std::size_t>(last)]) return false;
  if (in.strides[last] != item_size(in.dtype)) return false;
  Index elements = 1, first = last;
  for (int axis = last - 1; axis >= 0; --axis)
    if (step.reduced[static_cast<std::size_t>(axis)]) {
      elements *= in.extents[axis];
      first = axis;
    }
  return first > 0 && first < last && elements <= MOST_ELEMENTS;
}

std::unique_ptr<Task> make_window_task(const Circumstances& circumstances,
                                       const ReduceStep& step, const Place& in,
                                       const Place& out) {
  return std::make_unique<WindowTask>(circumstances, step.opcode, step.reduced, in, out,
                                      nullptr);
}

std::unique_ptr<Task> make_task(const Circumstances& circumstances, const ShareStep& step) {
  const Place part = resolve(circumstances, step.part);
  return std::make_unique<WindowTask>(circumstances, Opcode::max, step.shared,
                                      resolve(circumstances, step.in),
                                      resolve(circumstances, step.out), &part);
}

std::unique_ptr<Task> make_task(const Circumstances& circumstances, const AddStep& step) {
  return std::make_unique<AddTask>(circumstances, resolve(circumstances, step.in),
                                   resolve(circumstances, step.out));
}

}  // namespace thalweg
