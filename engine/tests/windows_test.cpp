// Windows: the kernels that reduce, share and add them, and products that read them where
// they lie or add to where they lie.
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "core/program.h"
#include "platform/memory.h"
#include "tests/check.h"
#include "tests/words.h"

namespace thalweg::tests {

namespace {

using BufferKind::whole;

template <class T>
constexpr Dtype DTYPE = std::is_same_v<T, float>          ? Dtype::float32
                        : std::is_same_v<T, double>       ? Dtype::float64
                        : std::is_same_v<T, std::int32_t> ? Dtype::int32
                                                          : Dtype::uint32;

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

// Whole numbers around 0, many of them the same.
template <class T>
std::vector<T> tied_numbers(std::size_t count) {
  std::vector<T> numbers(count);
  for (T& number : numbers) number = static_cast<T>(static_cast<int>(random()() % 5) - 2);
  return numbers;
}

// ---- copies of what is adjacent

void check_runs(Index bytes, int item, Index count) {
  const Index in_stride = bytes + 3 * item, out_stride = bytes + 5 * item;
  std::vector<std::uint8_t> in(static_cast<std::size_t>((count - 1) * in_stride + bytes)),
      out(static_cast<std::size_t>((count - 1) * out_stride + bytes), 0xEE), expected = out;
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::uint8_t>(i * 7 + 1);
  for (Index i = 0; i < count; ++i)
    std::memcpy(expected.data() + i * out_stride, in.data() + i * in_stride,
                static_cast<std::size_t>(bytes));
  Copy copy{};
  copy.item_size = item;
  copy.rank = 2;
  copy.extents[0] = count, copy.extents[1] = bytes / item;
  copy.in = in.data(), copy.out = out.data();
  copy.in_strides[0] = in_stride, copy.out_strides[0] = out_stride;
  copy.in_strides[1] = copy.out_strides[1] = item;
  kernels->copy(copy);
  CHECK(out == expected, count, " runs of ", bytes, " bytes, of ", item, " each");
}

TEST(runs_of_every_length_are_copied_and_nothing_beside_them) {
  for (Index bytes = 1; bytes <= 300; ++bytes)
    for (const int item : {1, 4, 8})
      for (const Index count : {1, 2, 9})
        if (bytes % item == 0) check_runs(bytes, item, count);
}

// ---- windows of (places, elements, channels)

struct Shape3 {
  Index places, elements, channels;
};

template <class T>
struct Case {
  explicit Case(const Shape3& shape, std::vector<T> numbers)
      : shape(shape), x(std::move(numbers)) {
    for (Index e = 0; e < shape.elements; ++e) {
      in_at.push_back(e * shape.channels * Index(sizeof(T)));
      out_at.push_back((shape.elements - 1 - e) * shape.channels * Index(sizeof(T)));
    }
  }

  Windows windows(std::vector<T>& out, bool is_shared) const {
    const Index line = shape.channels * Index(sizeof(T));
    Windows w{};
    w.dtype = DTYPE<T>;
    w.opcode = Opcode::max;
    w.rank = 1;
    w.extents[0] = shape.places;
    w.channels = shape.channels;
    w.elements = shape.elements;
    w.in_elements = in_at.data();
    w.in = x.data();
    w.in_strides[0] = shape.elements * line;
    w.out = out.data();
    w.out_strides[0] = is_shared ? shape.elements * line : line;
    w.out_elements = out_at.data();
    w.part = out.data();
    w.part_strides[0] = line;
    return w;
  }

  T at(Index place, Index element, Index channel) const {
    return x[static_cast<std::size_t>((place * shape.elements + element) * shape.channels +
                                      channel)];
  }

