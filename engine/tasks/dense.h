// Places as elements in order, and copies between them.
#pragma once

#include "tasks/task.h"

namespace thalweg {

Index count_elements(const Place& place);

Index bytes_of(const Place& place);

// A copy between places of the same extents, its pointers still missing. The result's are
// those of the block: what stands still along its rows has those of any block.
Copy copy_between(const Place& in, const Place& out);

// A place as elements in order: where it lies, or copied to scratch.
class Dense {
 public:
  Dense(const Circumstances& circumstances, const Place& place, std::size_t& scratch_bytes);

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

}  // namespace thalweg
