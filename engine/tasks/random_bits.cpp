// Counted random words.
#include <cstring>

#include "tasks/dense.h"

namespace thalweg {

namespace {

class RandomBitsTask final : public Task {
 public:
  RandomBitsTask(const Circumstances& circumstances, const RandomBitsStep& step,
                 const Place& out)
      : kernels_(&circumstances.kernels), step_(step) {
    const Index count = count_elements(out);
    if (count == 0) return;
    if (step.out.rows_axis == 0) row_elements_ = count / circumstances.rows;
    units = count;
    grain = 64;
    work = 0.5 * static_cast<double>(count);
  }

  bool run(const Frame& frame, std::byte*, Index from, Index to) const override {
    std::uint32_t seed, step;
    std::memcpy(&seed, frame.bases[step_.seed.buffer] + step_.seed.offset, sizeof seed);
    std::memcpy(&step, frame.bases[step_.step.buffer] + step_.step.offset, sizeof step);
    auto* const out =
        reinterpret_cast<std::uint32_t*>(frame.bases[step_.out.buffer] + step_.out.offset);
    kernels_->random_bits(seed, step, step_.operation,
                          frame.first_row * row_elements_ + from, to - from, out + from);
    return true;
  }

 private:
  const Kernels* kernels_;
  RandomBitsStep step_;
  Index row_elements_ = 0;
};

}  // namespace

std::unique_ptr<Task> make_task(const Circumstances& circumstances,
                                const RandomBitsStep& step) {
  return std::make_unique<RandomBitsTask>(circumstances, step,
                                          resolve(circumstances, step.out));
}

}  // namespace thalweg
