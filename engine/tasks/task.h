// Tasks: steps made ready to run on a block of so many rows, with all that can be known
// before the data worked out: extents, loops, functions, scratch.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "core/plan.h"

namespace thalweg {

// Where a block runs. One for each block that runs at a time.
struct Frame {
  std::byte* const* bases;      // of the plan's buffers; those of rows at the block's first
  Index first_row;              // of the block, among the rows of the run
  bool adds;                    // totals are added to: not the first block of its shard
  std::byte* packed = nullptr;  // what the loop around has packed for its products
};

// What tasks are made for.
struct Circumstances {
  const Kernels& kernels;
  const Plan& plan;
  Index rows;                       // of the block
  const std::vector<Index>& moves;  // bytes between rows, for each buffer of rows
};

class Task {
 public:
  virtual ~Task() = default;

  // Does units from…to; false if an index lies outside its table. A task may be cut
  // anywhere between its units: bits don't depend on it. `scratch` is 64-byte aligned.
  virtual bool run(const Frame& frame, std::byte* scratch, Index from, Index to) const = 0;

  Index units = 0;
  Index grain = 1;             // cut at multiples of it
  bool starts_slowly = false;  // a piece copies what others copy too: cut into few
  double work = 0;             // in nanoseconds on one thread, by estimate
  std::size_t scratch_bytes = 0;
  int step = 0;  // the first of the plan's steps that this is
};

// A place with the extents of this block and the strides of the arrays that are bound.
Place resolve(const Circumstances& circumstances, const Place& place);

// Drops axes of extent 1 and joins neighbors along which all places go on evenly.
// All have the same extents; the places' extents aren't changed, their strides are.
// Returns the rank that is left.
int collapse(int rank, Extents& extents, const std::vector<Extents*>& strides);

// The tasks of steps. Throws PlanError if there is no kernel for an operation.
std::vector<std::unique_ptr<Task>> make_tasks(const Circumstances& circumstances,
                                              const std::vector<Step>& steps);

std::unique_ptr<Task> make_task(const Circumstances& circumstances, const ReduceStep& step);
std::unique_ptr<Task> make_task(const Circumstances& circumstances, const CopyStep& step);
std::unique_ptr<Task> make_task(const Circumstances& circumstances, const ZeroStep& step);
std::unique_ptr<Task> make_task(const Circumstances& circumstances, const ShareStep& step);
std::unique_ptr<Task> make_task(const Circumstances& circumstances, const AddStep& step);
std::unique_ptr<Task> make_task(const Circumstances& circumstances, const IndexStep& step);
std::unique_ptr<Task> make_task(const Circumstances& circumstances,
                                const RandomBitsStep& step);
std::unique_ptr<Task> make_task(const Circumstances& circumstances, const LoopStep& step);

inline constexpr double BYTES_PER_NANOSECOND = 8;

}  // namespace thalweg
