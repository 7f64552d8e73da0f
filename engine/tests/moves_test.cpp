// Kernels that move: copies, rows of tables, random bits; and the table of them all.
#include <cstring>
#include <limits>

#include "tests/check.h"

namespace thalweg::tests {

namespace {

TEST(no_kernel_is_missing) {
#define THALWEG_ENTRY(name) CHECK(kernels->name != nullptr);
  THALWEG_KERNELS(THALWEG_ENTRY)
#undef THALWEG_ENTRY
#define THALWEG_ONE(name) +1
  constexpr std::size_t named = 0 THALWEG_KERNELS(THALWEG_ONE);
#undef THALWEG_ONE
  static_assert(sizeof(Kernels) == (named + 1) * sizeof(void*), "one isn't in the list");
}

template <class T>
void check_copy(Index rows, Index columns, bool transposed) {
  const auto count = static_cast<std::size_t>(rows * columns);
  std::vector<T> in(count), out(count);
  for (std::size_t i = 0; i < count; ++i) in[i] = static_cast<T>(i * 7 + 1);
  const Index item = sizeof(T);
  Copy copy{};
  copy.item_size = static_cast<int>(item);
  copy.rank = 2;
  copy.extents[0] = rows, copy.extents[1] = columns;
  copy.in = in.data(), copy.out = out.data();
  copy.in_strides[0] = transposed ? item : columns * item;
  copy.in_strides[1] = transposed ? rows * item : item;
  copy.out_strides[0] = columns * item, copy.out_strides[1] = item;
  kernels->copy(copy);
  for (Index r = 0; r < rows; ++r)
    for (Index c = 0; c < columns; ++c) {
      const auto from =
          static_cast<std::size_t>(transposed ? c * rows + r : r * columns + c);
      CHECK(out[static_cast<std::size_t>(r * columns + c)] == in[from], r, ", ", c);
    }
}

TEST(copies_bring_elements_where_they_belong) {
  for (const Index rows : {1, 2, 17, 64})
    for (const Index columns : {1, 3, 16, 45})
      for (const bool transposed : {false, true}) {
        check_copy<std::uint8_t>(rows, columns, transposed);
        check_copy<float>(rows, columns, transposed);
        check_copy<double>(rows, columns, transposed);
      }
}

TEST(expand_repeats_numbers_or_rows) {
  constexpr Index UNITS = 13, UNIT = 7;
  const std::vector<float> numbers = normal_numbers<float>(UNITS);
  std::vector<float> out(UNITS * UNIT + 16);
  kernels->expand(4, UNITS, UNIT, numbers.data(), 4, 0, out.data());
  for (std::size_t i = 0; i < UNITS * UNIT; ++i) CHECK(out[i] == numbers[i / UNIT], i);
  kernels->expand(4, UNITS, UNIT, numbers.data(), 0, 4, out.data());
  for (std::size_t i = 0; i < UNITS * UNIT; ++i) CHECK(out[i] == numbers[i % UNIT], i);
}

TEST(accumulate_adds) {
  const std::vector<double> in = normal_numbers<double>(101);
  std::vector<double> out = normal_numbers<double>(101);
  const std::vector<double> before = out;
  kernels->accumulate(Dtype::float64, 101, out.data(), in.data());
  for (std::size_t i = 0; i < out.size(); ++i) CHECK(out[i] == before[i] + in[i], i);
}

TEST(rows_are_taken_by_their_numbers) {
  constexpr Index ROWS = 9, WIDTH = 5, STRIDE = 7;
  const std::vector<float> table = normal_numbers<float>(ROWS * STRIDE);
  const std::vector<std::int32_t> indices{8, 0, 3, 3, 1};
  const std::vector<std::int64_t> wide(indices.begin(), indices.end());
  const auto count = static_cast<Index>(indices.size());
  std::vector<float> out(indices.size() * WIDTH), out_wide(out.size());
  CHECK(kernels->take(count, WIDTH * 4, table.data(), STRIDE * 4, ROWS, indices.data(),
                      out.data()));
  CHECK(kernels->take_wide(count, WIDTH * 4, table.data(), STRIDE * 4, ROWS, wide.data(),
                           out_wide.data()));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto row = static_cast<std::size_t>(indices[i / WIDTH]);
    CHECK(out[i] == table[row * STRIDE + i % WIDTH], i);
    CHECK(out_wide[i] == out[i], i);
  }
}

template <class T>
void check_scatter_add(Dtype dtype) {
  constexpr std::size_t ROWS = 4, WIDTH = 37;
  const std::vector<std::int32_t> indices{2, 0, 2, 2};
  const std::vector<T> x = normal_numbers<T>(indices.size() * WIDTH, 50);
  std::vector<T> out(ROWS * WIDTH, T(3)), expected = out;
  for (std::size_t i = 0; i < x.size(); ++i)
    expected[static_cast<std::size_t>(indices[i / WIDTH]) * WIDTH + i % WIDTH] += x[i];
  CHECK(kernels->scatter_add(dtype, static_cast<Index>(indices.size()), WIDTH, x.data(),
                             indices.data(), ROWS, out.data()));
  CHECK(out == expected, static_cast<int>(dtype));
}

TEST(rows_are_added_by_their_numbers_in_order) {
  check_scatter_add<float>(Dtype::float32);
  check_scatter_add<double>(Dtype::float64);
  check_scatter_add<std::int32_t>(Dtype::int32);
}

TEST(a_number_of_no_row_is_refused) {
  const float table[4] = {}, x[4] = {};
  float out[4] = {};
  for (const std::int32_t bad : {-1, 2, INT32_MAX, INT32_MIN}) {
    const std::int64_t wide = bad;
    CHECK(!kernels->take(1, 8, table, 8, 2, &bad, out), bad);
    CHECK(!kernels->take_wide(1, 8, table, 8, 2, &wide, out), bad);
    CHECK(!kernels->scatter_add(Dtype::float32, 1, 2, x, &bad, 2, out), bad);
  }
}

// Philox4x32-10 by the book: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as
// easy as 1, 2, 3", 2011.
struct Words {
  std::uint32_t of[4];
  bool operator==(const Words&) const = default;
};

Words philox(Words counter, std::uint32_t key0, std::uint32_t key1) {
  auto& w = counter.of;
  for (int round = 0; round < 10; ++round, key0 += 0x9E3779B9, key1 += 0xBB67AE85) {
    const std::uint64_t product0 = std::uint64_t{w[0]} * 0xD2511F53;
    const std::uint64_t product1 = std::uint64_t{w[2]} * 0xCD9E8D57;
    counter = {{static_cast<std::uint32_t>(product1 >> 32) ^ w[1] ^ key0,
                static_cast<std::uint32_t>(product1),
                static_cast<std::uint32_t>(product0 >> 32) ^ w[3] ^ key1,
                static_cast<std::uint32_t>(product0)}};
  }
  return counter;
}

TEST(philox_gives_the_published_answers) {
  constexpr std::uint32_t ONES = 0xFFFFFFFF;
  CHECK((philox({{0, 0, 0, 0}}, 0, 0) ==
         Words{{0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8}}));
  CHECK((philox({{ONES, ONES, ONES, ONES}}, ONES, ONES) ==
         Words{{0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD}}));
  CHECK((philox({{0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344}}, 0xA4093822,
                0x299F31D0) == Words{{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1}}));
}

TEST(random_bits_are_philox_from_any_element_on) {
  constexpr std::uint32_t SEED = 0xA4093822, STEP = 0xFFFFFFFF, OPERATION = 5;
  for (const Index first : {0, 1, 6, 4000001})
    for (const Index count : {0, 1, 3, 4, 63, 64, 501}) {
      std::vector<std::uint32_t> out(static_cast<std::size_t>(count) + 1, 77);
      kernels->random_bits(SEED, STEP, OPERATION, first, count, out.data());
      for (Index i = 0; i < count; ++i) {
        const auto element = static_cast<std::uint32_t>(first + i);
        const Words words = philox({{element / 4, OPERATION, STEP, 0}}, SEED, 0);
        CHECK(out[static_cast<std::size_t>(i)] == words.of[element % 4], first, " + ", i);
      }
      CHECK(out.back() == 77, "too much is written");
    }
}

template <class T>
void check_finite(Dtype dtype) {
  for (const std::size_t count : {1, 7, 64, 5000}) {
    std::vector<T> numbers = normal_numbers<T>(count);
    const auto all_finite = [&] {
      return kernels->all_finite(dtype, static_cast<Index>(count), numbers.data());
    };
    CHECK(all_finite(), count);
    numbers.back() = std::numeric_limits<T>::infinity();
    CHECK(!all_finite(), count);
    numbers.back() = std::numeric_limits<T>::quiet_NaN();
    CHECK(!all_finite(), count);
  }
}

TEST(what_is_not_finite_is_found) {
  check_finite<float>(Dtype::float32);
  check_finite<double>(Dtype::float64);
}

}  // namespace

}  // namespace thalweg::tests
