// Programs: plans that run before, on and after blocks of rows, over shared buffers. A
// program owns what they share and says in which order things happen; how a plan's tasks
// run, how blocks share rows and what they add up is for the classes that it holds.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/block_runner.h"
#include "core/course.h"
#include "platform/thread_choice.h"

namespace thalweg {

class Program {
 public:
  Program(std::optional<Source> before, std::optional<Source> block,
          std::optional<Source> after, Index shards, const Kernels& kernels);

  const Kernels& kernels() const { return kernels_; }
  Index block_rows() const { return block_ ? block_->plan().rows : 0; }
  std::size_t memory() const;
  const std::vector<Named>& buffers() const { return buffers_.all(); }
  std::size_t find(const std::string& name) const { return buffers_.find(name); }

  // Data must stay where it is until something else is bound. Of a buffer of rows, the
  // elements of a row lie in order; one that is written has no gaps between rows, and its
  // memory is no other buffer's.
  void bind(std::size_t buffer, const Binding& binding);
  const Binding& binding(std::size_t buffer) const { return buffers_.binding(buffer); }

  // Runs all parts once on the first rows; false if the poll ended it. Throws
  // std::invalid_argument if something isn't bound or too short, std::out_of_range if
  // an index leaves its table, std::bad_alloc.
  bool run(Index rows, const Threads& threads, const Poll& poll);
  Progress train(const Course& course, const Threads& threads, const Poll& poll);
  std::vector<Timing> profile(Index rows, int threads, Index repeats);

  // Nanoseconds that the block takes on one thread, by estimate.
  double estimate(Index rows);

 private:
  void check_bound() const;
  void check_rows(Index rows) const;
  void check_course(const Course& course) const;
  void set_moves(bool has_order);
  void prepare(const Batch& batch, int threads);
  void take_memory(const Batch& batch, std::size_t threads, std::size_t scratch);
  bool run_batch(const Batch& batch, Team& team, Watch& watch);
  bool run_part(const Part* part, Team& team, Watch& watch);
  bool run_adapting(const Batch& batch, int most, Watch& watch);
  bool divides(const Batch& batch) const;
  double work_of_step(Index rows);
  ThreadChoice* choose(const Batch& batch, int most);

  const Kernels& kernels_;
  Buffers buffers_;
  std::unique_ptr<Part> before_, block_, after_;
  Workers workers_;
  TaskRunner tasks_{workers_};
  std::optional<BlockRunner> blocks_;
  bool has_order_ = false;
  bool moved_ = true;  // something was bound since pointers were made
  std::optional<ThreadChoice> choice_;
  Index choice_rows_ = 0;  // of the runs that it is about
};

}  // namespace thalweg
