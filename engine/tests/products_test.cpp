// Matrix products against long double, in every form in which matrices may lie.
#include <cmath>
#include <cstring>
#include <limits>

#include "platform/memory.h"
#include "tests/check.h"

namespace thalweg::tests {

namespace {

struct Form {
  Index m, n, k;
  bool a_by_columns, b_by_columns;
  char start;  // '0', 'b'ias, or what 'c' holds already
};

template <class T>
struct Case {
  explicit Case(const Form& form)
      : form(form),
        a(normal_numbers<T>(static_cast<std::size_t>(form.m * form.k))),
        b(normal_numbers<T>(static_cast<std::size_t>(form.k * form.n))),
        c(normal_numbers<T>(static_cast<std::size_t>(form.m * form.n))),
        bias(normal_numbers<T>(static_cast<std::size_t>(form.n))) {}

  Product product(std::vector<T>& out) const {
    Product p{};
    p.dtype = sizeof(T) == 4 ? Dtype::float32 : Dtype::float64;
    p.m = form.m, p.n = form.n, p.k = form.k;
    p.a = a.data(), p.b = b.data(), p.c = out.data();
    p.a_row = form.a_by_columns ? 1 : form.k;
    p.a_column = form.a_by_columns ? form.m : 1;
    p.b_row = form.b_by_columns ? 1 : form.n;
    p.b_column = form.b_by_columns ? form.k : 1;
    p.c_row = form.n;
    p.bias = form.start == 'b' ? bias.data() : nullptr;
    p.accumulate = form.start == 'c';
    return p;
  }

  void check(const std::vector<T>& out) const {
    for (Index i = 0; i < form.m; ++i)
      for (Index j = 0; j < form.n; ++j) {
        const auto at = static_cast<std::size_t>(i * form.n + j);
        long double sum = form.start == 'b'   ? bias[static_cast<std::size_t>(j)]
                          : form.start == 'c' ? c[at]
                                              : 0;
        long double size = std::fabs(sum);
        for (Index l = 0; l < form.k; ++l) {
          const Index of_a = form.a_by_columns ? l * form.m + i : i * form.k + l;
          const Index of_b = form.b_by_columns ? j * form.k + l : l * form.n + j;
          const long double term =
              static_cast<long double>(a[static_cast<std::size_t>(of_a)]) *
              b[static_cast<std::size_t>(of_b)];
          sum += term;
          size += std::fabs(term);
        }
        // Rounding adds up as a walk at random does, with room to spare.
        const long double bound = size * std::numeric_limits<T>::epsilon() *
                                  (4 + std::sqrt(static_cast<long double>(form.k)));
        CHECK(std::fabs(out[at] - sum) <= bound, form.m, "×", form.k, "×", form.n, " at ",
              i, ", ", j, ": ", out[at], ", not ", sum);
      }
  }

