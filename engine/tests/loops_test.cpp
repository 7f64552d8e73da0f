// Loops: their turns in order over buffers that move, and the same bits on any number of
// threads.
#include <algorithm>
#include <cmath>

#include "core/program.h"
#include "tests/check.h"
#include "tests/words.h"

namespace thalweg::tests {

namespace {

using BufferKind::moving, BufferKind::rows, BufferKind::total, BufferKind::whole;
using Dtype::float64, Dtype::int32;

constexpr Index BLOCK = 4, TIMES = 5, WIDTH = 3, SHARDS = 4;
constexpr Index NUMBERS = TIMES * WIDTH;  // of a row

// s_t = tanh(s_{t-1}) + x_t, from 0; the sum of all states, and 0 where there is none.
Source recurrence(bool reverse) {
  const At state{0, {BLOCK, WIDTH}, float64, 0}, turns{2, {}, int32};
  const At states{3, {BLOCK, TIMES, WIDTH}, float64, 0};
  const Shape strides{NUMBERS * 8, 8};
  const At x{5, {BLOCK, WIDTH}, float64, 0, strides};
  const At kept{6, {BLOCK, WIDTH}, float64, 0, strides};
  const auto moves = [&](int buffer) {
    const At start{buffer, {BLOCK, WIDTH}, float64, 0, strides};
    return Has{moving, {}, float64, 0, Motion{start, WIDTH * 8, TIMES}};
  };
  Written plan;
  plan.rows = BLOCK;
  plan.arena = BLOCK * WIDTH * 8;
  plan.buffers = {
      {rows, {BLOCK, TIMES, WIDTH}}, {whole, {}, int32}, {rows, {BLOCK, TIMES, WIDTH}},
      {total, {1, 1, WIDTH}},        moves(1),           moves(3)};
  const Words turn = step(Map{{BLOCK, WIDTH},
                              {state, x},
                              {{Opcode::tanh, {0}}, {Opcode::add, {2, 1}}},
                              {{3, state}, {3, kept}},
                              0});
  plan.steps = {
      step(StepKind::zero, {place(state)}), step(StepKind::zero, {place(states)}),
      step(Loop{turns, reverse, TIMES, {5, 6}, {turn}}),
      step(StepKind::reduce,
           {{word(Opcode::sum)}, place(states), place({4, {1, 1, WIDTH}}), {2, 0, 1}})};
  return {read(plan), {}, {"x", "turns", "states", "sum", "x_t", "s_t"}};
}

struct Run {
  Run(Index count, bool backwards)
      : reverse(backwards),
        x(normal_numbers<double>(static_cast<std::size_t>(count * NUMBERS))),
        states(x.size(), 77),
        program(std::nullopt, recurrence(backwards), std::nullopt, SHARDS, *kernels) {
    bind("x", x.data(), count, NUMBERS * 8),
        bind("states", states.data(), count, NUMBERS * 8);
    bind("sum", sum.data()), bind("turns", &turns);
  }

  void bind(const char* name, void* numbers, Index count = 0, Index row = 0) {
    program.bind(program.find(name), {static_cast<std::byte*>(numbers), count, row, true});
  }

  // The states as they must be.
  std::vector<double> wanted() const {
    std::vector<double> found(x.size());
    const Index last = std::clamp<Index>(turns, 0, TIMES);
    for (std::size_t row = 0; row < x.size(); row += NUMBERS)
      for (std::size_t unit = 0; unit < WIDTH; ++unit) {
        double state = 0;
        for (Index turn = 0; turn < last; ++turn) {
          const Index time = reverse ? last - 1 - turn : turn;
          const std::size_t at = row + static_cast<std::size_t>(time * WIDTH) + unit;
          state = found[at] = std::tanh(state) + x[at];
        }
      }
    return found;
  }

  bool reverse;
  std::vector<double> x, states, sum = std::vector<double>(WIDTH);
  std::int32_t turns = TIMES;
  Program program;
};

constexpr Index ROWS[] = {1, 3, 4, 5, 50};

TEST(turns_follow_each_other) {
  for (const bool reverse : {false, true})
    for (const Index rows : ROWS)
      for (const std::int32_t turns : {-1, 0, 1, 3, 5, 9}) {
        Run run(rows, reverse);
        run.turns = turns;
        run.program.run(rows, {1, false}, nullptr);
        const std::vector<double> wanted = run.wanted();
        std::vector<double> sum(WIDTH);
        for (std::size_t i = 0; i < wanted.size(); ++i) {
          CHECK(std::fabs(run.states[i] - wanted[i]) <= 1e-12, rows, " rows, ", turns, ": ",
                i);
          sum[i % WIDTH] += wanted[i];
        }
        for (std::size_t i = 0; i < WIDTH; ++i)
          CHECK(std::fabs(run.sum[i] - sum[i]) <= 1e-10, rows, " rows, ", turns, ": ", i);
      }
}

TEST(threads_give_the_same_bits) {
  Run run(50, false);
  run.program.run(50, {1, false}, nullptr);
  const std::vector<double> states = run.states, sum = run.sum;
  for (const int threads : {2, 3, 5, 16}) {
    run.program.run(50, {threads, false}, nullptr);
    CHECK(run.states == states && run.sum == sum, threads, " threads");
  }
}

}  // namespace

}  // namespace thalweg::tests
