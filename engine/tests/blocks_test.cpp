// Blocks of rows in shards: what they give is right, and the same to the bit on any number
// of threads.
#include <cmath>
#include <cstring>
#include <numeric>

#include "core/program.h"
#include "tests/check.h"
#include "tests/words.h"

namespace thalweg::tests {

namespace {

using BufferKind::constant, BufferKind::rows, BufferKind::total, BufferKind::whole;
using Dtype::float64;

constexpr Index BLOCK = 16, WIDTH = 24, OUT = 8, SHARDS = 8;

// y = tanh(x w), rows of it; sum += the rows' x^T y; count += the numbers of y, added up.
Source block() {
  const At x{1, {BLOCK, WIDTH}, float64, 0}, w{2, {WIDTH, OUT}},
      y{3, {BLOCK, OUT}, float64, 0};
  const At x_by_columns{1, {WIDTH, BLOCK}, float64, 1, {{8, WIDTH * 8}}};
  Written plan;
  plan.rows = BLOCK;
  plan.buffers = {{rows, {BLOCK, WIDTH}},
                  {whole, {WIDTH, OUT}},
                  {rows, {BLOCK, OUT}},
                  {total, {WIDTH, OUT}},
                  {total, {1, OUT}}};
  plan.steps = {
      step(StepKind::product, {place(x), place(w), place(y), {0}}),
      step(Map{{BLOCK, OUT}, {y}, {{Opcode::tanh, {0}}}, {{1, y}}, 0, true}),
      step(StepKind::product,
           {place(x_by_columns), place(y), place({4, {WIDTH, OUT}}), {0}}),
      step(StepKind::reduce, {{word(Opcode::sum)}, place(y), place({5, {1, OUT}}), {1, 0}}),
  };
  return {read(plan), {}, {"x", "w", "y", "sum", "count"}};
}

// One more to the count of runs: what the next run reads is kept.
Source after() {
  const At runs{1, {1}};
  Written plan;
  plan.buffers = {{whole, {1}}, {constant, {1}}};
  plan.constants = 8;
  plan.steps = {step(Map{{1}, {runs, {2, {1}}}, {{Opcode::add, {0, 1}}}, {{2, runs}}})};
  Source source{read(plan), Memory(8), {"runs", "one"}};
  const double one = 1;
  std::memcpy(source.constants.data(), &one, sizeof one);
  return source;
}

struct Run {
  explicit Run(Index rows)
      : x(normal_numbers<double>(static_cast<std::size_t>(rows * WIDTH))),
        w(normal_numbers<double>(WIDTH * OUT, 0.2)),
        y(static_cast<std::size_t>(rows * OUT)),
        program(std::nullopt, block(), after(), SHARDS, *kernels) {
    bind("x", x, rows, WIDTH), bind("y", y, rows, OUT);
    bind("w", w), bind("sum", sum), bind("count", count), bind("runs", runs);
  }

  void bind(const char* name, std::vector<double>& numbers, Index rows = 0,
            Index width = 0) {
    program.bind(program.find(name),
                 {reinterpret_cast<std::byte*>(numbers.data()), rows, width * 8, true});
  }

  std::vector<double> results() const {
    std::vector<double> all = y;
    all.insert(all.end(), sum.begin(), sum.end());
    all.insert(all.end(), count.begin(), count.end());
    return all;
  }

  // A row of y as it must be.
  std::vector<long double> row(Index number) const {
    std::vector<long double> result(OUT);
    for (Index j = 0; j < OUT; ++j) {
      long double of = 0;
      for (Index l = 0; l < WIDTH; ++l)
        of += static_cast<long double>(x[static_cast<std::size_t>(number * WIDTH + l)]) *
              w[static_cast<std::size_t>(l * OUT + j)];
      result[static_cast<std::size_t>(j)] = std::tanh(of);
    }
    return result;
  }

