// What the blocks of a run add up. Each shard has sums of its own, so that no thread waits
// for another, and they are added in an order that no number of threads changes.
#pragma once

#include <vector>

#include "core/part.h"
#include "platform/threads.h"

namespace thalweg {

class Totals {
 public:
  Totals(const Part& part, const Kernels& kernels);

  bool empty() const { return buffers_.empty(); }
  std::size_t memory() const { return others_.size(); }

  // Takes memory for so many shards. Throws std::bad_alloc.
  void take(Index shards);

  // Points to the sums of a shard: those of the first are what is bound.
  void place(Index shard, std::vector<std::byte*>& bases) const;

  // Where there is no row.
  void zero() const;

  // Adds all sums up in those of the first shard.
  void combine(Index shards, Team& team) const;

 private:
  std::byte* of(std::size_t buffer, Index shard) const;
  void combine_range(std::size_t buffer, Index shards, Index from, Index to) const;

  const Part& part_;
  const Kernels& kernels_;
  std::vector<std::size_t> buffers_;  // of the plan
  std::vector<std::size_t> at_;       // by the same
  std::size_t bytes_ = 0;             // of a shard
  Memory others_;                     // of all shards but the first
};

}  // namespace thalweg
