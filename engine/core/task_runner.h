// Runs the tasks of a part, each cut over a team where that is worth it. It knows neither
// blocks nor shards: who runs them says where their rows lie.
#pragma once

#include <atomic>
#include <vector>

#include "core/part.h"
#include "core/worker.h"
#include "platform/threads.h"
#include "platform/watch.h"

namespace thalweg {

// How long a step of a part took, all calls together.
struct Timing {
  const char* part;
  int step;
  double seconds;
  Index calls;
};

class TaskRunner {
 public:
  explicit TaskRunner(const Workers& workers) : workers_(workers) {}

  // Whether any of the tasks gives a second thread something to do.
  static bool divides(const Ready& ready);

  // To be called before each run.
  void start() { bad_step_.store(-1, std::memory_order_relaxed); }

  // Runs tasks in order, with the scratch of a worker; false if the watch or an index
  // outside its table ends it. With a team they are cut.
  bool run(const Part& part, const Ready& ready, const Frame& frame, int worker, Team* team,
           Watch* watch);

  // An index that is found bad ends the run on all threads; throws std::out_of_range.
  bool has_bad_index() const { return bad_step_.load(std::memory_order_relaxed) >= 0; }
  void say_order_is_bad() { bad_step_.store(BAD_ORDER, std::memory_order_relaxed); }
  void throw_if_index_bad(const Part& part) const;

  // From now on the time of every task is taken; null: of none.
  void time_into(std::vector<Timing>* timings) { timings_ = timings; }

 private:
  std::byte* scratch(int worker) const {
    return workers_[static_cast<std::size_t>(worker)].scratch.data();
  }
  void run(const Task& task, const Frame& frame, int worker, Team* team);
  void cut(const Task& task, const Frame& frame, Team& team);
  void time(const Part& part, const Ready& ready, const Frame& frame, int worker,
            Team* team);

  static constexpr int BAD_ORDER = 1 << 30;  // a "step" whose index is bad

  const Workers& workers_;
  std::atomic<int> bad_step_{-1};
  std::vector<Timing>* timings_ = nullptr;
};

}  // namespace thalweg