  std::vector<double> x, w, y, sum = std::vector<double>(WIDTH * OUT),
                               count = std::vector<double>(OUT), runs{0};
  Program program;
};

bool is_near(double got, long double expected) {
  return std::fabs(got - expected) <= 1e-12 * (1 + std::fabs(expected));
}

constexpr Index ROWS[] = {1, 15, 16, 17, 100, 500};

TEST(a_run_gives_what_its_plans_mean) {
  for (const Index rows : ROWS) {
    Run run(rows);
    run.program.run(rows, {1, false}, nullptr);
    std::vector<long double> count(OUT), sum(WIDTH * OUT);
    for (Index i = 0; i < rows; ++i) {
      const std::vector<long double> row = run.row(i);
      for (std::size_t j = 0; j < OUT; ++j) {
        CHECK(is_near(run.y[static_cast<std::size_t>(i) * OUT + j], row[j]), i, ", ", j);
        count[j] += row[j];
        for (std::size_t l = 0; l < WIDTH; ++l)
          sum[l * OUT + j] += run.x[static_cast<std::size_t>(i) * WIDTH + l] * row[j];
      }
    }
    for (std::size_t j = 0; j < OUT; ++j)
      CHECK(is_near(run.count[j], count[j]), rows, ": ", j);
    for (std::size_t j = 0; j < sum.size(); ++j)
      CHECK(is_near(run.sum[j], sum[j]), rows, ": ", j);
    CHECK(run.runs[0] == 1, run.runs[0]);
  }
}

TEST(any_number_of_threads_gives_the_same_bits) {
  for (const Index rows : ROWS) {
    Run run(rows);
    run.program.run(rows, {1, false}, nullptr);
    const std::vector<double> alone = run.results();
    for (const int threads : {1, 2, 3, 5, 16}) {
      run.program.run(rows, {threads, false}, nullptr);
      CHECK(run.results() == alone, rows, " rows on ", threads, " threads");
    }
    run.program.run(rows, {4, true}, nullptr);
    CHECK(run.results() == alone, rows, " rows on as many threads as are best");
    CHECK(run.runs[0] == 7, run.runs[0]);
  }
}

// Large enough that threads share each of its tasks: a product with its tail, a map, a sum.
TEST(a_task_that_is_cut_has_the_same_bits) {
  constexpr Index M = 300, K = 200, N = 260;
  const At a{1, {M, K}}, b{2, {K, N}}, c{3, {M, N}}, d{4, {M, N}};
  Written plan;
  plan.buffers = {
      {whole, {M, K}}, {whole, {K, N}}, {whole, {M, N}}, {whole, {M, N}}, {whole, {M, 1}}};
  plan.steps = {
      step(StepKind::product, {place(a), place(b), place(c), {0}}),
      step(Map{{M, N}, {c}, {{Opcode::tanh, {0}}}, {{1, c}}, -1, true}),
      step(Map{{M, N}, {c}, {{Opcode::exp, {0}}}, {{1, d}}}),
      step(StepKind::reduce, {{word(Opcode::sum)}, place(d), place({5, {M, 1}}), {1, 1}})};
  std::vector<std::vector<double>> numbers{normal_numbers<double>(M * K),
                                           normal_numbers<double>(K * N, 0.1)};
  for (const Index count : {M * N, M * N, M}) numbers.emplace_back(count);
  Program program(Source{read(plan), {}, {"a", "b", "c", "d", "sum"}}, std::nullopt,
                  std::nullopt, 1, *kernels);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    program.bind(i, {reinterpret_cast<std::byte*>(numbers[i].data()), 0, 0, true});
  std::vector<std::vector<double>> alone;
  for (const int threads : {1, 2, 3, 5, 16}) {
    for (std::size_t i = 2; i < numbers.size(); ++i)
      numbers[i].assign(numbers[i].size(), 77);
    program.run(0, {threads, false}, nullptr);
    if (threads == 1) alone = numbers;
    CHECK(numbers == alone, threads, " threads");
  }
  for (std::size_t i = 0; i < M; ++i) {
    long double sum = 0;
    for (std::size_t j = 0; j < N; ++j)
      sum += std::exp(static_cast<long double>(numbers[2][i * N + j]));
    CHECK(is_near(numbers[4][i], sum), i, ": ", numbers[4][i], ", not ", sum);
  }
}

TEST(no_rows_give_zeros) {
  Run run(1);
  run.sum.assign(run.sum.size(), 5);
  run.program.run(0, {2, false}, nullptr);
  for (const double number : run.sum) CHECK(number == 0, number);
}

TEST(an_epoch_takes_rows_in_its_order) {
  constexpr Index N = 100, BATCH = 30;
  std::vector<std::int64_t> order(N);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), random());
  // Rows in an order can't be written: their sums alone are looked at.
  std::vector<double> first;
  for (const int threads : {1, 2, 4}) {
    Written plan;
    plan.rows = BLOCK;
    plan.buffers = {{rows, {BLOCK, 2}}, {total, {1, 2}}};
    plan.steps = {step(StepKind::reduce, {{word(Opcode::sum)},
                                          place({1, {BLOCK, 2}, float64, 0}),
                                          place({2, {1, 2}}),
                                          {1, 0}})};
    std::vector<double> x(N * 2), sum(2), log(4 * 2);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<double>(i));
    Program program(std::nullopt, Source{read(plan), {}, {"x", "sum"}}, std::nullopt,
                    SHARDS, *kernels);
    program.bind(0, {reinterpret_cast<std::byte*>(x.data()), N, 16, true});
    program.bind(1, {reinterpret_cast<std::byte*>(sum.data()), 0, 0, true});
    Course course{};
    course.order = order.data();
    course.rows = N;
    course.batch_size = BATCH;
    course.batches = 4;
    course.learning_rate = course.step = NO_NAME;
    course.logged = {1};
    course.log_width = 2;
    course.log = log.data();
    course.seconds = 60;
    const Progress progress = program.train(course, {threads, false}, nullptr);
    CHECK(progress.end == End::done && progress.batches == 4, progress.batches);
    for (Index batch = 0; batch < 4; ++batch) {
      long double expected = 0;
      for (Index i = batch * BATCH; i < std::min(N, (batch + 1) * BATCH); ++i)
        expected += x[static_cast<std::size_t>(order[static_cast<std::size_t>(i)] * 2)];
      CHECK(is_near(log[static_cast<std::size_t>(batch * 2)], expected), batch);
    }
    if (first.empty()) first = log;
    CHECK(log == first, threads, " threads");
    order[50] = N;
    try {
      program.train(course, {threads, false}, nullptr);
      CHECK(false, "a row that doesn't exist was taken");
    } catch (const std::out_of_range& error) {
      CHECK(std::string(error.what()) == "order names a row that doesn't exist",
            error.what());
    }
    order[50] = 0;
    first.clear();
  }
}

TEST(what_is_bound_is_checked_before_a_run) {
  Run run(40);
  const auto said = [&](Index rows) -> std::string {
    try {
      run.program.run(rows, {1, false}, nullptr);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  CHECK(said(41) == "x has 40 rows, but the run has 41", said(41));
  run.bind("sum", run.w);
  CHECK(said(40).find("shares memory with that of") != std::string::npos, said(40));
  run.program.bind(run.program.find("sum"), {});
  CHECK(said(40) == "nothing is bound to sum", said(40));
}

}  // namespace

}  // namespace thalweg::tests
