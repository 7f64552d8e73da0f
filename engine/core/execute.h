// Programs: plans that run before, on and after blocks of rows, over shared buffers.
#pragma once

#include <atomic>
#include <chrono>
#include <climits>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/memory.h"
#include "platform/thread_choice.h"
#include "platform/threads.h"
#include "platform/watch.h"
#include "tasks/task.h"

namespace thalweg {

// A plan as it comes: its constants, and the names of its buffers, the first included
// being buffer 1. Constants have names that no one reads.
struct Source {
  Plan plan;
  Memory constants;
  std::vector<std::string> names;
};

// A buffer that all plans of a program know by its name.
struct Named {
  std::string name;
  Dtype dtype;
  bool has_rows;
  std::vector<Index> extents;  // of the whole array; of one row, if it has rows
  Index bytes;                 // the same
  bool written = false;
  bool dense = false;  // a plan sees several rows as one axis: they can't lie apart
};

// The memory that a name stands for.
struct Binding {
  std::byte* data = nullptr;
  Index rows = 0;
  Index move = 0;  // bytes from a row to the next
  bool bound = false;
};

// One plan with its tasks, which are made for each number of rows that comes along.
struct Ready {
  Index rows;
  std::vector<std::unique_ptr<Task>> tasks;
  std::size_t scratch_bytes;
  double work;
};

struct Part {
  const char* name;
  Plan plan;
  Memory constants;
  std::vector<std::size_t> named;  // for each buffer; NO_NAME of arena and constants
  std::vector<std::byte*> bases;   // as worker 0 sees them
  std::vector<Index> moves;        // of buffers of rows
  int first_keeping = INT_MAX;     // step that writes what the next run reads
  bool needs_all_rows = false;     // a step sees the rows of a block together
  std::vector<std::unique_ptr<Ready>> ready;  // the one made last comes last
};

inline constexpr std::size_t NO_NAME = SIZE_MAX;

// How long a step of a part took, all calls together.
struct Timing {
  const char* part;
  int step;
  double seconds;
  Index calls;
};

// What to train on, and where to leave what is seen.
struct Course {
  const std::int64_t* order;  // of rows; null: as they lie
  Index rows;                 // of an epoch
  Index batch_size;
  Index first_batch;
  Index batches;
  const double* learning_rates;  // one for each batch
  std::int32_t first_step;
  std::size_t learning_rate, step;  // buffers; NO_NAME: there is none
  std::vector<std::size_t> logged;  // buffers; the first number must be finite
  Index log_width;                  // the numbers of all of them
  double* log;                      // batches × numbers
  double seconds;                   // return when they have passed
};

enum class End { done, time, not_finite, interrupted };

struct Progress {
  Index batches;
  double seconds;
  End end;
};

class Program {
 public:
  Program(std::optional<Source> before, std::optional<Source> block,
          std::optional<Source> after, Index shards, const Kernels& kernels);

  const Kernels& kernels() const { return kernels_; }
  Index block_rows() const { return block_ ? block_->plan.rows : 0; }
  std::size_t memory() const;
  const std::vector<Named>& buffers() const { return buffers_; }
  std::size_t find(const std::string& name) const;  // NO_NAME if there is none

  // Data must stay where it is until something else is bound. Of a buffer of rows, the
  // elements of a row lie in order; one that is written has no gaps between rows, and its
  // memory is no other buffer's.
  void bind(std::size_t buffer, const Binding& binding);
  const Binding& binding(std::size_t buffer) const { return bindings_[buffer]; }

  // Runs all parts once on the first rows; false if the poll ended it. Throws
  // std::invalid_argument if something isn't bound or too short, std::out_of_range if
  // an index leaves its table, std::bad_alloc.
  bool run(Index rows, const Threads& threads, const Poll& poll);
  Progress train(const Course& course, const Threads& threads, const Poll& poll);
  std::vector<Timing> profile(Index rows, int threads, Index repeats);