  Shape3 shape;
  std::vector<T> x;
  std::vector<Index> in_at, out_at;
};

constexpr Shape3 SHAPES[] = {{1, 1, 1},  {3, 4, 1},   {2, 9, 3},  {5, 2, 7},  {2, 4, 8},
                             {2, 4, 15}, {3, 3, 16},  {1, 6, 17}, {2, 5, 33}, {2, 2, 64},
                             {1, 3, 67}, {40, 4, 16}, {0, 4, 16}};

template <class T>
std::size_t size_of(const Shape3& shape) {
  return static_cast<std::size_t>(shape.places * shape.elements * shape.channels);
}

template <class T>
T larger(T a, T b) {
  return a != a || a > b ? a : b;
}

template <class T>
void check_reduced(const Case<T>& each, Opcode opcode) {
  const Shape3& s = each.shape;
  const auto count = static_cast<std::size_t>(s.places * s.channels);
  std::vector<T> out(count + 1, T(77)), expected = out;
  Windows w = each.windows(out, false);
  w.opcode = opcode;
  kernels->reduce_windows(w);
  for (Index p = 0; p < s.places; ++p)
    for (Index c = 0; c < s.channels; ++c) {
      T result = each.at(p, 0, c);
      for (Index e = 1; e < s.elements; ++e)
        result = opcode == Opcode::sum ? T(result + each.at(p, e, c))
                                       : larger(result, each.at(p, e, c));
      const T got = out[static_cast<std::size_t>(p * s.channels + c)];
      CHECK(got == result || (got != got && result != result), s.places, ", ", s.elements,
            ", ", s.channels, " at ", p, ", ", c, ": ", got, ", not ", result);
    }
  CHECK(out.back() == T(77), "too much is written");
}

template <class T>
void check_reductions() {
  for (const Shape3& shape : SHAPES)
    for (const Opcode opcode : {Opcode::sum, Opcode::max}) {
      check_reduced(Case<T>(shape, tied_numbers<T>(size_of<T>(shape))), opcode);
      if constexpr (std::is_floating_point_v<T>) {
        std::vector<T> x = normal_numbers<T>(size_of<T>(shape));
        for (std::size_t i = 0; i < x.size(); i += 7)
          x[i] = std::numeric_limits<T>::quiet_NaN();
        for (std::size_t i = 3; i < x.size(); i += 11)
          x[i] = -std::numeric_limits<T>::infinity();
        check_reduced(Case<T>(shape, x), opcode);
      }
    }
}

TEST(windows_are_reduced_element_after_element) {
  check_reductions<float>();
  check_reductions<double>();
  check_reductions<std::int32_t>();
  check_reductions<std::uint32_t>();
}

template <class T>
void check_shares(const Case<T>& each) {
  const Shape3& s = each.shape;
  std::vector<T> out(each.x.size() + 1, T(77));
  const std::vector<T> part =
      normal_numbers<T>(static_cast<std::size_t>(s.places * s.channels));
  Windows w = each.windows(out, true);
  w.part = part.data();
  kernels->share_max(w);
  for (Index p = 0; p < s.places; ++p)
    for (Index c = 0; c < s.channels; ++c) {
      T largest = each.at(p, 0, c);
      for (Index e = 1; e < s.elements; ++e) largest = larger(largest, each.at(p, e, c));
      T count = 0;
      for (Index e = 0; e < s.elements; ++e) count += T(each.at(p, e, c) == largest);
      const T share = part[static_cast<std::size_t>(p * s.channels + c)] / count;
      for (Index e = 0; e < s.elements; ++e) {
        const Index at = (p * s.elements + s.elements - 1 - e) * s.channels + c;
        const T expected = each.at(p, e, c) == largest ? share : T(0);
        const T got = out[static_cast<std::size_t>(at)];
        CHECK(got == expected, s.places, ", ", s.elements, ", ", s.channels, " at ", p,
              ", ", e, ", ", c, ": ", got, ", not ", expected);
      }
    }
  CHECK(out.back() == T(77), "too much is written");
}

template <class T>
void check_all_shares() {
  const T special[] = {std::numeric_limits<T>::quiet_NaN(),
                       T(-0.0),
                       T(0.0),
                       T(1),
                       T(1),
                       -std::numeric_limits<T>::infinity(),
                       std::numeric_limits<T>::infinity()};
  for (const Shape3& shape : SHAPES) {
    check_shares(Case<T>(shape, normal_numbers<T>(size_of<T>(shape))));
    check_shares(Case<T>(shape, tied_numbers<T>(size_of<T>(shape))));
    check_shares(Case<T>(shape, std::vector<T>(size_of<T>(shape), T(3))));
    std::vector<T> x(size_of<T>(shape));
    for (T& number : x) number = special[random()() % std::size(special)];
    check_shares(Case<T>(shape, x));
  }
}

TEST(the_largest_of_a_window_share_its_part) {
  check_all_shares<float>();
  check_all_shares<double>();
}

// ---- added where others are

template <class T>
void check_added(Index places, Index elements, Index channels, Index step) {
  const Index item = sizeof(T), line = channels * item;
  const auto size = static_cast<std::size_t>(((places - 1) * step + elements) * channels);
  std::vector<T> in, out;
  if constexpr (std::is_floating_point_v<T>) {
    in = normal_numbers<T>(static_cast<std::size_t>(places * elements * channels), 50);
    out = normal_numbers<T>(size);
  } else {
    in = tied_numbers<T>(static_cast<std::size_t>(places * elements * channels));
    out = tied_numbers<T>(size);
  }
  std::vector<T> expected = out;
  Copy copy{};
  copy.item_size = static_cast<int>(item);
  copy.rank = 3;
  copy.extents[0] = places, copy.extents[1] = elements, copy.extents[2] = channels;
  copy.in = in.data(), copy.out = out.data();
  copy.in_strides[0] = elements * line, copy.out_strides[0] = step * line;
  copy.in_strides[1] = copy.out_strides[1] = line;
  copy.in_strides[2] = copy.out_strides[2] = item;
  kernels->add_copy(DTYPE<T>, copy);
  for (Index p = 0; p < places; ++p)
    for (Index e = 0; e < elements; ++e)
      for (Index c = 0; c < channels; ++c)
        expected[static_cast<std::size_t>((p * step + e) * channels + c)] +=
            in[static_cast<std::size_t>((p * elements + e) * channels + c)];
  CHECK(same_bits(out, expected), places, " windows of ", elements, " and ", channels,
        " channels, ", step, " apart");
}

TEST(what_is_added_on_each_other_is_added_in_order) {
  for (const Index places : {1, 2, 9})
    for (const Index elements : {1, 2, 5})
      for (const Index channels : {1, 3, 4, 16, 19, 33})
        for (const Index step : {0, 1, 2, 7}) {
          check_added<float>(places, elements, channels, step);
          check_added<double>(places, elements, channels, step);
          check_added<std::int32_t>(places, elements, channels, step);
          check_added<std::uint32_t>(places, elements, channels, step);
        }
}

// ---- sums over windows where they lie

template <class T>
void check_sum(Index depth, Index filters, Index segments, Index run, bool accumulate,
               bool is_sparse) {
  const Index size = segments * run;
  const std::vector<T> a =
      normal_numbers<T>(static_cast<std::size_t>(depth * 2 + segments * (run + 3)));
  std::vector<T> b = normal_numbers<T>(static_cast<std::size_t>(depth * filters));
  for (T& number : b)
    if (is_sparse && random()() % 8) number = 0;
  std::vector<Index> at(static_cast<std::size_t>(depth)),
      segment_at(static_cast<std::size_t>(segments));
  for (std::size_t l = 0; l < at.size(); ++l) at[l] = static_cast<Index>(l) * 2;
  for (std::size_t s = 0; s < segment_at.size(); ++s)
    segment_at[s] = static_cast<Index>(s) * (run + 3);
  std::vector<T> windows;
  for (const Index start : at)
    for (const Index segment : segment_at)
      for (Index r = 0; r < run; ++r)
        windows.push_back(a[static_cast<std::size_t>(start + segment + r)]);
  const std::vector<T> before = normal_numbers<T>(static_cast<std::size_t>(filters * size));
  std::vector<T> whole = before, summed = before;

  Product product{};
  product.dtype = DTYPE<T>;
  product.m = filters, product.n = size, product.k = depth;
  product.a = b.data(), product.a_row = 1, product.a_column = filters;
  product.b = windows.data(), product.b_row = size, product.b_column = 1;
  product.c = whole.data(), product.c_row = size;
  product.accumulate = accumulate;
  Memory scratch(kernels->product_scratch(product));
  product.scratch = scratch.data();
  kernels->product(product);

  WindowSum sum{};
  sum.dtype = DTYPE<T>;
  sum.depth = depth, sum.filters = filters, sum.segments = segments, sum.run = run;
  sum.a = a.data(), sum.at = at.data(), sum.segment_at = segment_at.data();
  sum.span = at.back() + segment_at.back() + run;
  sum.b = b.data(), sum.b_row = filters;
  sum.c = summed.data(), sum.accumulate = accumulate;
  Memory work(kernels->window_scratch(DTYPE<T>));
  std::memset(work.data(), 0xFF, kernels->window_scratch(DTYPE<T>));
  sum.scratch = work.data();
  const bool done = kernels->sum_windows(sum);
  CHECK(same_bits(summed, done ? whole : before), depth, " windows of ", segments, "×", run,
        " for ", filters, " filters", done ? "" : " were not to be summed");
  if (!is_sparse) CHECK(!done, "of numbers that aren't 0");
  if (is_sparse && filters * size * depth >= 1 << 20)
    CHECK(done, depth, " windows of ", segments, "×", run, " for ", filters, " filters");
}

TEST(sums_over_windows_have_the_bits_of_products) {
  for (const Index depth : {1, 30, 257, 700})
    for (const Index filters : {1, 6, 17, 40})
      for (const Index segments : {1, 3, 5})
        for (const Index run : {1, 5, 16, 24, 75, 150})
          for (const bool accumulate : {false, true}) {
            check_sum<float>(depth, filters, segments, run, accumulate, true);
            check_sum<double>(depth, filters, segments, run, accumulate, true);
            check_sum<float>(depth, filters, segments, run, accumulate, false);
          }
}

template <class T>
void check_spread(Index rows, Index depth, Index segments, Index run, bool is_sparse) {
  const Index size = segments * run;
  std::vector<T> a = normal_numbers<T>(static_cast<std::size_t>(rows * depth));
  for (T& number : a)
    if (is_sparse && random()() % 8) number = 0;
  const std::vector<T> b = normal_numbers<T>(static_cast<std::size_t>(depth * size));
  std::vector<Index> at(static_cast<std::size_t>(rows)),
      segment_at(static_cast<std::size_t>(segments));
  for (std::size_t i = 0; i < at.size(); ++i) at[i] = static_cast<Index>(i) * 2;
  for (std::size_t s = 0; s < segment_at.size(); ++s)
    segment_at[s] = static_cast<Index>(s) * (run + 3);
  const std::vector<T> before =
      normal_numbers<T>(static_cast<std::size_t>(rows * 2 + segments * (run + 3)));
  std::vector<T> whole = before, spread_out = before;

  std::vector<T> box(static_cast<std::size_t>(rows * size));
  Product product{};
  product.dtype = DTYPE<T>;
  product.m = rows, product.n = size, product.k = depth;
  product.a = a.data(), product.a_row = depth, product.a_column = 1;
  product.b = b.data(), product.b_row = size, product.b_column = 1;
  product.c = box.data(), product.c_row = size;
  Memory scratch(kernels->product_scratch(product));
  product.scratch = scratch.data();
  kernels->product(product);
  for (std::size_t i = 0; i < at.size(); ++i)
    for (std::size_t s = 0; s < segment_at.size(); ++s)
      for (Index r = 0; r < run; ++r)
        whole[static_cast<std::size_t>(at[i] + segment_at[s] + r)] +=
            box[(i * segment_at.size() + s) * static_cast<std::size_t>(run) +
                static_cast<std::size_t>(r)];

  WindowSpread spread{};
  spread.dtype = DTYPE<T>;
  spread.rows = rows, spread.depth = depth, spread.segments = segments, spread.run = run;
  spread.a = a.data(), spread.a_row = depth;
  spread.b = b.data(), spread.b_row = size;
  spread.c = spread_out.data(), spread.at = at.data();
  spread.segment_at = segment_at.data();
  Memory work(kernels->window_scratch(DTYPE<T>));
  std::memset(work.data(), 0xFF, kernels->window_scratch(DTYPE<T>));
  spread.scratch = work.data();
  const bool done = kernels->spread_windows(spread);
  CHECK(same_bits(spread_out, done ? whole : before), rows, "×", depth, " to ", segments,
        "×", run, done ? "" : ": was not to be spread");
  if (!is_sparse || depth > 256) CHECK(!done, depth, " numbers a row");
  if (is_sparse && depth <= 256 && rows * size * depth >= 1 << 20)
    CHECK(done, rows, "×", depth, " to ", segments, "×", run);
}

TEST(what_is_spread_to_windows_has_the_bits_of_products_that_are_added) {
  for (const Index rows : {1, 30, 257})
    for (const Index depth : {1, 6, 40, 256, 257})
      for (const Index segments : {1, 3, 5})
        for (const Index run : {1, 5, 16, 24, 75, 150}) {
          check_spread<float>(rows, depth, segments, run, true);
          check_spread<double>(rows, depth, segments, run, true);
          check_spread<float>(rows, depth, segments, run, false);
        }
}

// ---- products

// Images of channels, and windows of them.
struct Images {
  Index count, height, width, channels, size, step, filters;

