// What a fork does to the engine: a child has one thread, and memory as it happened to be.
#pragma once

#include <cstdint>

namespace thalweg {

// To be called once, before anything else here. Throws std::bad_alloc.
void watch_forks();

// How often this process, and those that it was forked from, forked a child that became
// it. Whoever notes the number beside a lock knows later whose the lock is.
std::uint64_t fork_count();

// While one lives, no child is forked: what is written meanwhile is whole in every child.
// Must be short, and must not wait for the thread that forks, which may have the GIL.
class NoFork {
 public:
  NoFork();
  ~NoFork();
  NoFork(const NoFork&) = delete;
  NoFork& operator=(const NoFork&) = delete;
};

}  // namespace thalweg
