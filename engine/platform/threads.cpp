#include "platform/threads.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <thread>

#include "platform/forks.h"
#include "platform/signals.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace thalweg {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto SPIN = std::chrono::microseconds(50);
constexpr int LOOKS = 64;  // between looks at the clock

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

}  // namespace

FlushDenormals::FlushDenormals() {
#if defined(__x86_64__)
  const unsigned mode = _mm_getcsr();
  mode_ = mode;
  if ((mode & 0x8040) != 0x8040) _mm_setcsr(mode | 0x8040);
#elif defined(__aarch64__)
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode_));
  __asm__ volatile("msr fpcr, %0" : : "r"(mode_ | std::uint64_t{1} << 24));
#else
  mode_ = 0;
#endif
}

FlushDenormals::~FlushDenormals() {
#if defined(__x86_64__)
  const auto mode = static_cast<unsigned>(mode_);
  if ((mode & 0x8040) != 0x8040) _mm_setcsr(mode);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(mode_));
#endif
}

// One job at a time. `gate_` says in one word which job it is, whether threads may still
// join, how many may, and how many have: so a thread that comes late finds the gate
// closed, and no one waits for it.
class Pool {
 public:
  // The pool of this process, or null if a run has it; grown to so many threads.
  static Pool* take(int threads);
  void give_back() { busy_.store(false, std::memory_order_release); }

  int threads() const { return threads_; }
  bool is_of_this_process() const { return forks_ == fork_count(); }

  using Call = void (*)(const void*, int, Index);

  void share(int size, Index pieces, Call call, const void* context) {
    call_ = call;
    context_ = context;
    size_ = size;
    for (int worker = 0; worker < size; ++worker) {
      ranges_[worker].next.store(pieces * worker / size, std::memory_order_relaxed);
      ranges_[worker].end = pieces * (worker + 1) / size;
    }
    epoch_ += EPOCH;
    gate_.store(epoch_ | static_cast<std::uint64_t>(size) << SIZE | OPEN,
                std::memory_order_seq_cst);
    wake(size);
    work(0);
    gate_.fetch_and(~OPEN, std::memory_order_acq_rel);
    for (int looks = 0; gate_.load(std::memory_order_acquire) & JOINED; ++looks)
      looks < 1024 ? pause() : std::this_thread::yield();
  }

 private:
  static constexpr std::uint64_t JOINED = 0xffff;
  static constexpr std::uint64_t OPEN = 1 << 16;
  static constexpr int SIZE = 17;  // its lowest bit; ten bits
  static constexpr std::uint64_t EPOCH = 1 << 27;

  void grow(int threads) {
    while (threads_ < threads - 1) {
      try {
        std::thread(&Pool::live, this, threads_ + 1).detach();
      } catch (const std::exception&) {
        return;  // the system gives no more: do with those there are
      }
      ++threads_;
    }
    spins_.store(threads_ < cpu_count(), std::memory_order_relaxed);
  }

  void live(int number) {
    const FlushDenormals flush;
    std::uint64_t seen = 0;
    while (true) {
      const std::uint64_t gate = next_job(seen, number);
      seen = gate / EPOCH;
      if (!join(gate, number)) continue;
      work(number);
      gate_.fetch_sub(1, std::memory_order_acq_rel);
    }
  }

  // First its own range, so that a thread meets in its cache what it left there the last
  // time, then what others have not come to.
  void work(int number) {
    for (int i = 0; i < size_; ++i) {
      Range& range = ranges_[(number + i) % size_];
      while (true) {
        const Index piece = range.next.fetch_add(1, std::memory_order_relaxed);
        if (piece >= range.end) break;
        call_(context_, number, piece);
      }
    }
  }

