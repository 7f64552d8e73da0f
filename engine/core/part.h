// One plan of a program, with the tasks that are made of it as numbers of rows come along.
#pragma once

#include <climits>
#include <memory>
#include <string>
#include <vector>

#include "core/buffers.h"
#include "core/plan.h"
#include "platform/memory.h"
#include "tasks/task.h"

namespace thalweg {

// A plan as it comes: its constants, and the names of its buffers, the first included
// being buffer 1. Constants have names that no one reads.
struct Source {
  Plan plan;
  Memory constants;
  std::vector<std::string> names;
};

// The tasks of a plan for one number of rows.
struct Ready {
  Index rows;
  std::vector<std::unique_ptr<Task>> tasks;
  std::size_t scratch_bytes;
  double work;  // in nanoseconds on one thread, by estimate
};

class Part {
 public:
  // Throws PlanError if the names don't fit the plan, or the buffers of other parts.
  Part(const char* name, Source source, const Kernels& kernels, Buffers& buffers);

  const char* name() const { return name_; }
  const Plan& plan() const { return plan_; }

  // The number of a buffer of the plan in the program; NO_NAME of the arena, of
  // constants and of what moves in a loop.
  std::size_t named(std::size_t buffer) const { return named_[buffer]; }
  std::size_t named(const Place& place) const {
    return named_[static_cast<std::size_t>(place.origin)];
  }

  // Where the buffers lie, as worker 0 sees them.
  const std::vector<std::byte*>& bases() const { return bases_; }
  void point(const Buffers& buffers, std::byte* arena);

  // Whether a step sees the rows of a block together.
  bool needs_all_rows() const { return needs_all_rows_; }

  // From this step on, what the next run reads is written.
  int first_keeping() const { return first_keeping_; }
  void keep_from(int step);

  // Bytes between rows of a buffer; tasks that were made for others are dropped.
  void set_move(std::size_t buffer, Index bytes);

  // The tasks for so many rows. Throws PlanError if there is no kernel for an operation.
  Ready& ready(Index rows);
  const Ready& latest() const { return *ready_.back(); }

 private:
  void name_buffers(const std::vector<std::string>& names, Buffers& buffers);
  std::size_t add_own(Buffers& buffers, const Buffer& buffer,
                      const std::string& name) const;
  void look_at_rows(Buffers& buffers);

  const char* name_;
  const Kernels& kernels_;
  Plan plan_;
  Memory constants_;
  std::vector<std::size_t> named_;
  std::vector<std::byte*> bases_;
  std::vector<Index> moves_;  // of buffers of rows
  int first_keeping_ = INT_MAX;
  bool needs_all_rows_ = false;
  std::vector<std::unique_ptr<Ready>> ready_;  // the one made last comes last
};

}  // namespace thalweg
