#include "platform/forks.h"

#include <pthread.h>

#include <atomic>
#include <new>
#include <thread>

namespace thalweg {

namespace {

// Atomics alone: a mutex would be one more lock that a child may find locked.
std::atomic<std::uint64_t> count{0};
std::atomic<int> writers{0};  // that must not be forked
std::atomic<int> forking{0};  // threads that are about to fork

void before_fork() {
  forking.fetch_add(1);
  while (writers.load()) std::this_thread::yield();
}

void after_in_parent() { forking.fetch_sub(1); }

void after_in_child() {
  writers.store(0);
  forking.store(0);
  count.fetch_add(1);
}

}  // namespace

void watch_forks() {
  if (pthread_atfork(before_fork, after_in_parent, after_in_child) != 0)
    throw std::bad_alloc();
}

std::uint64_t fork_count() { return count.load(std::memory_order_relaxed); }

NoFork::NoFork() {
  while (true) {
    writers.fetch_add(1);
    if (!forking.load()) return;
    writers.fetch_sub(1);
    while (forking.load()) std::this_thread::yield();
  }
}

NoFork::~NoFork() { writers.fetch_sub(1); }

}  // namespace thalweg