  // Nanoseconds that the block takes on one thread, by estimate.
  double estimate(Index rows);

 private:
  struct Worker {
    Memory arena, scratch, staging;
    std::vector<std::byte*> bases;
  };

  struct Batch {  // rows of one run
    Index first;
    Index rows;
    const std::int64_t* order;
  };

  void add_part(std::unique_ptr<Part>& part, std::optional<Source> source,
                const char* name);
  std::size_t add_own_buffer(const Part& part, const Plan& plan, const Buffer& buffer,
                             const std::string& name);
  std::size_t add_buffer(const Plan& plan, const Buffer& buffer, const std::string& name);
  void lay_out_block();
  void find_keeping();
  void check_bound() const;
  void check_apart() const;
  void check_rows(Index rows) const;
  void check_one_block(Index rows) const;
  Ready& ready(Part& part, Index rows);
  void prepare(const Batch& batch, int threads);
  void prepare_worker(std::size_t number, std::size_t arena, std::size_t scratch,
                      std::size_t staging);
  void point(Part& part);
  bool is_staged(std::size_t named, bool has_order) const;
  void set_moves(bool has_order);
  bool run_batch(const Batch& batch, Team& team, Watch& watch);
  bool run_part(Part* part, Team& team, Watch* watch);
  bool run_block(const Batch& batch, Team& team, Watch& watch);
  bool run_tasks(const Part& part, const Ready& ready, const Frame& frame,
                 std::byte* scratch, Team* team, Watch* watch);
  void run_task(const Task& task, const Frame& frame, std::byte* scratch, Team* team);
  void cut(const Task& task, const Frame& frame, Team& team);
  void time_tasks(const Part& part, const Ready& ready, const Frame& frame,
                  std::byte* scratch, Team* team);
  void throw_if_index_bad(const Part& part) const;
  double work_of_step(Index rows);
  bool divides(const Batch& batch) const;
  bool run_adapting(const Batch& batch, int most, Watch& watch);
  ThreadChoice* choose(const Batch& batch, int most);
  void check_course(const Course& course) const;
  void write_step(const Course& course, Index batch);
  bool log_step(const Course& course, Index batch) const;
  bool run_shard(const Batch& batch, Index shard, int worker, Team* team, Watch* watch);
  void place_rows(const Batch& batch, Index first, Index rows, Worker& worker);
  void stage(std::size_t buffer, const Batch& batch, Index first, Index rows,
             std::byte* out);
  Index count_blocks(Index rows) const;
  Index count_shards(Index rows) const;
  void combine(Index shards, Team& team);
  void combine_range(std::size_t buffer, Index shards, Index from, Index to);
  void zero_totals();
  std::byte* total(std::size_t buffer, Index shard) const;

  const Kernels& kernels_;
  Index shards_;
  std::unique_ptr<Part> before_, block_, after_;
  std::vector<Named> buffers_;
  std::vector<Binding> bindings_;
  std::vector<std::size_t> rows_buffers_, totals_;  // buffers of the block's plan
  std::vector<std::size_t> staging_at_;             // by the same
  std::vector<std::size_t> total_at_;
  std::size_t staging_bytes_ = 0, total_bytes_ = 0;
  bool block_writes_whole_ = false;
  Memory shard_totals_;
  std::vector<Worker> workers_;
  bool has_order_ = false;
  bool moved_ = true;  // something was bound since pointers were made
  std::vector<bool> staged_;
  std::atomic<bool> stop_{false};
  std::atomic<int> bad_step_{-1};
  Ready *full_ = nullptr, *last_ = nullptr;
  std::vector<Timing>* timings_ = nullptr;
  std::optional<ThreadChoice> choice_;
  Index choice_rows_ = 0;  // of the runs that it is about

  static constexpr int BAD_ORDER = 1 << 30;  // a "step" whose index is bad
};

}  // namespace thalweg
