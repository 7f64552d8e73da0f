#include "tasks/task.h"

#include <algorithm>
#include <string>

#include "tasks/map.h"
#include "tasks/product.h"
#include "tasks/product_sum.h"

namespace thalweg {

Place resolve(const Circumstances& circumstances, const Place& place) {
  Place resolved = place;
  const int axis = place.rows_axis;
  if (axis < 0) return resolved;
  const Plan& plan = circumstances.plan;
  const Index parts = place.extents[axis] / plan.rows;
  resolved.extents[axis] = parts * circumstances.rows;
  const auto buffer = static_cast<std::size_t>(place.origin);
  // Rows of more than one part are bound without gaps: see Program::bind.
  if (plan.buffers[buffer].kind == BufferKind::rows && parts == 1)
    resolved.strides[axis] = circumstances.moves[buffer];
  return resolved;
}

int collapse(int rank, Extents& extents, const std::vector<Extents*>& strides) {
  int kept = 0;
  for (int axis = 0; axis < rank; ++axis) {
    if (extents[axis] == 1) continue;
    const bool joins =
        kept > 0 && std::all_of(strides.begin(), strides.end(), [&](const Extents* of) {
          return (*of)[kept - 1] == (*of)[axis] * extents[axis];
        });
    const int to = joins ? kept - 1 : kept++;
    extents[to] = joins ? extents[to] * extents[axis] : extents[axis];
    for (Extents* const of : strides) (*of)[to] = (*of)[axis];
  }
  return kept;
}

namespace {

class Maker {
 public:
  explicit Maker(const Circumstances& circumstances) : circumstances_(circumstances) {}

  std::vector<std::unique_ptr<Task>> make(const std::vector<Step>& steps) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      std::unique_ptr<Task> task = std::visit(*this, steps[i]);
      task->step = static_cast<int>(i);
      tasks_.push_back(std::move(task));
    }
    return std::move(tasks_);
  }

  std::unique_ptr<Task> operator()(const MapStep& step) const {
    auto map = std::make_unique<MapTask>(circumstances_, step);
    if (!step.tail) return map;
    auto* const product = dynamic_cast<ProductTask*>(tasks_.back().get());
    if (!product || !product->takes_tail()) return map;
    product->take_tail(std::move(map));
    return std::make_unique<Nothing>();
  }

  std::unique_ptr<Task> operator()(const ProductStep& step) const {
    if (sums_over_places(step)) return make_product_sum(circumstances_, step);
    return std::make_unique<ProductTask>(circumstances_, step);
  }

  template <class Other>
  std::unique_ptr<Task> operator()(const Other& step) const {
    return make_task(circumstances_, step);
  }

 private:
  struct Nothing final : Task {
    bool run(const Frame&, std::byte*, Index, Index) const override { return true; }
  };

  const Circumstances& circumstances_;
  std::vector<std::unique_ptr<Task>> tasks_;
};

}  // namespace

std::vector<std::unique_ptr<Task>> make_tasks(const Circumstances& circumstances,
                                              const std::vector<Step>& steps) {
  std::vector<std::unique_ptr<Task>> tasks = Maker(circumstances).make(steps);
  tasks.erase(std::remove_if(tasks.begin(), tasks.end(),
                             [](const auto& task) { return task->units == 0; }),
              tasks.end());
  return tasks;
}

}  // namespace thalweg
