// Asks now and then, in a run that takes long, whether it shall end.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>

#include "platform/forks.h"
#include "platform/threads.h"

namespace thalweg {

// Whether to end; null: never. May take as long as it likes.
using Poll = std::function<bool()>;

class Watch {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Watch(const Poll& poll) : poll_(poll), flush_(std::in_place) {
    if (poll_) next_ = Clock::now() + PERIOD;
  }

  // To be called after so many nanoseconds' work; true: end.
  bool after(double work) {
    done_ += work;
    return done_ >= WORTH_A_LOOK && look();
  }

 private:
  static constexpr auto PERIOD = std::chrono::milliseconds(50);
  static constexpr double WORTH_A_LOOK = 1e6;

  bool look() {
    done_ = 0;
    if (!poll_ || Clock::now() < next_) return false;
    flush_.reset();  // what is polled reckons as its caller does
    const std::uint64_t forks = fork_count();
    const bool ends = poll_();
    flush_.emplace();
    if (forks != fork_count())  // the other threads of this run stayed with the parent
      throw std::runtime_error("a process forked in the middle of a run can't end the run");
    next_ = Clock::now() + PERIOD;
    return ends;
  }

  const Poll& poll_;
  std::optional<FlushDenormals> flush_;
  Clock::time_point next_;
  double done_ = 0;
};

}  // namespace thalweg
