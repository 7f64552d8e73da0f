// The matrix product where a is a triangle: square, and 0 where column > row, or such a
// square transposed. So are the weights of causal attention, and their gradients.
//
// Half of the products are with 0, and add nothing to the sums of product.h, whose order
// the others keep: the bits are the same.
#pragma once

#include "kernels/move.h"
#include "kernels/product.h"

namespace thalweg {
namespace THALWEG_VARIANT {
namespace {
namespace products {

constexpr Index TRIANGLE_ROWS = 12;  // made at a time: what is 0 for some of them is added

template <class T>
bool is_zero(Index n, const T* x) {
  using V = Vector<T>;
  constexpr Index N = LANES<T>;
  Index i = 0;
  for (; i + N <= n; i += N)
    if (lane_bits<T>(load<V>(x + i) != V{})) return false;
  return i == n ||
         !lane_bits<T>(thalweg::THALWEG_VARIANT::load_part<V>(x + i, n - i) != V{});
}

// Whether all of a is 0 that no rows of c would read. The last number of the first row
// says at once that most matrices are none.
template <class T>
bool is_triangle(const Typed<T>& p) {
  if (p.m != p.k || p.m < 2 * TRIANGLE_ROWS || p.a_at || p.b_at || p.packed) return false;
  if (p.b_column != 1 || p.n < LANES<T> || (p.a_row != 1 && p.a_column != 1)) return false;
  const Index row = p.a_column == 1 ? p.a_row : p.a_column;
  if (p.a[p.m - 1] != 0) return false;
  for (Index i = 0; i < p.m; ++i) {
    const Index end = smaller((i / TRIANGLE_ROWS + 1) * TRIANGLE_ROWS, p.m);
    if (!is_zero(p.m - end, p.a + i * row + end)) return false;
  }
  for (Index l = 0; l < p.k; ++l)  // 0 times infinity is NaN, which must be seen
    if (!all_finite_of(p.n, p.b + l * p.b_row)) return false;
  return true;
}

// Some rows of c, from so many neighboring l, which are of one block.
template <class T>
Typed<T> part_of(const Typed<T>& p, Index row, Index rows, Index l, Index depth) {
  Typed<T> part = p;
  part.m = part.line = rows;
  part.k = depth;
  part.a += row * p.a_row + l * p.a_column;
  part.b += l * p.b_row;
  part.c += row * p.c_row;
  return part;
}

template <class T>
void run_triangle(const Typed<T>& p) {
  const bool is_lower = p.a_column == 1;
  for (Index row = 0; row < p.m; row += TRIANGLE_ROWS) {
    const Index rows = smaller(TRIANGLE_ROWS, p.m - row);
    const Index first = is_lower ? 0 : row, last = is_lower ? row + rows : p.k;
    for (Index block = 0; block < last; block += BLOCK_DEPTH) {
      const Index l = larger(block, first), end = smaller(block + BLOCK_DEPTH, last);
      if (block > 0 && l >= end) continue;  // the first one starts the sums
      Typed<T> part = part_of(p, row, rows, smaller(l, p.k), larger(end - l, 0));
      part.accumulate = p.accumulate || block > 0;
      run_direct(part);
    }
  }
}

template <class T>
bool run_if_triangle(const Product& product) {
  const Typed<T> p(product);
  if (!is_triangle(p)) return false;
  run_triangle(p);
  return true;
}

}  // namespace products

inline bool triangle_product(const Product& p) {
  return p.dtype == Dtype::float64 ? products::run_if_triangle<double>(p)
                                   : products::run_if_triangle<float>(p);
}

}  // namespace
}  // namespace THALWEG_VARIANT
}  // namespace thalweg
