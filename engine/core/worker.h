// What each thread of a run has for itself.
#pragma once

#include <cstddef>
#include <vector>

#include "platform/memory.h"

namespace thalweg {

struct Worker {
  Memory arena, scratch, staging;
  std::vector<std::byte*> bases;  // of the block's buffers, at the rows that it works on

  // Takes as many bytes at least; whether the arena is another than before.
  bool take(std::size_t arena_bytes, std::size_t scratch_bytes, std::size_t staging_bytes) {
    const bool moves = arena.size() < arena_bytes || !arena.data();
    if (moves) arena = Memory(arena_bytes);
    if (scratch.size() < scratch_bytes || !scratch.data()) scratch = Memory(scratch_bytes);
    if (staging.size() < staging_bytes) staging = Memory(staging_bytes);
    return moves;
  }
};

using Workers = std::vector<Worker>;

}  // namespace thalweg
