// A product of one row: as fast as b can be read, so b is read line after line.
#pragma once

#include "kernels/product_vector.h"

namespace thalweg {
namespace THALWEG_VARIANT {
namespace {
namespace products {

constexpr int ROW_LINES = 8;  // of b, added at a time

// Some vectors of columns, the last of which begins at `last` and may overlap the one
// before it, and some lines of b.
template <class T>
struct Lines {
  const T* a;
  Index a_column;
  const T* b;
  Index b_row, vectors, last, depth;
};

template <class T, int N, int COUNT>
THALWEG_INLINE void add_lines(const Lines<T>& lines, Index l, T* sums) {
  using V = typename Lanes<T, N>::type;
  const T* b = lines.b + l * lines.b_row;
  V factors[COUNT];
#pragma GCC unroll 8
  for (int i = 0; i < COUNT; ++i) factors[i] = repeat<V>(lines.a[(l + i) * lines.a_column]);
  for (Index v = 0; v < lines.vectors; ++v) {
    const T* from = b + (v < lines.vectors - 1 ? v * N : lines.last);
    V sum = load<V>(sums + v * N);
#pragma GCC unroll 8
    for (int i = 0; i < COUNT; ++i)
      sum = multiply_add(factors[i], load<V>(from + i * lines.b_row), sum);
    store(sums + v * N, sum);
  }
}

template <class T, int N>
void sum_lines(const Lines<T>& lines, T* sums) {
  for (Index i = 0; i < lines.vectors * N; ++i) sums[i] = 0;
  Index l = 0;
  for (; l + ROW_LINES <= lines.depth; l += ROW_LINES)
    add_lines<T, N, ROW_LINES>(lines, l, sums);
  for (; l < lines.depth; ++l) add_lines<T, N, 1>(lines, l, sums);
}

template <class T, int N>
typename Lanes<T, N>::type finished(const T* sums, const T* addend) {
  using V = typename Lanes<T, N>::type;
  return load<V>(sums) + (addend ? load<V>(addend) : V{});
}

// c = sums + addend, where the addend may be c itself.
template <class T, int N>
void finish_row(const Lines<T>& lines, const T* sums, const T* addend, T* c) {
  const Index before = lines.vectors - 1, last = lines.last;
  const auto end = finished<T, N>(sums + before * N, addend ? addend + last : addend);
  for (Index v = 0; v < before; ++v)
    store(c + v * N, finished<T, N>(sums + v * N, addend ? addend + v * N : addend));
  store(c + last, end);
}

}  // namespace products
}  // namespace
}  // namespace THALWEG_VARIANT
}  // namespace thalweg
