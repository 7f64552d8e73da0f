// A part of an epoch: which batches to train on, and where to leave what is seen.
#pragma once

#include "core/block_rows.h"

namespace thalweg {

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

  // These throw std::invalid_argument: there are no such batches, or a buffer has another
  // form.
  void check_batches() const;
  void check_buffers(const Buffers& buffers) const;

  Batch batch(Index number) const;

  // Writes what a batch is told: its learning rate, and the number of its step.
  void write(const Buffers& buffers, Index number) const;

  // Reads what it leaves; whether the first number is finite.
  bool log_batch(const Buffers& buffers, Index number) const;
};

enum class End { done, time, not_finite, interrupted };

struct Progress {
  Index batches;
  double seconds;
  End end;
};

}  // namespace thalweg