  Index high() const { return (height - size) / step + 1; }
  Index wide() const { return (width - size) / step + 1; }
  Index places() const { return count * high() * wide(); }
  Index elements() const { return size * size * channels; }
  Index numbers() const { return count * height * width * channels; }

  At windows(int buffer, Index item, Dtype dtype) const {
    const Index x = channels * item, y = width * x;
    return {buffer,
            {count, high(), wide(), size, size, channels},
            dtype,
            -1,
            {{height * y, step * y, step * x, y, x, item}}};
  }

  At turned(int buffer, Index item, Dtype dtype) const {
    At at = windows(buffer, item, dtype);
    std::rotate(at.extents.begin(), at.extents.begin() + 3, at.extents.end());
    std::rotate(at.strides->begin(), at.strides->begin() + 3, at.strides->end());
    return at;
  }

  // Where element j of window i is.
  std::size_t at(Index i, Index j) const {
    const Index place_x = i % wide(), place_y = i / wide() % high(),
                image = i / wide() / high();
    const Index c = j % channels, x = j / channels % size, y = j / channels / size;
    return static_cast<std::size_t>(
        ((image * height + place_y * step + y) * width + place_x * step + x) * channels +
        c);
  }
};

// The last are large enough that threads share them.
constexpr Images IMAGES[] = {{1, 3, 3, 1, 3, 1, 1},    {2, 5, 6, 1, 2, 1, 3},
                             {3, 9, 7, 3, 3, 2, 16},   {2, 12, 12, 16, 3, 1, 33},
                             {4, 14, 11, 2, 2, 3, 40}, {6, 20, 20, 8, 3, 1, 24},
                             {1, 40, 40, 1, 5, 1, 6},  {1, 9, 9, 33, 1, 1, 17},
                             {8, 20, 20, 3, 5, 1, 64}, {5, 24, 22, 12, 3, 1, 70}};

// A plan of one product that has run on any number of threads.
template <class T>
struct Ran {
  Ran(const std::vector<Words>& steps, std::vector<std::vector<T>> numbers, bool adds)
      : numbers(std::move(numbers)) {
    Written plan;
    std::vector<std::string> names;
    for (const std::vector<T>& each : this->numbers) {
      plan.buffers.push_back({whole, {static_cast<Index>(each.size())}, DTYPE<T>});
      names.push_back(std::to_string(names.size()));
    }
    plan.steps = steps;
    Program program(Source{read(plan), {}, names}, std::nullopt, std::nullopt, 1, *kernels);
    for (std::size_t i = 0; i < names.size(); ++i)
      program.bind(i, {reinterpret_cast<std::byte*>(this->numbers[i].data()), 0, 0, true});
    const std::vector<T> before = this->numbers.back();
    fill_scratch_with_nan(program);
    for (const int threads : {1, 2, 3, 5, 16}) {
      this->numbers.back() =
          adds ? before
               : std::vector<T>(before.size(), std::numeric_limits<T>::quiet_NaN());
      program.run(0, {threads, false}, nullptr);
      if (threads == 1) alone = this->numbers.back();
      CHECK(same_bits(this->numbers.back(), alone), threads, " threads");
    }
  }

