// Where the rows of a block lie: in the arrays that are bound, or brought together in
// memory of a worker's own, where they come in an order or too far apart to be read.
#pragma once

#include <vector>

#include "core/part.h"
#include "core/task_runner.h"

namespace thalweg {

// Rows of one run.
struct Batch {
  Index first;
  Index rows;
  const std::int64_t* order;  // of rows; null: as they lie
};

class BlockRows {
 public:
  BlockRows(Part& part, const Kernels& kernels, const Buffers& buffers);

  std::size_t staging_bytes() const { return staging_bytes_; }

  // Throws std::invalid_argument if less is bound.
  void check(Index rows) const;

  // Works out how rows lie in what is bound.
  void set_moves(bool has_order);

  // Points a worker to a batch's rows from `first` on; false if the order names a row that
  // doesn't exist.
  bool place(const Batch& batch, Index first, Index rows, Worker& worker) const;

 private:
  struct Held {
    std::size_t buffer;  // of the plan
    std::size_t named;
    std::size_t staging_at;
    bool staged = false;
  };

  bool stage(const Held& held, const Batch& batch, Index first, Index rows,
             std::byte* out) const;

  Part& part_;
  const Kernels& kernels_;
  const Buffers& buffers_;
  std::vector<Held> held_;
  std::size_t staging_bytes_ = 0;
};

}  // namespace thalweg
