#include "core/totals.h"

#include <algorithm>
#include <cstring>

namespace thalweg {

namespace {

constexpr Index COMBINED_AT_ONCE = 8192;  // elements

}  // namespace

Totals::Totals(const Part& part, const Kernels& kernels)
    : part_(part), kernels_(kernels), at_(part.plan().buffers.size()) {
  const std::vector<Buffer>& all = part.plan().buffers;
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].kind != BufferKind::total) continue;
    buffers_.push_back(i);
    at_[i] = bytes_;
    bytes_ += aligned(static_cast<std::size_t>(all[i].bytes));
  }
}

void Totals::take(Index shards) {
  if (empty() || shards <= 1) return;
  const std::size_t bytes = bytes_ * static_cast<std::size_t>(shards - 1);
  if (others_.size() < bytes) others_ = Memory(bytes);
}

std::byte* Totals::of(std::size_t buffer, Index shard) const {
  if (shard == 0) return part_.bases()[buffer];
  const auto before = static_cast<std::size_t>(shard - 1) * bytes_;
  return others_.data() + before + at_[buffer];
}

void Totals::place(Index shard, std::vector<std::byte*>& bases) const {
  for (const std::size_t buffer : buffers_) bases[buffer] = of(buffer, shard);
}

void Totals::zero() const {
  for (const std::size_t buffer : buffers_)
    std::memset(of(buffer, 0), 0,
                static_cast<std::size_t>(part_.plan().buffers[buffer].bytes));
}

// Shard i + 1 is added to shard i, then i + 2 to i, and so on: a tree of fixed form. Each
// range of elements goes through all of it on one thread.
void Totals::combine(Index shards, Team& team) const {
  for (const std::size_t buffer : buffers_) {
    const Buffer& of = part_.plan().buffers[buffer];
    const Index count = of.bytes / item_size(of.dtype);
    const Index pieces = (count + COMBINED_AT_ONCE - 1) / COMBINED_AT_ONCE;
    team.share(pieces, [&](int, Index piece) {
      const Index from = piece * COMBINED_AT_ONCE;
      combine_range(buffer, shards, from, std::min(from + COMBINED_AT_ONCE, count));
    });
  }
}

void Totals::combine_range(std::size_t buffer, Index shards, Index from, Index to) const {
  const Dtype dtype = part_.plan().buffers[buffer].dtype;
  const Index start = from * item_size(dtype);
  for (Index apart = 1; apart < shards; apart *= 2)
    for (Index shard = 0; shard + apart < shards; shard += 2 * apart)
      kernels_.accumulate(dtype, to - from, of(buffer, shard) + start,
                          of(buffer, shard + apart) + start);
}

}  // namespace thalweg
