// Runs a plan on the rows of a batch: block after block, in shards that threads share. How
// many shards there are follows from the rows alone, so the bits are the same for any
// number of threads.
#pragma once

#include <atomic>

#include "core/block_rows.h"
#include "core/task_runner.h"
#include "core/totals.h"

namespace thalweg {

class BlockRunner {
 public:
  BlockRunner(Part& part, Index shards, const Kernels& kernels, const Buffers& buffers,
              Workers& workers, TaskRunner& tasks);

  // These throw std::invalid_argument.
  void check_bound_rows(Index rows) const { rows_.check(rows); }
  void check_one_block(Index rows) const;
  void check_all_rows(Index rows) const;

  Index shards(Index rows) const;
  void set_moves(bool has_order) { rows_.set_moves(has_order); }

  // Makes the tasks for a batch of so many rows; returns the bytes of scratch they want.
  std::size_t prepare(Index rows);
  std::size_t staging_bytes() const { return rows_.staging_bytes(); }
  void take_totals(Index rows) { totals_.take(shards(rows)); }
  std::size_t memory() const { return totals_.memory(); }

  // Whether a second thread has anything to do, once it is prepared.
  bool divides(Index rows) const;

  // False if the watch ended it; throws std::out_of_range.
  bool run(const Batch& batch, Team& team, Watch& watch);

 private:
  Index blocks(Index rows) const;
  bool run_shards(const Batch& batch, Index shards, Team& team, Watch& watch);
  bool run_shard(const Batch& batch, Index shard, int worker, Team* team, Watch* watch);

  Part& part_;
  const Index most_shards_;
  Workers& workers_;
  TaskRunner& tasks_;
  BlockRows rows_;
  Totals totals_;
  bool writes_whole_ = false;
  const Ready *full_ = nullptr, *last_ = nullptr;  // of blocks, and of the last of them
  std::atomic<bool> stop_{false};
};

}  // namespace thalweg
