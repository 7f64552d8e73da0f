// Loops: tasks that run again and again, over buffers that move.
#include <algorithm>
#include <cstring>

#include "platform/memory.h"
#include "tasks/task.h"

namespace thalweg {

namespace {

class LoopTask final : public Task {
 public:
  LoopTask(const Circumstances& circumstances, const LoopStep& step)
      : turns_(step.turns),
        times_(step.times),
        reverse_(step.reverse),
        buffers_(circumstances.plan.buffers.size()),
        tasks_(make_tasks(circumstances, step.body->steps)) {
    for (const int number : step.moving) {
      const Buffer& buffer = circumstances.plan.buffers[static_cast<std::size_t>(number)];
      moving_.push_back({static_cast<std::size_t>(number),
                         static_cast<std::size_t>(buffer.start.buffer), buffer.start.offset,
                         buffer.move});
    }
    double turn = 0;
    for (const auto& task : tasks_) {
      turn += task->work;
      scratch_bytes = std::max(scratch_bytes, task->scratch_bytes);
    }
    scratch_bytes += bases_bytes();
    work = turn * static_cast<double>(times_);
    units = 1;
  }

  bool run(const Frame& frame, std::byte* scratch, Index, Index) const override {
    auto** const bases = reinterpret_cast<std::byte**>(scratch);
    std::copy(frame.bases, frame.bases + buffers_, bases);
    const Frame own{bases, frame.first_row, frame.adds};
    std::byte* const rest = scratch + bases_bytes();
    const Index turns = count(frame);
    for (Index turn = 0; turn < turns; ++turn) {
      const Index time = reverse_ ? turns - 1 - turn : turn;
      for (const Moving& each : moving_)
        bases[each.buffer] = bases[each.around] + each.offset + time * each.move;
      for (const auto& task : tasks_)
        if (!task->run(own, rest, 0, task->units)) return false;
    }
    return true;
  }

 private:
  struct Moving {
    std::size_t buffer, around;
    Index offset, move;
  };

  std::size_t bases_bytes() const { return aligned(buffers_ * sizeof(std::byte*)); }

  Index count(const Frame& frame) const {
    std::int32_t turns;
    std::memcpy(&turns, frame.bases[turns_.buffer] + turns_.offset, sizeof turns);
    return std::clamp<Index>(turns, 0, times_);
  }

  Place turns_;
  Index times_;
  bool reverse_;
  std::size_t buffers_;
  std::vector<Moving> moving_;
  std::vector<std::unique_ptr<Task>> tasks_;
};

}  // namespace

std::unique_ptr<Task> make_task(const Circumstances& circumstances, const LoopStep& step) {
  return std::make_unique<LoopTask>(circumstances, step);
}

}  // namespace thalweg