  bool join(std::uint64_t gate, int number) {
    while (true) {
      if (!is_wanted(gate, number)) return false;
      const std::uint64_t before = gate;
      if (gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acq_rel))
        return true;
      if (gate / EPOCH != before / EPOCH) return false;
    }
  }

  // A thread that was woken spins again, even if it came too late for the job that it was
  // woken for: others follow soon.
  std::uint64_t next_job(std::uint64_t seen, int number) {
    while (true) {
      std::uint64_t gate = spin(seen, number);
      if (!is_new(gate, seen, number)) gate = sleep(seen, number);
      if (is_new(gate, seen, number)) return gate;
    }
  }

  static bool is_wanted(std::uint64_t gate, int number) {
    return (gate & OPEN) && number < static_cast<int>(gate >> SIZE & 0x3ff);
  }

  static bool is_new(std::uint64_t gate, std::uint64_t seen, int number) {
    return gate / EPOCH != seen && is_wanted(gate, number);
  }

  std::uint64_t spin(std::uint64_t seen, int number) const {
    if (!spins_.load(std::memory_order_relaxed)) return 0;
    const auto end = Clock::now() + SPIN;
    do {
      for (int look = 0; look < LOOKS; ++look) {
        const std::uint64_t gate = gate_.load(std::memory_order_acquire);
        if (is_new(gate, seen, number)) return gate;
        pause();
      }
      std::this_thread::yield();  // to the thread that gives the jobs, if it waits here
    } while (Clock::now() < end);
    return 0;
  }

  // Until a job begins that wants it.
  std::uint64_t sleep(std::uint64_t seen, int number) {
    Seat& seat = seats_[number];
    std::unique_lock lock(mutex_);
    seat.sleeps.store(true, std::memory_order_seq_cst);
    const std::uint64_t before = gate_.load(std::memory_order_seq_cst);
    std::uint64_t gate = before;
    while (!is_new(gate, seen, number) && gate / EPOCH == before / EPOCH) {
      seat.woken.wait(lock);
      gate = gate_.load(std::memory_order_seq_cst);
    }
    seat.sleeps.store(false, std::memory_order_relaxed);
    return gate;
  }

  // Those of a team of so many that sleep; what others do takes nothing of it.
  void wake(int size) {
    for (int number = 1; number < size; ++number) {
      Seat& seat = seats_[number];
      if (!seat.sleeps.load(std::memory_order_seq_cst)) continue;
      {
        const std::lock_guard lock(mutex_);
      }
      seat.woken.notify_one();
    }
  }

  alignas(64) std::atomic<std::uint64_t> gate_{0};
  struct alignas(64) Range {  // of pieces
    std::atomic<Index> next{0};
    Index end = 0;
  };
  Range ranges_[MOST_THREADS];  // one for each thread
  struct alignas(64) Seat {
    std::atomic<bool> sleeps{false};
    std::condition_variable woken;
  };
  Seat seats_[MOST_THREADS];  // the same
  alignas(64) std::uint64_t epoch_ = 0;
  Call call_ = nullptr;
  const void* context_ = nullptr;
  int size_ = 0;
  int threads_ = 0;
  std::atomic<bool> spins_{true};
  std::atomic<bool> busy_{false};
  std::mutex mutex_;
  const std::uint64_t forks_ = fork_count();
};

namespace {

// Never destroyed: its threads may outlive everything else.
std::atomic<Pool*> the_pool{nullptr};

// A forked child has none of the threads, and locks as they happened to be: it leaves
// that pool alone and makes its own when it needs one.
Pool* current_pool() {
  Pool* pool = the_pool.load(std::memory_order_acquire);
  if (pool && pool->is_of_this_process()) return pool;
  Pool* const fresh = new (std::nothrow) Pool;
  if (!fresh) return nullptr;
  if (the_pool.compare_exchange_strong(pool, fresh, std::memory_order_acq_rel))
    return fresh;
  delete fresh;
  return pool;
}

}  // namespace

Pool* Pool::take(int threads) {
  Pool* const pool = current_pool();
  if (!pool || pool->busy_.exchange(true, std::memory_order_acquire)) return nullptr;
  // Threads of the pool must not be the ones that handle the process's signals.
  if (pool->threads_ < threads - 1) without_signals([&] { pool->grow(threads); });
  return pool;
}

Team::Team(int threads) {
  if (threads <= 1) return;
  pool_ = Pool::take(threads < MOST_THREADS ? threads : MOST_THREADS);
  if (!pool_) return;
  size_ = threads - 1 < pool_->threads() ? threads : pool_->threads() + 1;
  used_ = size_;
}

Team::~Team() {
  if (pool_) pool_->give_back();
}

void Team::share(Index pieces, Call call, const void* context) {
  if (pool_ && used_ > 1 && pieces > 1) {
    pool_->share(used_, pieces, call, context);
    return;
  }
  for (Index piece = 0; piece < pieces; ++piece) call(context, 0, piece);
}

}  // namespace thalweg