  // What a run leaves in scratch is what it works on.
  void fill_scratch_with_nan(Program& program) {
    std::vector<std::vector<T>> kept = numbers;
    for (std::vector<T>& each : numbers)
      std::fill(each.begin(), each.end(), std::numeric_limits<T>::quiet_NaN());
    program.run(0, {3, false}, nullptr);
    for (std::size_t i = 0; i < numbers.size(); ++i)
      std::copy(kept[i].begin(), kept[i].end(), numbers[i].begin());
  }

  std::vector<std::vector<T>> numbers;
  std::vector<T> alone;
};

template <class T>
void check_near(const std::vector<T>& got, const std::vector<long double>& expected,
                const std::vector<long double>& size, Index terms) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    const long double bound = size[i] * std::numeric_limits<T>::epsilon() *
                              (4 + std::sqrt(static_cast<long double>(terms)));
    CHECK(std::fabs(got[i] - expected[i]) <= bound, i, ": ", got[i], ", not ", expected[i]);
  }
}

// Of numbers near 0, most of them 0 where they are to be skipped.
template <class T>
std::vector<T> some(Index count, bool is_sparse) {
  std::vector<T> numbers = normal_numbers<T>(static_cast<std::size_t>(count));
  for (T& number : numbers)
    if (is_sparse && random()() % 8) number = 0;
  return numbers;
}

