// Running blocks of rows, shard by shard, and adding up what the shards give.
#include "core/execute.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace thalweg {

namespace {

constexpr double WORTH_CUTTING = 18000;   // nanoseconds of work of a task
constexpr double GOOD_PIECE = 50000;      // the same
constexpr Index PIECES_PER_THREAD = 4;    // at most
constexpr Index COMBINED_AT_ONCE = 8192;  // elements

Index rounded_up(Index n, Index multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

bool is_worth_cutting(const Task& task) {
  return task.work >= WORTH_CUTTING && task.units > task.grain;
}

}  // namespace

bool Program::run(Index rows, const Threads& threads, const Poll& poll) {
  check_bound();
  check_apart();
  check_rows(rows);
  check_one_block(rows);
  set_moves(false);
  const Batch batch{0, rows, nullptr};
  Watch watch(poll);
  if (threads.adapts) return run_adapting(batch, threads.most, watch);
  Team team(threads.most);
  prepare(batch, team.size());
  return run_batch(batch, team, watch);
}

bool Program::run_adapting(const Batch& batch, int most, Watch& watch) {
  prepare(batch, 1);
  ThreadChoice* const choice = choose(batch, most);
  const int wanted = choice ? choice->threads() : 1;
  const auto start = Watch::Clock::now();
  Team team(wanted);
  if (team.size() > 1) prepare(batch, team.size());
  const bool is_whole = run_batch(batch, team, watch);
  const std::chrono::duration<double, std::nano> passed = Watch::Clock::now() - start;
  if (choice && is_whole && team.size() == wanted) choice->took(passed.count());
  return is_whole;
}

bool Program::run_batch(const Batch& batch, Team& team, Watch& watch) {
  return run_part(before_.get(), team, &watch) && run_block(batch, team, watch) &&
         run_part(after_.get(), team, &watch);
}

bool Program::run_part(Part* part, Team& team, Watch* watch) {
  if (!part) return true;
  const Frame frame{part->bases.data(), 0, false};
  std::byte* const scratch = workers_[0].scratch.data();
  const bool ends = !run_tasks(*part, *part->ready.back(), frame, scratch, &team, watch);
  throw_if_index_bad(*part);
  return !ends;
}

// --- tasks ---------------------------------------------------------------------------

// Runs tasks in order, those that are worth it cut over the team; false if the watch or an
// index outside its table ends it. What is kept for the next run is written as a whole:
// once begun, it is done, and no child is forked that would find a half of it.
bool Program::run_tasks(const Part& part, const Ready& ready, const Frame& frame,
                        std::byte* scratch, Team* team, Watch* watch) {
  if (timings_) {
    time_tasks(part, ready, frame, scratch, team);
    return true;
  }
  std::optional<NoFork> keeping;
  for (const auto& task : ready.tasks) {
    if (!keeping && task->step >= part.first_keeping) {
      keeping.emplace();
      watch = nullptr;
    }
    run_task(*task, frame, scratch, team);
    // Nothing more is computed from rows that don't exist.
    if (bad_step_.load(std::memory_order_relaxed) >= 0) return false;
    if (watch && watch->after(task->work)) return false;
  }
  return true;
}

void Program::run_task(const Task& task, const Frame& frame, std::byte* scratch,
                       Team* team) {
  if (team && team->used() > 1 && is_worth_cutting(task))
    cut(task, frame, *team);
  else if (!task.run(frame, scratch, 0, task.units))
    bad_step_.store(task.step, std::memory_order_relaxed);
}

void Program::cut(const Task& task, const Frame& frame, Team& team) {
  const Index size = team.used();
  const auto good = static_cast<Index>(task.work / GOOD_PIECE) / size;
  const Index for_each =
      task.starts_slowly ? 1 : std::clamp<Index>(good, 1, PIECES_PER_THREAD);
  const Index wanted = size * for_each;
  const Index each = rounded_up((task.units + wanted - 1) / wanted, task.grain);
  const Index pieces = (task.units + each - 1) / each;
  team.share(pieces, [&](int worker, Index piece) {
    std::byte* const scratch = workers_[static_cast<std::size_t>(worker)].scratch.data();
    const Index from = piece * each;
    if (!task.run(frame, scratch, from, std::min(from + each, task.units)))
      bad_step_.store(task.step, std::memory_order_relaxed);
  });
}

// Whether a run gives a second thread anything to do.
bool Program::divides(const Batch& batch) const {
  const Index shards = block_ ? count_shards(batch.rows) : 0;
  if (shards > 1) return true;
  const auto any = [](const Ready& ready) {
    return std::any_of(ready.tasks.begin(), ready.tasks.end(),
                       [](const auto& task) { return is_worth_cutting(*task); });
  };
  for (const Part* const part : {before_.get(), after_.get()})
    if (part && any(*part->ready.back())) return true;
  return shards && (any(*full_) || any(*last_));
}

// How many threads runs of so many rows take; null: none but the first has anything to do.
// What earlier runs of as many rows taught holds on.
ThreadChoice* Program::choose(const Batch& batch, int most) {
  if (most < 2 || !divides(batch)) return nullptr;
  if (!choice_ || choice_rows_ != batch.rows || choice_->most() != most)
    choice_.emplace(most, work_of_step(batch.rows));
  choice_rows_ = batch.rows;
  return &*choice_;
}

void Program::throw_if_index_bad(const Part& part) const {
  const int step = bad_step_.load(std::memory_order_relaxed);
  if (step < 0) return;
  if (step == BAD_ORDER) throw std::out_of_range("order names a row that doesn't exist");
  throw std::out_of_range("an index of step " + std::to_string(step) + " of " + part.name +
                          " lies outside its table");
}

// --- blocks and shards ---------------------------------------------------------------

Index Program::count_blocks(Index rows) const {
  const Index each = block_->plan.rows;
  return each ? (rows + each - 1) / each : 1;
}

// Blocks that add nothing up don't depend on each other.
Index Program::count_shards(Index rows) const {
  const Index blocks = count_blocks(rows);
  return totals_.empty() ? blocks : std::min(shards_, blocks);
}

bool Program::run_block(const Batch& batch, Team& team, Watch& watch) {
  if (!block_) return true;
  const Index shards = count_shards(batch.rows);
  if (shards == 0) {
    zero_totals();
    return true;
  }
  stop_.store(false, std::memory_order_relaxed);
  if (shards == 1) {
    const bool ends = !run_shard(batch, 0, 0, &team, &watch);
    throw_if_index_bad(*block_);
    return !ends;
  }
  team.share(shards, [&](int worker, Index shard) {
    if (stop_.load(std::memory_order_relaxed)) return;
    if (!run_shard(batch, shard, worker, nullptr, worker ? nullptr : &watch))
      stop_.store(true, std::memory_order_relaxed);
  });
  throw_if_index_bad(*block_);
  if (stop_.load(std::memory_order_relaxed)) return false;
  combine(shards, team);
  return true;
}

// Runs a shard's blocks; only the first worker watches. With a team, the tasks are cut.
bool Program::run_shard(const Batch& batch, Index shard, int number, Team* team,
                        Watch* watch) {
  Worker& worker = workers_[static_cast<std::size_t>(number)];
  const Index shards = count_shards(batch.rows);
  const Index blocks = count_blocks(batch.rows);
  const Index each = block_->plan.rows ? block_->plan.rows : batch.rows;
  std::copy(block_->bases.begin(), block_->bases.end(), worker.bases.begin());
  worker.bases[0] = worker.arena.data();
  for (const std::size_t buffer : totals_) worker.bases[buffer] = total(buffer, shard);
  const Index start = blocks * shard / shards;
  const Index end = blocks * (shard + 1) / shards;
  for (Index block = start; block < end; ++block) {
    const bool is_last = block == blocks - 1;
    const Ready& ready = is_last ? *last_ : *full_;
    const Index first = block * each;
    const Index rows = is_last ? batch.rows - first : each;
    place_rows(batch, first, rows, worker);
    const Frame frame{worker.bases.data(), first, block > start};
    if (!run_tasks(*block_, ready, frame, worker.scratch.data(), team, watch)) return false;
    if (stop_.load(std::memory_order_relaxed)) return false;
    if (bad_step_.load(std::memory_order_relaxed) >= 0) return false;
  }
  return true;
}

void Program::place_rows(const Batch& batch, Index first, Index rows, Worker& worker) {
  for (std::size_t i = 0; i < rows_buffers_.size(); ++i) {
    const std::size_t buffer = rows_buffers_[i];
    const Binding& binding = bindings_[block_->named[buffer]];
    if (staged_[i]) {
      std::byte* const out = worker.staging.data() + staging_at_[i];
      stage(buffer, batch, first, rows, out);
      worker.bases[buffer] = out;
    } else {
      worker.bases[buffer] = binding.data + (batch.first + first) * binding.move;
    }
  }
}

// Brings a block's rows together.
void Program::stage(std::size_t buffer, const Batch& batch, Index first, Index rows,
                    std::byte* out) {
  const std::size_t named = block_->named[buffer];
  const Binding& binding = bindings_[named];
  const Index bytes = buffers_[named].bytes;
  if (batch.order) {
    if (!kernels_.take_wide(rows, bytes, binding.data, binding.move, binding.rows,
                            batch.order + batch.first + first, out))
      bad_step_.store(BAD_ORDER, std::memory_order_relaxed);
    return;
  }
  for (Index row = 0; row < rows; ++row)
    std::memcpy(out + row * bytes,
                binding.data + (batch.first + first + row) * binding.move,
                static_cast<std::size_t>(bytes));
}

// --- totals --------------------------------------------------------------------------

std::byte* Program::total(std::size_t buffer, Index shard) const {
  if (shard == 0) return block_->bases[buffer];
  const auto before = static_cast<std::size_t>(shard - 1) * total_bytes_;
  return shard_totals_.data() + before + total_at_[buffer];
}

void Program::zero_totals() {
  for (const std::size_t buffer : totals_)
    std::memset(total(buffer, 0), 0,
                static_cast<std::size_t>(block_->plan.buffers[buffer].bytes));
}

// Shard i + 1 is added to shard i, then i + 2 to i, and so on: a tree of fixed form. Each
// range of elements goes through all of it on one thread.
void Program::combine(Index shards, Team& team) {
  for (const std::size_t buffer : totals_) {
    const Buffer& of = block_->plan.buffers[buffer];
    const Index count = of.bytes / item_size(of.dtype);
    const Index pieces = (count + COMBINED_AT_ONCE - 1) / COMBINED_AT_ONCE;
    team.share(pieces, [&](int, Index piece) {
      const Index from = piece * COMBINED_AT_ONCE;
      combine_range(buffer, shards, from, std::min(from + COMBINED_AT_ONCE, count));
    });
  }
}

void Program::combine_range(std::size_t buffer, Index shards, Index from, Index to) {
  const Dtype dtype = block_->plan.buffers[buffer].dtype;
  const Index start = from * item_size(dtype);
  for (Index apart = 1; apart < shards; apart *= 2)
    for (Index shard = 0; shard + apart < shards; shard += 2 * apart)
      kernels_.accumulate(dtype, to - from, total(buffer, shard) + start,
                          total(buffer, shard + apart) + start);
}

}  // namespace thalweg