  Form form;
  std::vector<T> a, b, c, bias;
};

template <class T>
void run(Product& product, Memory& scratch) {
  scratch = Memory(kernels->product_scratch(product));
  product.scratch = scratch.data();
  kernels->product(product);
}

// With b packed before, it has the same bits: all of it, and some of its rows.
template <class T>
void check_packed(const Case<T>& each, const std::vector<T>& wanted) {
  const Form& form = each.form;
  std::vector<T> out = each.c;
  Product product = each.product(out);
  const std::size_t bytes = kernels->packed_bytes(product);
  if (bytes == 0) return;
  Memory packed(bytes), scratch;
  kernels->pack_factor(product, packed.data());
  product.packed = packed.data();
  Product first = product;
  first.m = form.m / 2;
  run<T>(first, scratch);
  product.m -= first.m;
  product.a = each.a.data() + first.m * product.a_row;
  product.c = out.data() + first.m * product.c_row;
  run<T>(product, scratch);
  CHECK(std::memcmp(out.data(), wanted.data(), out.size() * sizeof(T)) == 0, form.m, "×",
        form.k, "×", form.n, " packed");
}

template <class T>
void check_form(const Form& form) {
  const Case<T> each(form);
  std::vector<T> out = each.c;
  Product product = each.product(out);
  Memory scratch;
  run<T>(product, scratch);
  each.check(out);

  // Cut at tiles, it has the same bits.
  std::vector<T> parts = each.c;
  Index rows, columns;
  kernels->product_tile(product, &rows, &columns);
  for (Index from = 0; from < form.m; from += rows) {
    Product part = each.product(parts);
    part.m = std::min(rows, form.m - from);
    part.a = each.a.data() + from * part.a_row;
    part.c = parts.data() + from * part.c_row;
    run<T>(part, scratch);
  }
  CHECK(std::memcmp(out.data(), parts.data(), out.size() * sizeof(T)) == 0, form.m, "×",
        form.k, "×", form.n, " in parts of ", rows, " rows");
  check_packed<T>(each, out);
}

TEST(products_of_all_forms) {
  for (const Index m : {1, 2, 5, 33})
    for (const Index n : {1, 3, 16, 70})
      for (const Index k : {0, 1, 9, 64})
        for (const bool a_by_columns : {false, true})
          for (const bool b_by_columns : {false, true})
            for (const char start : {'0', 'b', 'c'}) {
              const Form form{m, n, k, a_by_columns, b_by_columns, start};
              check_form<float>(form);
              check_form<double>(form);
            }
}

TEST(large_products) {
  for (const bool a_by_columns : {false, true})
    for (const bool b_by_columns : {false, true}) {
      check_form<float>({150, 200, 600, a_by_columns, b_by_columns, 'b'});
      check_form<double>({70, 190, 300, a_by_columns, b_by_columns, '0'});
    }
}

TEST(a_product_of_zeros_has_the_bits_of_the_whole_one) {
  Case<float> each({256, 64, 200, false, false, 'b'});
  for (std::size_t i = 0; i < each.a.size(); ++i)
    if (i % 11) each.a[i] = 0;
  std::vector<float> whole = each.c, sparse = each.c;
  Product product = each.product(whole);
  Memory scratch;
  run<float>(product, scratch);
  product = each.product(sparse);
  const std::size_t bytes = kernels->sparse_scratch(product);
  CHECK(bytes > 0);
  scratch = Memory(bytes);
  product.scratch = scratch.data();
  CHECK(kernels->is_sparse(product));
  kernels->sparse_product(product);
  CHECK(whole == sparse);
  each.b[5] = std::numeric_limits<float>::infinity();
  CHECK(!kernels->is_sparse(product), "0 times infinity is NaN");
}

// Numbers where column <= row of a square in memory, of which a is the transpose perhaps.
template <class T>
void check_triangle(Index m, Index n, bool a_by_columns, char start) {
  Case<T> each({m, n, m, a_by_columns, false, start});
  for (Index row = 0; row < m; ++row)
    for (Index column = row + 1; column < m; ++column)
      each.a[static_cast<std::size_t>(row * m + column)] = 0;
  std::vector<T> whole = each.c, triangle = each.c;
  Product product = each.product(whole);
  Memory scratch;
  run<T>(product, scratch);
  product = each.product(triangle);
  CHECK(kernels->triangle_product(product));
  CHECK(std::memcmp(whole.data(), triangle.data(), whole.size() * sizeof(T)) == 0, m, "×",
        m, "×", n, a_by_columns ? " transposed" : "");
  const std::vector<T> before = triangle;
  each.b[5] = std::numeric_limits<T>::infinity();
  CHECK(!kernels->triangle_product(product), "0 times infinity is NaN");
  each.b[5] = 1;
  each.a[static_cast<std::size_t>(2 * m - 1)] = 1;
  CHECK(!kernels->triangle_product(product), "a number above the diagonal");
  CHECK(before == triangle, "what isn't done is left");
}

TEST(a_product_of_a_triangle_has_the_bits_of_the_whole_one) {
  for (const Index m : {24, 25, 64, 300})
    for (const Index n : {16, 21})
      for (const bool a_by_columns : {false, true})
        for (const char start : {'0', 'b', 'c'}) {
          check_triangle<float>(m, n, a_by_columns, start);
          check_triangle<double>(m, n, a_by_columns, start);
        }
}

}  // namespace

}  // namespace thalweg::tests