template <class T>
void check_gathered(const Images& images, bool is_sparse) {
  const Index item = sizeof(T), m = images.places(), k = images.elements(),
              n = images.filters;
  const std::vector<T> x = some<T>(images.numbers(), is_sparse), w = some<T>(k * n, false);
  std::vector<T> matrix;
  for (Index i = 0; i < m; ++i)
    for (Index j = 0; j < k; ++j) matrix.push_back(x[images.at(i, j)]);
  const std::vector<T> out(static_cast<std::size_t>(m * n));
  const At b{2, {k, n}, DTYPE<T>}, c{3, {m, n}, DTYPE<T>};
  const Words gathered =
      step(StepKind::product_of_windows,
           {place(images.windows(1, item, DTYPE<T>)), place(b), place(c), {0}, {3}});
  const Words plain =
      step(StepKind::product, {place({1, {m, k}, DTYPE<T>}), place(b), place(c), {0}});
  const Ran<T> ran({gathered}, {x, w, out}, false),
      by_matrix({plain}, {matrix, w, out}, false);
  CHECK(same_bits(ran.alone, by_matrix.alone), images.count, "×", images.height, "×",
        images.width, "×", images.channels, ": not the bits of a matrix");
}

template <class T>
void check_summed(const Images& images, bool is_sparse) {
  const Index item = sizeof(T), m = images.elements(), k = images.places(),
              n = images.filters;
  const std::vector<T> x = some<T>(images.numbers(), false), y = some<T>(k * n, is_sparse);
  const Words summed =
      step(StepKind::product_of_windows, {place(images.turned(1, item, DTYPE<T>)),
                                          place({2, {k, n}, DTYPE<T>}),
                                          place({3, {m, n}, DTYPE<T>}),
                                          {0},
                                          {3}});
  const Ran<T> ran({summed}, {x, y, std::vector<T>(static_cast<std::size_t>(m * n))},
                   false);
  std::vector<long double> expected(static_cast<std::size_t>(m * n)), size = expected;
  for (Index l = 0; l < k; ++l)
    for (Index i = 0; i < m; ++i)
      for (Index j = 0; j < n; ++j) {
        const long double term = static_cast<long double>(x[images.at(l, i)]) *
                                 y[static_cast<std::size_t>(l * n + j)];
        expected[static_cast<std::size_t>(i * n + j)] += term;
        size[static_cast<std::size_t>(i * n + j)] += std::fabs(term);
      }
  check_near(ran.alone, expected, size, k);
}

