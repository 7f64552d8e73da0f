// The pool of threads: they spin for a moment after their work, then sleep.
#pragma once

#include "kernels/kernels.h"

namespace thalweg {

// Processors that this process may use: by affinity, and by its cgroup's quota.
int cpu_count();

// As many as THALWEG_THREADS says, or cpu_count(). Throws std::invalid_argument if that
// variable is no number from 1 to MOST_THREADS.
int default_threads();

inline constexpr int MOST_THREADS = 256;

// How many threads a run may have.
struct Threads {
  int most;
  bool adapts;  // fewer where they are faster
};

// While one lives, this thread takes numbers too small to be normal for zero.
class FlushDenormals {
 public:
  FlushDenormals();
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  std::uint64_t mode_;
};

// The threads that one run works with: this one, and those of the pool if it is free.
// Another run that has it works on while this one goes alone.
class Team {
 public:
  explicit Team(int threads);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const { return size_; }

  // From now on work is shared by so many, at most size().
  void use(int threads) { used_ = threads; }
  int used() const { return used_; }

  // Calls work(worker, piece) for every piece below `pieces`, once each, on whichever
  // thread is free, and returns when all are done. 0 <= worker < used(); this thread's
  // is 0.
  template <class Work>
  void share(Index pieces, const Work& work) {
    share(
        pieces,
        [](const void* context, int worker, Index piece) {
          (*static_cast<const Work*>(context))(worker, piece);
        },
        &work);
  }

 private:
  using Call = void (*)(const void* context, int worker, Index piece);
  void share(Index pieces, Call call, const void* context);

  class Pool* pool_ = nullptr;
  int size_ = 1, used_ = 1;
};

}  // namespace thalweg
