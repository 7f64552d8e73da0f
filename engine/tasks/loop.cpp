// Loops: tasks that run again and again, over buffers that move.
//
// A product whose second factor stands still, such as recurrent weights, would copy it each
// turn, or read it in an order that caches don't like. It is packed before the first turn.
#include <algorithm>
#include <cstring>

#include "core/verify.h"
#include "platform/memory.h"
#include "tasks/product.h"
#include "tasks/task.h"

namespace thalweg {

namespace {

constexpr Index PACKED_TURNS = 4;  // at least, for which it pays to pack a factor

// Whether steps leave a place as it is.
class Writing {
 public:
  explicit Writing(const Place& place) : place_(place) {}

  bool leaves(const std::vector<Step>& steps) const {
    return std::all_of(steps.begin(), steps.end(),
                       [&](const Step& step) { return std::visit(*this, step); });
  }

  bool operator()(const MapStep& step) const {
    return std::all_of(
        step.outputs.begin(), step.outputs.end(),
        [&](const MapOutput& each) { return are_apart(each.place, place_); });
  }
  bool operator()(const LoopStep& step) const { return leaves(step.body->steps); }
  template <class Other>
  bool operator()(const Other& step) const {
    return are_apart(step.out, place_);
  }

 private:
  const Place& place_;
};

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
    if (times_ >= PACKED_TURNS) choose_packed(step);
    scratch_bytes += packed_bytes_;
    work = turn * static_cast<double>(times_);
    units = 1;
  }

  bool run(const Frame& frame, std::byte* scratch, Index, Index) const override {
    auto** const bases = reinterpret_cast<std::byte**>(scratch);
    std::copy(frame.bases, frame.bases + buffers_, bases);
    std::byte* const packed = scratch + bases_bytes();
    const Frame own{bases, frame.first_row, frame.adds, packed};
    std::byte* const rest = packed + packed_bytes_;
    const Index turns = count(frame);
    if (turns > 0)
      for (const ProductTask* product : packed_) product->pack(own);
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

  void choose_packed(const LoopStep& step) {
    for (const auto& task : tasks_) {
      auto* const product = dynamic_cast<ProductTask*>(task.get());
      const auto* const of =
          std::get_if<ProductStep>(&step.body->steps[static_cast<std::size_t>(task->step)]);
      if (!product || !of || !stands_still(step, of->b)) continue;
      const std::size_t bytes = product->pack_at(packed_bytes_);
      if (!bytes) continue;
      packed_bytes_ += bytes;
      packed_.push_back(product);
    }
  }

  static bool stands_still(const LoopStep& step, const Place& place) {
    const bool moves = std::find(step.moving.begin(), step.moving.end(), place.buffer) !=
                       step.moving.end();
    return !moves && Writing(place).leaves(step.body->steps);
  }

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
  std::vector<const ProductTask*> packed_;
  std::size_t packed_bytes_ = 0;
};

}  // namespace

std::unique_ptr<Task> make_task(const Circumstances& circumstances, const LoopStep& step) {
  return std::make_unique<LoopTask>(circumstances, step);
}

}  // namespace thalweg