template <class T>
void check_added_product(const Images& images, bool is_sparse) {
  const Index item = sizeof(T), m = images.places(), n = images.elements(),
              k = images.filters;
  const std::vector<T> y = some<T>(m * k, is_sparse), w = some<T>(k * n, false),
                       before = some<T>(images.numbers(), false);
  const Words added =
      step(StepKind::product_to_windows, {place({1, {m, k}, DTYPE<T>}),
                                          place({2, {k, n}, DTYPE<T>}),
                                          place(images.windows(3, item, DTYPE<T>)),
                                          {0},
                                          {3}});
  const Ran<T> ran({added}, {y, w, before}, true);
  std::vector<long double> expected(before.begin(), before.end()), size;
  for (const long double number : expected) size.push_back(std::fabs(number));
  for (Index i = 0; i < m; ++i)
    for (Index j = 0; j < n; ++j)
      for (Index l = 0; l < k; ++l) {
        const long double term =
            static_cast<long double>(y[static_cast<std::size_t>(i * k + l)]) *
            w[static_cast<std::size_t>(l * n + j)];
        expected[images.at(i, j)] += term;
        size[images.at(i, j)] += std::fabs(term);
      }
  check_near(ran.alone, expected, size, k * images.size * images.size);
}

TEST(products_of_windows_have_the_bits_of_products_of_matrices) {
  for (const Images& images : IMAGES)
    for (const bool is_sparse : {false, true}) {
      check_gathered<float>(images, is_sparse);
      check_gathered<double>(images, is_sparse);
    }
}

TEST(sums_over_places_are_right_and_any_threads_give_their_bits) {
  for (const Images& images : IMAGES)
    for (const bool is_sparse : {false, true}) {
      check_summed<float>(images, is_sparse);
      check_summed<double>(images, is_sparse);
    }
}

TEST(products_are_added_to_windows_and_any_threads_give_their_bits) {
  for (const Images& images : IMAGES)
    for (const bool is_sparse : {false, true}) {
      check_added_product<float>(images, is_sparse);
      check_added_product<double>(images, is_sparse);
    }
}

}  // namespace

}  // namespace thalweg::tests
