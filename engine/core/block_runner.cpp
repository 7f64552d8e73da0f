#include "core/block_runner.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace thalweg {

BlockRunner::BlockRunner(Part& part, Index shards, const Kernels& kernels,
                         const Buffers& buffers, Workers& workers, TaskRunner& tasks)
    : part_(part),
      most_shards_(shards),
      workers_(workers),
      tasks_(tasks),
      rows_(part, kernels, buffers),
      totals_(part, kernels) {
  for (const Buffer& buffer : part.plan().buffers)
    writes_whole_ |= buffer.kind == BufferKind::whole && buffer.written;
}

void BlockRunner::check_one_block(Index rows) const {
  if (writes_whole_ && blocks(rows) > 1)
    throw std::invalid_argument("a plan that writes a whole buffer has one block, of " +
                                std::to_string(part_.plan().rows) +
                                " rows, but the run has " + std::to_string(rows));
}

void BlockRunner::check_all_rows(Index rows) const {
  if (part_.needs_all_rows() && rows != part_.plan().rows)
    throw std::invalid_argument("the program is one for " +
                                std::to_string(part_.plan().rows) +
                                " rows, but the run has " + std::to_string(rows));
}

Index BlockRunner::blocks(Index rows) const {
  const Index each = part_.plan().rows;
  return each ? (rows + each - 1) / each : 1;
}

// Blocks that add nothing up don't depend on each other.
Index BlockRunner::shards(Index rows) const {
  return totals_.empty() ? blocks(rows) : std::min(most_shards_, blocks(rows));
}

std::size_t BlockRunner::prepare(Index rows) {
  if (shards(rows) == 0) return 0;
  const Index each = part_.plan().rows;
  const Index last = each ? rows - (blocks(rows) - 1) * each : 0;
  part_.ready(last);
  full_ = &part_.ready(blocks(rows) > 1 ? each : last);
  last_ = &part_.ready(last);
  return std::max(full_->scratch_bytes, last_->scratch_bytes);
}

bool BlockRunner::divides(Index rows) const {
  const Index count = shards(rows);
  return count > 1 ||
         (count == 1 && (TaskRunner::divides(*full_) || TaskRunner::divides(*last_)));
}

bool BlockRunner::run(const Batch& batch, Team& team, Watch& watch) {
  const Index count = shards(batch.rows);
  if (count == 0) {
    totals_.zero();
    return true;
  }
  stop_.store(false, std::memory_order_relaxed);
  const bool is_whole = count == 1 ? run_shard(batch, 0, 0, &team, &watch)
                                   : run_shards(batch, count, team, watch);
  tasks_.throw_if_index_bad(part_);
  if (is_whole && count > 1) totals_.combine(count, team);
  return is_whole;
}

bool BlockRunner::run_shards(const Batch& batch, Index shards, Team& team, Watch& watch) {
  team.share(shards, [&](int worker, Index shard) {
    if (stop_.load(std::memory_order_relaxed)) return;
    if (!run_shard(batch, shard, worker, nullptr, worker ? nullptr : &watch))
      stop_.store(true, std::memory_order_relaxed);
  });
  return !stop_.load(std::memory_order_relaxed);
}

// Runs a shard's blocks; only the first worker watches. With a team, the tasks are cut.
bool BlockRunner::run_shard(const Batch& batch, Index shard, int number, Team* team,
                            Watch* watch) {
  Worker& worker = workers_[static_cast<std::size_t>(number)];
  const Index count = shards(batch.rows);
  const Index blocks = this->blocks(batch.rows);
  const Index each = part_.plan().rows ? part_.plan().rows : batch.rows;
  std::copy(part_.bases().begin(), part_.bases().end(), worker.bases.begin());
  worker.bases[0] = worker.arena.data();
  totals_.place(shard, worker.bases);
  const Index start = blocks * shard / count;
  const Index end = blocks * (shard + 1) / count;
  for (Index block = start; block < end; ++block) {
    const bool is_last = block == blocks - 1;
    const Index first = block * each;
    const Index rows = is_last ? batch.rows - first : each;
    if (!rows_.place(batch, first, rows, worker)) {
      tasks_.say_order_is_bad();
      return false;
    }
    const Frame frame{worker.bases.data(), first, block > start};
    const Ready& ready = is_last ? *last_ : *full_;
    if (!tasks_.run(part_, ready, frame, number, team, watch)) return false;
    if (stop_.load(std::memory_order_relaxed) || tasks_.has_bad_index()) return false;
  }
  return true;
}

}  // namespace thalweg
