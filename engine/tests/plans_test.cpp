// Plans that break a rule each, and what is said against them. That every rule of the
// sources refuses a plan is for tests/unit/backends/test_refusals.py to say.
#include "tests/check.h"
#include "tests/words.h"

namespace thalweg::tests {

namespace {

using BufferKind::constant, BufferKind::rows, BufferKind::total, BufferKind::whole;
using Dtype::boolean, Dtype::float32, Dtype::float64, Dtype::int32, Dtype::uint32,
    Dtype::uint8;

std::string refusal(const Words& words, std::size_t constants = 0) {
  try {
    decode(words.data(), words.size(), constants);
  } catch (const PlanError& error) {
    return error.what();
  }
  return "";
}

std::string refusal(const Written& plan) {
  return refusal(words(plan), static_cast<std::size_t>(plan.constants));
}

struct Broken {
  const char* rule;
  Written plan;
};

void check_refused(const std::vector<Broken>& plans) {
  for (const Broken& broken : plans) {
    const std::string said = refusal(broken.plan);
    CHECK(said.find(broken.rule) != std::string::npos, "'", said, "', not '", broken.rule,
          "'");
  }
}

const Has NUMBER{whole, {1}}, NUMBERS{whole, {2, 3}};
const At ONE{1, {1}}, TWO{2, {1}};

Written one_step(const Words& step, std::vector<Has> buffers, Index rows = 0,
                 Index arena = 0) {
  return {std::move(buffers), {step}, rows, arena};
}

Written map_of(const Map& map, std::vector<Has> buffers = {NUMBER, NUMBER}, Index rows = 0,
               Index arena = 0) {
  return one_step(step(map), std::move(buffers), rows, arena);
}

Written line_of(const Line& line, Dtype in = float64) {
  return map_of({{1}, {{1, {1}, in}}, {line}, {{1, {2, {1}, line.dtype}}}},
                {{whole, {1}, in}, {whole, {1}, line.dtype}});
}

TEST(a_plan_that_breaks_no_rule_is_taken) {
  const Written plan = map_of({{2, 3},
                               {{1, {2, 3}}},
                               {{Opcode::exp, {0}}, {Opcode::add, {0, 1}}},
                               {{2, {2, {2, 3}}}}},
                              {NUMBERS, NUMBERS});
  CHECK(refusal(plan).empty(), refusal(plan));
  const Plan read = tests::read(plan);
  CHECK(read.steps.size() == 1 && read.buffers.size() == 3);
  CHECK(!read.buffers[1].written && read.buffers[2].written);
}

TEST(words_that_are_no_plan) {
  const Words good = words(map_of({{1}, {ONE}, {}, {{0, TWO}}}));
  CHECK(refusal(good).empty(), refusal(good));
  for (std::size_t count = 0; count < good.size(); ++count)
    CHECK(!refusal(Words(good.begin(), good.begin() + static_cast<Index>(count))).empty(),
          count);
  CHECK(refusal(join({good, {0}})) == "words follow the last step");
  Words other = good;
  other[0] += 1;
  CHECK(refusal(other) == "these words are no plan");
  other = good;
  other[1] += 1;
  CHECK(refusal(other).find("the format's version must be") == 0, refusal(other));
  CHECK(refusal(good, 8).find("bytes of constants must be") == 0, refusal(good, 8));
}

TEST(buffers) {
  check_refused({
      {"a size of more than 2^40 bytes", {{{whole, {Index{1} << 40}}}, {}}},
      {"a constant leaves the bytes of constants", {{{constant, {3}}}, {}, 0, 0, 16}},
      {"a constant's offset is no multiple", {{{constant, {1}, float64, 4}}, {}, 0, 0, 16}},
      {"only a constant has an offset", {{{whole, {1}, float64, 8}}, {}}},
      {"a buffer of rows must have the plan's rows", {{{rows, {3}}}, {}, 2}},
      {"a total must hold numbers", {{{total, {1}, boolean}}, {}, 1}},
      {"a total must hold numbers", {{{total, {1}, uint8}}, {}, 1}},
      {"buffer 2: ", {{NUMBER, {rows, {3}}}, {}, 2}},
  });
}

TEST(places) {
  const auto written = [](const At& at, const Has& has, Index rows = 0) {
    return one_step(step(StepKind::zero, {place(at)}), {has}, rows);
  };
  check_refused({
      {"a place has another dtype than its buffer", written({1, {1}, int32}, NUMBER)},
      {"an offset is no multiple", written({1, {1}, float64, -1, {}, 4}, {whole, {4}})},
      {"a stride is no multiple", written({1, {2}, float64, -1, {{12}}}, {whole, {4}})},
      {"a place leaves its buffer", written({1, {2}}, NUMBER)},
      {"a place leaves its buffer", written({1, {1}, float64, -1, {}, 8}, NUMBER)},
      {"no multiple of the plan's rows", written({1, {3}, float64, 0}, {rows, {2}}, 2)},
      {"is not that of the rows of its buffer",
       written({1, {2, 1}, float64, 0, {{8, 8}}}, {rows, {2, 2}}, 2)},
      {"a place leaves its row",
       written({1, {2, 3}, float64, 0, {{16, 8}}}, {rows, {2, 2}}, 2)},
      {"elements of a written place lie on each other",
       written({1, {2}, float64, -1, {{0}}}, NUMBER)},
      {"a place runs backwards", written({1, {2}, float64, -1, {{-8}}, 8}, {whole, {4}})},
      {"a total's place has a rows axis", written({1, {2}, float64, 0}, {total, {2}}, 2)},
      {"step 0: ", written({1, {2}}, NUMBER)},
  });
  Written plan = written({1, {1}}, {constant, {1}});
  plan.constants = 8;
  check_refused({{"a constant is written", plan}});
}

TEST(places_that_run_backwards) {
  const auto copied = [](const At& at, const Has& has, Index rows = 0) {
    const At to{2, at.extents, at.dtype, at.rows};
    return one_step(step(StepKind::copy, {place(at), place(to)}),
                    {has, {has.kind, at.extents}}, rows);
  };
  const Has four{whole, {4}}, row{rows, {2, 4}};
  const Index far = Index{1} << 40;
  CHECK(refusal(copied({1, {4}, float64, -1, {{-8}}, 24}, four)).empty());
  CHECK(refusal(copied({1, {2}, float64, -1, {{-16}}, 24}, four)).empty());
  CHECK(refusal(copied({1, {2, 4}, float64, 0, {{32, -8}}, 24}, row, 2)).empty());
  check_refused({
      {"a place leaves its buffer", copied({1, {4}, float64, -1, {{-8}}, 16}, four)},
      {"a place leaves its buffer", copied({1, {4}, float64, -1, {{-8}}, 32}, four)},
      {"a place leaves its buffer",
       copied({1, {2, 2}, float64, -1, {{-far, -far}}, far}, four)},
      {"a stride must be", copied({1, {2}, float64, -1, {{-2 * far}}, far}, four)},
      {"a stride is no multiple", copied({1, {3}, float64, -1, {{-12}}, 24}, four)},
      {"a place leaves its row", copied({1, {2, 4}, float64, 0, {{32, -8}}, 32}, row, 2)},
      {"rows run backwards", copied({1, {2, 4}, float64, 0, {{-32, 8}}, 32}, row, 2)},
      {"a step writes over what it reads",
       one_step(step(StepKind::copy,
                     {place({1, {3}, float64, -1, {{-8}}, 16}), place({1, {3}})}),
                {four})},
  });
}

TEST(lines_of_maps) {
  check_refused({
      {"a line's opcode is not elementwise", line_of({Opcode::sum, {0}})},
      {"a line has another number of operands", line_of({Opcode::add, {0}})},
      {"a register must be 0 to 0, got 1", line_of({Opcode::exp, {1}})},
      {"a line's dtypes don't fit exp", line_of({Opcode::exp, {0}, int32}, int32)},
      {"a line's dtypes don't fit exp", line_of({Opcode::exp, {0}, float32})},
      {"a line's dtypes don't fit add", line_of({Opcode::add, {0, 0}, boolean}, boolean)},
      {"a line's dtypes don't fit less", line_of({Opcode::less, {0, 0}})},
      {"a line's dtypes don't fit less", line_of({Opcode::less, {0, 0}, boolean}, uint8)},
      {"a line's dtypes don't fit add", line_of({Opcode::add, {0, 0}, uint8}, uint8)},
      {"a line's dtypes don't fit cast", line_of({Opcode::cast, {0}, uint8})},
      {"a line's dtypes don't fit logical_not",
       line_of({Opcode::logical_not, {0}, boolean})},
      {"a line's dtypes don't fit select", line_of({Opcode::select, {0, 0, 0}})},
      {"a line's dtypes don't fit stop_gradient",
       line_of({Opcode::stop_gradient, {0}, int32})},
  });
}

TEST(maps) {
  const At row{1, {2, 3}, float64, 0};
  const Has row_buffer{rows, {2, 3}};
  check_refused({
      {"a map has no output", map_of({{1}, {ONE}, {}, {}})},
      {"a place has another rank than its map", map_of({{}, {ONE}, {}, {{0, {2, {}}}}})},
      {"a place has other extents than its map",
       map_of({{1}, {ONE}, {}, {{0, {2, {2}}}}}, {NUMBER, {whole, {2}}})},
      {"a place has another rows axis than its map",
       map_of({{2, 3}, {row}, {}, {{0, {2, {2, 3}}}}}, {row_buffer, NUMBERS}, 2)},
      {"an output has another dtype than its line",
       map_of({{1}, {ONE}, {}, {{0, {2, {1}, int32}}}}, {NUMBER, {whole, {1}, int32}})},
      {"a map's output lies over a part of an input",
       map_of({{2}, {{1, {2}}}, {}, {{0, {1, {2}, float64, -1, {}, 8}}}}, {{whole, {3}}})},
      {"two outputs of a map overlap", map_of({{1}, {ONE}, {}, {{0, TWO}, {0, TWO}}})},
      {"this step can't write a total",
       map_of({{1}, {ONE}, {}, {{0, TWO}}}, {NUMBER, {total, {1}}}, 1)},
      {"a tail must follow a product", map_of({{1}, {ONE}, {}, {{0, TWO}}, -1, true})},
  });
}

Words product(const At& a, const At& b, const At& out, const std::optional<At>& bias = {}) {
  return step(
      StepKind::product,
      {place(a), place(b), place(out), {bias.has_value()}, bias ? place(*bias) : Words{}});
}

TEST(products) {
  const std::vector<Has> buffers{
      {whole, {2, 3}}, {whole, {3, 4}}, {whole, {2, 4}}, {whole, {4}}};
  const At a{1, {2, 3}}, b{2, {3, 4}}, out{3, {2, 4}};
  const auto made = [&](const Words& words) { return one_step(words, buffers); };
  const At bias{4, {2, 4}, float64, -1, {{0, 8}}};
  CHECK(refusal(made(product(a, b, out, bias))).empty());
  check_refused({
      {"matrices of one rank", made(product({1, {6}}, b, out))},
      {"the extents of a product differ", made(product(a, {2, {4, 3}}, out))},
      {"a product takes and gives float32 or float64",
       one_step(product({1, {1, 1}, int32}, {1, {1, 1}, int32}, {2, {1, 1}, int32}),
                {{whole, {1, 1}, int32}, {whole, {1, 1}, int32}})},
      {"the columns of a product's result must be adjacent",
       made(product(a, b, {3, {2, 4}, float64, -1, {{8, 16}}}))},
      {"a step writes over what it reads",
       one_step(product({1, {2, 2}}, {2, {2, 2}}, {1, {2, 2}}),
                {{whole, {2, 2}}, {whole, {2, 2}}})},
      {"a bias has other extents", made(product(a, b, out, At{4, {4}}))},
      {"a bias must have stride 0",
       made(product(a, b, out, At{1, {2, 4}, float64, -1, {{8, 8}}}))},
      {"the numbers of a bias must be adjacent",
       made(product(a, b, out, At{2, {2, 4}, float64, -1, {{0, 16}}}))},
  });
}

Words reduction(Opcode opcode, const At& in, const At& out, const Words& axes) {
  return step(StepKind::reduce,
              {{word(opcode)}, place(in), place(out), {word(axes.size())}, axes});
}

TEST(reductions) {
  const At in{1, {2, 3}};
  const auto made = [&](const Words& words, Dtype out = float64) {
    return one_step(words, {NUMBERS, {whole, {6}, out}});
  };
  CHECK(refusal(made(reduction(Opcode::sum, in, {2, {1, 3}}, {0}))).empty());
  check_refused({
      {"a reduction is sum, max or argmax",
       made(reduction(Opcode::exp, in, {2, {1, 3}}, {0}))},
      {"the dtype of a reduction's result is wrong",
       made(reduction(Opcode::argmax, in, {2, {3}}, {0}))},
      {"the extents of a reduction's result",
       made(reduction(Opcode::sum, in, {2, {2, 3}}, {0}))},
      {"the rank of a reduction's result",
       made(reduction(Opcode::sum, in, {2, {1, 3, 1}}, {0}))},
      {"argmax takes one axis",
       made(reduction(Opcode::argmax, in, {2, {}, int32}, {0, 1}), int32)},
      {"an axis is named twice", made(reduction(Opcode::sum, in, {2, {1, 3}}, {0, 0}))},
      {"a reduction takes numbers",
       one_step(reduction(Opcode::max, {1, {1}, boolean}, {2, {1}, boolean}, {0}),
                {{whole, {1}, boolean}, {whole, {1}, boolean}})},
      {"the maximum of no elements",
       one_step(reduction(Opcode::max, {1, {0}}, {2, {1}}, {0}), {{whole, {0}}, NUMBER})},
  });
}

TEST(what_only_moves) {
  const auto by_number = [](StepKind kind, const At& in, const At& indices, const At& out,
                            Dtype dtype = float64) {
    return one_step(step(kind, {place(in), place(indices), place(out)}),
                    {{whole, {5, 2}, dtype}, {whole, {3}, int32}, {whole, {3, 2}, dtype}});
  };
  const At table{1, {5, 2}}, indices{2, {3}, int32}, taken{3, {3, 2}};
  CHECK(refusal(by_number(StepKind::take, table, indices, taken)).empty());
  CHECK(refusal(by_number(StepKind::scatter_add, taken, indices, table)).empty());
  const auto bits = [](const At& seed, const At& out, Dtype seed_dtype = uint32) {
    return one_step(
        step(StepKind::random_bits, {place(seed), place({2, {}, int32}), place(out), {7}}),
        {{whole, {}, seed_dtype}, {whole, {}, int32}, {whole, {2, 3}, uint32}});
  };
  CHECK(refusal(bits({1, {}, uint32}, {3, {2, 3}, uint32})).empty());
  check_refused({
      {"a copy changes extents or dtype",
       one_step(step(StepKind::copy, {place(ONE), place({2, {2}})}),
                {NUMBER, {whole, {2}}})},
      {"indices must be int32",
       one_step(step(StepKind::take, {place(ONE), place(ONE), place(TWO)}),
                {NUMBER, NUMBER})},
      {"a table's extents don't fit",
       by_number(StepKind::take, table, indices, {3, {2, 2}})},
      {"a table's rank doesn't fit", by_number(StepKind::take, table, indices, {3, {6}})},
      {"the rows of a table must be contiguous",
       by_number(StepKind::take, {1, {2, 2}, float64, -1, {{8, 16}}}, indices, taken)},
      {"rows that are added must be numbers",
       by_number(StepKind::scatter_add, {3, {3, 2}, boolean}, indices, {1, {5, 2}, boolean},
                 boolean)},
      {"a table that is added to must be contiguous",
       by_number(StepKind::scatter_add, taken, indices,
                 {1, {5, 2}, float64, -1, {{8, 40}}})},
      {"a seed must be a uint32 scalar", bits({1, {}, int32}, {3, {2, 3}, uint32}, int32)},
      {"random bits must be contiguous uint32",
       bits({1, {}, uint32}, {3, {2, 2}, uint32, -1, {{8, 8}}})},
  });
}

}  // namespace

}  // namespace thalweg::tests
