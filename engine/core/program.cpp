#include "core/program.h"

#include <algorithm>
#include <stdexcept>

#include "core/places.h"

namespace thalweg {

namespace {

constexpr Index MOST_SHARDS = 1 << 16;

std::unique_ptr<Part> make_part(const char* name, std::optional<Source> source,
                                const Kernels& kernels, Buffers& buffers) {
  if (!source) return nullptr;
  return std::make_unique<Part>(name, std::move(*source), kernels, buffers);
}

bool is_tail(const Step& step) {
  const auto* const map = std::get_if<MapStep>(&step);
  return map && map->tail;
}

// What a run reads before it writes it is what the last run left.
void find_keeping(const std::vector<Part*>& parts, std::size_t buffers) {
  std::vector<bool> written(buffers, false), kept(buffers, false);
  for (Part* const part : parts) {
    const std::vector<Step>& steps = part->plan().steps;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      visit_inputs(steps[i], [&](const Place& place) {
        const std::size_t named = part->named(place);
        if (named != NO_NAME && !written[named]) kept[named] = true;
      });
      visit_outputs(steps[i], [&](const Place& place) {
        const std::size_t named = part->named(place);
        if (named == NO_NAME) return;
        written[named] = true;
        if (kept[named]) part->keep_from(static_cast<int>(i) - is_tail(steps[i]));
      });
    }
  }
}

}  // namespace

Program::Program(std::optional<Source> before, std::optional<Source> block,
                 std::optional<Source> after, Index shards, const Kernels& kernels)
    : kernels_(kernels), workers_(1) {
  if (shards < 1 || shards > MOST_SHARDS)
    throw std::invalid_argument("shards must be 1 to 65536");
  before_ = make_part("before", std::move(before), kernels, buffers_);
  block_ = make_part("block", std::move(block), kernels, buffers_);
  after_ = make_part("after", std::move(after), kernels, buffers_);
  for (const Part* part : {before_.get(), after_.get()})
    if (part && part->plan().rows)
      throw PlanError(std::string("only the block's plan has rows, not that of ") +
                      part->name());
  if (block_) blocks_.emplace(*block_, shards, kernels, buffers_, workers_, tasks_);
  std::vector<Part*> parts{before_.get(), block_.get(), after_.get()};
  std::erase(parts, nullptr);
  find_keeping(parts, buffers_.size());
  // A plan without a kernel for one of its operations is refused here.
  for (Part* const part : parts) part->ready(part->plan().rows);
}

std::size_t Program::memory() const {
  std::size_t bytes = blocks_ ? blocks_->memory() : 0;
  for (const Worker& worker : workers_)
    bytes += worker.arena.size() + worker.scratch.size() + worker.staging.size();
  return bytes;
}

void Program::bind(std::size_t buffer, const Binding& binding) {
  buffers_.bind(buffer, binding);
  moved_ = true;
}

// --- checks ------------------------------------------------------------------------------

void Program::check_bound() const {
  buffers_.check_bound();
  if (moved_) buffers_.check_apart();
}

void Program::check_rows(Index rows) const {
  if (rows < 0) throw std::invalid_argument("rows must not be negative");
  if (blocks_) blocks_->check_bound_rows(rows);
}

// --- getting ready -----------------------------------------------------------------------

// Works out how rows lie.
void Program::set_moves(bool has_order) {
  if (!moved_ && has_order == has_order_) return;
  moved_ = true;
  has_order_ = has_order;
  if (blocks_) blocks_->set_moves(has_order);
}

double Program::estimate(Index rows) {
  if (!block_ || !block_->plan().rows || rows == 0) return 0;
  const Index some = std::min(rows, block_->plan().rows);
  return block_->ready(some).work * static_cast<double>(rows) / static_cast<double>(some);
}

// The same of all parts.
double Program::work_of_step(Index rows) {
  double work = estimate(rows);
  for (Part* const part : {before_.get(), after_.get()})
    if (part) work += part->ready(0).work;
  return work;
}

// All memory that a run needs is taken here.
void Program::prepare(const Batch& batch, int threads) {
  if (blocks_) blocks_->check_all_rows(batch.rows);
  std::size_t scratch = 0;
  for (Part* const part : {before_.get(), after_.get()})
    if (part) scratch = std::max(scratch, part->ready(0).scratch_bytes);
  if (blocks_) scratch = std::max(scratch, blocks_->prepare(batch.rows));
  take_memory(batch, static_cast<std::size_t>(threads), scratch);
  if (moved_)
    for (Part* const part : {before_.get(), block_.get(), after_.get()})
      if (part) part->point(buffers_, workers_[0].arena.data());
  moved_ = false;
  tasks_.start();
}

// The first worker runs all parts, the others run blocks if there are several shards.
void Program::take_memory(const Batch& batch, std::size_t threads, std::size_t scratch) {
  const auto arena_of = [](const std::unique_ptr<Part>& part) {
    return part ? static_cast<std::size_t>(part->plan().arena_bytes) : 0;
  };
  const std::size_t block_arena = arena_of(block_);
  const std::size_t arena = std::max({arena_of(before_), block_arena, arena_of(after_)});
  const std::size_t staging = blocks_ ? blocks_->staging_bytes() : 0;
  const bool has_shards = blocks_ && blocks_->shards(batch.rows) > 1;
  if (workers_.size() < threads) workers_.resize(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    const bool runs_shards = i == 0 || has_shards;
    const std::size_t own = i == 0 ? arena : block_arena;
    moved_ |= workers_[i].take(runs_shards ? own : 0, scratch, runs_shards ? staging : 0);
    if (block_) workers_[i].bases.resize(block_->bases().size());
  }
  if (blocks_) blocks_->take_totals(batch.rows);
}

// --- running -----------------------------------------------------------------------------

bool Program::run(Index rows, const Threads& threads, const Poll& poll) {
  check_bound();
  check_rows(rows);
  if (blocks_) blocks_->check_one_block(rows);
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
  return run_part(before_.get(), team, watch) &&
         (!blocks_ || blocks_->run(batch, team, watch)) &&
         run_part(after_.get(), team, watch);
}

bool Program::run_part(const Part* part, Team& team, Watch& watch) {
  if (!part) return true;
  const Frame frame{part->bases().data(), 0, false};
  const bool is_whole = tasks_.run(*part, part->latest(), frame, 0, &team, &watch);
  tasks_.throw_if_index_bad(*part);
  return is_whole;
}

// Whether a run gives a second thread anything to do.
bool Program::divides(const Batch& batch) const {
  for (const Part* const part : {before_.get(), after_.get()})
    if (part && TaskRunner::divides(part->latest())) return true;
  return blocks_ && blocks_->divides(batch.rows);
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

std::vector<Timing> Program::profile(Index rows, int threads, Index repeats) {
  std::vector<Timing> timings;
  const bool in_shards = blocks_ && rows > 0 && blocks_->shards(rows) > 1;
  tasks_.time_into(&timings);
  try {
    for (Index i = 0; i < repeats; ++i)
      run(rows, {in_shards ? 1 : threads, false}, nullptr);
  } catch (...) {
    tasks_.time_into(nullptr);
    throw;
  }
  tasks_.time_into(nullptr);
  return timings;
}

}  // namespace thalweg
