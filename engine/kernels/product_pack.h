// Copies of parts of a and b that are quicker to read than where they came from.
#pragma once

#include "kernels/product_vector.h"

namespace thalweg {
namespace THALWEG_VARIANT {
namespace {
namespace products {

// Some vectors of neighboring columns of a matrix; the last vector begins at column
// `last` and may overlap the one before it.
template <class T>
struct Columns {
  const T* from;
  Index row, column;  // strides
  Index rows, vectors, last;
};

// Where they go: columns adjacent, `row` apart, the last vector at `last`.
template <class T>
struct Panel {
  T* to;
  Index row, last;
};

template <class T, int N>
void pack_adjacent(const Columns<T>& columns, const Panel<T>& panel) {
  using V = typename Lanes<T, N>::type;
  const T* from = columns.from;
  T* to = panel.to;
  for (Index l = 0; l < columns.rows; ++l, from += columns.row, to += panel.row) {
    for (Index v = 0; v < columns.vectors - 1; ++v)
      store(to + v * N, load<V>(from + v * N));
    store(to + panel.last, load<V>(from + columns.last));
  }
}

// N lines `stride` apart, a few numbers of each, become a few vectors.
template <class T, int N>
THALWEG_INLINE void transpose_unit(const T* from, Index stride, T* to, Index to_row) {
  using V = typename Lanes<T, N>::type;
  constexpr int UNIT = 16 / sizeof(T);
  V lines[UNIT], columns[UNIT];
#pragma GCC unroll 4
  for (int i = 0; i < UNIT; ++i)
    lines[i] = gather_units<T, N>(from + i * stride, UNIT * stride);
  transpose_lanes(lines, columns);
#pragma GCC unroll 4
  for (int i = 0; i < UNIT; ++i) store(to + i * to_row, columns[i]);
}

template <class T, int N>
void pack_transposed(const Columns<T>& columns, const Panel<T>& panel) {
  constexpr Index UNIT = 16 / sizeof(T);
  for (Index v = 0; v < columns.vectors; ++v) {
    bool last = v == columns.vectors - 1;
    const T* from = columns.from + (last ? columns.last : v * N) * columns.column;
    T* to = panel.to + (last ? panel.last : v * N);
    Index l = 0;
    for (; columns.rows >= UNIT && l < columns.rows; l += UNIT) {
      const Index row = columns.rows - l < UNIT ? columns.rows - UNIT : l;
      transpose_unit<T, N>(from + row, columns.column, to + row * panel.row, panel.row);
    }
    for (; l < columns.rows; ++l)
      for (int lane = 0; lane < N; ++lane)
        to[l * panel.row + lane] = from[l + lane * columns.column];
  }
}

template <class T, int N>
void pack_scattered(const Columns<T>& columns, const Panel<T>& panel) {
  for (Index l = 0; l < columns.rows; ++l)
    for (Index v = 0; v < columns.vectors; ++v) {
      bool last = v == columns.vectors - 1;
      const Index column = last ? columns.last : v * N;
      const T* from = columns.from + l * columns.row + column * columns.column;
      T* to = panel.to + l * panel.row + (last ? panel.last : v * N);
      for (int lane = 0; lane < N; ++lane) to[lane] = from[lane * columns.column];
    }
}

template <class T, int N>
void pack(const Columns<T>& columns, const Panel<T>& panel) {
  if (columns.column == 1) return pack_adjacent<T, N>(columns, panel);
  if constexpr (N > 1)
    if (columns.row == 1) return pack_transposed<T, N>(columns, panel);
  pack_scattered<T, N>(columns, panel);
}

}  // namespace products
}  // namespace
}  // namespace THALWEG_VARIANT
}  // namespace thalweg
