#include "core/task_runner.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

namespace thalweg {

namespace {

constexpr double WORTH_CUTTING = 18000;  // nanoseconds of work of a task
constexpr double GOOD_PIECE = 50000;     // the same
constexpr Index PIECES_PER_THREAD = 4;   // at most

Index rounded_up(Index n, Index multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

bool is_worth_cutting(const Task& task) {
  return task.work >= WORTH_CUTTING && task.units > task.grain;
}

}  // namespace

bool TaskRunner::divides(const Ready& ready) {
  return std::any_of(ready.tasks.begin(), ready.tasks.end(),
                     [](const auto& task) { return is_worth_cutting(*task); });
}

// What is kept for the next run is written as a whole: once begun, it is done, and no child
// is forked that would find a half of it.
bool TaskRunner::run(const Part& part, const Ready& ready, const Frame& frame, int worker,
                     Team* team, Watch* watch) {
  if (timings_) {
    time(part, ready, frame, worker, team);
    return true;
  }
  std::optional<NoFork> keeping;
  for (const auto& task : ready.tasks) {
    if (!keeping && task->step >= part.first_keeping()) {
      keeping.emplace();
      watch = nullptr;
    }
    run(*task, frame, worker, team);
    // Nothing more is computed from rows that don't exist.
    if (has_bad_index()) return false;
    if (watch && watch->after(task->work)) return false;
  }
  return true;
}

void TaskRunner::run(const Task& task, const Frame& frame, int worker, Team* team) {
  if (team && team->used() > 1 && is_worth_cutting(task))
    cut(task, frame, *team);
  else if (!task.run(frame, scratch(worker), 0, task.units))
    bad_step_.store(task.step, std::memory_order_relaxed);
}

void TaskRunner::cut(const Task& task, const Frame& frame, Team& team) {
  const Index size = team.used();
  const auto good = static_cast<Index>(task.work / GOOD_PIECE) / size;
  const Index for_each =
      task.starts_slowly ? 1 : std::clamp<Index>(good, 1, PIECES_PER_THREAD);
  const Index wanted = size * for_each;
  const Index each = rounded_up((task.units + wanted - 1) / wanted, task.grain);
  const Index pieces = (task.units + each - 1) / each;
  team.share(pieces, [&](int worker, Index piece) {
    const Index from = piece * each;
    if (!task.run(frame, scratch(worker), from, std::min(from + each, task.units)))
      bad_step_.store(task.step, std::memory_order_relaxed);
  });
}

// The same with a look at the clock around every task.
void TaskRunner::time(const Part& part, const Ready& ready, const Frame& frame, int worker,
                      Team* team) {
  for (const auto& task : ready.tasks) {
    const auto start = Watch::Clock::now();
    run(*task, frame, worker, team);
    const std::chrono::duration<double> passed = Watch::Clock::now() - start;
    const auto is_same = [&](const Timing& other) {
      return other.part == part.name() && other.step == task->step;
    };
    auto timing = std::find_if(timings_->begin(), timings_->end(), is_same);
    if (timing == timings_->end())
      timing = timings_->insert(timing, {part.name(), task->step, 0, 0});
    timing->seconds += passed.count();
    ++timing->calls;
  }
}

void TaskRunner::throw_if_index_bad(const Part& part) const {
  const int step = bad_step_.load(std::memory_order_relaxed);
  if (step < 0) return;
  if (step == BAD_ORDER) throw std::out_of_range("order names a row that doesn't exist");
  throw std::out_of_range("an index of step " + std::to_string(step) + " of " +
                          part.name() + " lies outside its table");
}

}  // namespace thalweg
