// Tiles of c that are made in registers, and strips of them.
#pragma once

#include "kernels/product_vector.h"

namespace thalweg {
namespace THALWEG_VARIANT {
namespace {
namespace products {

#if THALWEG_VECTOR_BYTES >= 64 || defined(__aarch64__)
constexpr int TILE_VECTORS = 4, WIDEST_TILE = 4;  // 32 registers
constexpr int tile_rows(int vectors) { return vectors < 3 ? 12 : vectors < 4 ? 8 : 6; }
#else
constexpr int TILE_VECTORS = 2, WIDEST_TILE = 3;  // 16 registers
#if THALWEG_VECTOR_BYTES >= 32
constexpr int tile_rows(int vectors) { return vectors < 2 ? 12 : vectors < 3 ? 6 : 4; }
#else
constexpr int tile_rows(int vectors) { return vectors < 3 ? 4 : 3; }
#endif
#endif

inline Index smaller(Index a, Index b) { return a < b ? a : b; }
inline Index larger(Index a, Index b) { return a > b ? a : b; }

// `total` things in `count` parts that are as equal as possible, longer ones first.
struct Split {
  Index count, least, longer;
  Split(Index total, Index count)
      : count(count), least(count ? total / count : 0), longer(count ? total % count : 0) {}
  Index begin(Index part) const { return part * least + smaller(part, longer); }
  Index size(Index part) const { return least + (part < longer); }
};

inline Index parts(Index total, Index most) { return (total + most - 1) / most; }

// Vectors of columns as tiles. None but a single one is alone: see Strip.
inline Split split_columns(Index vectors) {
  if (WIDEST_TILE == TILE_VECTORS) return Split(vectors, parts(vectors, TILE_VECTORS));
  return Split(vectors, vectors < 2 ? vectors : vectors / 2);
}

// Which of the two lies at places of a list, l by l, rather than a stride apart.
enum class Listed { none, a, b };

// Some vectors of columns of c, over all rows. The last of the vectors may overlap the
// one before it, so that no vector ever reaches beyond the columns that there are. (Both
// must be of one tile: what is added to c must be added once.)
template <class T>
struct Strip {
  Index rows, depth;
  const Index* at;  // where l begins in the one that is listed
  const T* a;
  Index a_row, a_column;
  const T* b;
  Index b_row, b_last;
  T* c;
  Index c_row, c_last;
  const T* addend;  // added in the end, or null
  Index addend_row;
};

template <class T, int N, Listed LISTED, int ROWS, int VECTORS>
THALWEG_INLINE void run_tile(const Strip<T>& strip, Index row) {
  using V = typename Lanes<T, N>::type;
  const T* const first_a = strip.a + row * strip.a_row;
  const T* a = first_a;
  const T* b = strip.b;
  const Index a_row = strip.a_row, a_column = strip.a_column;
  const Index b_row = strip.b_row, b_last = strip.b_last;
  V sums[ROWS][VECTORS] = {};
  for (Index l = 0; l < strip.depth; ++l) {
    if constexpr (LISTED == Listed::a) a = first_a + strip.at[l];
    if constexpr (LISTED == Listed::b) b = strip.b + strip.at[l];
    V factors[VECTORS];
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; ++v)
      factors[v] = load<V>(b + (v < VECTORS - 1 ? v * N : b_last));
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; ++i) {
      const V factor = repeat<V>(a[i * a_row]);
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS; ++v)
        sums[i][v] = multiply_add(factor, factors[v], sums[i][v]);
    }
    if constexpr (LISTED != Listed::a) a += a_column;
    if constexpr (LISTED != Listed::b) b += b_row;
  }
  // 0 is added too where nothing else is, so that −0 becomes 0 as in product_sparse.h.
  if (!strip.addend) {
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; ++i) {
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS; ++v) sums[i][v] += V{};
    }
  } else {
    const T* addend = strip.addend + row * strip.addend_row;
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; ++i, addend += strip.addend_row) {
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS; ++v)
        sums[i][v] += load<V>(addend + (v < VECTORS - 1 ? v * N : strip.c_last));
    }
  }
  T* c = strip.c + row * strip.c_row;
#pragma GCC unroll 16
  for (int i = 0; i < ROWS; ++i, c += strip.c_row) {
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; ++v)
      store(c + (v < VECTORS - 1 ? v * N : strip.c_last), sums[i][v]);
  }
}

template <class T, int N, Listed LISTED, int VECTORS, int ROWS>
THALWEG_INLINE void run_rows(const Strip<T>& strip, Index row, Index rows) {
  if constexpr (ROWS > 1)
    if (rows < ROWS) return run_rows<T, N, LISTED, VECTORS, ROWS - 1>(strip, row, rows);
  run_tile<T, N, LISTED, ROWS, VECTORS>(strip, row);
}

template <class T, int N, Listed LISTED, int VECTORS>
__attribute__((noinline)) void run_tiles(const Strip<T>& strip) {
  constexpr int ROWS = tile_rows(VECTORS);
  Split tiles(strip.rows, parts(strip.rows, ROWS));
  for (Index tile = 0, row = 0; tile < tiles.count; row += tiles.size(tile++))
    run_rows<T, N, LISTED, VECTORS, ROWS>(strip, row, tiles.size(tile));
}

template <class T, int N, Listed LISTED, int WIDEST>
void run_strip(const Strip<T>& strip, Index vectors) {
  if constexpr (WIDEST > 1)
    if (vectors < WIDEST) return run_strip<T, N, LISTED, WIDEST - 1>(strip, vectors);
  run_tiles<T, N, LISTED, WIDEST>(strip);
}

}  // namespace products
}  // namespace
}  // namespace THALWEG_VARIANT
}  // namespace thalweg
